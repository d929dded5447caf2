//! The log as its owner sees it: open, append, close.
//!
//! Not here: the writer thread (`writer`), recovery (`recover`), reading (`reader`).

use std::{
    future::Future,
    path::Path,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, ready},
};

use crate::{
    AppendError, Appended, Batch, Clock, Cursors, Disk, Head, LogReader, OpenError, RecoveryReport, Signer,
    Storage, SystemClock,
    ahead::{Ahead, zeroed_of},
    core::Core,
    decide::Decider,
    follow::{head_of, segments_dir},
    group::Builder,
    head_file::KnownHead,
    keeper::{Keeper, TASKS_MAX},
    part::Beside,
    prepared::Prepared,
    proof::{self, Tender},
    recover::{Recovered, recover},
    sync::{Mutex, Semaphore, mpsc, oneshot, tasks, thread, watch},
    writer::{Answer, Failure, QUEUE_BATCHES_MAX, QUEUE_BYTES_MAX, Request, Writer},
};

/// A segment of usual size: a quarter of a million events, an index in memory of some 30 MiB.
const SEGMENT_BYTES: u64 = 64 * 1024 * 1024;
/// The least: a header and a few records, for tests.
pub const SEGMENT_BYTES_MIN: u64 = 4 * 1024;
/// The greatest: places within a segment are 32 bits, and the index of one segment is in memory.
pub const SEGMENT_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// How to open a log.
#[derive(Debug, Clone)]
pub struct Options {
    /// When a segment has this many bytes the next one begins, [`SEGMENT_BYTES_MIN`] to [`SEGMENT_BYTES_MAX`]. A
    /// single commit may make it longer.
    pub segment_bytes: u64,
    /// Where `recorded_at` comes from.
    pub clock: Arc<dyn Clock>,
    /// Where the files are.
    pub storage: Arc<dyn Storage>,
    /// Whether named cursors are kept, in a small database beside the log. Without, [`EventLog::cursors`] answers
    /// with an error.
    pub catalogue: bool,
    /// The key that signs the heads of the log. With one, the tiles of the tree are kept on disk too.
    pub signer: Option<Signer>,
}

impl Options {
    /// Segments of 64 MiB on the real disk.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Options {
        Options {
            segment_bytes: SEGMENT_BYTES,
            clock,
            storage: Arc::new(Disk),
            catalogue: true,
            signer: None,
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Options::new(Arc::new(SystemClock))
    }
}

/// An open log, for the one process that writes it. Clones share everything.
///
/// When the last clone is dropped, what was enqueued is still written, but nobody waits for it: [`EventLog::close`]
/// does.
#[derive(Debug, Clone)]
pub struct EventLog {
    handle: Arc<Handle>,
}

#[derive(Debug)]
struct Handle {
    requests: mpsc::Sender<Request>,
    /// Bytes that may still be enqueued.
    room: Arc<Semaphore>,
    failure: Failure,
    reader: LogReader,
    cursors: Cursors,
    signer: Option<Signer>,
}

/// A batch on its way. It is written whether or not this is awaited.
#[derive(Debug)]
pub struct Pending {
    reply: oneshot::Receiver<Answer>,
    failure: Failure,
}

impl Future for Pending {
    type Output = Result<Appended, AppendError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // The batch comes back with the answer: its memory is this side's.
        let answer = ready!(Pin::new(&mut self.reply).poll(context));
        Poll::Ready(answer.map_or_else(|_| Err(ended(&self.failure)), |answer| answer.outcome))
    }
}

/// What to answer when the writer is gone.
fn ended(failure: &Failure) -> AppendError {
    match failure.get() {
        Some(reason) => AppendError::Stopped { reason: Arc::clone(reason) },
        None => AppendError::Closed,
    }
}

impl EventLog {
    /// Opens the log in `dir` for writing, and makes it if there is none. Blocks while it looks through the last
    /// segment. The report says what a crash had left undone.
    ///
    /// # Errors
    /// If another process writes it (named), if anything recorded is damaged or missing (file and offset named;
    /// nothing is changed), or if the system refuses.
    pub fn open(dir: &Path, options: Options) -> Result<(EventLog, RecoveryReport), OpenError> {
        let (min, max) = (SEGMENT_BYTES_MIN, SEGMENT_BYTES_MAX);
        if !(min..=max).contains(&options.segment_bytes) {
            return Err(OpenError::Setting {
                what: "the size of a segment",
                found: options.segment_bytes,
                min,
                max,
            });
        }
        let recovered = recover(dir, &options)?;
        start(dir, options, recovered)
    }

    /// Puts a batch in the queue of the writer; waits for room there. Batches are recorded in the order in which this
    /// returns. Nothing is promised until the answer is [`Pending`] no more.
    ///
    /// # Errors
    /// If the batch breaks a limit, or the log is closed or has stopped.
    pub async fn enqueue(&self, batch: Batch) -> Result<Pending, AppendError> {
        let weight = batch.weigh()?;
        let handle = &*self.handle;
        if let Some(reason) = handle.failure.get() {
            return Err(AppendError::Stopped { reason: Arc::clone(reason) });
        }
        let closed = || ended(&handle.failure);
        let batch = Box::new(Prepared::new(batch, weight));
        let bytes = u32::try_from(weight).unwrap_or(u32::MAX);
        let room = handle.room.acquire_many(bytes).await.map_err(|_| closed())?;
        let place = handle.requests.reserve().await.map_err(|_| closed())?;
        // The writer gives it back, in one go for the whole group.
        room.forget();
        let (reply, answer) = oneshot::channel();
        place.send(Request::Append { batch, weight, reply });
        Ok(Pending { reply: answer, failure: Arc::clone(&handle.failure) })
    }

    /// Appends a batch; returns when every byte of it is on stable storage.
    ///
    /// # Errors
    /// A conflict of keys, a failed condition, a broken limit: nothing was appended. [`AppendError::Stopped`]: the
    /// disk failed, and whether it was appended is known when the log is opened again.
    pub async fn append(&self, batch: Batch) -> Result<Appended, AppendError> {
        self.enqueue(batch).await?.await
    }

    /// The reading side.
    #[must_use]
    pub fn reader(&self) -> LogReader {
        self.handle.reader.clone()
    }

    /// How far the log is durable.
    #[must_use]
    pub fn head(&self) -> Head {
        self.handle.reader.head()
    }

    /// Named places in the log.
    #[must_use]
    pub fn cursors(&self) -> &Cursors {
        &self.handle.cursors
    }

    /// What signing a head takes.
    pub(crate) fn signing(&self) -> (&Core, Option<&Signer>) {
        (&self.handle.reader.core, self.handle.signer.as_ref())
    }

    /// Why the log has stopped writing, if it has. It stays so until the log is opened again.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        self.handle.failure.get().map(ToString::to_string)
    }

    /// Writes what was enqueued, ends all threads, lets go of the lock. Other clones get [`AppendError::Closed`] from
    /// then on; readers go on reading what is there.
    pub async fn close(self) {
        let (reply, done) = oneshot::channel();
        if self.handle.requests.send(Request::Close { reply }).await.is_ok() {
            // An error here says that the writer is gone already.
            let _gone = done.await;
        }
        self.handle.cursors.flush();
    }
}

fn start(
    dir: &Path,
    options: Options,
    recovered: Recovered,
) -> Result<(EventLog, RecoveryReport), OpenError> {
    let Recovered { segments, open, index, tail, lock, mut report } = recovered;
    let Options { segment_bytes, clock, storage, catalogue, signer } = options;
    let (head, head_seen) = watch::channel(head_of(&tail));
    let core = Arc::new(Core::new(dir.to_path_buf(), Arc::clone(&storage), segments, head_seen, None));
    let reader = LogReader { core: Arc::clone(&core) };
    let (cursors, rebuilt) = if catalogue {
        Cursors::open(dir, reader.clone())
    } else {
        (Cursors::none(dir, reader.clone()), None)
    };
    report.catalogue_rebuilt = rebuilt;
    let (tree, heads) = proof::check(&core, signer.is_some())?;
    core.tree.set(tree);
    report.heads = heads;

    let known = KnownHead { log: core.log, segment_first: open.first(), tail: tail.clone() };
    let durable = Arc::new(Mutex::new(known));
    let filled = (tail.offset, zeroed_of(&*open.file));
    // Zeros go through a handle of their own: an error of the disk is told to each handle once, and a failed sync of
    // zeros must not swallow what the next commit has to hear.
    let zeros = storage.open(&open.path, true).map_err(|source| OpenError::Io {
        doing: "opening the last segment",
        path: open.path.clone(),
        source,
    })?;
    let ahead = Arc::new(Ahead::new(storage, segments_dir(dir), segment_bytes, zeros, filled));
    let (keeper, keeper_tasks) = tasks::sync_channel(TASKS_MAX);
    let (requests, queue) = mpsc::channel(QUEUE_BATCHES_MAX);
    let room = Arc::new(Semaphore::new(QUEUE_BYTES_MAX));
    let failure: Failure = Arc::new(OnceLock::new());
    let beside = Keeper {
        core: Arc::clone(&core),
        cursors: cursors.clone(),
        tasks: keeper_tasks,
        durable: Arc::clone(&durable),
    };
    let (tender, tender_stop) = tasks::sync_channel(1);
    let (hashing, hashes) = start_hashing()?;
    let mut helpers = vec![
        hashes,
        spawn("log-zeros", {
            let ahead = Arc::clone(&ahead);
            move || ahead.run()
        })?,
        spawn("log-keeper", move || beside.run())?,
    ];
    if signer.is_some() {
        let tender = Tender { core: Arc::clone(&core), stop: tender_stop };
        helpers.push(spawn("log-tree", move || tender.run())?);
    }
    let told = tail.offset;
    let writer = Writer {
        decider: Decider::new(core.segments()),
        builder: Builder::new(open, index, tail, report.epoch, hashing),
        core,
        head,
        requests: queue,
        room: Arc::clone(&room),
        failure: Arc::clone(&failure),
        clock,
        segment_bytes,
        ahead,
        told,
        keeper,
        durable,
        tender,
        helpers,
        lock,
    };
    spawn("log-writer", move || writer.run())?;
    tracing::info!(dir = %dir.display(), head = report.head.position, epoch = report.epoch, "the log is open");
    let handle = Handle { requests, room, failure, reader, cursors, signer };
    Ok((EventLog { handle: Arc::new(handle) }, report))
}

/// The thread that hashes beside the writer.
fn start_hashing() -> Result<(Arc<Beside>, thread::JoinHandle<()>), OpenError> {
    let hashing = Arc::<Beside>::default();
    hashing.starts();
    let runs = Arc::clone(&hashing);
    Ok((hashing, spawn("log-hashes", move || runs.run())?))
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<thread::JoinHandle<()>, OpenError> {
    thread::Builder::new().name(name.into()).spawn(work).map_err(|source| OpenError::Io {
        doing: "starting a thread",
        path: name.into(),
        source,
    })
}
