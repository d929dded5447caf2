//! The way to the node: acts that are sent with one id until they are answered, and questions; as the holder of a token.
//!
//! Not here: what is wanted (`case`, `house`), what the answers are counted as (`tally`).

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use domain::RegionId;
use serde_json::Value;

use crate::SimulationError;
use crate::tally::Tally;

/// The longest an answer may take: what a node waits for itself is shorter.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// Before the same is sent again to a node that did not answer.
const AGAIN_AFTER: Duration = Duration::from_millis(250);
/// The same is sent so often at most: a node that stays away for five minutes does not come back.
const TRIES_MAX: u32 = 1_200;
/// The largest answer that is read.
const ANSWER_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Everybody here speaks for what is theirs: a node that says otherwise is wrong.
const NEVER_REFUSED: [&str; 3] = ["no-mandate", "not-your-bed", "not-your-role"];

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Party {
    /// The desk of a region.
    Desk,
    /// The locations of a region.
    Houses,
    /// Those who refer in a region.
    Referrer,
}

impl Party {
    /// What the file of its token begins with; the region follows.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Desk => "desk-",
            Self::Houses => "houses-",
            Self::Referrer => "referrer-",
        }
    }
}

/// What became of an act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It is so.
    Done,
    /// The rules say no, with this code.
    Refused(String),
    /// It can not be had like that: it is not there, not allowed, not readable; or nobody answered.
    Wrong(String),
}

impl Answer {
    /// It is so.
    pub(crate) fn is_done(&self) -> bool {
        *self == Self::Done
    }

    /// Why not, if the rules said so.
    pub(crate) fn refusal(&self) -> &str {
        match self {
            Self::Refused(code) => code,
            Self::Done | Self::Wrong(_) => "",
        }
    }
}

/// The tokens, by party and region.
#[derive(Debug)]
pub(crate) struct Tokens(BTreeMap<(Party, RegionId), String>);

impl Tokens {
    /// Reads a folder with `desk-REGION.token`, `houses-REGION.token` and `referrer-REGION.token`.
    pub(crate) fn read(dir: &Path) -> Result<Self, SimulationError> {
        let unreadable =
            |error: std::io::Error| SimulationError::Tokens { dir: dir.to_owned(), why: error.to_string() };
        let mut tokens = BTreeMap::new();
        for entry in fs::read_dir(dir).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let Some(stem) = name.strip_suffix(".token") else { continue };
            for party in [Party::Desk, Party::Houses, Party::Referrer] {
                let region = stem.strip_prefix(party.prefix()).and_then(|region| region.parse().ok());
                if let Some(region) = region {
                    let token = fs::read_to_string(&path).map_err(unreadable)?;
                    tokens.insert((party, region), format!("Bearer {}", token.trim()));
                }
            }
        }
        Ok(Self(tokens))
    }

    /// The regions of which every party has a token.
    pub(crate) fn regions(&self) -> Vec<RegionId> {
        let desks = self.0.keys().filter(|(party, _)| *party == Party::Desk).map(|(_, region)| region);
        let has = |party, region: &RegionId| self.0.contains_key(&(party, region.clone()));
        desks.filter(|region| has(Party::Houses, region) && has(Party::Referrer, region)).cloned().collect()
    }
}

/// The way to the node.
#[derive(Debug)]
pub(crate) struct Api {
    agent: ureq::Agent,
    base: String,
    tokens: Tokens,
    tally: Arc<Tally>,
    /// The last position that an act was answered with: what is asked after it is asked as of then.
    position: AtomicU64,
    over: AtomicBool,
}

enum Heard {
    Answered(u16, Value),
    Away,
}

impl Api {
    pub(crate) fn new(node: &str, tokens: Tokens, tally: Arc<Tally>) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(ANSWER_WITHIN))
            .http_status_as_error(false)
            .max_idle_connections_per_host(64)
            .build();
        let base = format!("{}/api/v1", node.trim_end_matches('/'));
        let (position, over) = (AtomicU64::new(0), AtomicBool::new(false));
        Self { agent: config.new_agent(), base, tokens, tally, position, over }
    }

    /// Nothing is sent any more.
    pub(crate) fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Sends an act until it is answered; its body has its id.
    pub(crate) fn act(
        &self,
        (party, region): (Party, &RegionId),
        what: &'static str,
        path: &str,
        body: &Value,
    ) -> Answer {
        let text = body.to_string();
        let url = format!("{}{path}", self.base);
        let heard = self.until_answered(|| {
            let request = self.agent.post(&url).header("authorization", self.token(party, region));
            request.header("content-type", "application/json").send(text.as_str())
        });
        let answer = match heard {
            Some((200 | 201, body)) => {
                if body.get("duplicate").and_then(Value::as_bool) == Some(true) {
                    self.tally.count("answered-as-done-before", what);
                }
                let position = body.get("position").and_then(Value::as_u64).unwrap_or(0);
                self.position.fetch_max(position, Ordering::Relaxed);
                Answer::Done
            }
            Some((409, body)) => Answer::Refused(code(&body)),
            Some((status, body)) => Answer::Wrong(format!("{status} {}", code(&body))),
            None => Answer::Wrong("unanswered".to_owned()),
        };
        if self.over.load(Ordering::Relaxed) {
            return answer;
        }
        match &answer {
            Answer::Wrong(why) => {
                self.tally.unexpect(format!("{what} {why}: {path} as {party:?} of {region}"));
            }
            Answer::Refused(why) if NEVER_REFUSED.contains(&why.as_str()) => {
                self.tally.unexpect(format!("{what} refused, {why}: {path} as {party:?} of {region}"));
            }
            Answer::Refused(_) | Answer::Done => {}
        }
        self.tally.act(what, &answer);
        answer
    }

    /// Asks a question; `None` if there is no answer for who asks.
    pub(crate) fn ask(
        &self,
        (party, region): (Party, &RegionId),
        what: &'static str,
        path: &str,
    ) -> Option<Value> {
        let url = format!("{}{path}", self.base);
        let heard = self.until_answered(|| {
            let position = self.position.load(Ordering::Relaxed).to_string();
            let request = self.agent.get(&url).header("authorization", self.token(party, region));
            request.header("doorstroom-position", &position).call()
        });
        match heard? {
            (200, body) => Some(body),
            (status, body) => {
                self.tally.count("questions-without-answer", &format!("{what} {status} {}", code(&body)));
                None
            }
        }
    }

    fn token(&self, party: Party, region: &RegionId) -> &str {
        self.tokens.0.get(&(party, region.clone())).map_or("", String::as_str)
    }

    /// Sends the same until the node answers it.
    fn until_answered(
        &self,
        send: impl Fn() -> Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Option<(u16, Value)> {
        for _ in 0..TRIES_MAX {
            if self.over.load(Ordering::Relaxed) {
                return None;
            }
            match heard(send()) {
                Heard::Answered(status, body) => {
                    self.tally.count("requests", "answered");
                    return Some((status, body));
                }
                Heard::Away => {
                    self.tally.count("sent-again", "all");
                    std::thread::sleep(AGAIN_AFTER);
                }
            }
        }
        None
    }
}

/// What the node answered, if it is there. An answer that breaks off is none.
fn heard(sent: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Heard {
    let Ok(mut response) = sent else { return Heard::Away };
    let status = response.status().as_u16();
    let mut text = String::new();
    let whole = response.body_mut().as_reader().take(ANSWER_BYTES_MAX).read_to_string(&mut text).is_ok();
    // A node that is starting or stopping says so.
    if !whole || matches!(status, 429 | 500..=599) {
        return Heard::Away;
    }
    Heard::Answered(status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

fn code(body: &Value) -> String {
    body.get("code").and_then(Value::as_str).unwrap_or("-").to_owned()
}
