//! Compressed files that are read in their middle: the seekable format of zstd, which every zstd unpacks to the original.
//!
//! ```text
//! frame …          zstd, of FRAME_BYTES of the content (the last of less), with its checksum and its size
//! checksums        skippable frame 0x184D2A5D: per frame, CRC32C of its bytes here u32;
//!                  then CRC32C of those and of the seek table u32
//! seek table       skippable frame 0x184D2A5E: per frame, bytes here u32 and bytes of content u32;
//!                  then frames u32 | 0 u8 | 0x8F92EAB1
//! ```
//! Some bits of a frame mean nothing to zstd. The checksums over the packed bytes find a flip of those too, so that a
//! disk that begins to rot is seen.
//!
//! Not here: what is compressed, and where it lies (`archive`).

use std::{
    error, fmt, io,
    path::PathBuf,
    sync::{Arc, PoisonError},
};

use crate::{
    codec::{Input, narrow, small, wide},
    segment::{SEGMENT_HEADER_BYTES, SegmentHeader},
    storage::{Storage, StorageFile, read_full, write_full},
    sync::Mutex,
};

/// Content of one frame. Reading a record unpacks one: a tenth of a millisecond. Twice as much would pack by a few
/// percent better.
const FRAME_BYTES: usize = 64 * 1024;
/// Frames of one file: a segment of the greatest size, and the commit that made it longer, have a quarter of them.
const FRAMES_MAX: u32 = 64 * 1024;
/// Frames that are kept unpacked for each file, so that a record on the border of two is not unpacked over and over.
const HELD_FRAMES_MAX: usize = 2;
/// Packed once, unpacked often: unpacking takes the same time at every level.
const LEVEL: i32 = 9;
const CHECKS_MAGIC: u32 = 0x184D_2A5D;
const TABLE_MAGIC: u32 = 0x184D_2A5E;
const END_MAGIC: u32 = 0x8F92_EAB1;
const ENTRY_BYTES: usize = 8;
const HEAD_BYTES: usize = 8;
const FOOTER_BYTES: usize = 9;
const CHECK_BYTES: usize = 4;

/// What does not fit in a compressed file, and where. Travels in an [`io::Error`]; `segment` makes damage of it.
#[derive(Debug)]
pub(crate) struct FrameDamage {
    /// In bytes of the compressed file.
    pub(crate) offset: u64,
    pub(crate) what: String,
}

impl fmt::Display for FrameDamage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.what, self.offset)
    }
}

impl error::Error for FrameDamage {}

fn damaged(offset: u64, what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, FrameDamage { offset, what: what.into() })
}

/// Packs the first `length` bytes of a file; returns how many bytes they take. Nothing is synced.
pub(crate) fn pack(from: &dyn StorageFile, length: u64, to: &dyn StorageFile) -> io::Result<u64> {
    let mut compressor = zstd::bulk::Compressor::new(LEVEL)?;
    compressor.include_checksum(true)?;
    let mut chunk = vec![0; FRAME_BYTES];
    let (mut at, mut end) = (0, 0);
    let (mut entries, mut checks) = (Vec::new(), Vec::new());
    while at < length {
        let wanted = narrow(length.saturating_sub(at)).min(FRAME_BYTES);
        let read = read_full(from, chunk.get_mut(..wanted).unwrap_or_default(), at)?;
        if read < wanted {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let packed = compressor.compress(chunk.get(..wanted).unwrap_or_default())?;
        write_full(to, &packed, end)?;
        entries.extend_from_slice(&small(packed.len()).to_le_bytes());
        entries.extend_from_slice(&small(wanted).to_le_bytes());
        checks.extend_from_slice(&crc32c::crc32c(&packed).to_le_bytes());
        at = at.saturating_add(wide(wanted));
        end = end.saturating_add(wide(packed.len()));
    }
    let frames = small(entries.len() / ENTRY_BYTES);
    if frames > FRAMES_MAX {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    entries.extend_from_slice(&frames.to_le_bytes());
    entries.push(0);
    entries.extend_from_slice(&END_MAGIC.to_le_bytes());
    let check = crc32c::crc32c_append(crc32c::crc32c(&checks), &entries);
    checks.extend_from_slice(&check.to_le_bytes());
    let mut out = Vec::new();
    for (magic, content) in [(CHECKS_MAGIC, checks), (TABLE_MAGIC, entries)] {
        out.extend_from_slice(&magic.to_le_bytes());
        out.extend_from_slice(&small(content.len()).to_le_bytes());
        out.extend_from_slice(&content);
    }
    write_full(to, &out, end)?;
    Ok(end.saturating_add(wide(out.len())))
}

/// The header of the segment that a file holds, if it holds a packed one.
pub(crate) fn begins(file: &dyn StorageFile) -> io::Result<Option<SegmentHeader>> {
    let mut packed = vec![0; zstd::zstd_safe::compress_bound(FRAME_BYTES)];
    let read = read_full(file, &mut packed, 0)?;
    let packed = packed.get(..read).unwrap_or_default();
    let frame = zstd::zstd_safe::find_frame_compressed_size(packed).ok().and_then(|size| packed.get(..size));
    let content = frame.and_then(|frame| zstd::bulk::decompress(frame, FRAME_BYTES).ok());
    let header = content.as_ref().and_then(|content| content.first_chunk());
    Ok(header.and_then(|header| SegmentHeader::decode(header).ok()))
}

/// A packed segment, read as if it were the segment. It is opened when it is first read: a disk that is away for a
/// while keeps nobody from what lies elsewhere.
#[derive(Debug)]
pub(crate) struct Packed {
    path: PathBuf,
    storage: Arc<dyn Storage>,
    /// What must be in it: bytes of content, and how they begin.
    length: u64,
    header: SegmentHeader,
    opened: Mutex<Option<Opened>>,
}

#[derive(Debug)]
struct Opened {
    file: Arc<dyn StorageFile>,
    /// Where each frame begins, and its checksum.
    frames: Vec<(u64, u32)>,
    /// Where the last ends.
    end: u64,
    /// Unpacked frames, the one used last at the end.
    held: Vec<(usize, Vec<u8>)>,
}

impl Packed {
    pub(crate) fn new(
        path: PathBuf,
        storage: Arc<dyn Storage>,
        length: u64,
        header: SegmentHeader,
    ) -> Packed {
        Packed { path, storage, length, header, opened: Mutex::new(None) }
    }

    /// Opens the file, if it is what it should be.
    fn open(&self) -> io::Result<Opened> {
        let file = self.storage.open(&self.path, false)?;
        let (frames, end) = read_tables(&*file, self.length)?;
        let mut opened = Opened { file, frames, end, held: Vec::new() };
        let header = opened.frame(0, self.length)?;
        if header.get(..SEGMENT_HEADER_BYTES) != Some(&self.header.encode()) {
            return Err(damaged(0, "it holds another segment"));
        }
        Ok(opened)
    }
}

/// Where each frame begins, its checksum, and where the last ends; if what stands behind the frames fits the length of
/// the file and of the content.
fn read_tables(file: &dyn StorageFile, length: u64) -> io::Result<(Vec<(u64, u32)>, u64)> {
    let end = file.length()?;
    let broken = || damaged(end, "the seek table at its end does not fit");
    let mut frames = [0; FOOTER_BYTES];
    let footer = end.checked_sub(wide(FOOTER_BYTES)).ok_or_else(broken)?;
    read_full(file, &mut frames, footer)?;
    let frames = Input(&frames).u32().filter(|frames| *frames <= FRAMES_MAX).ok_or_else(broken)?;
    let frames = narrow(u64::from(frames));
    let entries_bytes = frames.saturating_mul(ENTRY_BYTES).saturating_add(FOOTER_BYTES);
    let checks_bytes = frames.saturating_mul(CHECK_BYTES).saturating_add(CHECK_BYTES);
    let both = entries_bytes.saturating_add(checks_bytes).saturating_add(2 * HEAD_BYTES);
    let start = end.checked_sub(wide(both)).ok_or_else(broken)?;
    let mut tables = vec![0; both];
    read_full(file, &mut tables, start)?;
    let mut input = Input(&tables);
    let head = |input: &mut Input<'_>| Some((input.u32()?, narrow(u64::from(input.u32()?))));
    let (checks_head, checks) = (head(&mut input), input.bytes(checks_bytes).unwrap_or_default());
    let (entries_head, entries) = (head(&mut input), input.bytes(entries_bytes).unwrap_or_default());
    let heads = [(CHECKS_MAGIC, checks_bytes), (TABLE_MAGIC, entries_bytes)];
    let (checks, check) = checks.split_last_chunk::<CHECK_BYTES>().ok_or_else(broken)?;
    if [checks_head, entries_head] != heads.map(Some)
        || u32::from_le_bytes(*check) != crc32c::crc32c_append(crc32c::crc32c(checks), entries)
    {
        return Err(broken());
    }
    let (mut checks, mut entries) = (Input(checks), Input(entries));
    let (mut bounds, mut at, mut left) = (Vec::with_capacity(frames), 0_u64, length);
    while let Some(check) = checks.u32() {
        let (packed, content) = (entries.u32().unwrap_or(0), entries.u32().unwrap_or(0));
        if u64::from(content) != left.min(wide(FRAME_BYTES)) {
            return Err(broken());
        }
        bounds.push((at, check));
        at = at.saturating_add(u64::from(packed));
        left = left.saturating_sub(u64::from(content));
    }
    if left == 0 && at == start { Ok((bounds, at)) } else { Err(broken()) }
}

impl Opened {
    /// The content of a frame of a file with so many bytes of content; empty behind the last.
    fn frame(&mut self, number: usize, length: u64) -> io::Result<&[u8]> {
        let at = self.held.iter().position(|(held, _)| *held == number);
        let held = match at {
            Some(at) => self.held.remove(at),
            None => (number, self.unpack(number, length)?),
        };
        if self.held.len() >= HELD_FRAMES_MAX {
            self.held.remove(0);
        }
        self.held.push(held);
        Ok(self.held.last().map(|(_, bytes)| &**bytes).unwrap_or_default())
    }

    fn unpack(&self, number: usize, length: u64) -> io::Result<Vec<u8>> {
        let Some((start, check)) = self.frames.get(number) else { return Ok(Vec::new()) };
        let next = self.frames.get(number.saturating_add(1)).map_or(self.end, |(next, _)| *next);
        let mut packed = vec![0; narrow(next.saturating_sub(*start))];
        read_full(&*self.file, &mut packed, *start)?;
        if crc32c::crc32c(&packed) != *check {
            return Err(damaged(*start, "the checksum of a compressed frame does not fit"));
        }
        let content = length.saturating_sub(wide(number.saturating_mul(FRAME_BYTES))).min(wide(FRAME_BYTES));
        match zstd::bulk::decompress(&packed, FRAME_BYTES) {
            Ok(unpacked) if wide(unpacked.len()) == content => Ok(unpacked),
            Ok(_) => Err(damaged(*start, "a compressed frame has another length")),
            Err(error) => Err(damaged(*start, format!("a compressed frame can not be unpacked ({error})"))),
        }
    }
}

impl StorageFile for Packed {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if offset >= self.length {
            return Ok(0);
        }
        let mut held = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let opened = match &mut *held {
            Some(opened) => opened,
            none => none.insert(self.open()?),
        };
        let number = narrow(offset / wide(FRAME_BYTES));
        let frame = opened.frame(number, self.length)?;
        let bytes = frame.get(narrow(offset % wide(FRAME_BYTES))..).unwrap_or_default();
        let length = bytes.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..length), bytes.get(..length)) {
            to.copy_from_slice(from);
        }
        Ok(length)
    }

    fn write_at(&self, _bytes: &[u8], _offset: u64) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn sync_data(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.length)
    }
}
