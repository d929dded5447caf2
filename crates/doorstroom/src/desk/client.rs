//! How a command gets to the API: where the node is, as whom, and what its answers mean to a person.
//!
//! Not here: what is sent (`desk`), how it looks (`show`).

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use domain::{RegionId, SourceId, Timestamp};
use eventlog::{Clock as _, SystemClock};
use jiff::tz::TimeZone;
use keyring::Secret;
use network::{Kind, Network};
use serde_json::Value;

use super::described::Described;
use crate::failure::Failure;
use crate::node_file::NodeFile;
use crate::out::Out;

/// The token of the person on a node's machine, made anew at each start.
pub(crate) const OPERATOR_TOKEN: &str = "operator.token";

/// Where the API of a node is.
const PREFIX: &str = "/api/v1";

/// The largest answer that is read, in bytes: the longest worklist is under 1 MiB.
const ANSWER_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// How long a node may take to answer: what it waits for itself is shorter.
const ANSWER_WITHIN: Duration = Duration::from_secs(40);
/// An act that could not be answered is sent again so often, with the same id: it is done once all the same.
const TRIES_MAX: u32 = 3;
/// Before the next try.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// A name and its value: a parameter or a header.
type Pair = (String, String);

/// Where the node is, and as whom.
#[derive(Args, Clone, Debug)]
pub(super) struct Way {
    /// The folder of the node's data
    #[arg(long, value_name = "DIR", env = "DOORSTROOM_DATA", default_value = "data", global = true)]
    data: PathBuf,
    /// The node, instead of the one that runs on the data folder
    #[arg(long, value_name = "URL", global = true)]
    node: Option<String>,
    /// The file with the token of a source, instead of the one the node on the data folder made
    #[arg(long, value_name = "FILE", global = true)]
    token_file: Option<PathBuf>,
    /// As the desk of this region
    #[arg(long, value_name = "REGION", global = true)]
    pub(super) region: Option<RegionId>,
    /// As this source (its name on the bus, or its URN); with the node's own token only
    #[arg(long = "as", value_name = "SOURCE", global = true)]
    source: Option<String>,
    /// The language of sentences: nl or en [default: that of the terminal]
    #[arg(long, value_name = "LANG", global = true)]
    lang: Option<String>,
    /// The id of the act, to send the same again [default: a new one]
    #[arg(long, value_name = "UUID", global = true)]
    pub(super) id: Option<domain::EventId>,
    /// JSON for programs
    #[arg(long, global = true)]
    pub(super) json: bool,
}

/// A way to the API.
#[derive(Debug)]
pub(super) struct Client {
    agent: ureq::Agent,
    base: String,
    token: Secret,
    source: Option<SourceId>,
    /// The language of sentences.
    pub(super) lang: &'static str,
    /// The id of the act, where it is sent again.
    pub(super) id: Option<domain::EventId>,
    /// Whose desk.
    pub(super) region: Option<RegionId>,
    /// The region of whoever acts, as far as that is known here.
    pub(super) home: Option<RegionId>,
    /// For programs.
    pub(super) json: bool,
}

impl Client {
    pub(super) fn new(way: &Way) -> Result<Self, Failure> {
        if way.token_file.is_some() && way.source.is_some() {
            return Err(Failure::usage("a token is of one source: --as goes with the node's own token only"));
        }
        if way.token_file.is_none() && way.node.is_some() {
            return Err(Failure::usage("another machine's node asks who you are: --token-file FILE"));
        }
        let node = match &way.node {
            Some(_) => None,
            None => Some(NodeFile::read(&way.data)?),
        };
        let token = match &way.token_file {
            Some(file) => Secret::read(file)?,
            None => Secret::read(&way.data.join(OPERATOR_TOKEN))?,
        };
        let (source, home) = match (&node, &way.token_file) {
            (Some(node), None) => {
                let (source, region) = acting_as(&Network::read(&node.network)?, way)?;
                (Some(source), Some(region))
            }
            (Some(_) | None, _) => (None, way.region.clone()),
        };
        let base = way.node.clone().or_else(|| node.map(|node| node.http)).unwrap_or_default();
        Ok(Self {
            agent: agent(),
            base: format!("{}{PREFIX}", base.trim_end_matches('/')),
            token,
            source,
            lang: language(way.lang.as_deref())?,
            id: way.id,
            region: way.region.clone(),
            home,
            json: way.json,
        })
    }

    /// The description of the API of the node, which it gives to anybody.
    pub(super) fn describe(way: &Way) -> Result<Described, Failure> {
        let node = match &way.node {
            Some(node) => node.clone(),
            None => NodeFile::read(&way.data)?.http,
        };
        let url = format!("{}{PREFIX}/openapi.json", node.trim_end_matches('/'));
        Described::read(&Self::answer(&url, agent().get(&url).call(), way.json)?, PREFIX)
    }

    /// Asks a question; `at` is a moment.
    pub(super) fn ask(&self, path: &str, at: Option<&str>) -> Result<Value, Failure> {
        let at = at.map(|at| ("at".to_owned(), at.to_owned()));
        self.ask_with(path, at.as_slice(), &[])
    }

    /// Asks a question from this position on that nothing depends on; `None` if it is not answered.
    pub(super) fn look(&self, path: &str, after: Option<u64>) -> Option<Value> {
        let url = format!("{}{path}", self.base);
        let after = after.map(|after| ("after".to_owned(), after.to_string()));
        Self::answer(&url, self.get(&url, after.as_slice(), &[]).call(), false).ok()
    }

    /// Asks a question with these parameters and headers.
    pub(super) fn ask_with(&self, path: &str, query: &[Pair], headers: &[Pair]) -> Result<Value, Failure> {
        let url = format!("{}{path}", self.base);
        Self::answer(&url, self.get(&url, query, headers).call(), self.json)
    }

    /// Listens to what has no end, event by event.
    pub(super) fn listen(
        &self,
        path: &str,
        headers: &[Pair],
        mut told: impl FnMut(&Value) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let url = format!("{}{path}", self.base);
        let request = self.get(&url, &[], headers).config().timeout_global(None).build();
        let mut sent = request.call();
        let Ok(response) = &mut sent else { return Self::answer(&url, sent, self.json).map(drop) };
        if !response.status().is_success() {
            return Self::answer(&url, sent, self.json).map(drop);
        }
        for line in BufReader::new(response.body_mut().as_reader()).lines() {
            let line = line.map_err(|error| Failure::new(format!("{url} went away"), error))?;
            if let Some(data) = line.strip_prefix("data:") {
                let event: Value = serde_json::from_str(data)
                    .map_err(|error| Failure::new(format!("{url} sent an event that is no JSON"), error))?;
                told(&event)?;
            }
        }
        Ok(())
    }

    fn get(
        &self,
        url: &str,
        query: &[Pair],
        headers: &[Pair],
    ) -> ureq::RequestBuilder<ureq::typestate::WithoutBody> {
        let request =
            query.iter().fold(self.agent.get(url), |request, (name, value)| request.query(name, value));
        let request = self.headers(request);
        headers.iter().fold(request, |request, (name, value)| request.header(name, value))
    }

    /// Sends an act, again if it is not answered: it has one id.
    pub(super) fn act(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.act_with(path, body, &[])
    }

    /// Sends an act that goes before the one that was asked for, under an id of its own.
    pub(super) fn act_first(&self, what: &str, path: &str, body: &Value) -> Result<Value, Failure> {
        self.act_as(&id_of(self.id, what), path, body, &[])
    }

    /// The same with these headers.
    pub(super) fn act_with(&self, path: &str, body: &Value, headers: &[Pair]) -> Result<Value, Failure> {
        self.act_as(&self.id.map_or_else(new_id, |id| id.to_string()), path, body, headers)
    }

    fn act_as(&self, id: &str, path: &str, body: &Value, headers: &[Pair]) -> Result<Value, Failure> {
        let url = format!("{}{path}", self.base);
        let mut body = body.clone();
        if let Some(fields) = body.as_object_mut() {
            fields.insert("id".to_owned(), id.into());
        }
        let text = body.to_string();
        let mut tries = 1;
        loop {
            let request = self.headers(self.agent.post(&url)).header("content-type", "application/json");
            let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
            let sent = request.send(text.as_str());
            let away = sent.as_ref().map_or(true, |response| response.status().as_u16() == 503);
            if !away || tries == TRIES_MAX {
                let answer = Self::answer(&url, sent, self.json);
                return if away {
                    answer.map_err(|failure| Failure::said(format!("{failure}; the same again: --id {id}")))
                } else {
                    answer
                };
            }
            tries += 1;
            std::thread::sleep(AGAIN_AFTER);
        }
    }

    fn headers<B>(&self, request: ureq::RequestBuilder<B>) -> ureq::RequestBuilder<B> {
        let request = request
            .header("authorization", format!("Bearer {}", self.token.expose()))
            .header("accept-language", self.lang);
        match &self.source {
            Some(source) => request.header("doorstroom-as", source.as_str()),
            None => request,
        }
    }

    fn answer(
        url: &str,
        sent: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
        json: bool,
    ) -> Result<Value, Failure> {
        let unanswered = |error: &dyn std::error::Error| {
            Failure::said(format!("{url} does not answer as a node does ({error}); is a node running there?"))
        };
        let mut response = sent.map_err(|error| unanswered(&error))?;
        let mut text = String::new();
        let body = response.body_mut().as_reader();
        body.take(ANSWER_BYTES_MAX).read_to_string(&mut text).map_err(|error| unanswered(&error))?;
        let answer: Value = serde_json::from_str(&text).map_err(|error| unanswered(&error))?;
        let status = response.status().as_u16();
        if response.status().is_success() {
            return Ok(answer);
        }
        if json {
            // Programs read what was refused as the node says it (RFC 9457); people read the sentence.
            let mut out = Out::new();
            out.json(&answer)?;
            out.flush()?;
        }
        let said = answer.get("detail").and_then(Value::as_str).unwrap_or("the node says no more");
        let code = answer.get("code").and_then(Value::as_str).unwrap_or("-");
        let sentence = format!("{said} ({code})");
        Err(match status {
            // Looked at and refused: by the rules, or because of who asks.
            401 | 403 | 404 | 409 => Failure::refused(sentence),
            400 | 413 | 415 | 422 => Failure::usage(sentence),
            _ => Failure::said(sentence),
        })
    }
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().timeout_global(Some(ANSWER_WITHIN));
    config.http_status_as_error(false).build().new_agent()
}

/// In whose name the operator acts: the source that was named, or that of the desk; with its region.
fn acting_as(network: &Network, way: &Way) -> Result<(SourceId, RegionId), Failure> {
    if let Some(called) = &way.source {
        let by_id = called.parse::<SourceId>().ok().and_then(|id| network.source(&id));
        let mut named = network.sources().filter(|source| source.name.as_str() == called);
        let found = by_id.or_else(|| named.next());
        let found = found.ok_or_else(|| {
            Failure::usage(format!(
                "there is no source {called}; `doorstroom admin network show` tells who is there"
            ))
        })?;
        return Ok((found.id.clone(), found.region.clone()));
    }
    let Some(region) = &way.region else {
        return Err(Failure::usage("say whose desk: `desk --region zk23 …`, or --as a source"));
    };
    crate::access::known_region(network, Some(region))?;
    let desk = network.sources().find(|source| source.region == *region && source.kind == Kind::Desk);
    let desk = desk.ok_or_else(|| {
        Failure::usage(format!(
            "the desk of {region} has no source to record in its name; add one: `doorstroom admin network add-source \
             URN --name loket-{region} --kind desk --region {region}`"
        ))
    })?;
    Ok((desk.id.clone(), desk.region.clone()))
}

fn language(asked: Option<&str>) -> Result<&'static str, Failure> {
    match asked {
        Some("nl") => Ok("nl"),
        Some("en") => Ok("en"),
        Some(_) => Err(Failure::usage("--lang is nl or en")),
        None => {
            let of_terminal = std::env::var("LC_ALL").or_else(|_| std::env::var("LANG")).unwrap_or_default();
            Ok(if of_terminal.starts_with("nl") { "nl" } else { "en" })
        }
    }
}

/// A new id.
fn new_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// The id of what an act makes. An act that is sent again under its id makes the same again: the id of what it makes follows
/// from its own. A UUIDv7 of the same moment, so that ids keep their order.
pub(super) fn id_of(act: Option<domain::EventId>, what: &str) -> String {
    let Some(act) = act else { return new_id() };
    let half = |which: u8| {
        let mut hasher = DefaultHasher::new();
        (which, act.uuid().as_bytes(), what).hash(&mut hasher);
        hasher.finish().to_le_bytes()
    };
    let mut random = [0; 10];
    for (byte, drawn) in random.iter_mut().zip(half(0).into_iter().chain(half(1))) {
        *byte = drawn;
    }
    let millis = act.uuid().as_bytes().iter().take(6).fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().to_string()
}

/// The clock of everybody who works here.
pub(super) static AMSTERDAM: TimeZone = jiff::tz::get!("Europe/Amsterdam");

/// The day it is on that clock.
pub(super) fn today() -> jiff::civil::Date {
    let now = jiff::Timestamp::from_microsecond(SystemClock.now()).unwrap_or_default();
    now.to_zoned(AMSTERDAM.clone()).date()
}

/// Now, as the API reads it.
pub(super) fn now() -> String {
    Timestamp::from_micros(SystemClock.now()).to_string()
}
