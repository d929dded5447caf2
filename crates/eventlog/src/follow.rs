//! Reading a log that another process may be writing: finding its segments, and seeing how far it is whole now.
//!
//! Whole groups with a valid commit record are seen. The writer may not have synced the very last of them yet; it
//! acknowledges nothing before that. Nothing is ever written here. Not here: mending (`recover`).

use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError},
};

use crate::{
    Head, OpenError, ReadError,
    backup::{firsts, sound_end},
    core::Core,
    index::SegmentIndex,
    memory::MemoryIndex,
    scan::{Scanner, Step, Tail, later_commit, written_end},
    segment::{Sealed, Segment, damage, segment_name},
    storage::Storage,
    sync::{Mutex, watch},
};

pub(crate) fn segments_dir(dir: &Path) -> PathBuf {
    dir.join("segments")
}

/// The segments of a log in their order, each but the last with its end, and what ends the row too early, if
/// something does. Files with other names are left alone.
#[derive(Debug, Default)]
pub(crate) struct Row {
    pub(crate) segments: Vec<Arc<Segment>>,
    pub(crate) damage: Option<ReadError>,
}

impl Row {
    pub(crate) fn load(dir: &Path, storage: &Arc<dyn Storage>, writable: bool) -> Result<Row, OpenError> {
        let folder = segments_dir(dir);
        let firsts = firsts(&**storage, dir).map_err(|source| OpenError::Io {
            doing: "listing the segments",
            path: folder.clone(),
            source,
        })?;
        let mut row = Row::default();
        for first in firsts {
            let path = folder.join(segment_name(first));
            let opened = Segment::open(&path, storage, writable)
                .and_then(|segment| row.check(&segment, first).map(|()| segment));
            match opened {
                Ok(segment) => row.segments.push(Arc::new(segment)),
                Err(error) => {
                    row.damage = Some(error);
                    break;
                }
            }
        }
        Ok(row)
    }

    /// Where a log is only read, what lies behind a missing or damaged segment can be read as well. The gap takes the
    /// place of a segment; whatever is asked of it, it answers with the damage.
    fn load_behind(&mut self, dir: &Path, storage: &Arc<dyn Storage>) -> Result<(), OpenError> {
        let Some(damage) = self.damage.clone() else { return Ok(()) };
        let folder = segments_dir(dir);
        let firsts = firsts(&**storage, dir).map_err(|source| OpenError::Io {
            doing: "listing the segments",
            path: folder.clone(),
            source,
        })?;
        let known = self.segments.last().map_or(0, |segment| segment.first());
        let mut gap = None;
        for first in firsts.into_iter().filter(|first| *first > known) {
            let path = folder.join(segment_name(first));
            let behind = match Segment::open(&path, storage, false) {
                Ok(segment) if segment.first() == first => segment,
                Ok(_) => {
                    gap = gap.or_else(|| Some(damage_of(&path)));
                    continue;
                }
                Err(error @ ReadError::Damaged { .. }) => {
                    gap = gap.or(Some(error));
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let before = self.segments.last().cloned();
            if before.as_ref().is_some_and(|before| before.header.log != behind.header.log) {
                continue;
            }
            let linked = before.as_ref().filter(|_| gap.is_none()).map(|before| link(before, &behind));
            match (linked, &before) {
                (Some(Ok(sealed)), Some(before)) => {
                    before.sealed.get_or_init(|| sealed);
                }
                (linked, _) => {
                    let missing = gap.is_none();
                    let why = linked.and_then(Result::err).or(gap).unwrap_or_else(|| damage.clone());
                    let closed = self.close_gap(first, &path, &why, storage, behind.header.log)?;
                    gap = None;
                    if missing && !closed {
                        // Nothing is missing, and yet it does not continue what is before it.
                        gap = Some(why);
                        continue;
                    }
                }
            }
            self.segments.push(Arc::new(behind));
            // From here on the log goes on; the gap speaks for itself.
            self.damage = None;
        }
        if let Some(gap) = gap {
            self.damage.get_or_insert(gap);
        }
        Ok(())
    }

    /// Puts a gap between what is there and the segment that begins with `next`, if there is one.
    fn close_gap(
        &mut self,
        next: u64,
        path: &Path,
        why: &ReadError,
        storage: &Arc<dyn Storage>,
        log: [u8; 16],
    ) -> Result<bool, OpenError> {
        let mut first = 1;
        if let Some(before) = self.segments.last() {
            let (tail, _) = sound_end(before, next.saturating_sub(1))?;
            first = tail.position.saturating_add(1);
            let sealed = Sealed { end: tail.offset, last: tail.position, hash: tail.hash };
            before.sealed.get_or_init(|| sealed);
        }
        if first < next {
            let gap = Segment::lost(log, first..=next.saturating_sub(1), path, why.clone(), storage);
            self.segments.push(Arc::new(gap));
        }
        Ok(first < next)
    }

    fn check(&self, segment: &Segment, named: u64) -> Result<(), ReadError> {
        if segment.first() != named {
            return Err(segment
                .damage(0, format!("by its header this is the segment of position {}", segment.first())));
        }
        match self.segments.last() {
            Some(before) => {
                let sealed = link(before, segment)?;
                before.sealed.get_or_init(|| sealed);
                Ok(())
            }
            None if named == 1 => Ok(()),
            None => Err(segment.damage(0, "the segments before this one are missing")),
        }
    }
}

fn damage_of(path: &Path) -> ReadError {
    damage(path, 0, "this segment is not the one that its place asks for")
}

/// Where `before` ends, by the word of the segment after it.
pub(crate) fn link(before: &Segment, segment: &Segment) -> Result<Sealed, ReadError> {
    let header = &segment.header;
    if header.log != before.header.log {
        return Err(segment.damage(0, "this segment belongs to another log"));
    }
    if header.previous != before.header.segment || header.first <= before.first() {
        let before = before.path.display();
        return Err(segment.damage(0, format!("a segment is missing between {before} and this one")));
    }
    Ok(Sealed { end: header.previous_end, last: header.first.saturating_sub(1), hash: header.previous_hash })
}

/// Where a follower stands.
#[derive(Debug)]
pub(crate) struct Follow {
    scanner: Scanner,
    index: Arc<MemoryIndex>,
    sender: watch::Sender<Head>,
}

/// Opens a log for reading only.
pub(crate) fn open(dir: &Path, storage: Arc<dyn Storage>) -> Result<Core, OpenError> {
    let mut row = Row::load(dir, &storage, false)?;
    row.load_behind(dir, &storage)?;
    let Some(last) = row.segments.last() else {
        return Err(match row.damage {
            Some(damage) => damage.into(),
            None => OpenError::Missing { dir: dir.to_path_buf() },
        });
    };
    let (sender, head) = watch::channel(Head::default());
    let follow = Follow::new(Arc::clone(last), sender);
    let core = Core::new(dir.to_path_buf(), storage, row.segments, head, Some(Mutex::new(follow)));
    // Damage further on does not keep the sound part from being read; a reading that gets there ends with it.
    match refresh(&core) {
        Ok(_) | Err(ReadError::Damaged { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    if let Some(damage) = row.damage {
        core.damage.get_or_init(|| damage);
    }
    Ok(core)
}

/// Looks how far the log is whole now.
pub(crate) fn refresh(core: &Core) -> Result<Head, ReadError> {
    let Some(follow) = &core.follow else { return Ok(core.head()) };
    let mut follow = follow.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(damage) = core.damage.get() {
        return Err(damage.clone());
    }
    loop {
        follow.advance(core)?;
        if !follow.next_segment(core)? {
            return Ok(core.head());
        }
    }
}

impl Follow {
    fn new(segment: Arc<Segment>, sender: watch::Sender<Head>) -> Follow {
        let index = Arc::new(MemoryIndex::default());
        segment.set_index(SegmentIndex::Memory(Arc::clone(&index)));
        Follow { scanner: Scanner::new(segment, false), index, sender }
    }

    /// Takes in the whole groups there are.
    fn advance(&mut self, core: &Core) -> Result<(), ReadError> {
        let mut suspected = false;
        self.scanner.refresh();
        loop {
            match self.scanner.step()? {
                Step::Group => {
                    suspected = false;
                    self.index.add_group(self.scanner.group());
                }
                Step::End => break,
                Step::Broken { offset, what } => {
                    let segment = self.scanner.segment();
                    let start = self.scanner.tail().offset;
                    let end = written_end(segment, start)?;
                    if later_commit(segment, start, end)?.is_none() {
                        break;
                    }
                    // Written on while we read? Once a later commit is there, this group is complete.
                    if suspected {
                        let damage = segment.damage(offset, what);
                        self.publish();
                        return Err(core.damage.get_or_init(|| damage).clone());
                    }
                    suspected = true;
                    self.scanner.refresh();
                }
            }
        }
        self.publish();
        Ok(())
    }

    fn publish(&self) {
        let head = head_of(self.scanner.tail());
        self.sender.send_if_modified(|held| {
            let moved = *held != head;
            *held = head;
            moved
        });
    }

    /// Goes over to the segment that continues at the next position, if there is one.
    fn next_segment(&mut self, core: &Core) -> Result<bool, ReadError> {
        let segment = Arc::clone(self.scanner.segment());
        let first = self.scanner.tail().position.saturating_add(1);
        if first == segment.first() {
            return Ok(false);
        }
        let path = segments_dir(&core.dir).join(segment_name(first));
        let next = match Segment::open(&path, &core.storage, false) {
            Ok(next) => Arc::new(next),
            Err(ReadError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                return Ok(false);
            }
            Err(error) => return Err(core.damage.get_or_init(|| error).clone()),
        };
        let tail = self.scanner.tail();
        let fits = link(&segment, &next).and_then(|sealed| {
            if (sealed.end, sealed.hash) == (tail.offset, tail.hash) {
                Ok(sealed)
            } else {
                Err(next.damage(0, "this segment does not continue the one before it"))
            }
        });
        let sealed = fits.map_err(|error| core.damage.get_or_init(|| error).clone())?;
        segment.sealed.get_or_init(|| sealed);
        let sender = self.sender.clone();
        *self = Follow::new(Arc::clone(&next), sender);
        core.add_segment(next);
        Ok(true)
    }
}

pub(crate) fn head_of(tail: &Tail) -> Head {
    if tail.position == 0 {
        return Head::default();
    }
    Head { position: tail.position, recorded_at: tail.recorded_at }
}
