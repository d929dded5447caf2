//! The subscriber's side: watching the rows of the bucket `availability`, following recorded events, and alerts.
//!
//! Any NATS client can do the same; `doorstroom watch` does it through here. Not here: publishing them (`outward`),
//! and beginning again after a loss, which the caller does because only it knows what it has shown already.

use std::collections::BTreeMap;
use std::pin::Pin;

use async_nats::jetstream::consumer::{DeliverPolicy, pull};
use async_nats::jetstream::kv;
use bytes::Bytes;
use domain::RegionId;
use futures::stream::{SelectAll, Stream};
use futures::{StreamExt as _, TryStreamExt as _};
use tokio::sync::watch;

use crate::outward::{KEY_HEADER, POSITION_HEADER, RECORDED_AT_HEADER};
use crate::subjects::{ACUTE_STREAM_PREFIX, AVAILABILITY_BUCKET, acute_stream, log_stream};
use crate::{AcuteMessage, Bus};

/// What the names of the streams of recorded events begin with.
const LOG_STREAM_PREFIX: &str = "LOG_";

/// Why there is nothing to watch.
#[derive(Debug, thiserror::Error)]
pub enum InwardError {
    /// The broker does not give it.
    #[error(
        "the broker does not give {what}; check that a node publishes there and that this user may read it"
    )]
    Refused {
        /// What was to be watched.
        what: String,
        /// What the client says.
        #[source]
        source: async_nats::Error,
    },
    /// The connection broke or the stream ended: something may have been missed, so begin again.
    #[error("the broker no longer gives {what}; begin again, something may have been missed")]
    Lost {
        /// What was watched.
        what: String,
    },
}

/// A row of the bucket as it now is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowChange {
    /// Its key, as [`RowKey`](crate::subjects::RowKey) reads it.
    pub key: String,
    /// The row, JSON; `None` when it is gone.
    pub value: Option<Bytes>,
}

/// A recorded event as it is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// `log.<region>.<entity>.<event>`, as [`LogSubject`](crate::subjects::LogSubject) reads it.
    pub subject: String,
    /// Its position in the log.
    pub position: u64,
    /// When it was recorded, RFC 3339.
    pub recorded_at: String,
    /// Its key in the log, hex.
    pub key: String,
    /// Every header of the message; those of a binary CloudEvent among them.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub payload: Bytes,
}

type Boxed<T> = Pin<Box<dyn Stream<Item = Result<T, async_nats::Error>> + Send>>;

/// What is being watched, until the connection is lost.
pub struct Watched<T> {
    what: String,
    stream: SelectAll<Boxed<T>>,
    losses: watch::Receiver<u64>,
}

impl<T> std::fmt::Debug for Watched<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watched").field("what", &self.what).finish_non_exhaustive()
    }
}

impl<T> Watched<T> {
    /// The next one. Cancel-safe.
    ///
    /// # Errors
    /// [`InwardError::Lost`] when the connection breaks or the stream is gone; then nothing more comes.
    pub async fn next(&mut self) -> Result<T, InwardError> {
        let next = tokio::select! {
            next = self.stream.next() => next,
            _ = self.losses.changed() => None,
        };
        match next {
            Some(Ok(item)) => Ok(item),
            Some(Err(error)) => {
                tracing::debug!(what = self.what, %error, "a watch ended");
                Err(InwardError::Lost { what: self.what.clone() })
            }
            None => Err(InwardError::Lost { what: self.what.clone() }),
        }
    }
}

impl Bus {
    /// Every row of the board (of a region) as it is now, then each change as it comes.
    ///
    /// # Errors
    /// When there is no such bucket, or this user may not read it.
    pub async fn watch_rows(&self, region: Option<&RegionId>) -> Result<Watched<RowChange>, InwardError> {
        let mut losses = self.losses();
        losses.mark_unchanged();
        let what = format!("the bucket {AVAILABILITY_BUCKET}");
        let refused = |source| InwardError::Refused { what: what.clone(), source };
        let keys = region.map_or_else(|| ">".to_owned(), |region| format!("{region}.>"));
        let bucket = self
            .jetstream()
            .get_key_value(AVAILABILITY_BUCKET)
            .await
            .map_err(|error| refused(error.into()))?;
        let entries = bucket.watch_with_history(&keys).await.map_err(|error| refused(error.into()))?;
        let rows = entries.err_into::<async_nats::Error>().map_ok(|entry| RowChange {
            key: entry.key,
            value: (entry.operation == kv::Operation::Put).then_some(entry.value),
        });
        let rows: Boxed<RowChange> = Box::pin(rows);
        let mut stream = SelectAll::new();
        stream.push(rows);
        Ok(Watched { what, stream, losses })
    }

    /// Recorded events (of a region) as they are published; with `past`, first those the broker still keeps.
    ///
    /// Events of one region come in the order of their positions.
    ///
    /// # Errors
    /// When there is no such stream, or this user may not read it.
    pub async fn follow_events(
        &self,
        region: Option<&RegionId>,
        past: bool,
    ) -> Result<Watched<Published>, InwardError> {
        let mut losses = self.losses();
        losses.mark_unchanged();
        let what = region.map_or_else(
            || "the streams of recorded events".to_owned(),
            |region| format!("the stream {}", log_stream(region)),
        );
        let refused = |source| InwardError::Refused { what: what.clone(), source };
        let names = match region {
            Some(region) => vec![log_stream(region)],
            None => self.streams(LOG_STREAM_PREFIX).await.map_err(refused)?,
        };
        let stream = self.messages_of(&names, past, published).await.map_err(refused)?;
        Ok(Watched { what, stream, losses })
    }

    /// The position of the last recorded event of each region (of one) that the broker keeps; none where it keeps none.
    ///
    /// # Errors
    /// When there is no such stream, or this user may not read it.
    pub async fn last_events(&self, region: Option<&RegionId>) -> Result<BTreeMap<String, u64>, InwardError> {
        let what = "the last of the recorded events".to_owned();
        let refused = |source| InwardError::Refused { what: what.clone(), source };
        let names = match region {
            Some(region) => vec![log_stream(region)],
            None => self.streams(LOG_STREAM_PREFIX).await.map_err(refused)?,
        };
        let mut last = BTreeMap::new();
        for name in names {
            let region = name.strip_prefix(LOG_STREAM_PREFIX).unwrap_or_default().to_owned();
            let stream = self.jetstream().get_stream(&name).await.map_err(|error| refused(error.into()))?;
            let sequence = stream.cached_info().state.last_sequence;
            let kept = stream.cached_info().state.messages > 0;
            // It may have gone since: then nothing before it can come either.
            let message = if kept { stream.get_raw_message(sequence).await.ok() } else { None };
            let position = message.and_then(|message| {
                message.headers.get(POSITION_HEADER).and_then(|position| position.as_str().parse().ok())
            });
            if let Some(position) = position {
                last.insert(region, position);
            }
        }
        Ok(last)
    }

    /// What the broker keeps of alerts (of a centre, or of the node as `core`), then each as it comes. The same alert
    /// may come twice: it has the same id.
    ///
    /// # Errors
    /// When there is no such stream, or this user may not read it.
    pub async fn watch_alerts(&self, centre: Option<&str>) -> Result<Watched<AcuteMessage>, InwardError> {
        let mut losses = self.losses();
        losses.mark_unchanged();
        let what = centre.map_or_else(
            || "the streams of alerts".to_owned(),
            |centre| format!("the stream {}", acute_stream(centre)),
        );
        let refused = |source| InwardError::Refused { what: what.clone(), source };
        let names = match centre {
            Some(centre) => vec![acute_stream(centre)],
            None => self.streams(ACUTE_STREAM_PREFIX).await.map_err(refused)?,
        };
        let message = |message: async_nats::Message| AcuteMessage {
            subject: message.subject.to_string(),
            payload: message.payload,
        };
        let stream = self.messages_of(&names, true, message).await.map_err(refused)?;
        Ok(Watched { what, stream, losses })
    }

    async fn streams(&self, prefix: &str) -> Result<Vec<String>, async_nats::Error> {
        let names: Vec<String> = self.jetstream().stream_names().try_collect().await?;
        Ok(names.into_iter().filter(|name| name.starts_with(prefix)).collect())
    }

    async fn messages_of<T: 'static>(
        &self,
        streams: &[String],
        past: bool,
        as_item: fn(async_nats::Message) -> T,
    ) -> Result<SelectAll<Boxed<T>>, async_nats::Error> {
        if streams.is_empty() {
            return Err("there is none".into());
        }
        let mut all = SelectAll::new();
        for stream in streams {
            all.push(self.messages(stream, past, as_item).await?);
        }
        Ok(all)
    }

    async fn messages<T: 'static>(
        &self,
        stream: &str,
        past: bool,
        as_item: fn(async_nats::Message) -> T,
    ) -> Result<Boxed<T>, async_nats::Error> {
        let deliver_policy = if past { DeliverPolicy::All } else { DeliverPolicy::New };
        let consumer = self
            .jetstream()
            .get_stream_no_info(stream)
            .await?
            .create_consumer(pull::OrderedConfig { deliver_policy, ..pull::OrderedConfig::default() })
            .await?;
        let messages = consumer.messages().await?;
        Ok(Box::pin(messages.err_into().map_ok(move |message| as_item(message.message))))
    }
}

fn published(message: async_nats::Message) -> Published {
    let headers = crate::mailbox::headers(message.headers.as_ref());
    let header = |name: &str| {
        headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    Published {
        subject: message.subject.to_string(),
        position: header(POSITION_HEADER).parse().unwrap_or_default(),
        recorded_at: header(RECORDED_AT_HEADER),
        key: header(KEY_HEADER),
        payload: message.payload,
        headers,
    }
}
