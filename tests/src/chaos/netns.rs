//! A broker in a network of its own, and the cable to it pulled: packets vanish, and no end is told.
//!
//! Needs root and `ip`. Not here: the same without either (`wire`).

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use domain::Timestamp;
use eventlog::{Clock as _, SystemClock};

use super::wire::{STORE, configuration, interrupted};
use super::{Outcome, Rig};
use crate::eventually;
use crate::process::Ran;

const SPACE: &str = "doorstroom-chaos";
const HERE: &str = "10.233.77.1";
const THERE: &str = "10.233.77.2";
const PORT: u16 = 4222;

/// The network of the broker; taken away when dropped, and the broker with it.
struct Space(Option<Child>);

impl Space {
    fn make() -> Result<Self, String> {
        drop(ip(&["netns", "del", SPACE]));
        let made = ip(&["netns", "add", SPACE]);
        if made.code != Some(0) {
            return Err(format!("no network namespace can be made here: {}", made.stderr.trim()));
        }
        let space = Self(None);
        for line in [
            format!("link add chaos0 type veth peer name chaos1 netns {SPACE}"),
            format!("addr add {HERE}/30 dev chaos0"),
            "link set chaos0 up".to_owned(),
            format!("-n {SPACE} addr add {THERE}/30 dev chaos1"),
            format!("-n {SPACE} link set chaos1 up"),
            format!("-n {SPACE} link set lo up"),
        ] {
            let made = ip(&line.split(' ').collect::<Vec<_>>());
            if made.code != Some(0) {
                return Err(format!("ip {line}: {}", made.stderr.trim()));
            }
        }
        Ok(space)
    }

    fn cable(pulled: bool) {
        let state = if pulled { "down" } else { "up" };
        let _set = ip(&["-n", SPACE, "link", "set", "chaos1", state]).ok();
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        if let Some(broker) = &mut self.0 {
            drop(broker.kill());
            drop(broker.wait());
        }
        drop(ip(&["link", "del", "chaos0"]));
        drop(ip(&["netns", "del", SPACE]));
    }
}

fn ip(arguments: &[&str]) -> Ran {
    crate::run(Command::new("ip").args(arguments), &[])
}

/// The broker is behind a cable that is pulled for half a minute.
pub(super) fn partition() -> Result<Outcome, String> {
    let mut space = Space::make()?;
    let day = crate::reference("region-day");
    let mut rig = Rig::prepare(&day.network, day.events);
    fs::create_dir_all(rig.site.data()).unwrap();
    let now = Timestamp::from_micros(SystemClock.now());
    let keys = rig.site.data().join("keys");
    keyring::prepare(&rig.site.network_file(), &keys, &[THERE.to_owned()], now).unwrap();
    rig.up();
    rig.down();
    let folder = rig.site.folder().join("there");
    fs::create_dir_all(&folder).unwrap();
    let config = configuration(&rig, &format!("listen: \"{THERE}:{PORT}\""));
    fs::write(folder.join("nats.conf"), config.replace(STORE, &folder.display().to_string())).unwrap();
    let mut command = Command::new("ip");
    command.args(["netns", "exec", SPACE]).arg(crate::nats_server()).arg("-c").arg(folder.join("nats.conf"));
    let silent = || Stdio::null();
    space.0 = Some(command.stdin(silent()).stdout(silent()).stderr(silent()).spawn().unwrap());
    eventually("broker behind the cable", Duration::from_secs(30), || {
        std::net::TcpStream::connect((THERE, PORT)).ok()
    });
    let bus = format!("tls://{THERE}:{PORT}");
    rig.site = rig.site.with(&["--nats", &bus]);
    rig.up();
    let did = "cable to the broker pulled for 30 s (network namespace)";
    let half_a_minute = Duration::from_secs(30);
    Ok(interrupted(rig, &bus, did, half_a_minute, || Space::cable(true), || Space::cable(false)))
}
