//! What is done when: everything that is to happen, the first first, and the threads that do it.
//!
//! Not here: what it is.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use domain::Timestamp;

use crate::world::World;

/// The longest a thread waits without looking whether all is over.
const LOOK_AGAIN_AFTER_MAX: Duration = Duration::from_millis(200);

/// Something that is done at its time.
type Task = Box<dyn FnOnce(&Arc<World>) + Send>;

struct Entry {
    at: Timestamp,
    /// What was put down first is done first.
    number: u64,
    task: Task,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    /// The earliest is the greatest, as a heap gives the greatest first.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.number).cmp(&(self.at, self.number))
    }
}

#[derive(Default)]
struct Book {
    entries: BinaryHeap<Entry>,
    numbers: u64,
    over: bool,
}

/// Everything that is to happen.
#[derive(Default)]
pub(crate) struct Agenda {
    book: Mutex<Book>,
    changed: Condvar,
}

impl Agenda {
    /// Puts something down.
    pub(crate) fn at(&self, at: Timestamp, task: impl FnOnce(&Arc<World>) + Send + 'static) {
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        book.numbers += 1;
        let number = book.numbers;
        book.entries.push(Entry { at, number, task: Box::new(task) });
        drop(book);
        self.changed.notify_one();
    }

    /// Nothing further is done.
    pub(crate) fn end(&self) {
        self.book.lock().unwrap_or_else(PoisonError::into_inner).over = true;
        self.changed.notify_all();
    }

    /// Does what is due, one after the other, until the end.
    pub(crate) fn work(&self, world: &Arc<World>) {
        while let Some((at, task)) = self.next(world) {
            world.tally.took("late by", "what was to be done", world.now().as_micros() - at.as_micros());
            task(world);
        }
    }

    fn next(&self, world: &World) -> Option<(Timestamp, Task)> {
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if book.over {
                return None;
            }
            let wait = match book.entries.peek() {
                Some(first) => world.clock.until(first.at),
                None => LOOK_AGAIN_AFTER_MAX,
            };
            if wait.is_zero() && !book.entries.is_empty() {
                return book.entries.pop().map(|entry| (entry.at, entry.task));
            }
            let waited = self.changed.wait_timeout(book, wait.min(LOOK_AGAIN_AFTER_MAX));
            book = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
