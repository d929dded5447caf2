//! NATS: connections, subjects, mailboxes, the counter, key-value rows, provisioning, the ordered sender.
//!
//! The only crate that knows the NATS client. Not here: what a message means (`contracts`), whether it is taken
//! (`recorder`), what a row says (`views`).

mod acute;
mod admin;
pub mod alarm;
mod broker;
mod connection;
mod counter;
mod denial;
pub mod inward;
mod leaf;
mod limits;
mod login;
mod mailbox;
mod mirrors;
mod outbox;
pub mod outward;
mod provision;
pub mod provisioner;
mod requests;
mod sender;
pub mod server;
mod service;
pub mod subjects;
mod visitors;

pub use acute::AcuteMessage;
pub use admin::{AdminRequest, AdminRequests, QUARANTINE_DISCARD, QUARANTINE_RELEASE};
pub use broker::{BROKER_VERSION_MIN, BrokerError, Monitoring};
pub use connection::{BROKER_REFUSED, Bus, Config, ConnectError, Server};
pub use counter::{Counted, Counter, PROTOBUF, PublishError, ReplyTo, RequestError};
pub use denial::Denial;
pub use leaf::SEED_VARIABLE;
pub use limits::Limits;
pub use login::{Login, Logins};
pub use mailbox::{ConsumerSight, Delivery, GivenOut, Mailbox, MailboxError, Sight, StreamSight, Ticket};
pub use outbox::{OUTBOX_BYTES_MIN, Outbox, OutboxError, OutboxLimits, Place, Told};
pub use provision::{MailboxLimits, ProvisionError};
pub use requests::{decode, encode};
pub use sender::{CONNECTIONS_MAX, Door, IN_FLIGHT_MAX, Order, Outgoing, SendError, Sender, SenderConfig};
pub use service::{Request, Requests};
pub use visitors::Visitor;
