//! Who takes part, as it changes: the network file is looked at again and again, and what it says counts at once.
//!
//! A change of keys, rights or sources goes to the broker (its configuration is written anew and read again, which cuts
//! whoever is not let in any more) and to the recorder, one of the rules of alerts to the gateway. Other regions or centres need a restart. Not here: what the file
//! may say (`network`), how it is edited (`keyring`).

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bus::alarm::{Alarm, Alarms};
use bus::server::{Setup, configuration};
use domain::Timestamp;
use network::{Account, Network};
use tokio::sync::{mpsc, watch};
use tokio::time::MissedTickBehavior;

use super::bars::Bars;
use super::warden::Offender;
use crate::failure::Failure;

/// How often the file is looked at: whoever is shut out is cut within seconds.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The code of the alarm that a key that was valid is so no more.
const KEY_ENDED: &str = "key_ended";
/// The code of the alarm that the network file was changed to something that can not be taken.
const FILE_REFUSED: &str = "network_file_refused";

/// The code of the alarm that somebody is shut out of the bus for a while.
const SHUT_OUT: &str = "shut_out";

/// The configuration of a broker of our own, and how it is told to read it again.
pub(super) struct Configured {
    pub(super) setup: Setup,
    pub(super) file: PathBuf,
    pub(super) reload: Box<dyn Fn() + Send + Sync>,
}

/// Writes the configuration of the broker, which holds no secret, in one step.
///
/// # Errors
/// It can not be written.
pub(super) fn write_configuration(
    file: &Path,
    network: &Network,
    now: Timestamp,
    setup: &Setup,
) -> Result<(), Failure> {
    let draft = file.with_extension("draft");
    fs::write(&draft, configuration(network, now, setup))
        .and_then(|()| fs::rename(&draft, file))
        .map_err(|error| Failure::new(format!("{} can not be written", file.display()), error))
}

/// Keeps who takes part up to date.
pub(super) struct Registry {
    pub(super) file: PathBuf,
    pub(super) network: watch::Sender<Arc<Network>>,
    pub(super) broker: Option<Configured>,
    pub(super) alarms: Alarms,
    pub(super) offenders: mpsc::Receiver<Offender>,
    pub(super) bars: Bars,
}

/// A key of a user.
type Key = (Account, String, String);

impl Registry {
    /// Looks at the file until `shutdown`.
    pub(super) async fn run(mut self, shutdown: impl Future<Output = ()> + Send) {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut shutdown = std::pin::pin!(shutdown);
        let mut seen = fs::read(&self.file).ok();
        let mut changed = modified(&self.file);
        let mut valid = valid_keys(&self.network.borrow(), super::now());
        let mut out = BTreeSet::new();
        loop {
            tokio::select! {
                () = &mut shutdown => return,
                _ = looks.tick() => {}
                Some(offender) = self.offenders.recv() => self.shut_out(offender),
            }
            let at = modified(&self.file);
            if at != changed {
                changed = at;
                let bytes = fs::read(&self.file).ok();
                if bytes != seen {
                    seen = bytes;
                    self.read();
                }
            }
            // Also without a change of the file: a key may have come to its end.
            let network = Arc::clone(&self.network.borrow());
            let now_valid = valid_keys(&network, super::now());
            let now_out = self.bars.at(super::now());
            if now_valid != valid || now_out != out {
                self.tell_ended(&valid, &now_valid);
                (valid, out) = (now_valid, now_out);
                self.configure(&network);
            }
        }
    }

    /// Takes over what the file says now.
    fn read(&self) {
        let network = match Network::read(&self.file) {
            Ok(network) => network,
            Err(error) => {
                let detail = format!("the change is not taken, the node goes on with what it knew: {error}");
                self.alarms.raise(Alarm::new(FILE_REFUSED, detail));
                return;
            }
        };
        let before = Arc::clone(&self.network.borrow());
        if places(&before) != places(&network) {
            tracing::warn!("the network file has other regions or centres: restart the node to take them up");
        }
        tracing::info!(file = %self.file.display(), "the network file was changed, and counts from now on");
        let network = Arc::new(network);
        self.configure(&network);
        self.network.send_replace(network);
    }

    fn configure(&self, network: &Network) {
        let Some(Configured { setup, file, reload }) = &self.broker else { return };
        let setup = Setup { shut_out: self.bars.at(super::now()), ..setup.clone() };
        match write_configuration(file, network, super::now(), &setup) {
            Ok(()) => reload(),
            Err(failure) => tracing::error!(%failure, "the broker goes on with what it knew"),
        }
    }

    /// Shuts somebody out of the bus, if the broker is ours to tell.
    fn shut_out(&mut self, Offender { who, why }: Offender) {
        let ours = self.broker.is_some();
        let Some(until) = self.bars.shut_out(who.clone(), super::now()) else { return };
        let (account, user) = who;
        let done = if ours {
            format!("it is shut out of the bus until {until}")
        } else {
            "the broker is not the node's own: shut it out there".to_owned()
        };
        self.alarms.raise(Alarm {
            region: region_of(&account),
            sender: user.parse().ok(),
            security: true,
            ..Alarm::new(
                SHUT_OUT,
                format!("{user} in {account}: {why}; {done}, and find out who has its key"),
            )
        });
    }

    fn tell_ended(&self, before: &HashSet<Key>, now: &HashSet<Key>) {
        for (account, user, _) in before.difference(now) {
            let detail = format!("a key of {user} in {account} is valid no more: whoever uses it is cut off");
            let alarm = Alarm {
                region: region_of(account),
                sender: user.parse().ok(),
                ..Alarm::new(KEY_ENDED, detail)
            };
            self.alarms.raise(Alarm { security: true, ..alarm });
        }
    }
}

fn region_of(account: &Account) -> Option<domain::RegionId> {
    match account {
        Account::Region(region) => Some(region.clone()),
        Account::Core | Account::Centre(_) | Account::System => None,
    }
}

fn modified(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).and_then(|data| data.modified()).ok()
}

fn valid_keys(network: &Network, now: Timestamp) -> HashSet<Key> {
    network
        .users()
        .flat_map(|user| {
            let whose = (user.account.clone(), user.name.to_owned());
            user.valid_keys(now).map(move |key| (whose.0.clone(), whose.1.clone(), key.to_string()))
        })
        .collect()
}

/// What only a restart takes up.
fn places(network: &Network) -> (BTreeSet<&str>, Vec<(&str, Vec<&str>)>) {
    let regions = network.regions().map(|region| region.code.as_str()).collect();
    let centres = network
        .centres()
        .map(|centre| (centre.code.as_str(), centre.regions.iter().map(domain::RegionId::as_str).collect()));
    (regions, centres.collect())
}
