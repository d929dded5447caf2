//! The lines of a file as events to be sent: whose they are, and which line became which event.
//!
//! Not here: whether an event is right. What can be sent at all is sent as it is; the recorder judges.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use bus::Outgoing;
use bus::subjects::EventName;
use contracts::{EVENT_BYTES_MAX, Received};
use domain::SourceId;
use flate2::bufread::MultiGzDecoder;
use futures::Stream;
use network::{Network, Signature};
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::failure::Failure;

/// Events read ahead of the sender: enough to fill its requests, little enough to hold in memory (16 MiB at most).
const READ_AHEAD_MAX: usize = 256;
/// Lines that were not sent and wait to be told.
const UNSENT_MAX: usize = 256;

/// Where the events come from.
#[derive(Clone, Debug)]
pub(super) enum Input {
    Stdin,
    File(PathBuf),
}

impl FromStr for Input {
    type Err = Infallible;
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(if text == "-" { Self::Stdin } else { Self::File(text.into()) })
    }
}

/// A line that became an event.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    /// From 1.
    pub(super) number: u64,
    /// The id of the event; empty if none can be read.
    pub(super) id: String,
}

/// A line that no event could be sent of.
#[derive(Debug)]
pub(super) struct Unsent {
    pub(super) line: u64,
    pub(super) id: String,
    pub(super) reason: String,
}

/// The events could not be read on.
#[derive(Debug, thiserror::Error)]
#[error("line {line} can not be read, nor what comes after it; what was read before is told above")]
pub(super) struct ReadError {
    line: u64,
    source: io::Error,
}

/// The lines of the events that have no receipt yet, by the number of the event. As long as the sender's window.
pub(super) type Sent = Arc<Mutex<BTreeMap<u64, Line>>>;

/// The line of the event with this number, which now has its answer.
pub(super) fn line_of(sent: &Sent, index: u64) -> Line {
    sent.lock().unwrap_or_else(PoisonError::into_inner).remove(&index).unwrap_or_default()
}

/// The events of an input, read while they are sent.
pub(super) struct Feed {
    pub(super) events: Box<dyn Stream<Item = Outgoing> + Send + Unpin>,
    pub(super) unsent: mpsc::Receiver<Unsent>,
    pub(super) sent: Sent,
    pub(super) reading: JoinHandle<Result<(), ReadError>>,
}

/// What of an event is needed to send it.
#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    id: String,
    source: String,
    #[serde(default)]
    r#type: String,
}

impl Feed {
    /// Begins to read; needs a runtime.
    pub(super) fn start(input: Box<dyn BufRead + Send>, network: Arc<Network>) -> Self {
        let (out, mut events) = mpsc::channel(READ_AHEAD_MAX);
        let (refused, unsent) = mpsc::channel(UNSENT_MAX);
        let sent = Sent::default();
        let reader = Reader { input, network, out, refused, sent: Arc::clone(&sent), line: 0, index: 0 };
        let reading = tokio::task::spawn_blocking(|| reader.read());
        let events = Box::new(futures::stream::poll_fn(move |context| events.poll_recv(context)));
        Self { events, unsent, sent, reading }
    }
}

/// Opens an input, unpacked if it is gzip.
pub(super) fn open(input: &Input) -> Result<Box<dyn BufRead + Send>, Failure> {
    let (name, mut plain): (_, Box<dyn BufRead + Send>) = match input {
        Input::Stdin => ("standard input".to_owned(), Box::new(BufReader::new(io::stdin()))),
        Input::File(path) => {
            let name = path.display().to_string();
            let file = File::open(path).map_err(|error| {
                Failure::new(format!("{name} can not be read; give a file of events"), error)
            })?;
            (name, Box::new(BufReader::new(file)))
        }
    };
    let start = plain.fill_buf().map_err(|error| Failure::new(format!("{name} can not be read"), error))?;
    if start.starts_with(&[0x1f, 0x8b]) {
        return Ok(Box::new(BufReader::new(MultiGzDecoder::new(plain))));
    }
    Ok(plain)
}

struct Reader {
    input: Box<dyn BufRead + Send>,
    network: Arc<Network>,
    out: mpsc::Sender<Outgoing>,
    refused: mpsc::Sender<Unsent>,
    sent: Sent,
    line: u64,
    index: u64,
}

impl Reader {
    /// Reads to the end, or until nobody takes events any more.
    fn read(mut self) -> Result<(), ReadError> {
        loop {
            self.line += 1;
            let read = next_line(&mut self.input);
            let Some(bytes) = read.map_err(|source| ReadError { line: self.line, source })? else {
                return Ok(());
            };
            if bytes.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let taken = match self.outgoing(bytes) {
                Ok((id, event)) => {
                    let line = Line { number: self.line, id };
                    self.sent.lock().unwrap_or_else(PoisonError::into_inner).insert(self.index, line);
                    self.index += 1;
                    self.out.blocking_send(event).is_ok()
                }
                Err(unsent) => self.refused.blocking_send(unsent).is_ok(),
            };
            if !taken {
                return Ok(());
            }
        }
    }

    fn outgoing(&self, bytes: Vec<u8>) -> Result<(String, Outgoing), Unsent> {
        let unsent = |id: &str, reason: String| Unsent { line: self.line, id: id.to_owned(), reason };
        if bytes.len() > EVENT_BYTES_MAX {
            return Err(unsent(
                "",
                format!("the line is longer than the {EVENT_BYTES_MAX} bytes of an event"),
            ));
        }
        let envelope: Envelope = serde_json::from_slice(&bytes)
            .map_err(|error| unsent("", format!("not a JSON CloudEvent with a source: {error}")))?;
        let Envelope { id, source, r#type } = envelope;
        let of_network = source.parse().ok().and_then(|source: SourceId| self.network.source(&source));
        let Some(source) = of_network else {
            return Err(unsent(&id, format!("the network file has no source {source}; add it there")));
        };
        let outgoing = Outgoing {
            region: source.region.clone(),
            sender: source.name.clone(),
            name: short_name(&r#type),
            event: Received::structured(bytes.into()),
            sign: source.signature == Signature::Required,
        };
        Ok((id, outgoing))
    }
}

/// `bed.freed` of `nl.doorstroom.bed.freed.v1`.
fn short_name(kind: &str) -> EventName {
    let short =
        kind.strip_prefix("nl.doorstroom.").and_then(|rest| rest.rsplit_once('.')).map(|(short, _)| short);
    short.and_then(|short| short.parse().ok()).unwrap_or_else(EventName::unreadable)
}

/// The next line without its end; `None` after the last. Of a line that is too long for an event only so much is
/// kept that it shows.
fn next_line(input: &mut (impl BufRead + ?Sized)) -> io::Result<Option<Vec<u8>>> {
    let most = u64::try_from(EVENT_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(2);
    let mut line = Vec::new();
    if input.take(most).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    } else if line.len() > EVENT_BYTES_MAX {
        input.skip_until(b'\n')?;
    }
    Ok(Some(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_its_bytes_without_its_end() {
        let mut input = &b"{\"a\": 1} \n\r\n{}"[..];
        assert_eq!(next_line(&mut input).unwrap().unwrap(), b"{\"a\": 1} ");
        assert_eq!(next_line(&mut input).unwrap().unwrap(), b"");
        assert_eq!(next_line(&mut input).unwrap().unwrap(), b"{}");
        assert!(next_line(&mut input).unwrap().is_none());
    }

    #[test]
    fn a_line_too_long_for_an_event_is_not_held_and_the_next_one_is_read() {
        let mut bytes = vec![b'x'; 10 * EVENT_BYTES_MAX];
        bytes.extend_from_slice(b"\n{}\n");
        let mut input = &bytes[..];
        let long = next_line(&mut input).unwrap().unwrap();
        assert!(long.len() > EVENT_BYTES_MAX && long.len() < EVENT_BYTES_MAX + 8, "{}", long.len());
        assert_eq!(next_line(&mut input).unwrap().unwrap(), b"{}");
    }

    #[test]
    fn the_longest_event_is_taken_whole() {
        for end in [&b""[..], b"\n", b"\r\n"] {
            let mut bytes = vec![b'x'; EVENT_BYTES_MAX];
            bytes.extend_from_slice(end);
            assert_eq!(next_line(&mut &bytes[..]).unwrap().unwrap().len(), EVENT_BYTES_MAX);
        }
    }

    #[test]
    fn a_type_is_shortened_to_its_place_in_a_subject() {
        assert_eq!(short_name("nl.doorstroom.bed.freed.v1").as_str(), "bed.freed");
        assert_eq!(short_name("nl.doorstroom.bed.freed.v2").as_str(), "bed.freed");
        for odd in ["", "bed.freed", "nl.doorstroom.Bed.>.v1"] {
            assert_eq!(short_name(odd), EventName::unreadable(), "{odd}");
        }
    }

    #[test]
    fn gzip_is_unpacked_whatever_the_file_is_called() {
        use std::io::Write as _;
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let mut packed = flate2::write::GzEncoder::new(&mut file, flate2::Compression::default());
        packed.write_all(b"{}\n").unwrap();
        packed.finish().unwrap();
        let mut input = open(&Input::File(file.path().into())).unwrap();
        assert_eq!(next_line(&mut *input).unwrap().unwrap(), b"{}");
    }
}
