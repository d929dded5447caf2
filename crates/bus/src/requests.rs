//! The bytes of a request at the counter and of its answer.
//!
//! Not here: what the messages say (`contracts::wire`), when they are sent.

use async_nats::{Message, StatusCode};
use bytes::Bytes;
use contracts::{Receipt, wire};

/// Why an answer holds no receipts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Nobody listens at the counter.
    NoRecorder,
    /// It is something else.
    Unreadable(String),
}

/// The protobuf bytes of a message of `contracts::wire`.
#[must_use]
pub fn encode<M: wire::Message>(message: &M) -> Bytes {
    message.encode_to_vec().into()
}

/// The message in these protobuf bytes. Takes memory in proportion to the bytes; the payload stays shared.
///
/// # Errors
/// When the bytes are no such message: what is wrong, for people.
pub fn decode<M: wire::Message + Default>(bytes: Bytes) -> Result<M, String> {
    M::decode(bytes).map_err(|error| error.to_string())
}

/// Whether the broker says that nobody listens where this was asked.
pub(crate) fn nobody_listens(answer: &Message) -> bool {
    answer.status == Some(StatusCode::NO_RESPONDERS)
}

/// The receipts in an answer, in the order of the events.
pub(crate) fn receipts(answer: &Message) -> Result<Vec<Receipt>, Refusal> {
    if nobody_listens(answer) {
        return Err(Refusal::NoRecorder);
    }
    let receipts: wire::Receipts = decode(answer.payload.clone()).map_err(Refusal::Unreadable)?;
    let unreadable = |error: contracts::ReceiptError| Refusal::Unreadable(error.to_string());
    receipts.receipts.into_iter().map(|receipt| Receipt::from_proto(receipt).map_err(unreadable)).collect()
}
