//! Threads, locks and channels: those of std and tokio; or, with the feature `shuttle`, ones that look the same and let
//! a test choose which thread goes on after every step of theirs.
//!
//! The test is `tests/interleavings.rs`; nothing else sets the feature. Not here: locks that nobody waits for while
//! another thread runs (the catalogue's, and places that are set once).

#[cfg(feature = "shuttle")]
mod model;

#[cfg(feature = "shuttle")]
pub(crate) use model::*;
#[cfg(not(feature = "shuttle"))]
pub(crate) use real::*;

#[cfg(not(feature = "shuttle"))]
mod real {
    use std::{sync::mpsc::RecvTimeoutError, time::Duration};
    pub(crate) use std::{
        sync::{Condvar, Mutex, MutexGuard, RwLock, atomic, mpsc as tasks},
        thread,
    };

    pub(crate) use tokio::{
        sync::{Semaphore, mpsc, oneshot, watch},
        task::spawn_blocking,
        time::sleep,
    };

    /// Waits for a task, for so long.
    pub(crate) fn receive_within<T>(
        tasks: &tasks::Receiver<T>,
        limit: Duration,
    ) -> Result<T, RecvTimeoutError> {
        tasks.recv_timeout(limit)
    }

    /// Waits for a request, then takes all there are, up to `most`; 0 if nobody can ask any more.
    pub(crate) fn receive_all<T>(requests: &mut mpsc::Receiver<T>, into: &mut Vec<T>, most: usize) -> usize {
        requests.blocking_recv_many(into, most)
    }
}
