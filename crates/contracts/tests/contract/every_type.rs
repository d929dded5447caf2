//! Every type keeps its meaning through JSON and protobuf, and no input panics.

use std::collections::BTreeSet;

use bytes::Bytes;
use contracts::{ContentType, Received, encode_json, event_type, is_event_kind};
use domain::Fact;
use proptest::prelude::*;

use crate::samples::{event, facts, one_of_each, received_binary};

#[test]
fn there_is_a_sample_of_every_type() {
    let sampled: BTreeSet<_> = one_of_each().iter().map(|event| event.fact.kind()).collect();
    assert_eq!(sampled, Fact::KINDS.iter().copied().collect());
    assert_eq!(facts().len(), Fact::KINDS.len());
}

#[test]
fn every_type_is_a_kind_of_the_log_and_its_own_records_are_not() {
    for event in one_of_each() {
        assert!(is_event_kind(&event_type(&event.fact)), "{}", event.fact.kind());
    }
    let others =
        ["bed.freed", "nl.doorstroom.bed.freed.v2", "nl.doorstroom.bed.freed.v01", "nl.doorstroom..v1"];
    for kind in [contracts::QUARANTINED_KIND, contracts::CONFLICT_KIND].into_iter().chain(others) {
        assert!(!is_event_kind(kind), "{kind}");
    }
}

#[test]
fn the_longest_list_of_places_that_is_kept_fits_an_event() {
    let list = one_of_each().into_iter().find_map(|event| {
        let Fact::ReferralMatched(list) = &event.fact else { return None };
        Some((event.clone(), list.clone()))
    });
    let (event, list) = list.unwrap();
    let location = "a".repeat(64).parse::<domain::LocationId>().unwrap();
    let can = domain::Candidate {
        location: location.clone(),
        care_type: "WLZ_CRISIS".into(),
        bed: "1".repeat(32).parse().ok(),
        score: 100,
        parts: domain::Parts { fit: 100, distance: 100, wish: 100, truth: 100, spread: 100 },
        minutes: Some(u32::MAX),
        primary: false,
        spare: domain::Feature::KNOWN.iter().map(|code| (*code).into()).collect(),
        answers: 20,
        answers_true: 20,
        recent: u32::MAX,
        unanswered: true,
    };
    let about = Some("x".repeat(128).parse().unwrap());
    let reason = domain::Exclusion { code: "intake-limit-reached".into(), about };
    let cannot = domain::Excluded { location, reasons: vec![reason; 8] };
    for (candidates, excluded) in [
        (vec![can.clone(); 900], Vec::new()),
        (Vec::new(), vec![cannot.clone(); 900]),
        (vec![can; 20], vec![cannot; 20]),
    ] {
        let kept = domain::Matched { candidates, excluded, ..list.clone() }.kept();
        assert!(kept.candidates.len() + kept.excluded.len() > 20, "{}", kept.left_off);
        let event = domain::Event { fact: Fact::ReferralMatched(kept), ..event.clone() };
        let bytes = encode_json(&event);
        assert!(bytes.len() <= contracts::EVENT_BYTES_MAX, "{}", bytes.len());
    }
}

#[test]
fn an_event_cut_short_at_any_byte_is_refused() {
    for event in one_of_each() {
        for whole in [Received::structured(encode_json(&event)), received_binary(&event)] {
            assert_eq!(whole.decode().unwrap().event, event);
            for length in 0..whole.bytes().len() {
                let cut = Received::from_stored(whole.content_type(), whole.bytes().slice(..length)).unwrap();
                assert!(cut.decode().is_err(), "{} of {}", length, event.fact.kind());
            }
        }
    }
}

#[test]
fn every_required_field_is_missed_by_name() {
    for event in one_of_each() {
        let whole: serde_json::Value = serde_json::from_slice(&encode_json(&event)).unwrap();
        for field in whole["data"].as_object().unwrap().keys() {
            let mut without = whole.clone();
            without["data"].as_object_mut().unwrap().remove(field);
            let bytes = serde_json::to_vec(&without).unwrap();
            match Received::structured(bytes.into()).decode() {
                // Optional: then it is another event, or the field had the value that is meant without it.
                Ok(decoded) => assert_ne!(field, "occurred_at", "{:?}", decoded.event),
                Err(error) => assert_eq!(error.field, Some(format!("data.{field}")), "{error}"),
            }
        }
    }
}

#[test]
fn a_field_of_another_kind_is_named() {
    for event in one_of_each() {
        let whole: serde_json::Value = serde_json::from_slice(&encode_json(&event)).unwrap();
        for field in whole["data"].as_object().unwrap().keys() {
            for wrong in [serde_json::json!({"a": [1]}), serde_json::json!(1.5), serde_json::json!([[]])] {
                let mut other = whole.clone();
                other["data"][field] = wrong;
                let bytes = serde_json::to_vec(&other).unwrap();
                let error = Received::structured(bytes.into()).decode().unwrap_err();
                let named = error.field.clone().unwrap_or_default();
                assert!(named.starts_with(&format!("data.{field}")), "{} {error}", event.fact.kind());
            }
        }
    }
}

proptest! {
    #[test]
    fn json_keeps_the_meaning(event in event()) {
        let received = Received::structured(encode_json(&event));
        prop_assert_eq!(&received.decode().unwrap().event, &event);
    }

    #[test]
    fn protobuf_keeps_the_meaning(event in event()) {
        let received = received_binary(&event);
        prop_assert_eq!(received.content_type(), ContentType::Binary.as_str());
        prop_assert_eq!(&received.decode().unwrap().event, &event);
        let stored = Received::from_stored(received.content_type(), received.bytes().clone()).unwrap();
        prop_assert_eq!(stored.content_hash(), received.content_hash());
    }

    #[test]
    fn a_record_gives_the_event_back(event in event(), position in 1..u64::MAX, recorded_at in any::<i64>()) {
        let received = received_binary(&event);
        let bytes = received.bytes().clone();
        let recorded = contracts::recorded(position, recorded_at, received.content_type(), bytes).unwrap();
        prop_assert_eq!(recorded.position, position);
        prop_assert_eq!(recorded.recorded_at.as_micros(), recorded_at);
        prop_assert_eq!(recorded.event, event);
    }

    #[test]
    fn random_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        for content_type in [ContentType::StructuredJson, ContentType::Binary] {
            let received = Received::from_stored(content_type.as_str(), Bytes::from(bytes.clone())).unwrap();
            prop_assert!(received.decode().is_err());
        }
    }

    #[test]
    fn damaged_events_never_panic(
        event in event(),
        damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..8),
    ) {
        for whole in [Received::structured(encode_json(&event)), received_binary(&event)] {
            let mut bytes = whole.bytes().to_vec();
            for (index, value) in &damage {
                let at = index.index(bytes.len());
                bytes[at] = *value;
            }
            let damaged = Received::from_stored(whole.content_type(), bytes.into()).unwrap();
            // What can still be read can be written and read again.
            if let Ok(decoded) = damaged.decode() {
                let again = Received::structured(encode_json(&decoded.event)).decode().unwrap();
                prop_assert_eq!(again.event, decoded.event);
            }
        }
    }

    #[test]
    fn a_random_body_never_panics(event in event(), body in proptest::collection::vec(any::<u8>(), 0..300)) {
        let (headers, _) = contracts::encode_binary(&event);
        let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        // Random bytes can be a message of unknown fields, but never one that says when it happened.
        prop_assert!(Received::binary(headers, &body).decode().is_err());
    }
}
