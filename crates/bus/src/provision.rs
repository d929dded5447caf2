//! Making the mailbox streams and their consumers, again and again with the same outcome.
//!
//! Not here: streams and buckets of the way out (`provisioner`). Only the provisioner's connection may do this.

use std::time::Duration;

use async_nats::jetstream::{consumer, stream};
use domain::RegionId;

use crate::connection::{Bus, ConnectError};
use crate::leaf;
use crate::limits::Limits;
use crate::subjects::{InSubject, mailbox_stream};

/// The consumer through which the recorder reads a mailbox.
pub(crate) const CONSUMER: &str = "rec";
/// Messages given out and not yet acknowledged: one pull. The broker gives no more, so this is also the recorder's memory.
pub(crate) const PULL_MAX: usize = 256;

/// Room for the `ce-` headers of a binary event beside its 64 KiB.
const HEADER_BYTES_MAX: usize = 4 * 1024;
/// The recorder's acknowledgement is awaited this long before the message is given out again.
const ACK_WAIT: Duration = Duration::from_secs(30);
/// The smallest window the broker takes (0 means its default of two minutes). A message id is only compared within
/// its stream, not with its body: within a window one sender could make another's event vanish. The log knows what
/// it has, so the broker need not.
const DUPLICATE_WINDOW: Duration = Duration::from_millis(100);

/// How much a mailbox keeps. What is full refuses (and its senders wait); what is old goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailboxLimits {
    /// Bytes on disk for one region; the broker reserves them.
    pub bytes: i64,
    /// How long a message is kept, recorded or not; longer than any outage of the recorder.
    pub age: Duration,
}

impl Default for MailboxLimits {
    /// 128 MiB (a hundred days of a busy region, and all 31 regions fit in 4 GiB) and 30 days.
    fn default() -> Self {
        Self { bytes: 128 * 1024 * 1024, age: Duration::from_hours(30 * 24) }
    }
}

/// Why something could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    /// The broker does not let the provisioner in.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The broker refuses the stream.
    #[error(
        "the stream {stream} can not be made as it should be; check the broker's limits and this user's rights"
    )]
    Refused {
        /// The stream.
        stream: String,
        /// What the broker says.
        #[source]
        source: async_nats::Error,
    },
    /// The broker refuses the consumer.
    #[error("the consumer {CONSUMER} of {stream} can not be made; check this user's rights")]
    Consumer {
        /// The stream.
        stream: String,
        /// What the broker says.
        #[source]
        source: stream::ConsumerError,
    },
}

impl Bus {
    /// Makes the mailbox of a region, or brings an existing one to these settings. Nothing in it is lost.
    ///
    /// # Errors
    /// When the broker refuses the stream or its consumer.
    pub async fn provision_mailbox(
        &self,
        region: &RegionId,
        limits: MailboxLimits,
    ) -> Result<(), ProvisionError> {
        self.make_mailbox(region, &Limits { mailbox: limits, ..Limits::default() }, false).await
    }

    /// The same, with as many copies as there are to be, and the mail of the region's leaf if it has one.
    pub(crate) async fn make_mailbox(
        &self,
        region: &RegionId,
        limits: &Limits,
        leaf: bool,
    ) -> Result<(), ProvisionError> {
        let name = mailbox_stream(region);
        let sources = if leaf { Some(vec![leaf::source(region)]) } else { None };
        self.make_mailbox_stream(region, limits, sources).await?;
        let refused = |source| ProvisionError::Consumer { stream: name.clone(), source };
        // Creating a consumer with the settings it has is no change, and its place in the stream stays.
        let Err(error) = self.jetstream().create_consumer_on_stream(consumer_config(), &*name).await else {
            return Ok(());
        };
        if self.jetstream().delete_consumer_from_stream(CONSUMER, &name).await.is_err() {
            return Err(refused(error));
        }
        // Some settings can not be changed back. What it has given out is no loss: where reading begins is what the log says.
        tracing::warn!(stream = name, %error, "the consumer of a mailbox can not be set back and is made anew");
        self.jetstream().create_consumer_on_stream(consumer_config(), &*name).await.map_err(refused)?;
        Ok(())
    }

    /// The stream alone: at a leaf nobody reads it but the node's broker, with a consumer of its own.
    pub(crate) async fn make_mailbox_stream(
        &self,
        region: &RegionId,
        limits: &Limits,
        sources: Option<Vec<stream::Source>>,
    ) -> Result<(), ProvisionError> {
        let name = mailbox_stream(region);
        let config = stream::Config {
            num_replicas: usize::from(limits.replicas),
            sources,
            ..stream_config(region, limits.mailbox)
        };
        let made = self.jetstream().create_or_update_stream(config).await;
        made.map_err(|source| ProvisionError::Refused { stream: name.clone(), source: source.into() })?;
        Ok(())
    }
}

/// The greatest message a mailbox takes, in bytes.
pub(crate) fn message_bytes_max() -> usize {
    contracts::EVENT_BYTES_MAX.saturating_add(HEADER_BYTES_MAX)
}

/// The settings of a mailbox.
pub(crate) fn stream_config(region: &RegionId, limits: MailboxLimits) -> stream::Config {
    stream::Config {
        name: mailbox_stream(region),
        description: Some(format!("What is sent from {region}, until it is recorded")),
        subjects: vec![InSubject::all_of(region)],
        storage: stream::StorageType::File,
        retention: stream::RetentionPolicy::Limits,
        discard: stream::DiscardPolicy::New,
        max_bytes: limits.bytes,
        max_age: limits.age,
        max_message_size: i32::try_from(message_bytes_max()).unwrap_or(i32::MAX),
        duplicate_window: DUPLICATE_WINDOW,
        deny_delete: true,
        deny_purge: true,
        allow_rollup: false,
        allow_direct: false,
        num_replicas: 1,
        ..stream::Config::default()
    }
}

/// The settings of its consumer.
pub(crate) fn consumer_config() -> consumer::pull::Config {
    consumer::pull::Config {
        durable_name: Some(CONSUMER.to_owned()),
        description: Some("The recorder".to_owned()),
        deliver_policy: consumer::DeliverPolicy::All,
        ack_policy: consumer::AckPolicy::Explicit,
        ack_wait: ACK_WAIT,
        // Without end: what can not be recorded is quarantined, never skipped by the broker.
        max_deliver: -1,
        max_ack_pending: i64::try_from(PULL_MAX).unwrap_or(i64::MAX),
        ..consumer::pull::Config::default()
    }
}
