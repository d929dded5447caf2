//! One writer: the lock file, which also says who holds it and counts the writers (the fencing epoch).

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    path::Path,
};

use crate::OpenError;

/// Held by the writer as long as it lives; the system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
    /// The epoch of the writer before, 0 if there was none or its word is lost (the log knows it too).
    pub(crate) epoch_before: u64,
}

impl Lock {
    /// Takes the lock of the log in `dir`, or says who has it.
    pub(crate) fn take(dir: &Path) -> Result<Lock, OpenError> {
        let path = dir.join("lock");
        let failed = |doing, source| OpenError::Io { doing, path: path.clone(), source };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|source| failed("opening the lock file", source))?;
        let locked = file.try_lock();
        let mut text = String::new();
        // What stands there is for people and a second opinion on the epoch: unreadable is as good as empty.
        if file.read_to_string(&mut text).is_err() {
            text.clear();
        }
        match locked {
            Ok(()) => Ok(Lock { file, epoch_before: field(&text, "epoch").unwrap_or(0) }),
            Err(TryLockError::WouldBlock) => {
                let holder = field(&text, "process")
                    .map_or_else(|| "another process".into(), |process| format!("process {process}"));
                Err(OpenError::Locked { dir: dir.to_path_buf(), holder })
            }
            Err(TryLockError::Error(source)) => Err(failed("locking", source)),
        }
    }

    /// Writes down who holds it, as writer number `epoch`.
    pub(crate) fn sign(&mut self, epoch: u64) -> io::Result<()> {
        let text = format!("process {}\nepoch {epoch}\n", std::process::id());
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(text.as_bytes())?;
        self.file.sync_data()
    }
}

fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}
