//! Copies of a log: made while it is written, brought up to date, and put back.
//!
//! A copy is a log: the same segments as far as the head of the moment, its own head file, and the signed heads. Sealed
//! segments never change, so a copy that is there already is only read through again. Not here: mending a damaged log
//! with a copy (`repair`).

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    Head, LogReader, OpenError, Progress, ReadError,
    ahead::spare_path,
    codec::{narrow, wide},
    follow::{head_of, segments_dir},
    head_file::{self, KnownHead},
    lock::Lock,
    proof::copy_heads,
    recover::sync_folders,
    scan::{Scanner, Step, Tail},
    segment::{Segment, segment_first, segment_name},
    storage::{Disk, Storage, StorageFile, create_anew, read_full, write_full},
};

/// Bytes copied at once.
const COPY_BYTES: usize = 256 * 1024;

/// What a backup did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupReport {
    /// How far the copy goes: to the head of the log when it began.
    pub head: Head,
    /// Segments that were copied.
    pub copied: u64,
    /// Segments that were there already, and are sound.
    pub kept: u64,
    /// Signed heads the copy has.
    pub signed_heads: u64,
}

/// Why there is no copy, or no newer one. What was in its folder before is still a log.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The log to be copied is damaged, or can not be read.
    #[error("the log could not be read to copy it; an older copy was left as it was")]
    Read(#[from] ReadError),
    /// The folder for the copy is in use, or the log to be copied can not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// In the folder for the copy is something that must not be written over.
    #[error("{} was left alone: {why}; choose another folder", dir.display())]
    Refused {
        /// The folder for the copy.
        dir: PathBuf,
        /// What is in it.
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

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    move |source| BackupError::Io { doing, path: path.to_path_buf(), source }
}

impl LogReader {
    /// Copies the log as it is at this moment to the folder `to`, while it may be written; returns when the copy is on
    /// stable storage. In `to` may be an older copy of this log: what it has is read through and kept. Every byte of
    /// the copy is checked, leaf hashes too. Blocks; `progress` is told after every segment.
    ///
    /// The copy opens as a log that ends at [`BackupReport::head`]. Whoever fills the log then catches up from there.
    ///
    /// # Errors
    /// If the log is damaged (an older copy stays as it was), `to` holds another log or a newer copy, or the system
    /// refuses.
    pub fn backup(&self, to: &Path, progress: &mut dyn FnMut(Progress)) -> Result<BackupReport, BackupError> {
        let storage = &self.core.storage;
        let until = self.head().position;
        let folder = segments_dir(to);
        storage.create_dir_all(&folder).map_err(failed("making the folder", &folder))?;
        let _lock = Lock::take(&**storage, to)?;
        self.refuse_other(to, until)?;
        sync_folders(&**storage, to)?;
        let mut report = BackupReport { head: Head::default(), copied: 0, kept: 0, signed_heads: 0 };
        let mut reached = None;
        for segment in self.core.segments().iter() {
            if segment.first() > until.max(1) {
                break;
            }
            let tail = self.copy_segment(segment, &folder, until, &mut report)?;
            report.head = head_of(&tail);
            progress(Progress { position: tail.position, until });
            reached = Some(KnownHead { log: self.core.log, segment_first: segment.first(), tail });
        }
        if let Some(known) = reached.filter(|known| known.tail.position > 0) {
            head_file::write(&**storage, to, &known).map_err(failed("writing the head file", to))?;
        }
        report.signed_heads =
            copy_heads(&**storage, &self.core.dir, to, until).map_err(failed("copying signed heads", to))?;
        Ok(report)
    }

    /// A folder with another log, or with more of this one than there is here, is no place for a copy.
    fn refuse_other(&self, to: &Path, until: u64) -> Result<(), BackupError> {
        let storage = &self.core.storage;
        let refused = |why: String| Err(BackupError::Refused { dir: to.to_path_buf(), why });
        if to == self.core.dir {
            return refused("it is the log itself".into());
        }
        let firsts = firsts(&**storage, to).map_err(failed("listing the segments", to))?;
        for first in &firsts {
            let path = segments_dir(to).join(segment_name(*first));
            match Segment::open(&path, storage, false) {
                Ok(there) if there.header.log != self.core.log => {
                    return refused("it holds another log".into());
                }
                Ok(there) if Some(first) == firsts.last() => {
                    let last = sound_end(&Arc::new(there), u64::MAX)?.0.position;
                    if last > until {
                        return refused(format!(
                            "its copy goes to position {last}, but this log only to {until}: it may have lost \
                             something"
                        ));
                    }
                }
                // What is damaged will be written again.
                Ok(_) | Err(ReadError::Damaged { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Brings one segment to the folder, as far as `until`, unless it is there; says where it ends.
    fn copy_segment(
        &self,
        segment: &Arc<Segment>,
        folder: &Path,
        until: u64,
        report: &mut BackupReport,
    ) -> Result<Tail, BackupError> {
        let storage = &self.core.storage;
        if let Some(lost) = &segment.lost {
            return Err(lost.clone().into());
        }
        let (tail, broken) = sound_end(segment, until)?;
        let last = segment.sealed.get().map_or(until, |sealed| sealed.last.min(until));
        if let Some((offset, what)) = broken.filter(|_| tail.position < last) {
            return Err(segment.damage(offset, what).into());
        }
        let sealed = segment.sealed.get().filter(|sealed| sealed.last <= until);
        if sealed.is_some_and(|sealed| sealed.hash != tail.hash) {
            return Err(segment.damage(tail.offset, "the next segment does not continue this one").into());
        }
        let path = folder.join(segment_name(segment.first()));
        if holds(storage, &path, &tail)? {
            report.kept = report.kept.saturating_add(1);
            return Ok(tail);
        }
        let spare = spare_path(folder);
        let file = create_anew(&**storage, &spare).map_err(failed("making a file", &spare))?;
        copy_bytes(&*segment.file, &*file, 0..tail.offset).map_err(failed("copying a segment", &spare))?;
        file.sync_data().map_err(failed("syncing a segment", &spare))?;
        if !holds(storage, &spare, &tail)? {
            return Err(segment.damage(0, "what was copied is not what was read").into());
        }
        storage.rename(&spare, &path).map_err(failed("naming a segment", &path))?;
        storage.sync_dir(folder).map_err(failed("syncing the folder", folder))?;
        report.copied = report.copied.saturating_add(1);
        Ok(tail)
    }
}

/// Puts a copy back: makes a log in the folder `to`, where none is, of the log or copy in `from`.
///
/// What was recorded after the copy was made is not in it. Where that is known (a head that was signed, a receipt that
/// was given) the log shows it by what it lacks; whoever fills it sends it again.
///
/// # Errors
/// If there is a log in `to`, the copy is damaged, or the system refuses.
pub fn restore(
    from: &Path,
    to: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<BackupReport, BackupError> {
    if !firsts(&Disk, to).map_err(failed("listing the segments", to))?.is_empty() {
        return Err(BackupError::Refused { dir: to.to_path_buf(), why: "there is a log in it".into() });
    }
    let reader = LogReader::open(from)?;
    if let Some(damage) = reader.core.damage.get() {
        return Err(damage.clone().into());
    }
    reader.backup(to, progress)
}

/// The first positions of the segments in a folder, in their order.
pub(crate) fn firsts(storage: &dyn Storage, dir: &Path) -> io::Result<Vec<u64>> {
    let names = match storage.list(&segments_dir(dir)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        names => names?,
    };
    let mut firsts = names.iter().filter_map(|name| segment_first(name.to_str()?)).collect::<Vec<_>>();
    firsts.sort_unstable();
    // Of a segment that is being archived there are both, the file and the pointer.
    firsts.dedup();
    Ok(firsts)
}

/// What is not whole: where, in bytes of the file, and what.
pub(crate) type Broken = Option<(u64, String)>;

/// Reads a segment from its start, leaf hashes too, as far as it is sound or to the group that ends at `until`.
pub(crate) fn sound_end(segment: &Arc<Segment>, until: u64) -> Result<(Tail, Broken), ReadError> {
    let mut scanner = Scanner::new(Arc::clone(segment), true);
    let broken = loop {
        if scanner.tail().position >= until {
            break None;
        }
        match scanner.step()? {
            Step::Group => {}
            Step::End => {
                break Some((scanner.tail().offset, "the segment ends before its last record".into()));
            }
            Step::Broken { offset, what } => break Some((offset, what)),
        }
    };
    Ok((scanner.tail().clone(), broken))
}

/// Whether the file at `path` is a segment that goes to exactly this place and no further.
fn holds(storage: &Arc<dyn Storage>, path: &Path, tail: &Tail) -> Result<bool, BackupError> {
    match Segment::open(path, storage, false) {
        Ok(segment) => {
            let segment = Arc::new(segment);
            let length = segment.file.length().map_err(failed("reading", path))?;
            Ok(length == tail.offset && sound_end(&segment, tail.position)?.0 == *tail)
        }
        Err(ReadError::Damaged { .. }) => Ok(false),
        Err(ReadError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Copies a range of one file to the same place of another; ends early where the file does.
pub(crate) fn copy_bytes(
    from: &dyn StorageFile,
    to: &dyn StorageFile,
    range: std::ops::Range<u64>,
) -> io::Result<()> {
    let mut buffer = vec![0; COPY_BYTES];
    let mut at = range.start;
    while at < range.end {
        let length = narrow(range.end.saturating_sub(at)).min(COPY_BYTES);
        let read = read_full(from, buffer.get_mut(..length).unwrap_or_default(), at)?;
        if read == 0 {
            break;
        }
        write_full(to, buffer.get(..read).unwrap_or_default(), at)?;
        at = at.saturating_add(wide(read));
    }
    Ok(())
}
