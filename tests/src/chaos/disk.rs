//! The disk below the broker: full, or in error. Needs root, `mount` and `strace`.
//!
//! Not here: the disk below the log (`eventlog`).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{Outcome, Rig};
use crate::{eventually, run};

/// A small disk; taken away when dropped.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: &Path, size: &str) -> Result<Self, String> {
        fs::create_dir_all(at).unwrap();
        let size = format!("size={size}");
        let mounted = run(Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at), &[]);
        match mounted.code {
            Some(0) => Ok(Self(at.to_owned())),
            _ => Err(format!("no small disk can be mounted here: {}", mounted.stderr.trim())),
        }
    }

    fn grow(&self, size: &str) {
        let size = format!("remount,size={size}");
        let _grown = run(Command::new("mount").args(["-o", &size]).arg(&self.0), &[]).ok();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(run(Command::new("umount").arg("-l").arg(&self.0), &[]));
    }
}

/// The disk of the broker is full, and larger later.
pub(super) fn full() -> Result<Outcome, String> {
    let day = crate::reference("region-day");
    let mut rig = Rig::prepare(&day.network, day.events);
    // Each with a bulk nobody reads: the day does not fit into the disk.
    let bulk = "x".repeat(20_000);
    for event in &mut rig.events {
        *event = event.replacen('{', &format!("{{\"sealed\":\"{bulk}\","), 1);
    }
    let disk = Disk::mount(&rig.store(), "8m")?;
    rig.up();
    let since = Instant::now();
    let sending = rig.send(0..rig.events.len());
    let found = rig.alarmed("broker_disk", since);
    // Before the broker is started again and forgets what it had in memory.
    rig.told("broker_disk");
    let grown = Instant::now();
    disk.grow("64m");
    rig.sent(sending);
    let healed = grown.elapsed();
    let outcome =
        rig.check("disk of the broker full (tmpfs of 8 MiB), 64 MiB later", "broker_disk", found, healed);
    drop(disk);
    Ok(outcome)
}

/// The first syncs of the broker fail with an I/O error from a moment on, for a few seconds.
pub(super) fn error_of_sync() -> Result<Outcome, String> {
    if run(Command::new("strace").arg("-V"), &[]).code != Some(0) {
        return Err("there is no strace here".to_owned());
    }
    let mut rig = Rig::start();
    let first = rig.send(0..300);
    rig.sent(first);
    let mut tracer = inject(rig.node().broker_pid());
    eventually("tracer of the broker", Duration::from_secs(10), || {
        let status = fs::read_to_string(format!("/proc/{}/status", rig.node().broker_pid())).ok()?;
        let by = status.lines().find_map(|line| line.strip_prefix("TracerPid:"))?;
        (by.trim() != "0").then_some(())
    });
    let since = Instant::now();
    let sending = rig.send(300..rig.events.len());
    let found = rig.alarmed("broker_disk", since);
    rig.told("broker_disk");
    drop(tracer.kill());
    drop(tracer.wait());
    rig.sent(sending);
    let healed = since.elapsed();
    Ok(rig.check("sync of the broker's disk fails with EIO (strace)", "broker_disk", found, healed))
}

fn inject(pid: u32) -> Child {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-q", "-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO"]);
    strace.args(["-p", &pid.to_string()]);
    strace.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}
