//! What the fuzz targets for files do with their bytes: segments, index files, entries of the catalogue. Also replayed by
//! the tests of the crate, over the seeds.
//!
//! Nothing may panic, take much memory, or be served that was not written.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use eventlog::{Direction, EventLog, LogReader, Options, Query, QueryItem, Record, Storage, StorageFile};

/// Files in memory.
#[derive(Debug, Default)]
struct Memory(Mutex<BTreeMap<PathBuf, Arc<Content>>>);

#[derive(Debug, Default)]
struct Content(Mutex<Vec<u8>>);

impl StorageFile for Content {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        // A length out of a damaged place must not become an allocation.
        assert!(buffer.len() <= 33 * 1024 * 1024, "{} bytes are read at once", buffer.len());
        let content = self.0.lock().expect("no panic before");
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(content.len());
        let length = buffer.len().min(content.len() - from);
        buffer[..length].copy_from_slice(&content[from..from + length]);
        Ok(length)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let mut content = self.0.lock().expect("no panic before");
        let from = usize::try_from(offset).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let end = (from + bytes.len()).max(content.len());
        content.resize(end, 0);
        content[from..from + bytes.len()].copy_from_slice(bytes);
        Ok(bytes.len())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn length(&self) -> io::Result<u64> {
        u64::try_from(self.0.lock().expect("no panic before").len()).map_err(io::Error::other)
    }
}

impl Memory {
    fn of(files: &[(&str, &[u8])]) -> Arc<Memory> {
        let files = files.iter().map(|(name, bytes)| {
            let path = Path::new("/log/segments").join(name);
            (path, Arc::new(Content(Mutex::new(bytes.to_vec()))))
        });
        Arc::new(Memory(Mutex::new(files.collect())))
    }

    fn files(&self) -> std::sync::MutexGuard<'_, BTreeMap<PathBuf, Arc<Content>>> {
        self.0.lock().expect("no panic before")
    }
}

impl Storage for Memory {
    fn create_dir_all(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<OsString>> {
        let files = self.files();
        let here = files.keys().filter(|path| path.parent() == Some(dir));
        Ok(here.filter_map(|path| path.file_name().map(Into::into)).collect())
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>> {
        let file = Arc::<Content>::default();
        self.files().insert(path.into(), Arc::clone(&file));
        Ok(file)
    }

    fn open(&self, path: &Path, _writable: bool) -> io::Result<Arc<dyn StorageFile>> {
        let file = self.files().get(path).cloned().ok_or(io::ErrorKind::NotFound)?;
        Ok(file)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut files = self.files();
        let file = files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        files.insert(to.into(), file);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.files().remove(path).map(|_| ()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn lock(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>> {
        self.open(path, true).or_else(|_| self.create(path))
    }

    fn sync_dir(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }

    fn random(&self) -> io::Result<[u8; 16]> {
        Ok([7; 16])
    }
}

/// Asks everything a reader can be asked; what it gives.
fn ask(reader: &LogReader) -> Vec<Record> {
    let all = reader.read(Query::default()).map_while(Result::ok).collect::<Vec<_>>();
    let positions = all.iter().map(|record| record.position);
    assert!(positions.eq((1..).take(all.len())), "positions are dense");
    let backward = Query { direction: Direction::Backward, ..Query::default() };
    let _read = reader.read(backward).map_while(Result::ok).count();
    let tagged = QueryItem { types: vec!["bed.freed".into()], tags: vec!["bed:3".into()] };
    let tagged = Query { items: vec![tagged], ..Query::default() };
    for record in reader.read(tagged.clone()).map_while(Result::ok) {
        assert!(tagged.matches(&record.kind, &record.tags));
    }
    let _origins = reader.origins(0).map_while(Result::ok).count();
    let _last = reader.at_time(i64::MAX);
    for record in &all {
        if let Ok(Some(position)) = reader.position_of(&record.key) {
            assert!(position <= reader.head().position);
        }
    }
    let _report = reader.verify(.., &mut |_| ());
    all
}

/// Bytes as the only segment of a log: as they are, and with every checksum made right, which leads further in.
pub fn frame(data: &[u8]) {
    for bytes in [data.to_vec(), with_checksums(data)] {
        let files = Memory::of(&[("00000000000000000001.seg", &bytes)]);
        let storage: Arc<dyn Storage> = Arc::<Memory>::clone(&files);
        let Ok(reader) = LogReader::open_with(Path::new("/log"), Arc::clone(&storage)) else { continue };
        let read = ask(&reader);
        let options = Options { storage, catalogue: false, ..Options::default() };
        if let Ok((_log, report)) = EventLog::open(Path::new("/log"), options) {
            // What is cut is no record anybody could read.
            assert!(report.head.position >= u64::try_from(read.len()).expect("few"));
        }
    }
}

/// Bytes as the index file of the first of two segments: they change no answer.
pub fn index(data: &[u8]) {
    let first: &[u8] = include_bytes!("fixtures/first.seg");
    let second: &[u8] = include_bytes!("fixtures/second.seg");
    let segments = [("00000000000000000001.seg", first), (SECOND, second)];
    let plain = Memory::of(&segments);
    let expected = ask(&LogReader::open_with(Path::new("/log"), plain).expect("the fixtures are a log"));
    assert_eq!(expected.len(), 38);
    for bytes in [data.to_vec(), with_page_checksums(data)] {
        let hurt = Memory::of(&[segments[0], segments[1], ("00000000000000000001.idx", &bytes)]);
        let reader =
            LogReader::open_with(Path::new("/log"), hurt).expect("an index keeps nothing from opening");
        let found = ask(&reader);
        // With checksums that are right, wrong places lead to an error; a wrong record is never given.
        assert!(found.iter().eq(expected.iter().take(found.len())));
        if bytes == data {
            assert_eq!(found.len(), expected.len());
        }
    }
}

/// The segments in `fixtures` hold 38 records; the second begins with this one.
pub const SECOND: &str = "00000000000000000020.seg";

fn checksum(bytes: &mut [u8], of: std::ops::Range<usize>) {
    let value = crc32c::crc32c(&bytes[of.clone()]);
    bytes[of.end..of.end + 4].copy_from_slice(&value.to_le_bytes());
}

/// A segment with right checksums, as far as its lengths lead.
fn with_checksums(data: &[u8]) -> Vec<u8> {
    let mut bytes = data.to_vec();
    if bytes.len() < 128 {
        return bytes;
    }
    checksum(&mut bytes, 0..124);
    let mut at = 128;
    while bytes.len() >= at + 28 {
        if bytes[at..at + 24] == [0; 24] {
            break;
        }
        checksum(&mut bytes, at..at + 20);
        let length = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
        let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
        let Some(end) = at.checked_add(24).and_then(|body| body.checked_add(length)) else { break };
        if bytes.len() < end.saturating_add(4) {
            break;
        }
        checksum(&mut bytes, at + 24..end);
        at = end + 4;
    }
    bytes
}

/// An index file with right checksums.
fn with_page_checksums(data: &[u8]) -> Vec<u8> {
    let mut bytes = data.to_vec();
    let whole = bytes.len() / 4_096;
    for page in 0..whole {
        checksum(&mut bytes, page * 4_096..page * 4_096 + 4_092);
    }
    bytes
}

/// Bytes as what the catalogue holds for a cursor: it stands where the log confirms it, or the catalogue is made anew.
pub fn catalogue(data: &[u8]) {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = dir.path().join("catalogue");
    let db = sled::open(&folder).expect("a database");
    db.open_tree("cursors").expect("a tree").insert("board", data).expect("a value");
    db.flush().expect("a flush");
    drop(db);
    std::fs::create_dir_all(dir.path().join("segments")).expect("a folder");
    let first: &[u8] = include_bytes!("fixtures/first.seg");
    std::fs::write(dir.path().join("segments/00000000000000000001.seg"), first).expect("a file");
    let (log, report) = EventLog::open(dir.path(), Options::default()).expect("it opens");
    let stands = log.cursors().load("board").expect("a catalogue");
    assert_eq!(stands.is_some(), report.catalogue_rebuilt.is_none());
    assert!(stands.is_none_or(|position| position <= log.head().position));
}
