//! A segment file: its header, its names, and reading single frames of it.
//!
//! Not here: reading groups in order and judging them (`scan`), finding records (`memory`, `index`, `query`).

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock, PoisonError},
};

use crate::{
    Key, ReadError, Record,
    archive::open_pointed,
    codec::{Input, narrow, put_at, wide},
    frame::{
        Base, FrameHeader, FrameKind, HEADER_BYTES, NAMES_MAX, Name, RawRecord, TRAILER_BYTES, check_body,
    },
    index::SegmentIndex,
    seekable::FrameDamage,
    storage::{Storage, StorageFile, read_full},
    sync::{Mutex, RwLock},
};

/// The header of a segment file; the first frame follows it.
pub(crate) const SEGMENT_HEADER_BYTES: usize = 128;
const MAGIC: &[u8; 8] = b"DSTRMLOG";
const FORMAT: u32 = 1;

/// What a segment says of itself and of the one before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) log: [u8; 16],
    pub(crate) segment: u64,
    pub(crate) first: u64,
    /// Times are kept as differences to this: recorded-at of the last record before, or when the log was made.
    pub(crate) base_time: i64,
    /// The writer that made it.
    pub(crate) epoch: u64,
    /// The segment before: its id (0 in the first segment), where its last group ends, and the running hash there.
    pub(crate) previous: u64,
    pub(crate) previous_end: u64,
    pub(crate) previous_hash: [u8; 32],
}

impl SegmentHeader {
    pub(crate) fn encode(&self) -> [u8; SEGMENT_HEADER_BYTES] {
        let mut out = [0; SEGMENT_HEADER_BYTES];
        put_at(&mut out, 0, MAGIC);
        put_at(&mut out, 8, &FORMAT.to_le_bytes());
        put_at(&mut out, 16, &self.log);
        put_at(&mut out, 32, &self.segment.to_le_bytes());
        put_at(&mut out, 40, &self.first.to_le_bytes());
        put_at(&mut out, 48, &self.base_time.to_le_bytes());
        put_at(&mut out, 56, &self.epoch.to_le_bytes());
        put_at(&mut out, 64, &self.previous.to_le_bytes());
        put_at(&mut out, 72, &self.previous_end.to_le_bytes());
        put_at(&mut out, 80, &self.previous_hash);
        let checksum =
            out.first_chunk::<{ SEGMENT_HEADER_BYTES - 4 }>().map_or(0, |fields| crc32c::crc32c(fields));
        put_at(&mut out, SEGMENT_HEADER_BYTES - 4, &checksum.to_le_bytes());
        out
    }

    pub(crate) fn decode(bytes: &[u8; SEGMENT_HEADER_BYTES]) -> Result<SegmentHeader, &'static str> {
        const SHORT: &str = "the header of the segment is cut short";
        let mut input = Input(bytes);
        if input.bytes(MAGIC.len()) != Some(MAGIC) {
            return Err("this is not a segment of a log");
        }
        let (fields, checksum) = bytes.split_last_chunk::<4>().ok_or(SHORT)?;
        if u32::from_le_bytes(*checksum) != crc32c::crc32c(fields) {
            return Err("the checksum of the segment header does not fit");
        }
        if input.u32() != Some(FORMAT) || input.u32() != Some(0) {
            return Err("the segment has a format this version does not know");
        }
        let header = (|| {
            Some(SegmentHeader {
                log: input.array()?,
                segment: input.u64()?,
                first: input.u64()?,
                base_time: input.i64()?,
                epoch: input.u64()?,
                previous: input.u64()?,
                previous_end: input.u64()?,
                previous_hash: input.array()?,
            })
        })();
        header.ok_or(SHORT)
    }
}

/// Where the last group of a finished segment ends, by the word of the next segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sealed {
    pub(crate) end: u64,
    pub(crate) last: u64,
    pub(crate) hash: [u8; 32],
}

/// One segment of the log, shared by the writer and all readers.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) header: SegmentHeader,
    pub(crate) path: PathBuf,
    pub(crate) file: Arc<dyn StorageFile>,
    pub(crate) storage: Arc<dyn Storage>,
    /// Numbered names, set before the first record that uses them becomes readable. Without a lock.
    pub(crate) names: Names,
    /// Set once, when the next segment exists.
    pub(crate) sealed: OnceLock<Sealed>,
    /// `None` until first needed.
    pub(crate) index: RwLock<Option<SegmentIndex>>,
    /// Held while the index is rebuilt, so that this happens once.
    pub(crate) rebuilding: Mutex<()>,
    /// Whether index files may be written here.
    pub(crate) writable: bool,
    /// Why none of its records can be read: it stands for a gap.
    pub(crate) lost: Option<ReadError>,
    /// Where its bytes really are, if it is archived; `path` is where it would be otherwise.
    pub(crate) packed: Option<PathBuf>,
}

/// The file of a gap.
#[derive(Debug)]
struct NoFile;

impl StorageFile for NoFile {
    fn read_at(&self, _buffer: &mut [u8], _offset: u64) -> io::Result<usize> {
        Ok(0)
    }

    fn write_at(&self, _bytes: &[u8], _offset: u64) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn sync_data(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn length(&self) -> io::Result<u64> {
        Ok(0)
    }
}

impl Segment {
    /// A segment around an open file. Touches nothing.
    pub(crate) fn new(
        header: SegmentHeader,
        path: PathBuf,
        file: Arc<dyn StorageFile>,
        storage: Arc<dyn Storage>,
        writable: bool,
    ) -> Segment {
        Segment {
            header,
            path,
            file,
            storage,
            names: Names::default(),
            sealed: OnceLock::new(),
            index: RwLock::new(None),
            rebuilding: Mutex::new(()),
            writable,
            lost: None,
            packed: None,
        }
    }

    /// What stands for positions that can not be read, because of what is at `path`.
    pub(crate) fn lost(
        log: [u8; 16],
        positions: std::ops::RangeInclusive<u64>,
        path: &Path,
        why: ReadError,
        storage: &Arc<dyn Storage>,
    ) -> Segment {
        let header = SegmentHeader {
            log,
            segment: 0,
            first: *positions.start(),
            base_time: i64::MIN,
            epoch: 0,
            previous: 0,
            previous_end: 0,
            previous_hash: [0; 32],
        };
        let mut gap = Segment::new(header, path.to_path_buf(), Arc::new(NoFile), Arc::clone(storage), false);
        gap.lost = Some(why);
        gap.sealed.get_or_init(|| Sealed { end: 0, last: *positions.end(), hash: [0; 32] });
        gap
    }

    /// Opens a segment file and reads its header; where it was archived, what its pointer says.
    pub(crate) fn open(
        path: &Path,
        storage: &Arc<dyn Storage>,
        writable: bool,
    ) -> Result<Segment, ReadError> {
        let io = |source| io_error(path, 0, source);
        let file = match storage.open(path, writable) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return open_pointed(path, storage)?.ok_or_else(|| io(error));
            }
            file => file.map_err(io)?,
        };
        let mut bytes = [0; SEGMENT_HEADER_BYTES];
        read_full(&*file, &mut bytes, 0).map_err(io)?;
        let header = SegmentHeader::decode(&bytes).map_err(|what| damage(path, 0, what))?;
        Ok(Segment::new(header, path.to_path_buf(), file, Arc::clone(storage), writable))
    }

    /// The header was read when the log was opened; this reads it again, for it may have rotted since.
    pub(crate) fn header_again(&self) -> Result<(), ReadError> {
        let again = Segment::open(&self.path, &self.storage, false)?;
        if again.header == self.header { Ok(()) } else { Err(self.damage(0, "the header has changed")) }
    }

    pub(crate) fn base(&self) -> Base {
        Base { first: self.header.first, time: self.header.base_time }
    }

    pub(crate) fn first(&self) -> u64 {
        self.header.first
    }

    /// Where its bytes are.
    pub(crate) fn file_path(&self) -> &Path {
        self.packed.as_deref().unwrap_or(&self.path)
    }

    pub(crate) fn damage(&self, offset: u64, what: impl Into<String>) -> ReadError {
        damage(self.file_path(), offset, what)
    }

    pub(crate) fn io(&self, offset: u64, source: io::Error) -> ReadError {
        io_error(self.file_path(), offset, source)
    }

    pub(crate) fn index_path(&self) -> PathBuf {
        self.path.with_extension("idx")
    }

    pub(crate) fn set_index(&self, index: SegmentIndex) {
        *self.index.write().unwrap_or_else(PoisonError::into_inner) = Some(index);
    }

    /// The record whose frame is at `offset`, checked against its checksums.
    pub(crate) fn record_at(&self, block: &mut Block, offset: u64) -> Result<Record, ReadError> {
        let frame = block.frame(self, offset)?;
        self.decode(&frame)?.to_record(|name| self.names.resolve(name)).ok_or_else(|| self.nameless(offset))
    }

    /// The key of the record whose frame is at `offset`.
    pub(crate) fn key_at(&self, block: &mut Block, offset: u64) -> Result<Key, ReadError> {
        Ok(self.decode(&block.frame(self, offset)?)?.key)
    }

    pub(crate) fn nameless(&self, offset: u64) -> ReadError {
        self.damage(offset, "a record uses a name that was not written before it")
    }

    pub(crate) fn decode<'a>(&self, frame: &Frame<'a>) -> Result<RawRecord<'a>, ReadError> {
        if frame.header.kind != FrameKind::Record {
            return Err(self.damage(frame.offset, "there is no record where one was expected"));
        }
        RawRecord::decode(frame.body, self.base())
            .ok_or_else(|| self.damage(frame.offset, "a record does not have the form of format 1"))
    }
}

pub(crate) fn damage(path: &Path, offset: u64, what: impl Into<String>) -> ReadError {
    ReadError::Damaged { file: path.to_path_buf(), offset, what: what.into() }
}

pub(crate) fn io_error(path: &Path, offset: u64, source: io::Error) -> ReadError {
    if let Some(FrameDamage { offset, what }) = source.get_ref().and_then(|inner| inner.downcast_ref()) {
        return damage(path, *offset, what.as_str());
    }
    ReadError::Io { file: path.to_path_buf(), offset, source: Arc::new(source) }
}

/// The file name of the segment that begins with `first`.
pub(crate) fn segment_name(first: u64) -> String {
    format!("{first:020}.seg")
}

/// The first position a segment file names, or the pointer to an archived one, if it is the name of one.
pub(crate) fn segment_first(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".seg").or_else(|| name.strip_suffix(".arc"))?;
    (digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
}

/// Numbered names of a segment; slots are set once, so that reading takes no lock.
#[derive(Debug)]
pub(crate) struct Names(Box<[OnceLock<Box<str>>]>);

impl Default for Names {
    fn default() -> Self {
        Names(std::iter::repeat_with(OnceLock::new).take(NAMES_MAX).collect())
    }
}

impl Names {
    pub(crate) fn set(&self, number: usize, name: &str) {
        if let Some(slot) = self.0.get(number) {
            slot.get_or_init(|| name.into());
        }
    }

    pub(crate) fn resolve<'a>(&'a self, name: Name<'a>) -> Option<&'a str> {
        match name {
            Name::Inline(text) => Some(text),
            Name::Number(number) => self.0.get(usize::try_from(number).ok()?)?.get().map(|text| &**text),
        }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map_while(|slot| slot.get().map(|text| &**text))
    }
}

/// A frame in a [`Block`], checked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub(crate) header: FrameHeader,
    pub(crate) offset: u64,
    pub(crate) body: &'a [u8],
}

/// A window on a segment file: reads ahead of (or behind) what is asked, so that neighbours come for free.
#[derive(Debug)]
pub(crate) struct Block {
    start: u64,
    /// Grows to the largest window asked for and stays: clearing it every time would cost more than reading.
    buffer: Vec<u8>,
    /// How much of `buffer` was read from the file.
    held: usize,
    ahead: usize,
    behind: usize,
}

impl Block {
    /// For frames here and there: one page of the file at a time.
    pub(crate) fn scattered() -> Block {
        Block { start: 0, buffer: Vec::new(), held: 0, ahead: 4 * 1024, behind: 0 }
    }

    /// For frames in order.
    pub(crate) fn forward() -> Block {
        Block { start: 0, buffer: Vec::new(), held: 0, ahead: 256 * 1024, behind: 0 }
    }

    /// For frames in opposite order.
    pub(crate) fn backward() -> Block {
        Block { start: 0, buffer: Vec::new(), held: 0, ahead: 4 * 1024, behind: 124 * 1024 }
    }

    /// Forgets what was read: another segment, or the file may have grown.
    pub(crate) fn clear(&mut self) {
        self.held = 0;
    }

    /// At most `length` bytes at `offset`: less only where the file ends.
    pub(crate) fn peek(&mut self, file: &dyn StorageFile, offset: u64, length: usize) -> io::Result<&[u8]> {
        let held = offset
            .checked_sub(self.start)
            .map(narrow)
            .filter(|from| from.saturating_add(length) <= self.held);
        let from = if let Some(from) = held { from } else { self.load(file, offset, length)? };
        let end = from.saturating_add(length).min(self.held);
        Ok(self.buffer.get(from..end).unwrap_or_default())
    }

    fn load(&mut self, file: &dyn StorageFile, offset: u64, length: usize) -> io::Result<usize> {
        let start = offset.saturating_sub(wide(self.behind));
        let from = narrow(offset.saturating_sub(start));
        let length = from.saturating_add(length.max(self.ahead));
        if self.buffer.len() < length {
            self.buffer = vec![0; length];
        }
        (self.start, self.held) = (start, 0);
        self.held = read_full(file, self.buffer.get_mut(..length).unwrap_or_default(), start)?;
        Ok(from)
    }

    /// The frame at `offset`, its checksums checked.
    pub(crate) fn frame<'a>(&'a mut self, segment: &Segment, offset: u64) -> Result<Frame<'a>, ReadError> {
        let file = &*segment.file;
        let io = |source| segment.io(offset, source);
        let header = self.peek(file, offset, HEADER_BYTES).map_err(io)?;
        let header = FrameHeader::decode(header, segment.header.segment, offset)
            .map_err(|what| segment.damage(offset, what))?;
        let body_offset = offset.saturating_add(wide(HEADER_BYTES));
        let length = narrow(u64::from(header.body_bytes)).saturating_add(TRAILER_BYTES);
        let bytes = self.peek(file, body_offset, length).map_err(io)?;
        if bytes.len() < length {
            return Err(segment.damage(offset, "a frame is cut short"));
        }
        let body = check_body(bytes).map_err(|what| segment.damage(offset, what))?;
        Ok(Frame { header, offset, body })
    }
}
