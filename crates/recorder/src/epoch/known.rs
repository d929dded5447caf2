//! What the log knows of every mailbox: read at a start, kept while the recorder runs.
//!
//! The origin of each commit has the subject and the number of the message it came from; the last record of an epoch
//! says to which stream those numbers belong. Two cursors a region make the start quick: `mailbox.<r>.last` stands on
//! the last record from the mailbox, and up to `mailbox.<r>.read` there is none after that. Without them the log is
//! read from its begin. Not here: what it means (`compare`).

use std::collections::BTreeMap;

use bus::{GivenOut, StreamSight};
use contracts::{BUS_EPOCH_KIND, OwnRecord};
use domain::{RegionId, Timestamp};
use eventlog::{Cursors, Direction, LogReader, Query, QueryItem, ReadError};

use super::compare::Known;

/// What is known of one mailbox.
#[derive(Clone, Debug, Default)]
pub(crate) struct Book {
    pub(crate) known: Known,
    /// Where the epoch of these numbers begins in the log.
    pub(crate) epoch: u64,
    /// The last record from this mailbox in it.
    pub(crate) last: u64,
    /// How far it was acknowledged when the log was found behind that; 0 if it was not.
    pub(crate) floor: u64,
    /// The stream as it was last seen.
    pub(crate) stream: Option<StreamSight>,
    /// What is given out and not settled yet.
    pub(crate) given_out: Option<GivenOut>,
    /// The positions that the two cursors of the region have.
    stored: (u64, u64),
}

impl Book {
    /// From this position on the numbers of the stream made at this moment count; all up to `settled` is recorded.
    pub(crate) fn begin(&mut self, created: Timestamp, epoch: u64, settled: u64) {
        self.known = Known { created: Some(created), settled, seen: 0 };
        (self.epoch, self.floor) = (epoch, 0);
    }

    /// What is known, with what this run saw where nothing was recorded yet.
    pub(crate) fn known(&self) -> Known {
        let seen = self.stream.as_ref();
        Known { created: self.known.created.or(seen.map(|stream| stream.created)), ..self.known }
    }

    /// The broker has this.
    pub(crate) fn seen(&mut self, stream: &StreamSight) {
        self.known.seen = self.known.seen.max(stream.last);
        self.stream = Some(stream.clone());
    }

    /// A message of the mailbox has its place in the log.
    pub(crate) fn note(&mut self, sequence: u64, position: Option<u64>) {
        self.known.settled = self.known.settled.max(sequence);
        self.last = self.last.max(position.unwrap_or(0));
    }
}

/// Reads what the log knows of these mailboxes.
pub(crate) fn read<'a>(
    log: &LogReader,
    cursors: &Cursors,
    regions: impl Iterator<Item = &'a RegionId>,
) -> Result<BTreeMap<RegionId, Book>, ReadError> {
    let mut books = BTreeMap::new();
    let mut after = log.head().position;
    for region in regions {
        let mut book = epoch(log, region)?;
        // A cursor that can not be read is one that is not there.
        let load = |what| cursors.load(&name(region, what)).ok().flatten();
        let from = match (load(READ), load(LAST)) {
            (Some(read), last) if read >= book.epoch => {
                let last = last.unwrap_or(0);
                if last > book.epoch
                    && let Some(origin) = log.origins(last.saturating_sub(1)).next().transpose()?
                    && let Some((of, sequence)) = place(&origin.origin)
                    && of == region.as_str()
                {
                    book.note(sequence, Some(origin.last));
                }
                read
            }
            _ => book.epoch,
        };
        after = after.min(from);
        books.insert(region.clone(), book);
    }
    for origin in log.origins(after) {
        let origin = origin?;
        let Some((region, sequence)) = place(&origin.origin) else { continue };
        let Ok(region) = region.parse::<RegionId>() else { continue };
        if let Some(book) = books.get_mut(&region)
            && origin.first > book.epoch
        {
            book.note(sequence, Some(origin.last));
        }
    }
    Ok(books)
}

/// The last epoch of a mailbox.
fn epoch(log: &LogReader, region: &RegionId) -> Result<Book, ReadError> {
    let item =
        QueryItem { types: vec![BUS_EPOCH_KIND.into()], tags: vec![format!("region:{region}").into()] };
    let query =
        Query { items: vec![item], direction: Direction::Backward, limit: Some(1), ..Query::default() };
    let mut book = Book::default();
    if let Some(record) = log.read(query).next().transpose()?
        && let Ok(OwnRecord::BusEpoch(epoch)) = OwnRecord::decode(&record.kind, record.bytes)
        && let Ok(created) = epoch.created.parse()
    {
        // What a rolled-back stream had dropped by then was recorded before.
        let settled =
            if epoch.cause == super::ROLLED_BACK { epoch.first_sequence.saturating_sub(1) } else { 0 };
        book.begin(created, record.position, settled);
    }
    Ok(book)
}

/// The region and the number in the origin of a message from a mailbox (`keep::origin`).
fn place(origin: &[u8]) -> Option<(&str, u64)> {
    let (subject, sequence) = std::str::from_utf8(origin).ok()?.rsplit_once(' ')?;
    let region = subject.strip_prefix("in.")?.split('.').next()?;
    Some((region, sequence.parse().ok()?))
}

const LAST: &str = "last";
const READ: &str = "read";

fn name(region: &RegionId, what: &str) -> String {
    format!("mailbox.{region}.{what}")
}

/// Puts the cursors of a region where its book stands, with the head of a moment before this. Best effort.
pub(crate) fn store(cursors: &Cursors, region: &RegionId, book: &mut Book, head: u64) {
    let idle = book.given_out.as_ref().is_none_or(GivenOut::is_empty);
    let read = if idle { head.max(book.last) } else { book.last };
    let wanted = (book.last, read);
    if wanted == book.stored {
        return;
    }
    // In this order: the second says something of the first.
    let stored =
        cursors.store(&name(region, LAST), book.last).and_then(|()| cursors.store(&name(region, READ), read));
    match stored {
        Ok(()) => book.stored = wanted,
        Err(error) => {
            tracing::debug!(%region, %error, "the place in a mailbox was not noted: a start takes longer");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_of_a_message_from_a_mailbox_gives_its_region_and_number() {
        assert_eq!(place(b"in.zk01.de-linde.bed.freed 17"), Some(("zk01", 17)));
        assert_eq!(place(b"in.zk01 17"), Some(("zk01", 17)));
        for other in
            [&b"record.zk01.de-linde"[..], b"in.zk01.de-linde.bed.freed", b"bus zk01", b"", b"in.\xff 3"]
        {
            assert_eq!(place(other), None, "{}", other.escape_ascii());
        }
    }
}
