//! Who waits in a region, and in which order: a line for the mailbox, and one for each sender at the counter.
//!
//! What stands in one line is answered in its order; lines go side by side. A line is bounded, so that whoever sends
//! more than is taken waits for itself alone. Not here: what is done with a message (`serve`), how it came (`door`).

use std::collections::{HashMap, VecDeque};

use network::SenderName;

use crate::judge::Message;

/// Messages of one sender that wait at the counter. A sender in order has one on its way; what comes beyond is told to
/// come again, so that nobody holds more than this of what all of a region may hold.
const SENDER_WAITING_MAX: usize = 256;
/// Bytes of the same: a few of the largest requests.
const SENDER_WAITING_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes that wait in one region at the counter: with 43 regions this stays a fraction of a small machine's memory.
const REGION_WAITING_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Messages taken at once: a turn stays short, and one commit holds them all. The mailbox gives at most as many.
const TURN_MAX: usize = 256;
/// Bytes after which a turn takes no more: some milliseconds of reading and checking.
const TURN_BYTES_MAX: usize = 256 * 1024;

/// A line of one region.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Line {
    /// The stream has an order of its own, over all senders. The broker bounds it: it gives so much unacknowledged.
    Mailbox,
    /// A sender at the counter, by the subject; `None` for subjects that name none.
    Counter(Option<SenderName>),
}

/// A message and where its answer goes.
#[derive(Debug)]
pub(crate) struct Arrived<R> {
    pub(crate) message: Message,
    pub(crate) reply: R,
}

/// What became of a message that came.
#[derive(Debug)]
pub(crate) enum Put<R> {
    /// The line was empty: somebody has to begin to serve it.
    Begins,
    /// It stands in line.
    Waits,
    /// There is no room for it.
    Full(Arrived<R>),
}

/// All that waits in one region.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    lines: HashMap<Line, Waiting<R>>,
    counter_bytes: usize,
}

#[derive(Debug)]
struct Waiting<R> {
    messages: VecDeque<Arrived<R>>,
    bytes: usize,
}

impl<R> Lines<R> {
    pub(crate) fn new() -> Self {
        Self { lines: HashMap::new(), counter_bytes: 0 }
    }

    /// Puts a message at the end of its line.
    pub(crate) fn put(&mut self, line: &Line, arrived: Arrived<R>) -> Put<R> {
        let bytes = arrived.message.weight();
        let known = self.lines.get_mut(line);
        if *line != Line::Mailbox {
            let (messages, waiting) =
                known.as_ref().map_or((0, 0), |known| (known.messages.len(), known.bytes));
            // Whoever has nothing here is let in whatever the size: the broker bounds a single message.
            let full = messages >= SENDER_WAITING_MAX
                || messages > 0 && waiting.saturating_add(bytes) > SENDER_WAITING_BYTES_MAX
                || self.counter_bytes > REGION_WAITING_BYTES_MAX;
            if full {
                return Put::Full(arrived);
            }
            self.counter_bytes = self.counter_bytes.saturating_add(bytes);
        }
        if let Some(known) = known {
            known.messages.push_back(arrived);
            known.bytes = known.bytes.saturating_add(bytes);
            return Put::Waits;
        }
        let messages = VecDeque::from([arrived]);
        self.lines.insert(line.clone(), Waiting { messages, bytes });
        Put::Begins
    }

    /// What is next in a line, in its order. Empty: the line is closed, and whoever comes next begins it.
    pub(crate) fn take(&mut self, line: &Line) -> Vec<Arrived<R>> {
        let Some(known) = self.lines.get_mut(line) else { return Vec::new() };
        let (mut taken, mut bytes) = (Vec::new(), 0_usize);
        while taken.len() < TURN_MAX && bytes < TURN_BYTES_MAX {
            let Some(next) = known.messages.pop_front() else { break };
            bytes = bytes.saturating_add(next.message.weight());
            taken.push(next);
        }
        known.bytes = known.bytes.saturating_sub(bytes);
        if *line != Line::Mailbox {
            self.counter_bytes = self.counter_bytes.saturating_sub(bytes);
        }
        if taken.is_empty() {
            self.lines.remove(line);
        }
        taken
    }

    /// Forgets what waits of the mailbox: it comes again when that is opened again.
    pub(crate) fn forget_mailbox(&mut self) {
        if let Some(mailbox) = self.lines.get_mut(&Line::Mailbox) {
            mailbox.messages.clear();
            mailbox.bytes = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(bytes: usize) -> Arrived<usize> {
        let message = Message {
            subject: String::new(),
            headers: Vec::new(),
            payload: vec![0; bytes].into(),
            stream_sequence: None,
            unreadable: None,
        };
        Arrived { message, reply: bytes }
    }

    fn counter(name: &str) -> Line {
        Line::Counter(Some(name.parse().unwrap()))
    }

    #[test]
    fn a_line_begins_once_keeps_its_order_and_ends_when_it_is_empty() {
        let (mut lines, line) = (Lines::new(), counter("a"));
        assert!(matches!(lines.put(&line, message(1)), Put::Begins));
        assert!(matches!(lines.put(&line, message(2)), Put::Waits));
        let taken: Vec<usize> = lines.take(&line).into_iter().map(|arrived| arrived.reply).collect();
        assert_eq!(taken, [1, 2]);
        assert!(matches!(lines.put(&line, message(3)), Put::Waits), "it is being served");
        assert_eq!(lines.take(&line).len(), 1);
        assert!(lines.take(&line).is_empty());
        assert!(matches!(lines.put(&line, message(4)), Put::Begins));
    }

    #[test]
    fn who_sends_without_waiting_is_refused_and_nobody_else_is() {
        let mut lines = Lines::new();
        let mut full = 0;
        for _ in 0..1_000 {
            full += usize::from(matches!(lines.put(&counter("flood"), message(10)), Put::Full(_)));
        }
        assert_eq!(full, 1_000 - SENDER_WAITING_MAX);
        assert!(matches!(lines.put(&counter("calm"), message(10)), Put::Begins));
        for _ in 0..1_000 {
            assert!(!matches!(lines.put(&Line::Mailbox, message(10)), Put::Full(_)), "the broker bounds it");
        }
    }

    #[test]
    fn bytes_are_bounded_for_a_sender_and_for_all() {
        let mut lines = Lines::new();
        let large = 1024 * 1024;
        assert!(matches!(lines.put(&counter("a"), message(5 * large)), Put::Begins), "the first is let in");
        assert!(matches!(lines.put(&counter("a"), message(1)), Put::Full(_)));
        for name in ["b", "c", "d"] {
            for _ in 0..4 {
                lines.put(&counter(name), message(large));
            }
        }
        assert!(matches!(lines.put(&counter("e"), message(1)), Put::Full(_)), "{}", lines.counter_bytes);
        assert_eq!(lines.take(&counter("a")).len(), 1);
        assert!(matches!(lines.put(&counter("e"), message(1)), Put::Begins));
    }

    #[test]
    fn a_turn_is_bounded_by_messages_and_bytes() {
        let mut lines = Lines::new();
        for _ in 0..=TURN_MAX {
            lines.put(&Line::Mailbox, message(1));
        }
        assert_eq!(lines.take(&Line::Mailbox).len(), TURN_MAX);
        lines.forget_mailbox();
        for _ in 0..10 {
            lines.put(&Line::Mailbox, message(100 * 1024));
        }
        assert_eq!(lines.take(&Line::Mailbox).len(), 3);
    }
}
