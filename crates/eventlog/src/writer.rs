//! The one thread that writes: takes everything that waits, decides, writes once, syncs once, answers.
//!
//! Exactly one write is in flight, so that after a crash only the last group can be torn. Invariant: the head moves
//! only after the sync, and readers see nothing beyond it. Not here: deciding (`decide`), the bytes (`group`).

use std::{
    io,
    sync::{Arc, OnceLock, PoisonError},
};

use crate::{
    AppendError, Appended, Head,
    ahead::{Ahead, TELL_BYTES},
    codec::wide,
    core::Core,
    decide::Decider,
    follow::{head_of, segments_dir},
    group::Builder,
    head_file::KnownHead,
    index::SegmentIndex,
    keeper::Task,
    lock::Lock,
    memory::MemoryIndex,
    prepared::Prepared,
    scan::Tail,
    segment::{SEGMENT_HEADER_BYTES, Sealed, Segment, SegmentHeader, segment_name},
    storage::{Clock, write_full},
    sync::{Mutex, Semaphore, mpsc, oneshot, receive_all, tasks, thread, watch},
};

/// Batches that may wait for the writer; further callers wait for room. A commit takes them all.
pub(crate) const QUEUE_BATCHES_MAX: usize = 4_096;
/// Bytes that may wait for the writer, and so the most that one commit writes.
pub(crate) const QUEUE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What the writer is asked.
#[derive(Debug)]
pub(crate) enum Request {
    Append {
        batch: Box<Prepared>,
        /// Bytes it holds of the room in the queue.
        weight: usize,
        reply: oneshot::Sender<Answer>,
    },
    Close {
        reply: oneshot::Sender<()>,
    },
}

/// Why the log stopped writing, once it did.
pub(crate) type Failure = Arc<OnceLock<Arc<str>>>;

/// Everything the writer thread owns.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) core: Arc<Core>,
    pub(crate) builder: Builder,
    pub(crate) decider: Decider,
    pub(crate) head: watch::Sender<Head>,
    pub(crate) requests: mpsc::Receiver<Request>,
    pub(crate) room: Arc<Semaphore>,
    pub(crate) failure: Failure,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) segment_bytes: u64,
    pub(crate) ahead: Arc<Ahead>,
    /// How far the filling thread was told that we wrote.
    pub(crate) told: u64,
    pub(crate) keeper: tasks::SyncSender<Task>,
    pub(crate) durable: Arc<Mutex<KnownHead>>,
    /// Letting go of it ends the thread that tends the tree.
    pub(crate) tender: tasks::SyncSender<()>,
    pub(crate) helpers: Vec<thread::JoinHandle<()>>,
    /// Let go of last.
    pub(crate) lock: Lock,
}

/// What became of a batch, and the batch itself if it is small: the memory of who asked, who lets go of it much cheaper.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) outcome: Result<Appended, AppendError>,
    #[expect(dead_code, reason = "it is only let go of")]
    batch: Option<Box<Prepared>>,
}

/// A larger batch is let go of at once: an answer may lie about for long.
const HANDED_BACK_MAX: usize = 4 * 1024;

type Waiting = (oneshot::Sender<Answer>, Result<Appended, AppendError>);

/// Marks the log as failed if the writer thread panics: whoever waits is told that the outcome is unknown.
struct PanicGuard(Failure);

impl Drop for PanicGuard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.get_or_init(|| "the writer thread panicked".into());
        }
    }
}

impl Writer {
    /// The writer thread: until it is told to close, or nobody can ask any more.
    pub(crate) fn run(mut self) {
        let _guard = PanicGuard(Arc::clone(&self.failure));
        let (mut waiting, mut answers) = (Vec::new(), Vec::new());
        let mut closing = None;
        while closing.is_none() && receive_all(&mut self.requests, &mut waiting, QUEUE_BATCHES_MAX) > 0 {
            closing = self.serve(&mut waiting, &mut answers);
        }
        self.finish(closing);
    }

    /// Handles everything that waits as one group. Returns who asked to close.
    fn serve(
        &mut self,
        waiting: &mut Vec<Request>,
        answers: &mut Vec<Waiting>,
    ) -> Option<oneshot::Sender<()>> {
        let mut closing = None;
        let mut weight = 0_usize;
        for request in &*waiting {
            if let Request::Append { weight: one, .. } = request {
                weight = weight.saturating_add(*one);
            }
        }
        if self.failure.get().is_none()
            && let Err(error) = self.make_room(wide(weight))
        {
            self.fail("starting a segment", &error);
        }
        self.builder.begin(self.clock.now());
        self.decider.look_up(waiting.iter().filter_map(|request| match request {
            Request::Append { batch, .. } => Some(&**batch),
            Request::Close { .. } => None,
        }));
        for request in waiting.drain(..) {
            match request {
                Request::Append { mut batch, reply, .. } => {
                    // After a request to close, or a failure, nothing is taken.
                    let outcome = match (&closing, self.failure.get()) {
                        (Some(_), _) => Err(AppendError::Closed),
                        (None, Some(reason)) => Err(AppendError::Stopped { reason: Arc::clone(reason) }),
                        (None, None) => self.decider.decide(&mut batch, &mut self.builder),
                    };
                    self.builder.held.push_back(batch);
                    answers.push((reply, outcome));
                }
                Request::Close { reply } => closing = Some(reply),
            }
        }
        self.commit_and_answer(answers);
        self.room.add_permits(weight);
        closing
    }

    /// Refusals too are answered after the sync: they may rest on records of this very group.
    fn commit_and_answer(&mut self, answers: &mut Vec<Waiting>) {
        let failed = if self.builder.is_empty() { None } else { self.commit().err() };
        let failed = failed.map(|error| self.fail("writing", &error));
        for (reply, outcome) in answers.drain(..) {
            let outcome = match &failed {
                Some(reason) => Err(AppendError::Stopped { reason: Arc::clone(reason) }),
                None => outcome,
            };
            let batch = self.builder.held.pop_front().filter(|batch| batch.size() <= HANDED_BACK_MAX);
            // Whoever is gone does not need the answer.
            let _gone = reply.send(Answer { outcome, batch });
        }
    }

    /// One write, one sync; then the head moves.
    fn commit(&mut self) -> io::Result<()> {
        let (ahead, segment) = (Arc::clone(&self.ahead), Arc::clone(&self.builder.segment));
        let tail = self.builder.finish(|at, bytes| {
            ahead.claim(at.saturating_add(wide(bytes.len())));
            write_full(&*segment.file, bytes, at)
        })?;
        let beside = self.builder.settle_beside();
        let synced = segment.file.sync_data();
        if beside {
            self.builder.settled()?;
        }
        synced?;
        if tail.offset.saturating_sub(self.told) >= TELL_BYTES.min(self.segment_bytes / 4) {
            self.ahead.wrote(tail.offset);
            self.told = tail.offset;
        }
        self.publish(tail);
        Ok(())
    }

    fn publish(&mut self, tail: Tail) {
        {
            let mut durable = self.durable.lock().unwrap_or_else(PoisonError::into_inner);
            durable.tail = tail.clone();
            durable.segment_first = self.builder.segment.first();
        }
        self.head.send_replace(head_of(&tail));
        self.builder.tail = tail;
    }

    /// Stops writing for good. An I/O error is never tried again: after a failed sync the system may have dropped the
    /// bytes and would report success the next time.
    fn fail(&self, doing: &str, error: &io::Error) -> Arc<str> {
        let file = self.builder.segment.path.display();
        let reason = self.failure.get_or_init(|| format!("{doing} failed at {file}: {error}").into());
        tracing::error!(file = %file, %error, doing, "the log has stopped writing; restart to verify and go on");
        Arc::clone(reason)
    }

    /// Starts the next segment if the open one has no room for so many bytes.
    fn make_room(&mut self, bytes: u64) -> io::Result<()> {
        let tail = &self.builder.tail;
        let empty = tail.offset <= wide(SEGMENT_HEADER_BYTES);
        if empty || tail.offset.saturating_add(bytes) <= self.segment_bytes {
            return Ok(());
        }
        let core = Arc::clone(&self.core);
        let before = Arc::clone(&self.builder.segment);
        let header = SegmentHeader {
            log: core.log,
            segment: segment_id(&core.storage.random()?),
            first: tail.position.saturating_add(1),
            base_time: tail.recorded_at,
            epoch: self.builder.epoch,
            previous: before.header.segment,
            previous_end: tail.offset,
            previous_hash: tail.hash,
        };
        let folder = segments_dir(&core.dir);
        let spare = self.ahead.take_spare()?;
        // A handle of our own: an error of the disk is told to each handle once, and the other one is synced by the
        // filling thread.
        let file = core.storage.open(&spare.path, true)?;
        write_full(&*file, &header.encode(), 0)?;
        file.sync_data()?;
        let path = folder.join(segment_name(header.first));
        core.storage.rename(&spare.path, &path)?;
        core.storage.sync_dir(&folder)?;
        let sealed = Sealed { end: tail.offset, last: tail.position, hash: tail.hash };
        let segment = Segment::new(header, path, file, Arc::clone(&core.storage), true);
        let (segment, index) = (Arc::new(segment), Arc::new(MemoryIndex::with_room_of(&self.builder.index)));
        segment.set_index(SegmentIndex::Memory(Arc::clone(&index)));
        before.sealed.get_or_init(|| sealed);
        core.add_segment(Arc::clone(&segment));
        self.decider.segments = core.segments();
        let start = Tail { offset: wide(SEGMENT_HEADER_BYTES), ..tail.clone() };
        self.ahead.switch(spare.file, start.offset, spare.zeroed);
        self.told = start.offset;
        let beside = Arc::clone(&self.builder.beside);
        let next = Builder::new(segment, index, start, self.builder.epoch, beside);
        let done = std::mem::replace(&mut self.builder, next);
        // The keeper only ends before the writer if it panicked; then the index stays in memory.
        let _ended = self.keeper.send(Task::Seal(before, done.index));
        Ok(())
    }

    fn finish(self, closing: Option<oneshot::Sender<()>>) {
        let Writer { builder, mut requests, room, keeper, ahead, tender, helpers, lock, head, .. } = self;
        // Nobody is left waiting: not for room, and not for an answer to what was put into the queue just now, by one
        // who had been promised a place in it. Dropping the queue would leave that in it for ever.
        room.close();
        requests.close();
        let mut late = Vec::new();
        while receive_all(&mut requests, &mut late, QUEUE_BATCHES_MAX) > 0 {
            late.clear();
        }
        drop(tender);
        ahead.stop();
        builder.beside.stop();
        let _ended = keeper.send(Task::Stop);
        for helper in helpers {
            if helper.join().is_err() {
                tracing::error!("a helper thread of the log panicked");
            }
        }
        drop(lock);
        // Subscribers learn from this that nothing more comes.
        drop(head);
        if let Some(reply) = closing {
            let _gone = reply.send(());
        }
    }
}

/// The id of a segment: never 0, which stands for "none".
pub(crate) fn segment_id(random: &[u8; 16]) -> u64 {
    random.first_chunk::<8>().map_or(1, |bytes| u64::from_le_bytes(*bytes)).max(1)
}
