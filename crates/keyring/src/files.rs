//! Files that only their owner may read.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use zeroize::Zeroizing;

use crate::KeyringError;

/// Rights of what only its owner may read.
pub(crate) const PRIVATE: u32 = 0o600;
/// Rights of a certificate.
pub(crate) const PUBLIC: u32 = 0o644;
const FOLDER: u32 = 0o700;
/// The largest file read, in bytes: seeds and keys are under 1 KiB, and what is larger is some other file.
const BYTES_MAX: u64 = 64 * 1024;

pub(crate) fn make_folder(dir: &Path) -> Result<(), KeyringError> {
    let made = DirBuilder::new().recursive(true).mode(FOLDER).create(dir);
    made.map_err(|source| KeyringError::Unwritable { path: dir.to_owned(), source })
}

/// Refuses what others than its owner may read or write.
pub(crate) fn check_rights(path: &Path, of_it: &Metadata) -> Result<(), KeyringError> {
    let mode = of_it.mode() & 0o7777;
    let of_others = mode & 0o077;
    if of_others != 0 {
        return Err(KeyringError::OpenToOthers { path: path.to_owned(), mode });
    }
    Ok(())
}

/// The text of a file only its owner may read; `None` when there is none.
pub(crate) fn read_private(path: &Path) -> Result<Option<Zeroizing<String>>, KeyringError> {
    let unreadable = |source| KeyringError::Unreadable { path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    check_rights(path, &file.metadata().map_err(unreadable)?)?;
    let mut text = Zeroizing::new(String::new());
    file.take(BYTES_MAX).read_to_string(&mut text).map_err(unreadable)?;
    Ok(Some(text))
}

/// Writes a file that only its owner may read, in the place of one that is there.
///
/// # Errors
/// It can not be written.
pub fn write_private(path: &Path, content: &[u8]) -> Result<(), KeyringError> {
    put(path, content, PRIVATE)
}

/// Puts a file at `path` in one step. It is on the disk after [`sync`]: a country has hundreds of seeds, and one wait
/// for the disk is enough for all.
pub(crate) fn put(path: &Path, bytes: &[u8], mode: u32) -> Result<(), KeyringError> {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    let draft = path.with_file_name(name);
    let written = write_new(&draft, bytes, mode).and_then(|()| fs::rename(&draft, path));
    written.map_err(|source| KeyringError::Unwritable { path: path.to_owned(), source })
}

fn write_new(draft: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let open = || OpenOptions::new().write(true).create_new(true).mode(mode).open(draft);
    let mut file = match open() {
        // One that a crash left behind.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(draft)?;
            open()?
        }
        opened => opened?,
    };
    file.write_all(bytes)
}

/// Refuses a place where there is another file.
pub(crate) fn check_new(path: &Path, bytes: &[u8]) -> Result<(), KeyringError> {
    match fs::read(path).map(Zeroizing::new) {
        Ok(there) if there.as_slice() == bytes => Ok(()),
        Ok(_) => Err(KeyringError::Exists(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(KeyringError::Unreadable { path: path.to_owned(), source }),
    }
}

/// Puts a file where there is none; one that is there has been [looked at](check_new).
pub(crate) fn put_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), KeyringError> {
    if path.exists() { Ok(()) } else { put(path, bytes, mode) }
}

/// Brings everything that was put to the disk.
pub(crate) fn sync(dir: &Path) -> Result<(), KeyringError> {
    let synced = File::open(dir).and_then(|dir| Ok(rustix::fs::syncfs(dir)?));
    synced.map_err(|source| KeyringError::Unwritable { path: dir.to_owned(), source })
}
