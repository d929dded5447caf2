//! What the writer and every reader of a log share: its segments and how far it is durable.

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock, PoisonError},
};

use crate::{
    Head, ReadError,
    follow::Follow,
    proof::HeldTree,
    segment::Segment,
    storage::Storage,
    sync::{Mutex, RwLock, watch},
};

/// One open log.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) dir: PathBuf,
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) log: [u8; 16],
    /// In the order of their positions; never empty. Replaced as a whole when a segment is added.
    segments: RwLock<Arc<Vec<Arc<Segment>>>>,
    /// The last durable record. Its sender is the writer, or `follow`.
    pub(crate) head: watch::Receiver<Head>,
    /// For a log that another process writes.
    pub(crate) follow: Option<Mutex<Follow>>,
    /// Why nothing can be read beyond the head, if something is there but damaged.
    pub(crate) damage: OnceLock<ReadError>,
    /// For proofs.
    pub(crate) tree: HeldTree,
}

impl Core {
    pub(crate) fn new(
        dir: PathBuf,
        storage: Arc<dyn Storage>,
        segments: Vec<Arc<Segment>>,
        head: watch::Receiver<Head>,
        follow: Option<Mutex<Follow>>,
    ) -> Core {
        let log = segments.first().map_or([0; 16], |segment| segment.header.log);
        let segments = RwLock::new(Arc::new(segments));
        Core { dir, storage, log, segments, head, follow, damage: OnceLock::new(), tree: HeldTree::default() }
    }

    pub(crate) fn head(&self) -> Head {
        *self.head.borrow()
    }

    pub(crate) fn segments(&self) -> Arc<Vec<Arc<Segment>>> {
        Arc::clone(&self.segments.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds the segment that continues the log.
    pub(crate) fn add_segment(&self, segment: Arc<Segment>) {
        let mut held = self.segments.write().unwrap_or_else(PoisonError::into_inner);
        let mut segments = Vec::clone(&held);
        segments.push(segment);
        *held = Arc::new(segments);
    }

    /// Puts a segment in the place of the one with the same positions.
    pub(crate) fn replace_segment(&self, segment: Arc<Segment>) {
        let mut held = self.segments.write().unwrap_or_else(PoisonError::into_inner);
        let mut segments = Vec::clone(&held);
        if let Some(place) = segments.iter_mut().find(|place| place.first() == segment.first()) {
            *place = segment;
        }
        *held = Arc::new(segments);
    }
}

/// The segment that holds `position` and the last position it can hold, if the log ends at `last`.
pub(crate) fn segment_of(
    segments: &[Arc<Segment>],
    position: u64,
    last: u64,
) -> Option<(&Arc<Segment>, u64)> {
    let index = segments.partition_point(|segment| segment.first() <= position).checked_sub(1)?;
    let end = segments.get(index.saturating_add(1)).map_or(last, |next| next.first().saturating_sub(1));
    Some((segments.get(index)?, end.min(last)))
}
