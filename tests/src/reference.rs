//! The reference data: events in recording order, who sends them, and the boards they must give.

use std::fs;
use std::io::Read;

use flate2::read::GzDecoder;
use network::Network;
use serde_json::Value;

/// One reference file with all that belongs to it.
#[derive(Debug)]
pub struct Reference {
    /// The events as they stand in the file, one per line, without the line ends.
    pub events: Vec<String>,
    /// The boards, each with the number of events after which it is so.
    pub boards: Vec<Value>,
    /// Everybody who sends.
    pub network: Network,
}

impl Reference {
    /// The events as a file: one per line.
    #[must_use]
    pub fn lines(&self) -> String {
        self.events.iter().flat_map(|line| [line, "\n"]).collect()
    }
}

/// The reference data of this name: `region-day` or `national-two-days`.
///
/// # Panics
/// If there is none of this name.
#[must_use]
pub fn reference(name: &str) -> Reference {
    let events = read(&format!("{name}.jsonl"));
    let boards: Value = serde_json::from_str(&read(&format!("{name}.boards.json"))).unwrap();
    let sources = format!("{name}.sources.json");
    let Value::Array(boards) = boards else { panic!("{name}.boards.json is not a list") };
    Reference {
        events: events.lines().map(str::to_owned).collect(),
        boards,
        network: Network::from_sources(&sources, &read(&sources)).unwrap(),
    }
}

/// The text of a file, packed or not.
fn read(name: &str) -> String {
    let path = crate::root().join("tests/data").join(name);
    let packed = path.with_added_extension("gz");
    let mut text = String::new();
    if packed.exists() {
        GzDecoder::new(fs::File::open(packed).unwrap()).read_to_string(&mut text).unwrap();
    } else {
        text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    text
}
