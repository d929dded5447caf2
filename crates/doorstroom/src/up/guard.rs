//! The guard: a second life of this binary that becomes nats-server, and ends when its parent does.
//!
//! Asking the kernel for a parent-death signal is a call of the process itself, and lasts through `exec`; done here it
//! needs no code between fork and exec. So nothing outlives a node that was killed with -9.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::process::{Signal, getppid, set_parent_process_death_signal};

/// The first argument that makes this binary the guard instead of the node.
pub(crate) const COMMAND: &str = "broker-guard";

/// Becomes `program` with `arguments`, bound to the life of `parent`. Returns only when that failed, with the reason.
pub(crate) fn become_bound_to_parent(mut arguments: impl Iterator<Item = OsString>) -> String {
    let Some(parent) = arguments.next() else {
        return format!("{COMMAND} is started by `doorstroom up`, with its process id first");
    };
    let Some(program) = arguments.next() else {
        return format!("{COMMAND} needs a program to become");
    };
    if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
        return format!("the kernel does not bind the broker to this process: {error}");
    }
    // The parent may have died before the line above: then nobody would ever send the signal.
    let alive = getppid().map(|pid| pid.as_raw_nonzero().to_string());
    if alive.as_deref() != parent.to_str() {
        return "the node that started the broker is gone".to_owned();
    }
    let error = Command::new(&program).args(arguments).exec();
    format!("{} can not be started: {error}", program.to_string_lossy())
}
