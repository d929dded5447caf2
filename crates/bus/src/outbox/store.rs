//! The files of an outbox: appending in order, beginning the next generation, dropping the oldest.
//!
//! Not here: what is known of them (`book`), what a record looks like (`entry`).

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use eventlog::{Batch, Clock as _, EventLog, NewRecord, Options, RECORD_BYTES_MAX, SystemClock};
use tokio::sync::{Notify, watch};

use super::book::{Book, weight};
use super::entry::{self, Again, Ended};
use super::{OutboxError, OutboxLimits, Place};
use crate::alarm::{Alarm, Alarms};
use crate::sender::{Outgoing, Party};

/// The limit is shared by so many generations: with an eighth the oldest goes long before all is full.
const GENERATIONS: u64 = 8;
/// The largest generation, in bytes: one is read through when the outbox is opened.
const GENERATION_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Events of one write: one sync of the disk for many, and short waits for whoever writes beside.
const PUSH_EVENTS_MAX: usize = 256;
/// Bytes of one write, unless a single event is larger.
const PUSH_BYTES_MAX: u64 = 512 * 1024;
/// What the folder of a generation ends in that is being deleted.
const GONE: &str = "gone";

/// What is written, one at a time.
#[derive(Debug)]
struct Writer {
    log: EventLog,
    generation: u64,
    /// The number of this opening of the log, and of the records since: together never used before.
    keys: (u64, u64),
}

#[derive(Debug)]
pub(super) struct Store {
    dir: PathBuf,
    limits: OutboxLimits,
    pub(super) alarms: Alarms,
    book: Mutex<Book>,
    told: Mutex<ToldAlarms>,
    writer: tokio::sync::Mutex<Writer>,
    moved: watch::Sender<()>,
    /// Everything that was sent is to be looked at again.
    pub(super) again: Notify,
    /// Held by whoever sends.
    pub(super) sending: tokio::sync::Mutex<()>,
    /// Held as long as this is open.
    _lock: File,
}

/// Which alarms were raised and have not been overtaken by better times.
#[derive(Debug, Default)]
struct ToldAlarms {
    half: bool,
    full: bool,
}

impl Store {
    pub(super) fn open(dir: &Path, limits: OutboxLimits, alarms: Alarms) -> Result<Self, OutboxError> {
        fs::create_dir_all(dir).map_err(io("making", dir))?;
        let lock = lock(dir)?;
        let numbers = generations(dir)?;
        let (last, older) = numbers.split_last().map_or((1, &[][..]), |(last, older)| (*last, older));
        let mut logs = Vec::new();
        for number in older {
            // Opening for writing first: it mends what a crash left undone.
            let (log, _) = open_log(dir, *number, limits)?;
            logs.push((*number, folder(dir, *number), log.reader()));
        }
        let (log, epoch) = open_log(dir, last, limits)?;
        logs.push((last, folder(dir, last), log.reader()));
        let book = Mutex::new(Book::read(logs)?);
        let writer = tokio::sync::Mutex::new(Writer { log, generation: last, keys: (epoch, 0) });
        let (told, moved) = (Mutex::default(), watch::Sender::new(()));
        let (again, sending) = (Notify::new(), tokio::sync::Mutex::new(()));
        let dir = dir.to_owned();
        Ok(Self { dir, limits, alarms, book, told, writer, moved, again, sending, _lock: lock })
    }

    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves whenever something was put in or ended.
    pub(super) fn moved(&self) -> watch::Receiver<()> {
        self.moved.subscribe()
    }

    pub(super) async fn close(&self) {
        self.writer.lock().await.log.clone().close().await;
    }

    /// Passes an event over for now; it stays.
    pub(super) fn hold(&self, place: Place, why: Arc<str>) {
        self.book().hold(place, why);
        self.moved.send_replace(());
    }

    /// Passes nothing over any more.
    pub(super) fn hold_nothing(&self) {
        self.book().hold_nothing();
    }

    /// Writes down what ended. Where that fails the events are sent again after the next open, and found recorded.
    pub(super) async fn end(&self, ended: &[Ended]) -> Result<(), OutboxError> {
        let mut writer = self.writer.lock().await;
        let record = writer.record(|key, now| entry::ended(key, now, ended))?;
        let bytes = weight(record.bytes.len());
        writer.append(vec![record]).await?;
        {
            let mut book = self.book();
            book.note(writer.generation, bytes, SystemClock.now());
            for item in ended {
                book.end(item.place());
            }
        }
        self.moved.send_replace(());
        self.look_at_the_room();
        self.drop_old(false)
    }

    /// Deletes the oldest generations that are done: those beyond the window, or whatever there is.
    fn drop_old(&self, all: bool) -> Result<(), OutboxError> {
        let keep = i64::try_from(self.limits.keep.as_micros()).unwrap_or(i64::MAX);
        let until = if all { i64::MAX } else { SystemClock.now().saturating_sub(keep) };
        while let Some(dir) = self.drop_oldest(until) {
            delete(&dir)?;
        }
        Ok(())
    }

    fn drop_oldest(&self, until: i64) -> Option<PathBuf> {
        self.book().drop_oldest(until)
    }

    /// Whether this much more may be kept, once everything is deleted that may be.
    fn has_room(&self, bytes: u64) -> Result<bool, OutboxError> {
        let fits = |book: &Book| book.bytes().saturating_add(bytes) <= self.limits.bytes;
        while !fits(&self.book()) {
            match self.drop_oldest(i64::MAX) {
                Some(dir) => delete(&dir)?,
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Raises the alarm for an outbox that is half full, once until it is a quarter full.
    fn look_at_the_room(&self) {
        let (bytes, waiting) = {
            let book = self.book();
            (book.waiting_bytes(), book.waiting())
        };
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if bytes < self.limits.bytes / 4 {
            *told = ToldAlarms::default();
        } else if bytes >= self.limits.bytes / 2 && !told.half {
            told.half = true;
            let detail = format!(
                "half of the outbox {} waits for receipts ({waiting} events); see to the connection to the node",
                self.dir.display()
            );
            self.alarms.raise(Alarm::new("outbox_half_full", detail));
        }
    }

    fn tell_full(&self) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if !told.full {
            told.full = true;
            let detail = format!(
                "the outbox {} is full and takes nothing until receipts come; see to the connection to the node",
                self.dir.display()
            );
            self.alarms.raise(Alarm::new("outbox_full", detail));
        }
    }

    /// Goes over to the next generation.
    async fn rotate(&self, writer: &mut Writer) -> Result<(), OutboxError> {
        let (dir, limits, next) = (self.dir.clone(), self.limits, writer.generation.saturating_add(1));
        let (log, epoch) = tokio::task::spawn_blocking(move || open_log(&dir, next, limits)).await??;
        self.book().begin(next, folder(&self.dir, next), log.reader());
        let before = std::mem::replace(writer, Writer { log, generation: next, keys: (epoch, 0) });
        before.log.close().await;
        Ok(())
    }

    /// Writes some events; `None` while there is no room.
    async fn write(&self, events: &[Outgoing], bytes: u64) -> Result<Option<Vec<Place>>, OutboxError> {
        let mut writer = self.writer.lock().await;
        let generation_bytes = generation_bytes(self.limits);
        let newest = self.book().newest_bytes();
        let full = newest > 0 && newest.saturating_add(bytes) > generation_bytes;
        let has_room = self.has_room(bytes)?;
        // Where nothing waits in the one that is written, only its end makes room.
        let in_the_way = !has_room && self.book().newest_is_done();
        if full || in_the_way {
            self.rotate(&mut writer).await?;
        }
        if !self.has_room(bytes)? {
            return Ok(None);
        }
        let mut records = Vec::with_capacity(events.len());
        for event in events {
            records.push(writer.record(|key, now| Ok(entry::event(key, now, event)))?);
        }
        let positions = writer.append(records).await?;
        let generation = writer.generation;
        let mut places = Vec::with_capacity(events.len());
        {
            let (mut book, now) = (self.book(), SystemClock.now());
            for (event, position) in events.iter().zip(positions) {
                let place = Place { generation, position };
                let party = (event.region.clone(), event.sender.clone());
                book.add(place, party, weight(event.event.bytes().len()), now);
                places.push(place);
            }
        }
        self.moved.send_replace(());
        self.look_at_the_room();
        Ok(Some(places))
    }

    async fn push(&self, events: Vec<Outgoing>, bytes: u64) -> Result<Vec<Place>, OutboxError> {
        let mut moved = self.moved();
        loop {
            moved.borrow_and_update();
            if let Some(places) = self.write(&events, bytes).await? {
                return Ok(places);
            }
            self.tell_full();
            // An error would say that this store is gone.
            let _moved = moved.changed().await;
        }
    }
}

impl Writer {
    fn record(
        &mut self,
        make: impl FnOnce([u8; 16], i64) -> Result<NewRecord, serde_json::Error>,
    ) -> Result<NewRecord, OutboxError> {
        let (epoch, next) = self.keys;
        self.keys.1 = next.saturating_add(1);
        let mut key = [0; 16];
        key.iter_mut()
            .zip(epoch.to_le_bytes().into_iter().chain(next.to_le_bytes()))
            .for_each(|(to, from)| *to = from);
        // Numbers and names: what is written here can be written.
        let unwritable =
            |_| OutboxError::Record { place: Place { generation: self.generation, position: next } };
        make(key, SystemClock.now()).map_err(unwritable)
    }

    async fn append(&self, records: Vec<NewRecord>) -> Result<Vec<u64>, OutboxError> {
        let batch = Batch { records, ..Batch::default() };
        Ok(self.log.append(batch).await.map_err(OutboxError::Append)?.positions)
    }
}

/// Puts events in, in portions. Each portion is a task of its own, so that dropping this in between leaves the book in
/// agreement with the disk.
pub(super) async fn push_all(store: &Arc<Store>, events: Vec<Outgoing>) -> Result<Vec<Place>, OutboxError> {
    let mut places = Vec::with_capacity(events.len());
    let (mut portion, mut bytes) = (Vec::new(), 0_u64);
    for event in events {
        let size = event.event.bytes().len();
        if size > RECORD_BYTES_MAX {
            let error = OutboxError::TooLarge { bytes: size, max: RECORD_BYTES_MAX };
            store.alarms.raise(unsendable(&(event.region, event.sender), &error.to_string()));
            if !portion.is_empty() {
                push(store, portion, bytes).await?;
            }
            return Err(error);
        }
        let size = weight(size);
        let fits = portion.len() < PUSH_EVENTS_MAX && bytes.saturating_add(size) <= PUSH_BYTES_MAX;
        if !fits && !portion.is_empty() {
            places.extend(push(store, std::mem::take(&mut portion), bytes).await?);
            bytes = 0;
        }
        bytes = bytes.saturating_add(size);
        portion.push(event);
    }
    if !portion.is_empty() {
        places.extend(push(store, portion, bytes).await?);
    }
    Ok(places)
}

async fn push(store: &Arc<Store>, events: Vec<Outgoing>, bytes: u64) -> Result<Vec<Place>, OutboxError> {
    let store = Arc::clone(store);
    tokio::spawn(async move { store.push(events, bytes).await }).await?
}

/// Makes everything that is kept and was receipted at a later position wait again: of one sender, or of all.
pub(super) async fn send_again(
    store: &Arc<Store>,
    party: Option<&Party>,
    since: u64,
) -> Result<(), OutboxError> {
    let again = Again::new(party, since);
    let mut writer = store.writer.lock().await;
    let record = writer.record(|key, now| entry::again(key, now, &again))?;
    writer.append(vec![record]).await?;
    // Nothing is written meanwhile, so the disk says all there is to know.
    let logs = store.book().logs();
    let book = tokio::task::spawn_blocking(move || Book::read(logs)).await??;
    *store.book() = book;
    drop(writer);
    store.moved.send_replace(());
    store.again.notify_one();
    store.look_at_the_room();
    Ok(())
}

pub(super) fn unsendable((region, sender): &Party, why: &str) -> Alarm {
    Alarm {
        region: Some(region.clone()),
        sender: Some(sender.clone()),
        ..Alarm::new(
            "unsendable",
            format!("an event of the outbox can not be sent: {why}; it is kept, and passed over"),
        )
    }
}

pub(super) fn shut_out((region, sender): &Party, why: &str) -> Alarm {
    Alarm {
        region: Some(region.clone()),
        sender: Some(sender.clone()),
        ..Alarm::new(
            "shut_out",
            format!(
                "a sender is not let in: {why}; what it says stays in the outbox until its key is seen to"
            ),
        )
    }
}

fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> OutboxError + use<> {
    let path = path.to_owned();
    move |source| OutboxError::Io { doing, path, source }
}

fn lock(dir: &Path) -> Result<File, OutboxError> {
    let path = dir.join("lock");
    let file = File::create(&path).map_err(io("making", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OutboxError::InUse { dir: dir.to_owned() }),
        Err(TryLockError::Error(source)) => Err(io("locking", &path)(source)),
    }
}

fn folder(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:08}"))
}

/// The generations on disk, oldest first; what was being deleted is.
fn generations(dir: &Path) -> Result<Vec<u64>, OutboxError> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(dir).map_err(io("reading", dir))? {
        let path = entry.map_err(io("reading", dir))?.path();
        if path.extension().is_some_and(|ending| ending == GONE) {
            fs::remove_dir_all(&path).map_err(io("deleting", &path))?;
        } else if let Some(number) = path.file_name().and_then(|name| name.to_str()?.parse().ok()) {
            numbers.push(number);
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Deletes a generation, so that a crash in between leaves none that is there by half.
fn delete(dir: &Path) -> Result<(), OutboxError> {
    let gone = dir.with_extension(GONE);
    fs::rename(dir, &gone).map_err(io("deleting", dir))?;
    fs::remove_dir_all(&gone).map_err(io("deleting", &gone))
}

fn generation_bytes(limits: OutboxLimits) -> u64 {
    (limits.bytes / GENERATIONS).min(GENERATION_BYTES_MAX)
}

fn open_log(dir: &Path, number: u64, limits: OutboxLimits) -> Result<(EventLog, u64), OutboxError> {
    let dir = folder(dir, number);
    let options = Options { segment_bytes: generation_bytes(limits), ..Options::default() };
    let (log, report) =
        EventLog::open(&dir, options).map_err(|source| OutboxError::Open { dir: dir.clone(), source })?;
    Ok((log, report.epoch))
}
