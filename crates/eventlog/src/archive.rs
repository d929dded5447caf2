//! The archive: finished segments, packed, and moved to where there is room.
//!
//! A packed segment is a file `<first position>.seg.zst` in any folder; in its place in `segments/` stands a small
//! *pointer*, which says what it is and where, so that a log opens although that disk is away. Everything else reads it
//! as the segment it was: [`Packed`] is a file like any other. The original is removed when the packed one was synced,
//! read back and found equal, and the pointer to it is on stable storage; up to then it is what is read, so an
//! interruption at any moment leaves the log as it was.
//!
//! ```text
//! pointer   "DSTRMARC" | format u32 = 1 | 0 u32 | end u64 | header of the segment [128] | path length u32 | path
//!           | CRC32C of everything before u32
//! ```
//! Not here: the form of a packed file (`seekable`).

use std::{
    ffi::OsStr,
    io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    EventLog, LogReader, OpenError, Progress, ReadError,
    backup::sound_end,
    codec::{Input, hex, narrow, small, wide},
    follow::segments_dir,
    index::FileIndex,
    seekable::{Packed, begins, pack},
    segment::{SEGMENT_HEADER_BYTES, Sealed, Segment, SegmentHeader, damage, io_error, segment_name},
    storage::{Disk, Storage, StorageFile, create_anew, read_full, write_full},
};

const MAGIC: &[u8; 8] = b"DSTRMARC";
const FORMAT: u32 = 1;
/// Of a path: what systems allow.
const PATH_BYTES_MAX: usize = 4_096;
const POINTER_BYTES: usize = MAGIC.len() + 4 + 4 + 8 + SEGMENT_HEADER_BYTES + 4 + 4;
/// Bytes compared at once.
const COMPARE_BYTES: usize = 256 * 1024;
/// The folder of the archive if no other is named, in that of the log.
const FOLDER: &str = "archive";

/// What is to be archived, and where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveOrder {
    /// Segments whose records are all below this position. The last segment of a log is never archived.
    pub before: u64,
    /// The folder, which may be on another disk, and may serve one log only; without one, `archive` in the folder of
    /// the log. A path that is not absolute is from the folder of the log.
    pub to: Option<PathBuf>,
}

/// A segment that was archived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    /// The packed file.
    pub file: PathBuf,
    /// The positions in it.
    pub positions: std::ops::RangeInclusive<u64>,
    /// Bytes of the segment as it was.
    pub bytes: u64,
    /// Bytes of the packed file.
    pub packed: u64,
}

/// What was archived.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArchiveReport {
    /// Segments that were packed or moved, in their order.
    pub archived: Vec<Archived>,
    /// Segments that were there already. They were not looked at: `verify` does.
    pub kept: u64,
    /// Segments that have no sound index file: without one, opening the log would read the archive. They stay as they
    /// are; opening the log for writing makes it.
    pub without_index: Vec<PathBuf>,
}

/// Why something was not archived. What was archived before stays so, and every record can be read as before.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// A segment is damaged or can not be read; it stays as it is.
    #[error("the log could not be read to archive it; what is damaged stays where it is")]
    Read(#[from] ReadError),
    /// There is no log, or it can not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Somebody else archives or mends this log.
    #[error("the log in {} is being archived or mended already; try again when that is done", dir.display())]
    Busy {
        /// The folder of the log.
        dir: PathBuf,
    },
    /// Where the packed file should be is something else.
    #[error("{} was left alone: {why}; choose another folder", file.display())]
    Refused {
        /// The file.
        file: PathBuf,
        /// What is there.
        why: String,
    },
    /// The system refused something.
    #[error("{doing} failed for {}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// The answer of the system.
        #[source]
        source: io::Error,
    },
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ArchiveError {
    move |source| ArchiveError::Io { doing, path: path.to_path_buf(), source }
}

/// Archives finished segments of the log in `dir`. Somebody may be writing it, and reading: who has a segment open goes
/// on with the original, whose room is free when the last of them lets go of it. Blocks; reads every byte three times.
/// `progress` is told after every segment.
///
/// # Errors
/// If a segment is damaged, another archives or mends this log, or the system refuses.
pub fn archive(
    dir: &Path,
    order: &ArchiveOrder,
    progress: &mut dyn FnMut(Progress),
) -> Result<ArchiveReport, ArchiveError> {
    archive_with(dir, order, Arc::new(Disk), progress)
}

/// As [`archive`], with other files.
///
/// # Errors
/// As [`archive`].
pub fn archive_with(
    dir: &Path,
    order: &ArchiveOrder,
    storage: Arc<dyn Storage>,
    progress: &mut dyn FnMut(Progress),
) -> Result<ArchiveReport, ArchiveError> {
    run(&LogReader::open_with(dir, storage)?, order, progress, &mut |_| ())
}

impl EventLog {
    /// As [`archive()`], for the process that writes the log: the room of the originals is free soon after, when the
    /// next segment begins.
    ///
    /// # Errors
    /// As [`archive()`].
    pub fn archive(
        &self,
        order: &ArchiveOrder,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<ArchiveReport, ArchiveError> {
        let reader = self.reader();
        run(&reader, order, progress, &mut |segment| reader.core.replace_segment(segment))
    }
}

/// Held while a log is archived or mended: two that move files about would lose some.
#[derive(Debug)]
pub(crate) struct ArchiveLock(#[expect(dead_code, reason = "held, not read")] Arc<dyn StorageFile>);

impl ArchiveLock {
    /// `None` if another holds it.
    pub(crate) fn take(storage: &dyn Storage, dir: &Path) -> Result<Option<ArchiveLock>, OpenError> {
        let path = dir.join("archive-lock");
        match storage.lock(&path) {
            Ok(file) => Ok(Some(ArchiveLock(file))),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(source) => Err(OpenError::Io { doing: "locking", path, source }),
        }
    }
}

fn run(
    reader: &LogReader,
    order: &ArchiveOrder,
    progress: &mut dyn FnMut(Progress),
    replaced: &mut dyn FnMut(Arc<Segment>),
) -> Result<ArchiveReport, ArchiveError> {
    let core = &reader.core;
    let storage = &core.storage;
    let Some(_lock) = ArchiveLock::take(&**storage, &core.dir)? else {
        return Err(ArchiveError::Busy { dir: core.dir.clone() });
    };
    let to = order.to.clone().unwrap_or_else(|| FOLDER.into());
    let archiver = Archiver { storage, dir: &core.dir, to };
    let mut report = ArchiveReport::default();
    let segments = core.segments();
    let chosen = segments.iter().filter_map(|segment| Some((segment, segment.sealed.get()?)));
    let chosen = chosen.filter(|(_, sealed)| sealed.last < order.before).collect::<Vec<_>>();
    let until = chosen.last().map_or(0, |(_, sealed)| sealed.last);
    for (segment, sealed) in chosen {
        if let Some(lost) = &segment.lost {
            return Err(lost.clone().into());
        }
        // Another may have archived it since this one was opened.
        let again = Arc::new(Segment::open(&segment.path, storage, false)?);
        again.sealed.get_or_init(|| sealed.clone());
        if archiver.is_there(&again)? {
            report.kept = report.kept.saturating_add(1);
        } else if FileIndex::open(&again, sealed).is_err() {
            report.without_index.push(again.index_path());
        } else {
            report.archived.push(archiver.segment(&again, sealed)?);
            let packed = Arc::new(Segment::open(&segment.path, storage, segment.writable)?);
            packed.sealed.get_or_init(|| sealed.clone());
            // Its names are in there.
            packed.restore_index(None, None)?;
            replaced(packed);
        }
        progress(Progress { position: sealed.last, until });
    }
    Ok(report)
}

struct Archiver<'a> {
    storage: &'a Arc<dyn Storage>,
    dir: &'a Path,
    to: PathBuf,
}

impl Archiver<'_> {
    /// Where a segment belongs.
    fn place(&self, segment: &Segment) -> PathBuf {
        self.dir.join(&self.to).join(packed_name(segment.first()))
    }

    /// Whether a segment is where it belongs, however the way there is written: it would be removed after it was
    /// written over. A file that is made in the one folder and seen in the other tells.
    fn is_there(&self, segment: &Segment) -> Result<bool, ArchiveError> {
        let place = self.place(segment);
        let Some(packed) = &segment.packed else { return Ok(false) };
        if *packed == place {
            return Ok(true);
        }
        let (here, there) = (packed.parent().unwrap_or(self.dir), place.parent().unwrap_or(self.dir));
        make_folder(&**self.storage, there)?;
        let probe = there.join(format!("probe-{}", hex(&segment.header.log)));
        self.storage.create(&probe).map_err(failed("making a file", &probe))?;
        let seen = self.storage.list(here).map_err(failed("listing the folder", here))?;
        self.storage.remove(&probe).map_err(failed("removing a file", &probe))?;
        Ok(probe.file_name().is_some_and(|name| seen.iter().any(|seen| seen == name)))
    }

    /// Each step is durable before the next begins.
    fn segment(&self, segment: &Arc<Segment>, sealed: &Sealed) -> Result<Archived, ArchiveError> {
        let (tail, broken) = sound_end(segment, sealed.last)?;
        if let Some((offset, what)) = broken.filter(|_| tail.position < sealed.last) {
            return Err(segment.damage(offset, what).into());
        }
        if (tail.offset, tail.position, tail.hash) != (sealed.end, sealed.last, sealed.hash) {
            return Err(segment.damage(tail.offset, "the next segment does not continue this one").into());
        }
        let (storage, place) = (self.storage, self.place(segment));
        let folder = place.parent().unwrap_or(self.dir);
        make_folder(&**storage, folder)?;
        self.refuse_other(segment, &place)?;
        let packed = self.pack(segment, sealed.end, &place)?;
        storage.sync_dir(folder).map_err(failed("syncing the folder", folder))?;
        self.point(segment, sealed.end)?;
        // From here on the pointer is what is read.
        let original = segment.packed.as_ref().unwrap_or(&segment.path);
        storage.remove(original).map_err(failed("removing the original", original))?;
        let above = original.parent().unwrap_or(self.dir);
        storage.sync_dir(above).map_err(failed("syncing the folder", above))?;
        tracing::info!(file = %place.display(), bytes = sealed.end, packed, "a segment was archived");
        Ok(Archived { file: place, positions: segment.first()..=sealed.last, bytes: sealed.end, packed })
    }

    /// Writes the packed file aside, reads it back, and names it. Returns its bytes.
    fn pack(&self, segment: &Segment, end: u64, place: &Path) -> Result<u64, ArchiveError> {
        let storage = self.storage;
        let aside = place.with_extension("zst-new");
        let file = create_anew(&**storage, &aside).map_err(failed("making a file", &aside))?;
        let packed = pack(&*segment.file, end, &*file).map_err(failed("packing a segment", &aside))?;
        file.sync_data().map_err(failed("syncing a packed segment", &aside))?;
        let again = Packed::new(aside.clone(), Arc::clone(storage), end, segment.header.clone());
        if !same(&*segment.file, &again, end).map_err(failed("reading a packed segment back", &aside))? {
            let why = "what was written is not what is read back";
            return Err(damage(&aside, 0, why).into());
        }
        storage.rename(&aside, place).map_err(failed("naming a packed segment", place))?;
        Ok(packed)
    }

    /// A file of this name that holds something else stays.
    fn refuse_other(&self, segment: &Segment, place: &Path) -> Result<(), ArchiveError> {
        let refused = |why: &str| Err(ArchiveError::Refused { file: place.to_path_buf(), why: why.into() });
        match self.storage.open(place, false).and_then(|there| begins(&*there)) {
            Ok(Some(header)) if header != segment.header => refused("it holds another segment"),
            // Written before there was a pointer to it; or damaged, and then this mends it.
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(failed("reading", place)(source)),
        }
    }

    /// Puts the pointer in its place.
    fn point(&self, segment: &Segment, end: u64) -> Result<(), ArchiveError> {
        let storage = self.storage;
        let pointer = pointer_path(&segment.path);
        let path = self.to.join(packed_name(segment.first()));
        let bytes = Pointer { end, header: segment.header.clone(), path }.encode();
        let Some(bytes) = bytes else {
            let why = format!("its path is longer than {PATH_BYTES_MAX} bytes");
            return Err(ArchiveError::Refused { file: self.place(segment), why });
        };
        let aside = pointer.with_extension("arc-new");
        let folder = segments_dir(self.dir);
        let write = || {
            let file = create_anew(&**storage, &aside)?;
            write_full(&*file, &bytes, 0)?;
            file.sync_data()?;
            storage.rename(&aside, &pointer)?;
            storage.sync_dir(&folder)
        };
        write().map_err(failed("writing the pointer", &pointer))
    }
}

/// Makes a folder, whose name must be as durable as what will be in it, and so must those above it.
fn make_folder(storage: &dyn Storage, folder: &Path) -> Result<(), ArchiveError> {
    if storage.list(folder).is_ok() {
        return Ok(());
    }
    storage.create_dir_all(folder).map_err(failed("making the folder", folder))?;
    for above in folder.ancestors().skip(1) {
        let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
        match storage.sync_dir(above) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
            synced => synced.map_err(failed("syncing the folder", above))?,
        }
    }
    Ok(())
}

/// Whether two files begin with the same so many bytes.
fn same(one: &dyn StorageFile, other: &dyn StorageFile, length: u64) -> io::Result<bool> {
    let (mut left, mut right) = (vec![0; COMPARE_BYTES], vec![0; COMPARE_BYTES]);
    let mut at = 0;
    while at < length {
        let wanted = narrow(length.saturating_sub(at)).min(COMPARE_BYTES);
        let (left, right) = (left.get_mut(..wanted), right.get_mut(..wanted));
        let (left, right) = (left.unwrap_or_default(), right.unwrap_or_default());
        if (read_full(one, left, at)?, read_full(other, right, at)?) != (wanted, wanted) || left != right {
            return Ok(false);
        }
        at = at.saturating_add(wide(wanted));
    }
    Ok(true)
}

fn packed_name(first: u64) -> String {
    format!("{}.zst", segment_name(first))
}

/// Where the pointer of a segment is.
pub(crate) fn pointer_path(segment: &Path) -> PathBuf {
    segment.with_extension("arc")
}

/// What stands in the place of an archived segment.
struct Pointer {
    /// Where its last group ends.
    end: u64,
    header: SegmentHeader,
    /// Absolute, or from the folder of the log, so that a log can be moved with its archive in it.
    path: PathBuf,
}

impl Pointer {
    fn encode(&self) -> Option<Vec<u8>> {
        let path = self.path.as_os_str().as_bytes();
        if path.len() > PATH_BYTES_MAX {
            return None;
        }
        let mut out = Vec::with_capacity(POINTER_BYTES.saturating_add(path.len()));
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&FORMAT.to_le_bytes());
        out.extend_from_slice(&0_u32.to_le_bytes());
        out.extend_from_slice(&self.end.to_le_bytes());
        out.extend_from_slice(&self.header.encode());
        out.extend_from_slice(&small(path.len()).to_le_bytes());
        out.extend_from_slice(path);
        let checksum = crc32c::crc32c(&out);
        out.extend_from_slice(&checksum.to_le_bytes());
        Some(out)
    }

    fn decode(bytes: &[u8]) -> Result<Pointer, &'static str> {
        const WHAT: &str = "this should say where an archived segment is, and does not parse";
        let (fields, checksum) = bytes.split_last_chunk::<4>().ok_or(WHAT)?;
        let mut input = Input(fields);
        if u32::from_le_bytes(*checksum) != crc32c::crc32c(fields) || input.bytes(MAGIC.len()) != Some(MAGIC)
        {
            return Err(WHAT);
        }
        if (input.u32(), input.u32()) != (Some(FORMAT), Some(0)) {
            return Err("it says where an archived segment is in a format this version does not know");
        }
        let end = input.u64().ok_or(WHAT)?;
        let header = SegmentHeader::decode(&input.array().ok_or(WHAT)?)?;
        let length = input.u32().ok_or(WHAT)?;
        if u64::from(length) != wide(input.0.len()) {
            return Err(WHAT);
        }
        Ok(Pointer { end, header, path: OsStr::from_bytes(input.0).into() })
    }
}

/// Opens the segment that would be at `path` where its pointer says it is; `None` if there is no pointer. Does not
/// touch the packed file.
pub(crate) fn open_pointed(path: &Path, storage: &Arc<dyn Storage>) -> Result<Option<Segment>, ReadError> {
    let pointer = pointer_path(path);
    let io = |source| io_error(&pointer, 0, source);
    let file = match storage.open(&pointer, false) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(io)?,
    };
    let mut bytes = vec![0; POINTER_BYTES.saturating_add(PATH_BYTES_MAX)];
    let length = read_full(&*file, &mut bytes, 0).map_err(io)?;
    bytes.truncate(length);
    let Pointer { end, header, path: place } =
        Pointer::decode(&bytes).map_err(|what| damage(&pointer, 0, what))?;
    let dir = path.parent().and_then(Path::parent).unwrap_or(Path::new(""));
    let place = dir.join(place);
    let packed = Packed::new(place.clone(), Arc::clone(storage), end, header.clone());
    let mut segment = Segment::new(header, path.to_path_buf(), Arc::new(packed), Arc::clone(storage), false);
    segment.packed = Some(place);
    Ok(Some(segment))
}
