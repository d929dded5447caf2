//! Opening a log for writing: what is whole, what was torn by a crash, what is damaged.
//!
//! One write is in flight at a time, so a crash can tear only the last group. That one is cut, and the bytes kept
//! aside. A bad group is *not* the last one, and so is damage, if a later commit record follows it or the head file
//! knows that it was durable; then nothing is changed and opening fails. What can not be told apart: rot inside the
//! last acknowledged group while the head file lags behind it.
//!
//! Not here: the checks themselves (`scan`), reading a damaged log (`follow`).

use std::{
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    Head, HeadsReport, OpenError, Options, ReadError,
    ahead::spare_path,
    backup::firsts,
    codec::{narrow, wide},
    core::segment_of,
    follow::{Row, head_of, segments_dir},
    frame::first_hash,
    head_file::{self, Known, KnownHead},
    index::SegmentIndex,
    lock::Lock,
    memory::MemoryIndex,
    proof::newest_size,
    scan::{Scanner, Step, Tail, later_commit, written_end},
    segment::{Block, Segment, SegmentHeader, segment_name},
    storage::{Storage, write_full},
    writer::segment_id,
};

/// What opening found and mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveryReport {
    /// How far the log goes.
    pub head: Head,
    /// Whether the log was made just now.
    pub created: bool,
    /// The number of this writer; each has a higher one than those before.
    pub epoch: u64,
    /// Segments of the log.
    pub segments: u64,
    /// The end of a write that a crash cut short, if there was one. It had not been acknowledged.
    pub torn: Option<Torn>,
    /// Index files that were missing or damaged and were made again.
    pub indexes_rebuilt: Vec<PathBuf>,
    /// What the signed heads say.
    pub heads: HeadsReport,
    /// Why the catalogue was moved aside and made anew, if it was. Cursors begin from nothing then.
    pub catalogue_rebuilt: Option<String>,
}

/// A torn write that was cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Torn {
    /// The segment file.
    pub file: PathBuf,
    /// Where the cut begins, in bytes.
    pub offset: u64,
    /// How many bytes were cut.
    pub bytes: u64,
    /// What was not whole.
    pub what: String,
    /// Where the cut bytes are kept.
    pub kept: PathBuf,
}

/// A log ready to be written. An [`crate::EventLog`] is made of this and of nothing else, and only [`recover`] makes
/// one: a log that was not recovered can neither be written nor, by its writer, be read.
#[derive(Debug)]
pub(crate) struct Recovered {
    pub(crate) segments: Vec<Arc<Segment>>,
    /// The open segment, its index and where it stands.
    pub(crate) open: Arc<Segment>,
    pub(crate) index: Arc<MemoryIndex>,
    pub(crate) tail: Tail,
    pub(crate) lock: Lock,
    pub(crate) report: RecoveryReport,
}

pub(crate) fn recover(dir: &Path, options: &Options) -> Result<Recovered, OpenError> {
    let storage = &options.storage;
    let folder = segments_dir(dir);
    storage.create_dir_all(&folder).map_err(failed("making the folder", &folder))?;
    let lock = Lock::take(&**storage, dir)?;
    sync_folders(&**storage, dir)?;
    remove_leftovers(&**storage, &folder)?;
    let known = head_file::read(&**storage, dir).map_err(failed("reading the head file", dir))?;
    let signed = newest_size(&**storage, dir).map_err(failed("reading signed heads", dir))?;
    let row = Row::load(dir, storage, true)?;
    if let Some(damage) = row.damage {
        return Err(damage.into());
    }
    let mut segments = row.segments;
    let created = segments.is_empty();
    if created {
        for bound in known.bounds(None, signed) {
            refuse(dir, bound?, 0)?;
        }
        segments.push(create(dir, options).map_err(failed("making the first segment", &folder))?);
    }
    let Some(open) = segments.last().cloned() else {
        return Err(OpenError::Missing { dir: dir.to_path_buf() });
    };
    let scanned = scan_open(&open, &known)?;
    known.confirm(&segments, &scanned)?;
    let torn = mend(dir, &**storage, &open, &scanned, known.bounds(Some(&open), signed))?;
    refuse(dir, (known.position(&open), HEAD_FILE), scanned.tail.position)?;
    sync_last_group(&open, &scanned).map_err(failed("syncing the last group", &open.path))?;
    let indexes_rebuilt = load_indexes(&segments)?;
    let mut tail = scanned.tail;
    let epoch = lock.epoch_before.max(tail.epoch).saturating_add(1);
    lock.sign(epoch).map_err(failed("signing the lock file", &dir.join("lock")))?;
    tail.epoch = epoch;
    let report = RecoveryReport {
        head: head_of(&tail),
        created,
        epoch,
        segments: wide(segments.len()),
        torn,
        indexes_rebuilt,
        heads: HeadsReport::default(),
        catalogue_rebuilt: None,
    };
    Ok(Recovered { segments, open, index: scanned.index, tail, lock, report })
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    move |source| OpenError::Io { doing, path: path.to_path_buf(), source }
}

/// Folders made just now, or renames before a crash: their names must be as durable as what is in them, and so must
/// those of the folders above. One above that we may not read was there before us. Where there is a segment, those
/// above were synced before it was made; a sync of a folder that others fill too can take long.
pub(crate) fn sync_folders(storage: &dyn Storage, dir: &Path) -> Result<(), OpenError> {
    let new = firsts(storage, dir).map_err(failed("listing the segments", dir))?.is_empty();
    for folder in segments_dir(dir).ancestors() {
        let above = !folder.starts_with(dir);
        if above && !new {
            break;
        }
        // What is above a relative path is the folder we are in.
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        match storage.sync_dir(folder) {
            Err(error) if above && error.kind() == io::ErrorKind::PermissionDenied => {}
            synced => synced.map_err(failed("syncing the folder", folder))?,
        }
    }
    Ok(())
}

/// A spare segment and index files that were being written have nothing anyone was promised.
fn remove_leftovers(storage: &dyn Storage, folder: &Path) -> Result<(), OpenError> {
    for name in storage.list(folder).map_err(failed("listing the segments", folder))? {
        let path = folder.join(&name);
        if path == spare_path(folder) || path.extension() == Some(OsStr::new("idx-new")) {
            storage.remove(&path).map_err(failed("removing a leftover", &path))?;
        }
    }
    Ok(())
}

fn refuse(dir: &Path, (known, witness): (u64, &'static str), found: u64) -> Result<(), OpenError> {
    if known > found {
        return Err(OpenError::Shortened { dir: dir.to_path_buf(), found, known, witness });
    }
    Ok(())
}

fn create(dir: &Path, options: &Options) -> io::Result<Arc<Segment>> {
    let storage = &options.storage;
    let folder = segments_dir(dir);
    let log = storage.random()?;
    let header = SegmentHeader {
        log,
        segment: segment_id(&storage.random()?),
        first: 1,
        base_time: options.clock.now(),
        epoch: 0,
        previous: 0,
        previous_end: 0,
        previous_hash: first_hash(&log),
    };
    let spare = spare_path(&folder);
    let file = storage.create(&spare)?;
    write_full(&*file, &header.encode(), 0)?;
    file.sync_data()?;
    let path = folder.join(segment_name(1));
    storage.rename(&spare, &path)?;
    storage.sync_dir(&folder)?;
    Ok(Arc::new(Segment::new(header, path, file, Arc::clone(storage), true)))
}

/// The running hash behind a position, if a group ends there. Reads the segment up to it: that is rare, for the head
/// file lags by a second at most.
fn hash_at(segment: &Arc<Segment>, place: u64) -> Result<Option<[u8; 32]>, OpenError> {
    let mut scanner = Scanner::new(Arc::clone(segment), false);
    while scanner.tail().position < place {
        match scanner.step()? {
            Step::Group => {}
            Step::End => return Ok(None),
            Step::Broken { offset, what } => return Err(segment.damage(offset, what).into()),
        }
    }
    Ok((scanner.tail().position == place).then_some(scanner.tail().hash))
}

const HEAD_FILE: &str = "the head file";

/// What the head file is good for: a lower bound, and the running hash that was there.
impl Known {
    fn position(&self, open: &Segment) -> u64 {
        self.of(open).map_or(0, |known| known.tail.position)
    }

    /// The head file, if it is about this log.
    fn of(&self, segment: &Segment) -> Option<&KnownHead> {
        match self {
            Known::Head(known) if known.log == segment.header.log => Some(known),
            Known::Nothing | Known::Rotten(_) | Known::Head(_) => None,
        }
    }

    /// What was on stable storage, by the word of each witness. A witness that can not be read may have known more
    /// than all others: then nothing may be cut.
    fn bounds(&self, open: Option<&Segment>, signed: u64) -> [Result<(u64, &'static str), OpenError>; 2] {
        let head = match (self, open) {
            (Known::Rotten(damage), _) => Err(OpenError::Damaged(damage.clone())),
            (_, Some(open)) => Ok(self.position(open)),
            (Known::Head(known), None) => Ok(known.tail.position),
            (Known::Nothing, None) => Ok(0),
        };
        [head.map(|position| (position, HEAD_FILE)), Ok((signed, "a signed head"))]
    }

    /// What the head file knew must still be what leads there: another history of the same log, such as an older copy
    /// that was written on, has another running hash.
    fn confirm(&self, segments: &[Arc<Segment>], scanned: &Scanned) -> Result<(), OpenError> {
        let Some(open) = segments.last() else { return Ok(()) };
        let Some(known) = self.of(open).filter(|known| known.tail.position <= scanned.tail.position) else {
            return Ok(());
        };
        let place = known.tail.position;
        let found = match segment_of(segments, place, scanned.tail.position) {
            Some((segment, _)) => match segment.sealed.get() {
                Some(sealed) if sealed.last == place => Some(sealed.hash),
                Some(_) => hash_at(segment, place)?,
                None => scanned.at_known,
            },
            None => None,
        };
        if found == Some(known.tail.hash) {
            return Ok(());
        }
        let what = format!("the head file knew another history of this log up to position {place}");
        Err(OpenError::Damaged(open.damage(known.tail.offset, what)))
    }
}

struct Scanned {
    index: Arc<MemoryIndex>,
    tail: Tail,
    /// Where the last whole group begins; the start of the frames if there is none.
    last_group: u64,
    /// The running hash at the position the head file names, if a group ends there.
    at_known: Option<[u8; 32]>,
    /// What is not whole behind it.
    broken: Option<(u64, String)>,
}

fn scan_open(open: &Arc<Segment>, known: &Known) -> Result<Scanned, OpenError> {
    let index = Arc::new(MemoryIndex::default());
    let mut scanner = Scanner::new(Arc::clone(open), false);
    let mut last_group = scanner.tail().offset;
    let (wanted, mut at_known) = (known.position(open), None);
    let broken = loop {
        let start = scanner.tail().offset;
        match scanner.step()? {
            Step::Group => {
                index.add_group(scanner.group());
                last_group = start;
                let tail = scanner.tail();
                if tail.position == wanted {
                    at_known = Some(tail.hash);
                }
            }
            Step::End => break None,
            Step::Broken { offset, what } => break Some((offset, what)),
        }
    };
    open.set_index(SegmentIndex::Memory(Arc::clone(&index)));
    Ok(Scanned { index, tail: scanner.tail().clone(), last_group, at_known, broken })
}

/// Cuts a torn write behind the last whole group, unless it is damage.
fn mend(
    dir: &Path,
    storage: &dyn Storage,
    open: &Arc<Segment>,
    scanned: &Scanned,
    bounds: [Result<(u64, &'static str), OpenError>; 2],
) -> Result<Option<Torn>, OpenError> {
    let start = scanned.tail.offset;
    let end = written_end(open, start)?;
    if end == start && scanned.broken.is_none() {
        return Ok(None);
    }
    let (at, what) =
        scanned.broken.clone().unwrap_or_else(|| (start, "bytes without a frame before them".into()));
    let damaged = |why: &str| OpenError::Damaged(open.damage(at, format!("{what}; {why}")));
    if let Some(later) = later_commit(open, start, end)? {
        return Err(damaged(&format!(
            "a later commit record at byte {later} shows that this is no torn write"
        )));
    }
    for bound in bounds {
        let (known, witness) = bound?;
        if known > scanned.tail.position {
            return Err(damaged(&format!("{witness} shows that this was on stable storage")));
        }
    }
    let end = end.max(start);
    let kept =
        keep_aside(dir, storage, open, start..end).map_err(failed("keeping a torn write aside", dir))?;
    // Zeros again, so that nothing of it can ever pass for a frame behind what is written next.
    let zeros = vec![0; 64 * 1024];
    let mut at_byte = start;
    while at_byte < end {
        let length = narrow(end.saturating_sub(at_byte)).min(zeros.len());
        let written = write_full(&*open.file, zeros.get(..length).unwrap_or_default(), at_byte);
        written.map_err(failed("cutting a torn write", &open.path))?;
        at_byte = at_byte.saturating_add(wide(length));
    }
    open.file.sync_data().map_err(failed("cutting a torn write", &open.path))?;
    let bytes = end.saturating_sub(start);
    tracing::warn!(file = %open.path.display(), offset = start, bytes, %what, "cut a torn write that was not acknowledged");
    Ok(Some(Torn { file: open.path.clone(), offset: start, bytes, what, kept }))
}

fn keep_aside(
    dir: &Path,
    storage: &dyn Storage,
    open: &Segment,
    cut: std::ops::Range<u64>,
) -> io::Result<PathBuf> {
    let folder = dir.join("torn");
    storage.create_dir_all(&folder)?;
    let taken = storage.list(&folder)?;
    let name = (0..u32::MAX)
        .map(|number| format!("{:020}-{:010}-{number}.torn", open.first(), cut.start))
        .find(|name| !taken.iter().any(|taken| taken == OsStr::new(name)))
        .unwrap_or_default();
    let path = folder.join(name);
    let file = storage.create(&path)?;
    let mut block = Block::forward();
    let mut at = cut.start;
    while at < cut.end {
        let bytes = block.peek(&*open.file, at, narrow(cut.end.saturating_sub(at)).min(64 * 1024))?;
        if bytes.is_empty() {
            break;
        }
        write_full(&*file, bytes, at.saturating_sub(cut.start))?;
        at = at.saturating_add(wide(bytes.len()));
    }
    file.sync_data()?;
    storage.sync_dir(&folder)?;
    storage.sync_dir(dir)?;
    Ok(path)
}

/// Writes the last whole group once more and syncs it: a writer that died before its sync, or whose sync failed, may
/// have left it in the memory of the system only.
fn sync_last_group(open: &Segment, scanned: &Scanned) -> io::Result<()> {
    let length = narrow(scanned.tail.offset.saturating_sub(scanned.last_group));
    let mut block = Block::scattered();
    let bytes = block.peek(&*open.file, scanned.last_group, length)?;
    write_full(&*open.file, bytes, scanned.last_group)?;
    open.file.sync_data()
}

fn load_indexes(segments: &[Arc<Segment>]) -> Result<Vec<PathBuf>, OpenError> {
    let mut rebuilt = Vec::new();
    for segment in segments.iter().filter(|segment| segment.sealed.get().is_some()) {
        match segment.restore_index(None, None) {
            Ok((_, true)) => rebuilt.push(segment.index_path()),
            // The last two are no answers of an index.
            Ok((_, false)) | Err(ReadError::TooManyItems { .. } | ReadError::Closed) => {}
            Err(error @ (ReadError::Damaged { .. } | ReadError::Io { .. })) => {
                return Err(error.into());
            }
        }
    }
    Ok(rebuilt)
}
