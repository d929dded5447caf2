//! A message that was kept aside, judged once more by the registry and the contract of today. Pure.
//!
//! Not here: what is done with the answer (`quarantine`).

use bus::subjects::ReceiptSubject;
use contracts::{ContentType, Received, wire};
use domain::Timestamp;
use network::Network;

use crate::judge::{Accepted, BAD_SIGNATURE, Refused, judge_event, undecodable};

/// The code of a request that was kept whole: what of it is an event, only its sender can say.
const WHOLE_REQUEST: &str = "whole_request";

/// Whose message it was, as far as its subject said.
pub(super) fn party(kept: &wire::Quarantined) -> Option<ReceiptSubject> {
    Some(ReceiptSubject { region: kept.region.parse().ok()?, sender: kept.sender.parse().ok()? })
}

/// The event in a message kept aside, or why it is still none.
pub(super) fn judge(
    network: &Network,
    now: Timestamp,
    kept: &wire::Quarantined,
) -> Result<Accepted, Refused> {
    if kept.content_type == bus::PROTOBUF {
        let detail = "a whole request was kept, and not an event; its sender must send its events again";
        return Err(Refused::new(WHOLE_REQUEST, detail));
    }
    let mut accepted = judge_event(network, now, party(kept).as_ref(), received(kept)?)?;
    if let Some(signed) = accepted.signed.take()
        && contracts::signature::verify_batch(&[signed]) != [true]
    {
        let detail = "the signature is not of a key of this source that is valid now";
        return Err(Refused::of(&accepted.decoded.event, BAD_SIGNATURE, detail));
    }
    Ok(accepted)
}

/// The bytes as the log would have stored them: of a message in binary mode the headers are part of the event.
fn received(kept: &wire::Quarantined) -> Result<Received, Refused> {
    let with_headers = kept.content_type == ContentType::Binary.as_str()
        && kept.headers.iter().any(|header| header.name.eq_ignore_ascii_case("ce-specversion"));
    if with_headers {
        let headers = kept.headers.iter().map(|header| (header.name.as_str(), header.value.as_str()));
        return Ok(Received::from_message(headers, kept.raw.clone()));
    }
    Received::from_stored(&kept.content_type, kept.raw.clone()).map_err(|error| undecodable(&error))
}
