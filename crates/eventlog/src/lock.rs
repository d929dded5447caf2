//! One writer: the lock file, which also says who holds it and counts the writers (the fencing epoch).

use std::{io, path::Path, sync::Arc};

use crate::{
    OpenError,
    storage::{Storage, StorageFile, read_full, write_full},
};

/// What stands in the lock file, with room for the longest numbers: it is written in place, always as long.
const TEXT_BYTES: usize = 64;

/// Held by the writer as long as it lives; the system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    file: Arc<dyn StorageFile>,
    /// The epoch of the writer before, 0 if there was none or its word is lost (the log knows it too).
    pub(crate) epoch_before: u64,
}

impl Lock {
    /// Takes the lock of the log in `dir`, or says who has it.
    pub(crate) fn take(storage: &dyn Storage, dir: &Path) -> Result<Lock, OpenError> {
        let path = dir.join("lock");
        match storage.lock(&path) {
            Ok(file) => {
                let epoch_before = field(&text(&*file), "epoch").unwrap_or(0);
                Ok(Lock { file, epoch_before })
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let text = storage.open(&path, false).map_or_else(|_| String::new(), |file| text(&*file));
                let holder = field(&text, "process")
                    .map_or_else(|| "another process".into(), |process| format!("process {process}"));
                Err(OpenError::Locked { dir: dir.to_path_buf(), holder })
            }
            Err(source) => Err(OpenError::Io { doing: "locking", path, source }),
        }
    }

    /// Writes down who holds it, as writer number `epoch`.
    pub(crate) fn sign(&self, epoch: u64) -> io::Result<()> {
        let text = format!("process {}\nepoch {epoch}\n", std::process::id());
        let text = format!("{text:<TEXT_BYTES$}");
        write_full(&*self.file, text.as_bytes(), 0)?;
        self.file.sync_data()
    }
}

/// What stands there is for people and a second opinion on the epoch: unreadable is as good as empty.
fn text(file: &dyn StorageFile) -> String {
    let mut bytes = [0; TEXT_BYTES];
    let length = read_full(file, &mut bytes, 0).unwrap_or(0);
    String::from_utf8_lossy(bytes.get(..length).unwrap_or_default()).into_owned()
}

fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}
