//! A running view, as others see it.
//!
//! Not here: the thread that runs it (`run`).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use domain::Timestamp;
use tokio::sync::{broadcast, watch};
use views::View;

/// Applied batches that a slow listener may lie behind before it is told to look at the whole view again: a few
/// seconds of the busiest hour, a few megabytes at most.
pub const CHANGED_BATCHES_MAX: usize = 1_024;

/// Where a view stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// The last position it has taken into account; 0 before the first.
    pub position: u64,
    /// When that was recorded.
    pub recorded_at: Timestamp,
    /// Whether it has caught up with the log and follows it. `false` while it catches up or can not read.
    pub live: bool,
}

/// What one applied batch may have changed.
#[derive(Debug, Clone)]
pub struct Changed<V: View> {
    /// The last position of the batch.
    pub position: u64,
    /// When that was recorded.
    pub recorded_at: Timestamp,
    /// What may look different now, sorted, each once. Empty if nothing: the position moves all the same.
    pub changes: Vec<V::Change>,
}

/// A running view to read from.
#[derive(Debug)]
pub struct Handle<V: View> {
    shared: Arc<Shared<V>>,
    standing: watch::Receiver<Standing>,
}

/// What the thread that runs the view and its readers share.
#[derive(Debug)]
pub(crate) struct Shared<V: View> {
    pub(crate) view: RwLock<V>,
    pub(crate) changes: broadcast::Sender<Arc<Changed<V>>>,
    pub(crate) failure: Mutex<Option<String>>,
    pub(crate) undecodable: AtomicU64,
}

impl<V: View> Clone for Handle<V> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), standing: self.standing.clone() }
    }
}

impl<V: View> Handle<V> {
    pub(crate) fn new(shared: Arc<Shared<V>>, standing: watch::Receiver<Standing>) -> Self {
        Self { shared, standing }
    }

    /// Looks at the view between two batches. Keep it short: the view waits meanwhile.
    pub fn read<R>(&self, look: impl FnOnce(&V) -> R) -> R {
        look(&self.shared.view.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Where the view stands; changes after what changed was announced. Closed when the view has stopped.
    #[must_use]
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.clone()
    }

    /// Each batch that is applied from now on, after it can be read. A listener that lies more than
    /// [`CHANGED_BATCHES_MAX`] behind is told so and must look at the whole view.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<Arc<Changed<V>>> {
        self.shared.changes.subscribe()
    }

    /// Waits until this position can be read in the view; `false` if the view stopped before.
    pub async fn wait_for(&self, position: u64) -> bool {
        let mut standing = self.standing.clone();
        standing.wait_for(|standing| standing.position >= position).await.is_ok()
    }

    /// Why the view does not follow the log, if so; `None` again when it does.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        self.shared.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Recorded events that could not be read and are missing from the view. Their positions are in the log of
    /// the process.
    #[must_use]
    pub fn undecodable(&self) -> u64 {
        self.shared.undecodable.load(Ordering::Relaxed)
    }
}

impl<V: View> Shared<V> {
    pub(crate) fn set_failure(&self, failure: Option<String>) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }
}
