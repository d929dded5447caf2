//! What is done beside the commits: index files for sealed segments, the head file, entries in the catalogue.
//!
//! Nothing here is on the way of an acknowledgement, and nothing here failing stops the log.

use std::{
    sync::{Arc, PoisonError, mpsc::RecvTimeoutError},
    time::Duration,
};

use crate::{
    catalogue::Cursors,
    core::Core,
    head_file::{self, KnownHead},
    memory::MemoryIndex,
    segment::Segment,
    sync::{Mutex, receive_within, tasks::Receiver},
};

/// Sealed segments that may wait for their index file; with more the writer waits, for they are in memory.
pub(crate) const TASKS_MAX: usize = 4;
/// How far the head file may lag while the log is written. Each costs two syncs beside the commits.
const HEAD_FILE_INTERVAL: Duration = Duration::from_secs(1);

/// What the keeper is asked to do.
#[derive(Debug)]
pub(crate) enum Task {
    /// This segment is finished and gets its index file.
    Seal(Arc<Segment>, Arc<MemoryIndex>),
    /// The log is being closed.
    Stop,
}

/// The thread beside the writer.
#[derive(Debug)]
pub(crate) struct Keeper {
    pub(crate) core: Arc<Core>,
    pub(crate) cursors: Cursors,
    pub(crate) tasks: Receiver<Task>,
    /// Where the log stands on stable storage, by the writer.
    pub(crate) durable: Arc<Mutex<KnownHead>>,
}

impl Keeper {
    pub(crate) fn run(self) {
        let mut written = None;
        loop {
            let task = receive_within(&self.tasks, HEAD_FILE_INTERVAL);
            match &task {
                Ok(Task::Seal(segment, index)) => {
                    if let Err(why) = segment.file_index(index) {
                        let file = segment.index_path();
                        tracing::warn!(file = %file.display(), %why, "an index stays in memory until the next start");
                    }
                    self.cursors.note_segments(&self.core.segments());
                }
                Ok(Task::Stop) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    self.write_head(&mut written);
                }
            }
            if matches!(task, Ok(Task::Stop) | Err(RecvTimeoutError::Disconnected)) {
                return;
            }
        }
    }

    fn write_head(&self, written: &mut Option<KnownHead>) {
        let head = self.durable.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if written.as_ref() == Some(&head) || head.tail.position == 0 {
            return;
        }
        match head_file::write(&*self.core.storage, &self.core.dir, &head) {
            Ok(()) => *written = Some(head),
            Err(error) => {
                tracing::warn!(%error, "the head file could not be written: a bound for recovery lags");
            }
        }
    }
}
