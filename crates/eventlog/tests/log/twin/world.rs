//! What the twin of the disk holds: files and folders, what of them is on stable storage, and what a power cut leaves.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    io,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A step of the disk, as a crash sees it.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    MakeFolder(PathBuf),
    Create(PathBuf),
    Write {
        file: usize,
        offset: usize,
        bytes: Arc<[u8]>,
    },
    Sync(usize),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
    SyncFolder(PathBuf),
    /// The user was told that everything up to here is durable.
    Acknowledged(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    File(usize),
    Folder,
}

#[derive(Debug, Clone)]
pub(crate) enum Change {
    Truncate,
    Write(usize, Arc<[u8]>),
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Content {
    pub(crate) cached: Vec<u8>,
    pub(crate) durable: Vec<u8>,
    pub(crate) pending: Vec<Change>,
    /// Syncs that failed.
    pub(crate) failed: u64,
}

#[derive(Debug, Clone)]
pub(crate) enum EntryChange {
    Link(OsString, Entry),
    Unlink(OsString),
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Folder {
    pub(crate) cached: BTreeMap<OsString, Entry>,
    durable: BTreeMap<OsString, Entry>,
    pending: Vec<EntryChange>,
}

/// What a crash keeps of everything that is pending, numbered through: writes first, then names.
#[derive(Debug, Clone)]
pub(crate) enum Keep {
    All,
    Nothing,
    Only(usize),
    AllBut(usize),
    /// A coin for each.
    Coins(u64),
    /// Of the last write of all only these bytes, and everything else.
    TornLast(Range<usize>),
}

#[derive(Debug, Clone, Default)]
pub(crate) struct World {
    pub(crate) files: Vec<Content>,
    pub(crate) folders: BTreeMap<PathBuf, Folder>,
    /// What a sync is good for; a disk that lies shows what the syncs are there for.
    pub(crate) no_sync: bool,
    pub(crate) no_folder_sync: bool,
    pub(crate) acknowledged: u64,
    pub(crate) last_write: Option<usize>,
}

impl World {
    pub(crate) fn new() -> World {
        World { folders: BTreeMap::from([(PathBuf::from("/"), Folder::default())]), ..World::default() }
    }

    pub(crate) fn entry(&self, path: &Path) -> Option<Entry> {
        let folder = self.folders.get(path.parent()?)?;
        folder.cached.get(path.file_name()?).copied()
    }

    pub(crate) fn file(&self, path: &Path) -> io::Result<usize> {
        match self.entry(path) {
            Some(Entry::File(file)) => Ok(file),
            Some(Entry::Folder) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn change_entry(&mut self, path: &Path, change: impl FnOnce(OsString) -> EntryChange) {
        let folder = self.folders.get_mut(path.parent().unwrap()).unwrap();
        let change = change(path.file_name().unwrap().to_owned());
        apply_entry(&mut folder.cached, &change);
        folder.pending.push(change);
    }

    pub(crate) fn apply(&mut self, op: &Op) {
        match op {
            Op::MakeFolder(path) => {
                self.change_entry(path, |name| EntryChange::Link(name, Entry::Folder));
                self.folders.insert(path.clone(), Folder::default());
            }
            Op::Create(path) => {
                if let Some(Entry::File(file)) = self.entry(path) {
                    self.files[file].cached.clear();
                    self.files[file].pending.push(Change::Truncate);
                } else {
                    let file = self.files.len();
                    self.files.push(Content::default());
                    self.change_entry(path, |name| EntryChange::Link(name, Entry::File(file)));
                }
            }
            Op::Write { file, offset, bytes } => {
                let content = &mut self.files[*file];
                let change = Change::Write(*offset, Arc::clone(bytes));
                apply_change(&mut content.cached, &change, 0..bytes.len());
                content.pending.push(change);
                self.last_write = Some(*file);
            }
            Op::Sync(file) if !self.no_sync => {
                let Content { durable, pending, .. } = &mut self.files[*file];
                for change in pending.drain(..) {
                    apply_change(durable, &change, 0..usize::MAX);
                }
            }
            Op::Rename(from, to) => {
                let entry = self.entry(from).unwrap();
                self.change_entry(to, |name| EntryChange::Link(name, entry));
                self.change_entry(from, EntryChange::Unlink);
            }
            Op::Remove(path) => self.change_entry(path, EntryChange::Unlink),
            Op::SyncFolder(path) if !self.no_folder_sync => {
                let Folder { durable, pending, .. } = self.folders.get_mut(path).unwrap();
                for change in pending.drain(..) {
                    apply_entry(durable, &change);
                }
            }
            Op::Sync(_) | Op::SyncFolder(_) => {}
            Op::Acknowledged(position) => self.acknowledged = *position,
        }
    }

    pub(crate) fn pending(&self) -> usize {
        let files = self.files.iter().map(|content| content.pending.len()).sum::<usize>();
        files + self.folders.values().map(|folder| folder.pending.len()).sum::<usize>()
    }

    /// The world after a power cut.
    pub(crate) fn crash(&self, keep: &Keep) -> World {
        let mut number = 0_usize;
        let mut coins = match keep {
            Keep::Coins(seed) => fastrand::Rng::with_seed(*seed),
            _ => fastrand::Rng::with_seed(0),
        };
        let mut kept = || {
            let this = number;
            number += 1;
            match keep {
                Keep::All | Keep::TornLast(_) => true,
                Keep::Nothing => false,
                Keep::Only(only) => this == *only,
                Keep::AllBut(but) => this != *but,
                Keep::Coins(_) => coins.bool(),
            }
        };
        let mut after = World { no_sync: self.no_sync, no_folder_sync: self.no_folder_sync, ..World::new() };
        after.acknowledged = self.acknowledged;
        for (file, content) in self.files.iter().enumerate() {
            let mut durable = content.durable.clone();
            for (index, change) in content.pending.iter().enumerate() {
                let last = self.last_write == Some(file) && index + 1 == content.pending.len();
                let range = match keep {
                    Keep::TornLast(range) if last => range.clone(),
                    _ => 0..usize::MAX,
                };
                if kept() {
                    apply_change(&mut durable, change, range);
                }
            }
            after.files.push(Content { cached: durable.clone(), durable, ..Content::default() });
        }
        let mut all = BTreeMap::new();
        for (path, folder) in &self.folders {
            let mut entries = folder.durable.clone();
            folder.pending.iter().filter(|_| kept()).for_each(|change| apply_entry(&mut entries, change));
            all.insert(path.clone(), entries);
        }
        // Only what can be reached from the root is there. Parents come before their children.
        for (path, entries) in all {
            let reached = path.parent().is_none_or(|parent| {
                let above = after.folders.get(parent).and_then(|folder| folder.cached.get(path.file_name()?));
                above == Some(&Entry::Folder)
            });
            if reached {
                let folder = Folder { cached: entries.clone(), durable: entries, pending: Vec::new() };
                after.folders.insert(path, folder);
            }
        }
        after
    }
}

fn apply_change(content: &mut Vec<u8>, change: &Change, range: Range<usize>) {
    match change {
        Change::Truncate => content.clear(),
        Change::Write(offset, bytes) => {
            let range = range.start.min(bytes.len())..range.end.min(bytes.len());
            if range.is_empty() {
                return;
            }
            let place = offset + range.start..offset + range.end;
            if content.len() < place.end {
                content.resize(place.end, 0);
            }
            content[place].copy_from_slice(&bytes[range]);
        }
    }
}

fn apply_entry(entries: &mut BTreeMap<OsString, Entry>, change: &EntryChange) {
    match change {
        EntryChange::Link(name, entry) => entries.insert(name.clone(), *entry),
        EntryChange::Unlink(name) => entries.remove(name),
    };
}
