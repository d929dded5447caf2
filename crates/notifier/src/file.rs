//! Small files that are there whole or not at all, for their owner alone.
//!
//! Not here: what stands in them.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// The largest file that is read, in bytes: ten thousand accounts with two devices each.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// What is in a file; `None` if there is none.
///
/// # Errors
/// It can not be read, or is too large.
pub(crate) fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= FILE_BYTES_MAX) {
        Ok(Some(bytes))
    } else {
        Err(io::Error::new(io::ErrorKind::FileTooLarge, "too large"))
    }
}

/// Puts it there, on stable storage.
///
/// # Errors
/// It can not be written; then what was there before is still there.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    match path.parent() {
        Some(folder) => fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
