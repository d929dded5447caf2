//! What the broker says of a mailbox: which stream it is, what it holds, and whether it is as it was made.
//!
//! Not here: what the log knows of it and what a difference means (`recorder`), making it (`provision`).

use bytes::Bytes;
use domain::{RegionId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::MailboxError;
use crate::Bus;
use crate::leaf;
use crate::provision::{CONSUMER, MailboxLimits, consumer_config, message_bytes_max, stream_config};
use crate::subjects::mailbox_stream;

/// Settings that the broker fills in, or that a cluster has otherwise: they keep nothing from being recorded.
const NOT_COMPARED: [&str; 5] = ["name", "metadata", "num_replicas", "placement", "max_waiting"];
/// Whence the mailbox also takes its mail.
const SOURCES: &str = "sources";
/// What the broker answers where there is no such stream or consumer.
const NOT_FOUND: u16 = 404;

/// What the broker says of a mailbox at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// Its stream, if there is one.
    pub stream: Option<StreamSight>,
    /// The recorder's consumer, if there is one.
    pub consumer: Option<ConsumerSight>,
}

/// The stream of a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamSight {
    /// When the broker made it, which tells it from every other of its name.
    pub created: Timestamp,
    /// The number of the first message it holds, or of the next one if it holds none; at least 1.
    pub first: u64,
    /// The number of the last message it ever took; 0 if none.
    pub last: u64,
    /// Whether it takes no more messages of the greatest size.
    pub full: bool,
    /// Settings that are not those it is made with.
    pub differs: Vec<String>,
}

/// The consumer through which a mailbox is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerSight {
    /// Every message up to this number was acknowledged.
    pub floor: u64,
    /// Settings that are not those it is made with.
    pub differs: Vec<String>,
}

impl Bus {
    /// Looks at the mailbox of a region.
    ///
    /// # Errors
    /// When the broker does not answer, or not what it should; that something is not there is an answer.
    pub async fn look_at_mailbox(
        &self,
        region: &RegionId,
        limits: MailboxLimits,
    ) -> Result<Sight, MailboxError> {
        let stream = mailbox_stream(region);
        let wanted = stream_config(region, limits);
        let info: Option<StreamInfo> = self.info(&stream, format!("STREAM.INFO.{stream}")).await?;
        let Some(info) = info else { return Ok(Sight::default()) };
        let created = info.created.parse().map_err(|_| MailboxError::Open {
            stream: stream.clone(),
            reason: "the broker does not say when it was made".to_owned(),
        })?;
        let room = wanted.max_bytes.saturating_sub(info.state.bytes);
        let seen = StreamSight {
            created,
            first: info.state.first_seq.max(1),
            last: info.state.last_seq,
            full: room < i64::try_from(message_bytes_max()).unwrap_or(i64::MAX),
            differs: differences_of_stream(region, &wanted, info.config),
        };
        let consumer: Option<ConsumerInfo> =
            self.info(&stream, format!("CONSUMER.INFO.{stream}.{CONSUMER}")).await?;
        let consumer = consumer.map(|info| ConsumerSight {
            floor: info.ack_floor.stream_seq,
            differs: differences(&consumer_config(), &info.config),
        });
        Ok(Sight { stream: Some(seen), consumer })
    }

    async fn info<T: for<'de> Deserialize<'de>>(
        &self,
        stream: &str,
        subject: String,
    ) -> Result<Option<T>, MailboxError> {
        let refused = |reason: String| MailboxError::Open { stream: stream.to_owned(), reason };
        // The broker wants no body here, and the client's own way always has one.
        let asked = self.client().request(format!("$JS.API.{subject}"), Bytes::new());
        let answered = self.unless_lost(asked).await.map_err(|lost| refused(lost.to_string()))?;
        let message = answered.map_err(|error| refused(error.to_string()))?;
        let answer: Answer<T> =
            serde_json::from_slice(&message.payload).map_err(|error| refused(error.to_string()))?;
        match answer {
            Answer::Info(info) => Ok(Some(info)),
            Answer::Error { error } if error.code == NOT_FOUND => Ok(None),
            Answer::Error { error } => Err(refused(error.description)),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Answer<T> {
    Error { error: ApiError },
    Info(T),
}

#[derive(Deserialize)]
struct ApiError {
    code: u16,
    #[serde(default)]
    description: String,
}

#[derive(Deserialize)]
struct StreamInfo {
    config: Value,
    created: String,
    state: StreamState,
}

#[derive(Deserialize)]
struct StreamState {
    bytes: i64,
    first_seq: u64,
    last_seq: u64,
}

#[derive(Deserialize)]
struct ConsumerInfo {
    config: Value,
    ack_floor: Sequences,
}

#[derive(Deserialize)]
struct Sequences {
    #[serde(default)]
    stream_seq: u64,
}

/// The same of the stream. Whether the region has a leaf is not known here: that its mail is taken is no difference,
/// and anything else that is taken is one.
fn differences_of_stream(region: &RegionId, wanted: &impl Serialize, mut found: Value) -> Vec<String> {
    let sources = found.get(SOURCES).and_then(Value::as_array);
    let of_leaf = sources.is_some_and(|sources| sources.iter().all(|source| leaf::is_source(region, source)));
    if let (true, Some(found)) = (of_leaf, found.as_object_mut()) {
        found.remove(SOURCES);
    }
    differences(wanted, &found)
}

/// The names of the settings in which what the broker has is not what is wanted. Compared as JSON, so that a setting
/// which the client does not know is seen too.
fn differences(wanted: &impl Serialize, found: &Value) -> Vec<String> {
    let wanted = serde_json::to_value(wanted).unwrap_or_default();
    let nothing = serde_json::Map::new();
    let (wanted, found) = (wanted.as_object().unwrap_or(&nothing), found.as_object().unwrap_or(&nothing));
    let mut differing: Vec<String> = wanted
        .keys()
        .chain(found.keys().filter(|name| !wanted.contains_key(*name)))
        .filter(|name| !NOT_COMPARED.contains(&name.as_str()))
        .filter(|name| set(wanted.get(*name)) != set(found.get(*name)))
        .cloned()
        .collect();
    differing.sort();
    differing
}

/// A setting, if it is set to anything: the broker writes out some of the values that mean "not set".
fn set(value: Option<&Value>) -> Option<&Value> {
    value.filter(|value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::Bool(true) => true,
        Value::Number(number) => !matches!(number.as_i64(), Some(-1 | 0)),
        Value::String(text) => !matches!(text.as_str(), "" | "none" | "default" | "instant"),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn mail_of_the_leaf_of_the_region_may_be_taken_and_no_other() {
        let region: RegionId = "zk01".parse().unwrap();
        let differs =
            |sources: Value| differences_of_stream(&region, &json!({}), json!({"sources": sources}));
        let leaf = json!({"name": "IN_zk01", "external": {"api": "$JS.leaf-zk01.API", "deliver": ""}});
        assert_eq!(differs(json!([leaf])), Vec::<String>::new());
        for other in [
            json!({"name": "IN_zk01"}),
            json!({"name": "IN_zk02", "external": {"api": "$JS.leaf-zk01.API"}}),
            json!({"name": "IN_zk01", "external": {"api": "$JS.leaf-zk02.API"}}),
            json!({"name": "IN_zk01", "filter_subject": "in.>", "external": {"api": "$JS.leaf-zk01.API"}}),
        ] {
            assert_eq!(differs(json!([leaf, other])), ["sources"], "{other}");
        }
    }

    #[test]
    fn a_setting_that_is_not_as_it_was_made_is_named_and_what_the_broker_fills_in_is_not() {
        let wanted =
            json!({"max_deliver": -1, "ack_policy": "explicit", "max_bytes": 10, "subjects": ["in.x.>"]});
        let found = json!({
            "max_deliver": 0, "ack_policy": "explicit", "max_bytes": 10, "subjects": ["in.x.>"],
            "metadata": {"_nats.ver": "2.15.1"}, "compression": "none", "consumer_limits": {}, "sealed": false,
        });
        assert_eq!(differences(&wanted, &found), Vec::<String>::new());
        let found = json!({
            "max_deliver": 3, "max_bytes": 9, "subjects": ["in.x.>", "other"], "a_setting_of_tomorrow": true,
        });
        assert_eq!(
            differences(&wanted, &found),
            ["a_setting_of_tomorrow", "ack_policy", "max_bytes", "max_deliver", "subjects"]
        );
    }
}
