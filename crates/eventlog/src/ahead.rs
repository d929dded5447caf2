//! Zeros ahead of the writer: a commit into bytes that exist already is a data sync without metadata, which takes
//! about half the time.
//!
//! A thread of its own fills the open segment, then a spare file that becomes the next segment, in small slices and
//! only a little ahead: filling at full speed would hold up the commits. It is never needed for being right: where it
//! lags or fails, the writer writes beyond, and the sync takes longer. It has file handles of its own, so that an error
//! of its syncs is told to the writer's handle too.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError},
    time::Duration,
};

use crate::{
    codec::narrow,
    storage::{Storage, StorageFile, write_full},
    sync::{
        Condvar, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
        thread,
    },
};

/// How far ahead of the writer zeros are kept.
const AHEAD_BYTES: u64 = 8 * 1024 * 1024;
/// Written and synced at once: about a millisecond of the disk.
const SLICE_BYTES: u64 = 256 * 1024;
/// Between two slices, so that commits come in between.
const PAUSE: Duration = Duration::from_millis(4);

/// How long the writer is left alone after it was faster.
const BACK_OFF: Duration = Duration::from_millis(50);

/// A file of zeros that becomes the next segment.
#[derive(Debug)]
pub(crate) struct Spare {
    pub(crate) path: PathBuf,
    pub(crate) file: Arc<dyn StorageFile>,
    pub(crate) zeroed: u64,
}

#[derive(Debug)]
struct State {
    file: Arc<dyn StorageFile>,
    written: u64,
    spare: Option<Spare>,
    busy: Busy,
    /// The writer was faster than the zeros.
    outrun: bool,
    stop: bool,
}

/// Who holds the files for longer than the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Busy {
    Nobody,
    /// A slice is being written from [`Ahead::zeroed`] on, or into the spare.
    Filling,
    /// The writer has taken the spare and not gone over to it yet: a second file of that name must not be made.
    Switching,
}

/// Shared by the writer and the filling thread.
#[derive(Debug)]
pub(crate) struct Ahead {
    storage: Arc<dyn Storage>,
    folder: PathBuf,
    segment_bytes: u64,
    state: Mutex<State>,
    changed: Condvar,
    /// Where the zeros of the open segment end. Read without the lock by the writer.
    zeroed: AtomicU64,
}

pub(crate) fn spare_path(folder: &Path) -> PathBuf {
    folder.join("spare")
}

impl Ahead {
    pub(crate) fn new(
        storage: Arc<dyn Storage>,
        folder: PathBuf,
        segment_bytes: u64,
        file: Arc<dyn StorageFile>,
        (written, zeroed): (u64, u64),
    ) -> Ahead {
        let state = State { file, written, spare: None, busy: Busy::Nobody, outrun: false, stop: false };
        let zeroed = AtomicU64::new(zeroed.max(written));
        Ahead { storage, folder, segment_bytes, state: Mutex::new(state), changed: Condvar::new(), zeroed }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// To be called before writing up to `end`: from then on no zeros are written below it.
    pub(crate) fn claim(&self, end: u64) {
        if end <= self.zeroed.load(Ordering::Acquire) {
            return;
        }
        let mut state = self.lock();
        while state.busy == Busy::Filling {
            state = self.wait(state);
        }
        self.zeroed.fetch_max(end, Ordering::AcqRel);
        state.outrun = true;
    }

    /// Tells how far was written, so that filling goes on.
    pub(crate) fn wrote(&self, end: u64) {
        self.lock().written = end;
        self.changed.notify_all();
    }

    /// The spare file, as far as it was filled; a fresh one if there is none.
    pub(crate) fn take_spare(&self) -> io::Result<Spare> {
        let mut state = self.lock();
        while state.busy == Busy::Filling {
            state = self.wait(state);
        }
        state.busy = Busy::Switching;
        match state.spare.take() {
            Some(spare) => Ok(spare),
            None => self.new_spare(),
        }
    }

    fn new_spare(&self) -> io::Result<Spare> {
        let path = spare_path(&self.folder);
        Ok(Spare { file: self.storage.create(&path)?, path, zeroed: 0 })
    }

    /// Goes over to a new segment.
    pub(crate) fn switch(&self, file: Arc<dyn StorageFile>, written: u64, zeroed: u64) {
        let mut state = self.lock();
        while state.busy == Busy::Filling {
            state = self.wait(state);
        }
        state.file = file;
        state.written = written;
        state.busy = Busy::Nobody;
        self.zeroed.store(zeroed.max(written), Ordering::Release);
        self.changed.notify_all();
    }

    pub(crate) fn stop(&self) {
        self.lock().stop = true;
        self.changed.notify_all();
    }

    /// The filling thread. Ends when told to stop, or when the disk refuses: then commits just take longer.
    pub(crate) fn run(&self) {
        let zeros = vec![0; narrow(SLICE_BYTES)];
        let mut state = self.lock();
        while !state.stop {
            if std::mem::take(&mut state.outrun) {
                // Large commits in a row: racing them would only hold them up.
                let waited = self.changed.wait_timeout_while(state, BACK_OFF, |state| !state.stop);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            let slice = match self.next_slice(&mut state) {
                Ok(Some(slice)) => slice,
                Ok(None) => {
                    state = self.wait(state);
                    continue;
                }
                Err(error) => return refused(&error),
            };
            state.busy = Busy::Filling;
            drop(state);
            let length = narrow(slice.end.saturating_sub(slice.start));
            let filled = write_full(&*slice.file, zeros.get(..length).unwrap_or_default(), slice.start)
                .and_then(|()| slice.file.sync_data());
            state = self.lock();
            state.busy = Busy::Nobody;
            self.changed.notify_all();
            match (filled, slice.spare, &mut state.spare) {
                (Err(error), _, _) => return refused(&error),
                (Ok(()), true, Some(spare)) => spare.zeroed = slice.end,
                (Ok(()), true, None) => {}
                (Ok(()), false, _) => self.zeroed.store(slice.end, Ordering::Release),
            }
            drop(state);
            thread::sleep(PAUSE);
            state = self.lock();
        }
    }

    fn next_slice(&self, state: &mut State) -> io::Result<Option<Slice>> {
        if state.busy == Busy::Switching {
            return Ok(None);
        }
        let zeroed = self.zeroed.load(Ordering::Acquire);
        let spare_zeroed = state.spare.as_ref().map_or(0, |spare| spare.zeroed);
        let ahead = zeroed.saturating_sub(state.written).saturating_add(spare_zeroed);
        if ahead >= AHEAD_BYTES.min(self.segment_bytes) {
            return Ok(None);
        }
        let end_of = |start: u64| start.saturating_add(SLICE_BYTES).min(self.segment_bytes);
        if zeroed < self.segment_bytes {
            let file = Arc::clone(&state.file);
            return Ok(Some(Slice { file, start: zeroed, end: end_of(zeroed), spare: false }));
        }
        if spare_zeroed >= self.segment_bytes {
            return Ok(None);
        }
        if state.spare.is_none() {
            state.spare = Some(self.new_spare()?);
        }
        Ok(state.spare.as_ref().map(|spare| Slice {
            file: Arc::clone(&spare.file),
            start: spare.zeroed,
            end: end_of(spare.zeroed),
            spare: true,
        }))
    }
}

struct Slice {
    file: Arc<dyn StorageFile>,
    start: u64,
    end: u64,
    spare: bool,
}

fn refused(error: &io::Error) {
    tracing::warn!(%error, "no zeros are written ahead any more: commits go on and take longer");
}

/// How much has to be written before the filling thread is told again.
pub(crate) const TELL_BYTES: u64 = SLICE_BYTES / 2;

/// The length of a file as the end of its zeros.
pub(crate) fn zeroed_of(file: &dyn StorageFile) -> u64 {
    file.length().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Disk, codec::wide, storage::read_full};

    #[test]
    fn zeros_never_overwrite_what_was_claimed_and_reach_into_the_spare() {
        let dir = tempfile::tempdir().unwrap();
        let storage: Arc<dyn Storage> = Arc::new(Disk);
        let file = storage.create(&dir.path().join("open")).unwrap();
        let total = SLICE_BYTES * 3;
        let ahead =
            Arc::new(Ahead::new(Arc::clone(&storage), dir.path().into(), total, Arc::clone(&file), (0, 0)));
        let filler = thread::spawn({
            let ahead = Arc::clone(&ahead);
            move || ahead.run()
        });
        let bytes = vec![7_u8; 1_000];
        let mut end = 0;
        while end + wide(bytes.len()) <= total {
            ahead.claim(end + wide(bytes.len()));
            write_full(&*file, &bytes, end).unwrap();
            end += wide(bytes.len());
            ahead.wrote(end);
        }
        let spare = ahead.take_spare().unwrap();
        ahead.stop();
        filler.join().unwrap();
        let mut content = vec![0; narrow(end)];
        assert_eq!(read_full(&*file, &mut content, 0).unwrap(), content.len());
        assert!(content.iter().all(|byte| *byte == 7), "zeros were written over content");
        assert!(spare.zeroed <= total);
    }
}
