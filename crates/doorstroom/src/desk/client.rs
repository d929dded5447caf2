//! How a command gets to the API: where the node is, as whom, and what its answers mean to a person.
//!
//! Not here: what is sent (`desk`), how it looks (`show`).

use std::io::Read as _;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use domain::{RegionId, SourceId, Timestamp};
use eventlog::{Clock as _, SystemClock};
use keyring::Secret;
use network::{Kind, Network};
use serde_json::Value;

use crate::failure::Failure;
use crate::node_file::NodeFile;

/// The token of the person on a node's machine, made anew at each start.
pub(crate) const OPERATOR_TOKEN: &str = "operator.token";

/// The largest answer that is read, in bytes: the longest worklist is under 1 MiB.
const ANSWER_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// How long a node may take to answer: what it waits for itself is shorter.
const ANSWER_WITHIN: Duration = Duration::from_secs(40);
/// An act that could not be answered is sent again so often, with the same id: it is done once all the same.
const TRIES_MAX: u32 = 3;
/// Before the next try.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

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
    region: Option<RegionId>,
    /// As this source (its name on the bus, or its URN); with the node's own token only
    #[arg(long = "as", value_name = "SOURCE", global = true)]
    source: Option<String>,
    /// The language of sentences: nl or en [default: that of the terminal]
    #[arg(long, value_name = "LANG", global = true)]
    lang: Option<String>,
    /// The id of the act, to send the same again [default: a new one]
    #[arg(long, value_name = "UUID", global = true)]
    id: Option<domain::EventId>,
    /// JSON for programs
    #[arg(long, global = true)]
    json: bool,
}

/// A way to the API.
#[derive(Debug)]
pub(super) struct Client {
    agent: ureq::Agent,
    base: String,
    token: Secret,
    source: Option<SourceId>,
    lang: &'static str,
    id: Option<domain::EventId>,
    /// Whose desk.
    pub(super) region: Option<RegionId>,
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
        let source = match (&node, &way.token_file) {
            (Some(node), None) => acting_as(&Network::read(&node.network)?, way)?,
            (Some(_) | None, _) => None,
        };
        let base = way.node.clone().or_else(|| node.map(|node| node.http)).unwrap_or_default();
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(ANSWER_WITHIN))
            .http_status_as_error(false)
            .build()
            .new_agent();
        Ok(Self {
            agent,
            base: format!("{}/api/v1", base.trim_end_matches('/')),
            token,
            source,
            lang: language(way.lang.as_deref())?,
            id: way.id,
            region: way.region.clone(),
            json: way.json,
        })
    }

    /// Asks a question; `at` is a moment.
    pub(super) fn ask(&self, path: &str, at: Option<&str>) -> Result<Value, Failure> {
        let url = format!("{}{path}", self.base);
        let mut request = self.headers(self.agent.get(&url));
        if let Some(at) = at {
            request = request.query("at", at);
        }
        Self::answer(&url, request.call())
    }

    /// Sends an act, again if it is not answered: it has one id.
    pub(super) fn act(&self, path: &str, mut body: Value) -> Result<Value, Failure> {
        let url = format!("{}{path}", self.base);
        let id = self.id.map_or_else(new_id, |id| id.to_string());
        if let Some(fields) = body.as_object_mut() {
            fields.insert("id".to_owned(), id.clone().into());
        }
        let text = body.to_string();
        let mut tries = 1;
        loop {
            let request = self.headers(self.agent.post(&url)).header("content-type", "application/json");
            let sent = request.send(text.as_str());
            let away = sent.as_ref().map_or(true, |response| response.status().as_u16() == 503);
            if !away || tries == TRIES_MAX {
                let answer = Self::answer(&url, sent);
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

/// In whose name the operator acts: the source that was named, or that of the desk.
fn acting_as(network: &Network, way: &Way) -> Result<Option<SourceId>, Failure> {
    if let Some(called) = &way.source {
        let by_id = called.parse::<SourceId>().ok().and_then(|id| network.source(&id));
        let mut named = network.sources().filter(|source| source.name.as_str() == called);
        let found = by_id.or_else(|| named.next());
        let found = found.ok_or_else(|| {
            Failure::usage(format!(
                "there is no source {called}; `doorstroom admin network show` tells who is there"
            ))
        })?;
        return Ok(Some(found.id.clone()));
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
    Ok(Some(desk.id.clone()))
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
pub(super) fn new_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// Now, as the API reads it.
pub(super) fn now() -> String {
    Timestamp::from_micros(SystemClock.now()).to_string()
}
