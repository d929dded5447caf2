//! The thread that lets the tree follow the log, beside the commits.
//!
//! Nothing waits for it: whoever needs the tree takes in what is missing. Without it the tree would lag, and the next
//! open would have to read what it missed.

use std::{
    sync::{Arc, mpsc::RecvTimeoutError},
    time::Duration,
};

use super::{ProofError, tree::Tree};
use crate::{
    core::Core,
    sync::{receive_within, tasks::Receiver},
};

/// How far the tree may lag behind the log.
const INTERVAL: Duration = Duration::from_millis(500);
/// Leaves taken in at once: proofs wait for about half a millisecond.
const SLICE: u64 = 1_024;
/// So many leaves the next open has to read at most, where the log was not closed.
const SAVE_LEAVES: u64 = 65_536;

/// The thread.
#[derive(Debug)]
pub(crate) struct Tender {
    pub(crate) core: Arc<Core>,
    /// Ends the thread when the other end is dropped.
    pub(crate) stop: Receiver<()>,
}

impl Tender {
    pub(crate) fn run(self) {
        loop {
            let stopped = matches!(receive_within(&self.stop, INTERVAL), Err(RecvTimeoutError::Disconnected));
            if let Err(error) = self.follow(stopped) {
                tracing::warn!(%error, "the tree does not follow the log; proofs need it and will say more");
            }
            if stopped {
                return;
            }
        }
    }

    /// Takes in what is durable now, slice by slice.
    fn follow(&self, stopped: bool) -> Result<(), ProofError> {
        let head = self.core.head().position;
        let mut size = 0;
        while size < head {
            size = self.core.tree.with(&self.core, |tree| self.slice(tree, head, stopped))?;
        }
        Ok(())
    }

    fn slice(&self, tree: &mut Tree, head: u64, stopped: bool) -> Result<u64, ProofError> {
        tree.advance(&self.core, tree.size().saturating_add(SLICE).min(head))?;
        let unsaved = tree.size().saturating_sub(tree.saved());
        if unsaved >= SAVE_LEAVES || (stopped && tree.size() >= head) {
            tree.save(&self.core)?;
        }
        Ok(tree.size())
    }
}
