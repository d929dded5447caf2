//! What broken senders send, and the answer it gets: the numbers are those of the list of faults.

use bytes::Bytes;
use contracts::{DecodeError, Decoded, EVENT_BYTES_MAX, Reason, Received, encode_binary};
use domain::{Event, Fact};
use serde_json::{Value, json};

use crate::samples::one_of_each;

const ID: &str = "019391f2-6f00-7a11-8c11-0d2f7a3b9c01";

/// An event as JSON; `change` makes it another.
#[expect(clippy::needless_pass_by_value, reason = "callers write the data in place")]
fn event(kind: &str, data: Value, change: impl FnOnce(&mut Value)) -> Bytes {
    let mut event = json!({
        "specversion": "1.0", "id": ID, "source": "urn:nld:kvknr:09220932:systeem:ecd",
        "type": format!("nl.doorstroom.{kind}.v1"), "time": "2026-03-02T09:14:03.120Z", "subject": "zk23-de-linde/12",
        "datacontenttype": "application/json", "region": "zk23", "data": data,
    });
    change(&mut event);
    event.to_string().into()
}

fn freed(change: impl FnOnce(&mut Value)) -> Bytes {
    let data = json!({"occurred_at": "2026-03-02T09:10:00Z", "location": "zk23-de-linde", "bed": "12"});
    event("bed.freed", data, change)
}

fn decoded(bytes: impl Into<Bytes>) -> Result<Decoded, DecodeError> {
    Received::structured(bytes.into()).decode()
}

fn refused(bytes: impl Into<Bytes>) -> (Reason, String) {
    let error = decoded(bytes).unwrap_err();
    (error.code, error.field.unwrap_or_default())
}

/// The error of an event of this kind and data.
fn faulty(kind: &str, data: Value) -> String {
    let error = decoded(event(kind, data, |_| ())).unwrap_err();
    assert_eq!(error.code, Reason::Malformed, "{error}");
    error.field.unwrap_or_default()
}

fn with_headers(change: &[(&str, Option<&str>)], body: &[u8]) -> Result<Decoded, DecodeError> {
    let sample = decoded(freed(|_| ())).unwrap().event;
    let (mut headers, _) = encode_binary(&sample);
    for (name, value) in change {
        headers.retain(|(known, _)| known != name);
        headers.extend(value.map(|value| ((*name).to_owned(), value.to_owned())));
    }
    Received::binary(headers.iter().map(|(name, value)| (name.as_str(), value.as_str())), body).decode()
}

fn body() -> Bytes {
    encode_binary(&decoded(freed(|_| ())).unwrap().event).1
}

#[test]
fn fault_1_nothing_at_all_is_empty() {
    assert_eq!(refused(Bytes::new()).0, Reason::Empty);
    assert_eq!(with_headers(&[], b"").unwrap_err().code, Reason::Empty);
    assert_eq!(
        Received::from_message([].into_iter(), Bytes::new()).decode().unwrap_err().code.code(),
        "empty"
    );
}

#[test]
fn fault_3_json_that_programs_read_differently_is_malformed() {
    let data = |data: &str| {
        freed(|event| event["data"] = json!("DATA"))
            .to_vec()
            .escape_ascii()
            .to_string()
            .replace("\\\"", "\"")
            .replace("\"DATA\"", data)
    };
    let rest = r#""occurred_at":"2026-03-02T09:10:00Z","location":"zk23-de-linde","bed":"12""#;
    assert!(decoded(data(&format!("{{{rest}}}"))).is_ok());
    for (case, field) in [
        (format!(r#"{{{rest},"bed":"13"}}"#), "data.bed"),
        (format!(r#"{{{rest},"unknown":{{"a":1,"a":1}}}}"#), "data.unknown.a"),
        (format!(r#"{{{rest},"unknown":NaN}}"#), "data.unknown"),
        (format!(r#"{{{rest},"unknown":[1e400]}}"#), "data.unknown[0]"),
        (format!(r#"{{{rest},"unknown":"\ud800"}}"#), "data.unknown"),
    ] {
        assert_eq!(refused(data(&case)), (Reason::Malformed, field.to_owned()), "{case}");
    }
    let deep = format!(r#"{{{rest},"unknown":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(refused(data(&deep)).0, Reason::Malformed);
    assert_eq!(refused("[".repeat(10_000)).0, Reason::Malformed);
    let envelope = String::from_utf8(freed(|_| ()).to_vec()).unwrap();
    let twice = envelope.replacen('{', r#"{"id":"019391f2-6f00-7a11-8c11-0d2f7a3b9c02","#, 1);
    assert_eq!(refused(twice), (Reason::Malformed, "id".to_owned()));
    assert_eq!(refused(format!("{envelope} {envelope}")).0, Reason::Malformed);
}

#[test]
fn fault_4_unknown_fields_are_kept_in_the_bytes_and_ignored() {
    let plain = decoded(freed(|_| ())).unwrap().event;
    let bytes = freed(|event| {
        event["data"]["colour"] = json!({"deep": [1, 2.5, null]});
        event["traceparent"] = json!("00-1-2-01");
        event["priority"] = json!(3);
    });
    let received = Received::structured(bytes.clone());
    assert_eq!(received.decode().unwrap().event, plain);
    assert_eq!(received.bytes(), &bytes);
    // Field 1000: a number. Field 1001: bytes.
    let unknown = [&body()[..], &[0xc0, 0x3e, 0x07, 0xca, 0x3e, 0x02, 0xff, 0xfe]].concat();
    assert_eq!(with_headers(&[("ce-colour", Some("red"))], &unknown).unwrap().event, plain);
}

#[test]
fn fault_5_a_length_of_2_gib_in_protobuf_is_malformed() {
    for field in [0x0a, 0x12] {
        let error = with_headers(&[], &[field, 0x80, 0x80, 0x80, 0x80, 0x08, b'a']).unwrap_err();
        assert_eq!((error.code, error.field.as_deref()), (Reason::Malformed, Some("data")), "{error}");
    }
}

#[test]
fn fault_6_more_than_64_kib_is_too_large() {
    let of_size = |size: usize| {
        let small = freed(|event| event["pad"] = json!("")).len();
        freed(|event| event["pad"] = json!("x".repeat(size - small)))
    };
    assert!(decoded(of_size(EVENT_BYTES_MAX)).is_ok());
    assert_eq!(refused(of_size(EVENT_BYTES_MAX + 1)).0, Reason::TooLarge);
    assert_eq!(refused(of_size(1 << 20)).0, Reason::TooLarge);
    assert_eq!(with_headers(&[], &vec![0; EVENT_BYTES_MAX]).unwrap_err().code, Reason::TooLarge);
}

#[test]
fn fault_7_a_newer_version_waits_for_an_upgrade() {
    let newer = |event: &mut Value| event["type"] = json!("nl.doorstroom.bed.freed.v2");
    assert_eq!(refused(freed(newer)), (Reason::UnknownVersion, "type".to_owned()));
    // Nothing else of it is judged.
    let other = freed(|event| *event = json!({"specversion": "1.0", "type": "nl.doorstroom.bed.freed.v2"}));
    assert_eq!(refused(other).0, Reason::UnknownVersion);
    let envelope = freed(|event| event["specversion"] = json!("2.0"));
    assert_eq!(refused(envelope), (Reason::UnknownVersion, "specversion".to_owned()));
}

/// Version 1 is the oldest there is; a later version adds its upcaster behind `recorded`, and this test stays.
#[test]
fn fault_8_the_oldest_version_is_read_from_its_stored_bytes_which_stay() {
    let now = freed(|_| {});
    let event: Value = serde_json::from_slice(&now).unwrap();
    let spaced = Bytes::from(serde_json::to_vec_pretty(&event).unwrap());
    assert_ne!(spaced, now);
    let stored = Received::structured(spaced.clone());
    let recorded = contracts::recorded(7, 1_000, stored.content_type(), stored.bytes().clone()).unwrap();
    assert_eq!(recorded.event, Received::structured(now).decode().unwrap().event);
    assert_eq!(stored.bytes(), &spaced, "nothing is written anew by reading it");
    assert_eq!((recorded.position, recorded.recorded_at.as_micros()), (7, 1_000));
}

#[test]
fn fault_9_an_unknown_type_waits_for_an_upgrade() {
    for unknown in [
        "nl.doorstroom.bed.painted.v1",
        "nl.doorstroom.bed.painted.v2",
        "nl.doorstroom.roof.freed.v1",
        "nl.doorstroom.bed.v1",
        "nl.doorstroom.bed.freed",
        "nl.doorstroom.bed.freed.v01",
        "com.example.bed.freed.v1",
        "",
    ] {
        let bytes = freed(|event| event["type"] = json!(unknown));
        assert_eq!(refused(bytes), (Reason::UnknownType, "type".to_owned()), "{unknown}");
    }
}

#[test]
fn fault_10_an_id_that_identifies_nothing_is_malformed() {
    let malformed = (Reason::Malformed, "id".to_owned());
    assert_eq!(refused(freed(|event| drop(event.as_object_mut().unwrap().remove("id")))), malformed);
    for id in [json!(""), json!(null), json!(7), json!("00000000-0000-0000-0000-000000000000"), json!("12")] {
        assert_eq!(refused(freed(|event| event["id"] = id.clone())), malformed, "{id}");
    }
    assert_eq!(refused(freed(|event| event["id"] = json!("a".repeat(60_000)))), malformed);
    assert_eq!(refused(freed(|event| event["id"] = json!("a".repeat(1 << 20)))).0, Reason::TooLarge);
}

#[test]
fn fault_20_any_moment_that_can_be_read_is_taken_and_others_are_malformed() {
    let occurred = |text: &str| decoded(freed(|event| event["data"]["occurred_at"] = json!(text)));
    for (text, read) in [
        ("2027-03-02T09:10:00Z", "2027-03-02T09:10:00.000Z"),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"),
        ("9999-12-30T00:00:00Z", "9999-12-30T00:00:00.000Z"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.000Z"),
        ("2026-03-02T10:10:00.1234567+01:00", "2026-03-02T09:10:00.123456Z"),
    ] {
        assert_eq!(occurred(text).unwrap().event.occurred_at.to_string(), read);
    }
    for text in [
        "",
        "2026-03-02T09:10:00",
        "2026-03-02",
        "gisteren",
        "9999-12-31T23:59:59-12:00",
        "0000-01-01T00:00:00+01:00",
    ] {
        let error = occurred(text).unwrap_err();
        assert_eq!(
            (error.code, error.field.as_deref()),
            (Reason::Malformed, Some("data.occurred_at")),
            "{text}"
        );
    }
}

#[test]
fn fault_21_counts_are_taken_as_sent_and_held_at_the_ends_of_64_bits() {
    let counts = |number: &str| {
        let data = json!({"occurred_at": "2026-03-02T09:10:00Z", "location": "zk23-de-linde",
            "counts": [{"care_type": "GRZ", "physical": 1, "occupied": -1, "offerable": "NUMBER"}]});
        let bytes = event("location.counts-reported", data, |_| ());
        let text = String::from_utf8(bytes.to_vec()).unwrap().replace("\"NUMBER\"", number);
        decoded(text).map(|decoded| {
            let Fact::CountsReported { counts, .. } = decoded.event.fact else { panic!("another type") };
            (counts[0].occupied, counts[0].offerable)
        })
    };
    for (number, read) in [
        ("-3", -3),
        ("9223372036854775807", i64::MAX),
        ("9223372036854775808", i64::MAX),
        ("99999999999999999999999", i64::MAX),
        ("-9223372036854775809", i64::MIN),
        ("-99999999999999999999999", i64::MIN),
    ] {
        assert_eq!(counts(number).unwrap(), (-1, read), "{number}");
    }
    for number in ["1.5", "1.0", "1e3", "true", "\"4\"", "null", "[]"] {
        let error = counts(number).unwrap_err();
        assert_eq!(error.field.as_deref(), Some("data.counts[0].offerable"), "{number}: {error}");
    }
    let data = json!({"occurred_at": "2026-03-02T09:10:00Z", "location": "zk23-de-linde", "period": "day", "max": -1});
    assert_eq!(faulty("location.intake-limit-set", data), "data.max");
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn an_error_names_the_field_and_never_its_value() {
    let at = "2026-03-02T09:10:00Z";
    let (referral, stay) = (ID, ID);
    for (kind, data, field) in [
        ("bed.freed", json!({"occurred_at": at, "location": "Jan Jansen", "bed": "12"}), "data.location"),
        ("bed.freed", json!({"occurred_at": at, "location": "zk23-a"}), "data.bed"),
        ("bed.freed", json!({"occurred_at": at, "location": "zk23-a", "bed": null}), "data.bed"),
        ("bed.freed", json!({"occurred_at": at, "location": "zk23-a", "bed": ["Jan Jansen"]}), "data.bed"),
        ("bed.freed", json!([at, "zk23-a", "12"]), "data"),
        ("bed.freed", json!("Jan Jansen"), "data"),
        ("bed.added", json!({"occurred_at": at, "location": "zk23-a", "bed": "1"}), "data.care_types"),
        (
            "bed.added",
            json!({"occurred_at": at, "location": "zk23-a", "bed": "1", "care_types": []}),
            "data.care_types",
        ),
        (
            "bed.changed",
            json!({"occurred_at": at, "location": "zk23-a", "bed": "1", "features": ["iv", ""]}),
            "data.features[1]",
        ),
        ("location.counts-reported", json!({"occurred_at": at, "location": "zk23-a"}), "data.counts"),
        (
            "location.counts-reported",
            json!({"occurred_at": at, "location": "zk23-a",
            "counts": [{"care_type": "GRZ", "physical": 1, "occupied": 1, "offerable": 1}, {"care_type": "GRZ"}]}),
            "data.counts[1].physical",
        ),
        (
            "location.windows-set",
            json!({"occurred_at": at, "location": "zk23-a",
            "windows": [{"days": ["mo"], "from": "Jan Jansen", "to": "17:00"}]}),
            "data.windows[0].from",
        ),
        (
            "location.windows-set",
            json!({"occurred_at": at, "location": "zk23-a",
            "windows": [{"from": "08:00", "to": "17:00"}]}),
            "data.windows[0].days",
        ),
        (
            "location.registered",
            json!({"occurred_at": at, "location": "zk23-a", "provider": "p", "name": "n", "mode": "beds"}),
            "data.care_types",
        ),
        (
            "location.registered",
            json!({"occurred_at": at, "location": "zk23-a", "provider": "p", "name": "n", "mode": "beds",
            "care_types": [], "postcode4": "1234 AB Jan Jansen"}),
            "data.postcode4",
        ),
        (
            "referral.withdrawn",
            json!({"occurred_at": at, "referral": referral, "reason": "Jan Jansen\n"}),
            "data.reason",
        ),
        (
            "stay.moved",
            json!({"occurred_at": at, "stay": stay, "from": {"location": "zk23-a", "bed": "1"},
            "to": {"location": "zk23-a", "bed": "Jan Jansen"}}),
            "data.to.bed",
        ),
        (
            "stay.moved",
            json!({"occurred_at": at, "stay": stay, "from": {"location": "zk23-a", "bed": "1"}}),
            "data.to",
        ),
        ("stay.plan-set", json!({"occurred_at": at, "stay": stay}), "data.items"),
        (
            "stay.plan-set",
            json!({"occurred_at": at, "stay": stay, "items": [{"item": "aid", "state": "open", "due": "Jan Jansen"}]}),
            "data.items[0].due",
        ),
        (
            "stay.admission-cancelled",
            json!({"occurred_at": at, "stay": stay, "sealed": {"scheme": "s", "key": "k", "nonce": "n"}}),
            "data.sealed.ciphertext",
        ),
        ("desk.duty-handed-over", json!({"occurred_at": at, "to": "x", "until": at}), "data.mandate"),
    ] {
        let error = decoded(event(kind, data, |_| ())).unwrap_err();
        assert_eq!((error.code, error.field.as_deref()), (Reason::Malformed, Some(field)), "{kind}: {error}");
        assert!(!error.to_string().contains("Jan Jansen"), "{error}");
        assert!(error.to_string().starts_with(&format!("malformed event: {field}: ")), "{error}");
    }
}

#[test]
fn the_envelope_is_checked_attribute_by_attribute() {
    for (attribute, wrong) in [
        ("specversion", json!(1)),
        ("source", json!("met spatie")),
        ("source", json!(null)),
        ("type", json!(null)),
        ("time", json!(null)),
        ("time", json!("2026-03-02")),
        ("subject", json!("")),
        ("datacontenttype", json!("text/xml")),
        ("datacontenttype", json!("application/protobuf")),
        ("region", json!(null)),
        ("region", json!("ZK23")),
        ("sequence", json!("-1")),
        ("sequence", json!(1)),
        ("correlationid", json!("")),
        ("causationid", json!("a\u{0}")),
        ("signature", json!("")),
        ("signature", json!("é")),
        ("data", json!(null)),
    ] {
        let (code, field) = refused(freed(|event| event[attribute] = wrong.clone()));
        assert_eq!((code, field.as_str()), (Reason::Malformed, attribute), "{wrong}");
    }
    for text in ["[]", "1", "\"\"", "null", "{}"] {
        assert_eq!(refused(text).0, Reason::Malformed, "{text}");
    }
}

#[test]
fn optional_attributes_are_handed_on() {
    let decoded = decoded(freed(|event| {
        event["sequence"] = json!("00000000000000000042");
        event["correlationid"] = json!(ID);
        event["causationid"] = json!("c");
        event["signature"] = json!("c2lnbmF0dXJl");
        event["datacontenttype"] = json!("Application/JSON; charset=utf-8");
        event.as_object_mut().unwrap().remove("subject");
    }))
    .unwrap();
    assert_eq!(decoded.sequence, Some(42));
    assert_eq!(decoded.correlation.as_deref(), Some(ID));
    assert_eq!(decoded.causation.as_deref(), Some("c"));
    assert_eq!(decoded.signature.as_deref(), Some("c2lnbmF0dXJl"));
}

#[test]
fn binary_mode_takes_protobuf_or_json_and_nothing_else() {
    let plain = decoded(freed(|_| ())).unwrap().event;
    let json = br#"{"occurred_at":"2026-03-02T09:10:00Z","location":"zk23-de-linde","bed":"12"}"#;
    let read =
        |content_type: Option<&str>, body: &[u8]| with_headers(&[("ce-datacontenttype", content_type)], body);
    assert_eq!(read(None, &body()).unwrap().event, plain);
    assert_eq!(read(Some("application/json"), json).unwrap().event, plain);
    assert!(read(Some("application/protobuf"), json).is_err());
    assert!(read(Some("application/json"), &body()).is_err());
    let error = read(Some("text/plain"), json).unwrap_err();
    assert_eq!(error.field.as_deref(), Some("datacontenttype"));
    let error = read(Some("application/json"), br#"{"bed":"1","bed":"2"}"#).unwrap_err();
    assert_eq!(error.field.as_deref(), Some("data.bed"), "{error}");
}

#[test]
fn header_tricks_are_malformed() {
    let stored = |bytes: &str| {
        let bytes = Bytes::from(bytes.to_owned());
        Received::from_stored("application/vnd.doorstroom.binary", bytes).unwrap().decode().unwrap_err().code
    };
    for headers in [
        "ce-id: a\nce-id: b\n\nx",
        "ce-type: a\nce-id: b\n\nx",
        "ce-id a\n\nx",
        "nats-rollup: all\n\nx",
        "ce-: a\n\nx",
    ] {
        assert_eq!(stored(headers), Reason::Malformed, "{headers}");
    }
    let (mut headers, body) = encode_binary(&decoded(freed(|_| ())).unwrap().event);
    headers.push(("CE-ID".to_owned(), ID.to_owned()));
    let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    assert_eq!(Received::binary(headers, &body).decode().unwrap_err().code, Reason::Malformed);
    assert_eq!(
        with_headers(&[("ce-region", Some("zk23\nce-x: y"))], &body).unwrap_err().code,
        Reason::Malformed
    );
    assert_eq!(
        with_headers(&[("ce-source", Some("urn%3Anld%3Ax"))], &body).unwrap().event.source.as_str(),
        "urn:nld:x"
    );
    assert!(Received::from_stored("text/plain", body).is_err());
}

#[test]
fn an_unknown_code_is_read_as_other_and_kept() {
    let data = json!({"occurred_at": "2026-03-02T09:10:00Z", "location": "zk23-a", "bed": "1", "reason": "maanziekte"});
    let event = decoded(event("bed.closed", data, |_| ())).unwrap().event;
    let Fact::BedClosed { reason, .. } = &event.fact else { panic!("{event:?}") };
    assert_eq!((reason.code(), reason.raw()), ("other", "maanziekte"));
}

#[test]
fn sealed_data_is_allowed_in_every_type() {
    for sample in one_of_each() {
        let sealed = json!({"scheme": "s1", "key": "k1", "nonce": "bm9uY2U=", "ciphertext": "Y2lwaGVy"});
        let mut json: Value = serde_json::from_slice(&contracts::encode_json(&sample)).unwrap();
        json["data"]["sealed"] = sealed;
        let with = decoded(json.to_string()).unwrap();
        let event: &Event = &with.event;
        assert_eq!(event.fact.kind(), sample.fact.kind());
        assert_eq!(with.sealed.as_ref().unwrap().ciphertext, "Y2lwaGVy");
        json["data"]["sealed"]["ciphertext"] = json!("YW5kZXJz");
        assert_ne!(decoded(json.to_string()).unwrap(), with, "{}: told apart", sample.fact.kind());
        json["data"]["sealed"] = json!("Jan Jansen");
        let error = decoded(json.to_string()).unwrap_err();
        assert_eq!(error.field.as_deref(), Some("data.sealed"), "{}", sample.fact.kind());
    }
}
