//! Mending a damaged log with a copy of it.
//!
//! Segments of one log are the same bytes at the same places, in every copy. So what a copy has is taken from it, what
//! it does not have yet is kept as it is, and the running hash over the whole shows that both belong together; nothing
//! else is ever accepted. What was damaged is kept aside in `damaged/`. Not here: telling a torn write from damage when
//! a log is opened (`recover`), which this uses the same way.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    Disk, Finding, Head, OpenError, Progress, ReadError,
    ahead::spare_path,
    archive::ArchiveLock,
    backup::{Broken, copy_bytes, firsts, sound_end},
    follow::{head_of, segments_dir},
    head_file::{self, Known},
    lock::Lock,
    proof::newest_size,
    recover::sync_folders,
    scan::{Tail, later_commit, written_end},
    segment::{Sealed, Segment, segment_name},
    storage::{Storage, StorageFile, create_anew},
    verify::only_zeros,
};

/// A segment that was mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repaired {
    /// The file.
    pub file: PathBuf,
    /// What had been wrong.
    pub what: String,
    /// The positions it holds now.
    pub positions: std::ops::RangeInclusive<u64>,
    /// Where the damaged file is kept; `None` where there had been none.
    pub kept: Option<PathBuf>,
}

/// What a repair did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RepairReport {
    /// The last record behind which everything is sound from the first on.
    pub head: Head,
    /// Segments that were looked at.
    pub segments: u64,
    /// Segments that were mended.
    pub repaired: Vec<Repaired>,
    /// What this copy could not mend. Another copy may.
    pub unrepaired: Vec<Finding>,
}

/// Why nothing could be mended.
#[derive(Debug, thiserror::Error)]
pub enum RepairError {
    /// The log is being written, or the system refuses.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A file could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The copy is none of this log.
    #[error("{} is a copy of another log than {}", from.display(), dir.display())]
    Foreign {
        /// The folder of the log.
        dir: PathBuf,
        /// The folder of the copy.
        from: PathBuf,
    },
}

/// Mends the log in `dir` with what the copy in `from` has. Nobody may be writing it. Reads all of it, leaf hashes too;
/// `progress` is told after every segment.
///
/// # Errors
/// If the log is being written, the copy is of another log, or the system refuses. What can not be mended is no error
/// but stands in the report.
pub fn repair(
    dir: &Path,
    from: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<RepairReport, RepairError> {
    repair_with(dir, from, Arc::new(Disk), progress)
}

/// As [`repair`], with other files.
///
/// # Errors
/// As [`repair`].
pub fn repair_with(
    dir: &Path,
    from: &Path,
    storage: Arc<dyn Storage>,
    progress: &mut dyn FnMut(Progress),
) -> Result<RepairReport, RepairError> {
    let folder = segments_dir(dir);
    storage.create_dir_all(&folder).map_err(failed("making the folder", &folder))?;
    let _lock = Lock::take(&*storage, dir)?;
    let Some(_archive) = ArchiveLock::take(&*storage, dir)? else {
        return Err(OpenError::Locked { dir: dir.into(), holder: "a process that archives it".into() }.into());
    };
    sync_folders(&*storage, dir)?;
    let own = Side::list(dir, &storage)?;
    let copy = Side::list(from, &storage)?;
    if own.log.zip(copy.log).is_some_and(|(own, copy)| own != copy) {
        return Err(RepairError::Foreign { dir: dir.into(), from: from.into() });
    }
    let signed = newest_size(&*storage, dir).map_err(failed("reading signed heads", dir))?;
    let known = match head_file::read(&*storage, dir).map_err(failed("reading the head file", dir))? {
        Known::Head(known) if Some(known.log) == copy.log => known.tail.position,
        Known::Head(_) | Known::Nothing | Known::Rotten(_) => 0,
    };
    let bound = known.max(signed);
    let mut mender = Mender { dir, storage, own, copy, bound, before: None, report: RepairReport::default() };
    mender.run(progress)?;
    Ok(mender.report)
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    move |source| OpenError::Io { doing, path: path.to_path_buf(), source }
}

/// One of the two folders.
struct Side {
    dir: PathBuf,
    firsts: Vec<u64>,
    /// The id of the log, by the first header that can be read.
    log: Option<[u8; 16]>,
}

impl Side {
    fn list(dir: &Path, storage: &Arc<dyn Storage>) -> Result<Side, RepairError> {
        let firsts = firsts(&**storage, dir).map_err(failed("listing the segments", dir))?;
        let mut side = Side { dir: dir.into(), firsts, log: None };
        for first in side.firsts.clone() {
            if let Some(segment) = side.segment(first, storage)? {
                side.log = Some(segment.header.log);
                break;
            }
        }
        Ok(side)
    }

    fn path(&self, first: u64) -> PathBuf {
        segments_dir(&self.dir).join(segment_name(first))
    }

    /// The segment that begins with `first`, if its header can be read.
    fn segment(&self, first: u64, storage: &Arc<dyn Storage>) -> Result<Option<Arc<Segment>>, ReadError> {
        if !self.firsts.contains(&first) {
            return Ok(None);
        }
        match Segment::open(&self.path(first), storage, false) {
            Ok(segment) if segment.first() == first => Ok(Some(Arc::new(segment))),
            Ok(_) | Err(ReadError::Damaged { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// How a segment was judged.
struct Judged {
    id: u64,
    tail: Tail,
    /// What is wrong, if anything is.
    wrong: Broken,
}

struct Mender<'a> {
    dir: &'a Path,
    storage: Arc<dyn Storage>,
    own: Side,
    copy: Side,
    /// A position that was on stable storage, by the head file or a signed head.
    bound: u64,
    /// The id of the segment before and where it ends, where that is sound.
    before: Option<(u64, Tail)>,
    report: RepairReport,
}

impl Mender<'_> {
    fn run(&mut self, progress: &mut dyn FnMut(Progress)) -> Result<(), RepairError> {
        let mut all = [&self.own.firsts[..], &self.copy.firsts[..]].concat();
        all.sort_unstable();
        all.dedup();
        let until = all.last().copied().unwrap_or(0);
        let mut sound = true;
        for (index, first) in all.iter().enumerate() {
            let later = all.get(index.saturating_add(1)..).unwrap_or_default();
            self.report.segments = self.report.segments.saturating_add(1);
            let mended = self.segment(*first, later)?;
            sound &= mended.is_some();
            if let Some((_, tail)) = mended.as_ref().filter(|_| sound) {
                self.report.head = head_of(tail);
            }
            self.before = mended;
            progress(Progress { position: *first, until });
        }
        let head = self.report.head.position;
        if sound && head < self.bound {
            let what = format!("the log ends at position {head}, but {} was on stable storage", self.bound);
            let file = self.own.path(until);
            self.report.unrepaired.push(Finding { file, offset: 0, position: Some(head), what });
        }
        Ok(())
    }

    /// Mends one segment if it has to be; the answer is its id and end, if it is sound then.
    fn segment(&mut self, first: u64, later: &[u64]) -> Result<Option<(u64, Tail)>, RepairError> {
        let sealed = self.sealed_by(first, later)?;
        // Without a sound neighbour here nothing shows that the copy has the history of this log.
        let anchored =
            self.before.is_some() || self.report.segments == 1 || matches!(sealed, Some((_, true)));
        let sealed = sealed.map(|(sealed, _)| sealed);
        let own = self.own.segment(first, &self.storage)?;
        let copy = self.copy.segment(first, &self.storage)?;
        let judged = match &own {
            Some(own) => Some(self.judge(own, sealed.as_ref())?),
            None => None,
        };
        let shorter = |own: &Judged, copy: &Tail| own.tail.position < copy.position;
        let copied = match &copy {
            Some(copy) => Some(sound_end(copy, u64::MAX)?.0),
            None => None,
        };
        let (offset, what) = match &judged {
            // Whatever a copy has was on stable storage: if more than here, something was lost here.
            Some(Judged { wrong: None, id, tail })
                if !(sealed.is_none()
                    && copied
                        .as_ref()
                        .is_some_and(|copied| judged.as_ref().is_some_and(|own| shorter(own, copied)))) =>
            {
                return Ok(Some((*id, tail.clone())));
            }
            Some(Judged { wrong: None, tail, .. }) => {
                (tail.offset, format!("the copy has more than the {} positions here", tail.position))
            }
            Some(Judged { wrong: Some((offset, what)), .. }) => (*offset, what.clone()),
            None if self.own.firsts.contains(&first) => (0, "the header of the segment is damaged".into()),
            None => (0, "the segment is missing".into()),
        };
        let file = self.own.path(first);
        let refused = match (&copy, &copied) {
            (Some(copy), Some(copied)) => {
                if judged.as_ref().is_some_and(|own| !same_history(own, copy, copied)) {
                    "the copy has another history".into()
                } else if !anchored {
                    "what is before it has to be mended first".into()
                } else {
                    match self.mend(first, (copy, copied), sealed.as_ref(), &what)? {
                        Ok(mended) => return Ok(Some(mended)),
                        Err(why) => why,
                    }
                }
            }
            _ => "the copy does not have this segment".into(),
        };
        let what = format!("{what}; {refused}");
        self.report.unrepaired.push(Finding { file, offset, position: None, what });
        Ok(None)
    }

    /// Where a segment ends, by the word of the one after it, and whether that is one of the log itself.
    fn sealed_by(&self, first: u64, later: &[u64]) -> Result<Option<(Sealed, bool)>, RepairError> {
        let Some(next) = later.first() else { return Ok(None) };
        for (side, own) in [(&self.own, true), (&self.copy, false)] {
            let (this, next) = (side.segment(first, &self.storage)?, side.segment(*next, &self.storage)?);
            let Some(next) = next else { continue };
            let header = &next.header;
            if this.is_none_or(|this| this.header.segment == header.previous) {
                let last = header.first.saturating_sub(1);
                let sealed = Sealed { end: header.previous_end, last, hash: header.previous_hash };
                return Ok(Some((sealed, own)));
            }
        }
        Ok(None)
    }

    /// Reads a segment and says whether it is whole, continues the one before, and goes as far as it must.
    fn judge(&self, segment: &Arc<Segment>, sealed: Option<&Sealed>) -> Result<Judged, ReadError> {
        let header = &segment.header;
        let (tail, broken) = sound_end(segment, sealed.map_or(u64::MAX, |sealed| sealed.last))?;
        let judged = |wrong| Ok(Judged { id: header.segment, tail: tail.clone(), wrong });
        let wrong = |offset, what: &str| judged(Some((offset, what.into())));
        if let Some((id, before)) = &self.before
            && (header.previous, header.previous_end, header.previous_hash)
                != (*id, before.offset, before.hash)
        {
            return wrong(0, "the segment does not continue the one before it");
        }
        let Some(sealed) = sealed else {
            let end = written_end(segment, tail.offset)?;
            let damaged = later_commit(segment, tail.offset, end)?.is_some() || tail.position < self.bound;
            // Otherwise it is a torn write, or the end: opening the log cuts it.
            return judged(broken.filter(|_| damaged));
        };
        if let Some(broken) = broken.filter(|_| tail.position < sealed.last) {
            return judged(Some(broken));
        }
        if (tail.offset, tail.position, tail.hash) != (sealed.end, sealed.last, sealed.hash) {
            return wrong(tail.offset, "the next segment does not continue this one");
        }
        match only_zeros(segment, sealed.end) {
            Err(ReadError::Damaged { offset, what, .. }) => judged(Some((offset, what))),
            other => other.and_then(|()| judged(None)),
        }
    }

    /// Puts a segment together, of what the copy has and what it does not have yet, and puts it in place if it is
    /// sound. The inner error says why it is not.
    fn mend(
        &mut self,
        first: u64,
        (copy, copied): (&Arc<Segment>, &Tail),
        sealed: Option<&Sealed>,
        what: &str,
    ) -> Result<Result<(u64, Tail), String>, RepairError> {
        let storage = Arc::clone(&self.storage);
        let (folder, path) = (segments_dir(self.dir), self.own.path(first));
        let spare = spare_path(&folder);
        let own = match storage.open(&path, false) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            own => Some(own.map_err(failed("reading", &path))?),
        };
        let file = create_anew(&*storage, &spare).map_err(failed("making a file", &spare))?;
        put_together(own.as_deref(), &*copy.file, &*file, copied.offset, sealed)
            .map_err(failed("copying a segment", &spare))?;
        file.sync_data().map_err(failed("syncing a segment", &spare))?;
        let judged = match Segment::open(&spare, &storage, false) {
            Ok(segment) => self.judge(&Arc::new(segment), sealed)?,
            Err(error) => return Ok(Err(error.to_string())),
        };
        if let Some((offset, why)) = judged.wrong {
            storage.remove(&spare).map_err(failed("removing a file", &spare))?;
            return Ok(Err(format!("with the copy there is still this at byte {offset}: {why}")));
        }
        let kept = own.map(|own| self.keep_aside(first, &*own)).transpose()?;
        storage.rename(&spare, &path).map_err(failed("naming a segment", &path))?;
        storage.sync_dir(&folder).map_err(failed("syncing the folder", &folder))?;
        tracing::warn!(file = %path.display(), what, "a damaged segment was mended with a copy");
        let positions = first..=judged.tail.position;
        self.report.repaired.push(Repaired { file: path, what: what.into(), positions, kept });
        Ok(Ok((judged.id, judged.tail)))
    }

    /// Copies a damaged file to `damaged/`.
    fn keep_aside(&self, first: u64, own: &dyn StorageFile) -> Result<PathBuf, RepairError> {
        let folder = self.dir.join("damaged");
        let storage = &self.storage;
        storage.create_dir_all(&folder).map_err(failed("making the folder", &folder))?;
        let taken = storage.list(&folder).map_err(failed("listing the folder", &folder))?;
        let name = (0..u32::MAX)
            .map(|number| format!("{}.{number}", segment_name(first)))
            .find(|name| !taken.iter().any(|taken| **taken == **name))
            .unwrap_or_default();
        let path = folder.join(name);
        let keep = || {
            let file = storage.create(&path)?;
            copy_bytes(own, &*file, 0..u64::MAX)?;
            file.sync_data()?;
            storage.sync_dir(&folder)?;
            storage.sync_dir(self.dir)
        };
        keep().map_err(failed("keeping a damaged segment aside", &path))?;
        Ok(path)
    }
}

/// Whether what both have is the same, as far as both are sound.
fn same_history(own: &Judged, copy: &Arc<Segment>, copied: &Tail) -> bool {
    if own.id != copy.header.segment {
        return false;
    }
    if own.tail.position > copied.position {
        // The copy is shorter: what follows it here must continue it, which the running hash shows.
        return true;
    }
    sound_end(copy, own.tail.position)
        .is_ok_and(|(reached, _)| (reached.position, reached.hash) == (own.tail.position, own.tail.hash))
}

/// The copy as far as it goes, then what is here.
fn put_together(
    own: Option<&dyn StorageFile>,
    copy: &dyn StorageFile,
    to: &dyn StorageFile,
    copied: u64,
    sealed: Option<&Sealed>,
) -> io::Result<()> {
    copy_bytes(copy, to, 0..copied)?;
    let end = sealed.map_or(u64::MAX, |sealed| sealed.end);
    match own {
        Some(own) if copied < end => copy_bytes(own, to, copied..end),
        Some(_) | None => Ok(()),
    }
}
