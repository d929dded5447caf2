//! What a signature covers, and what it does not take.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use contracts::signature::{
    SignError, SignatureError, SigningSeed, Unchecked, sign, unchecked, verify_batch,
};
use contracts::{Ask, Receipt, Received, encode_json};
use proptest::prelude::*;

use crate::samples::{event, one_of_each, received_binary};

/// The bytes 0 to 31, as a user nkey writes them.
const SEED: &str = "SUAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H776Y";
const PUBLIC: &str = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";
const EXAMPLE: &str = concat!(
    r#"{"specversion":"1.0","id":"019391f2-6f00-7a11-8c11-0d2f7a3b9c01","source":"urn:nld:kvknr:09220932:systeem:ecd","#,
    r#""type":"nl.doorstroom.bed.freed.v1","time":"2026-03-02T09:14:03.120Z","subject":"zk23-de-linde/12","#,
    r#""datacontenttype":"application/json","region":"zk23","#,
    r#""data":{"occurred_at":"2026-03-02T09:10:00.000Z","location":"zk23-de-linde","bed":"12"}}"#,
);

fn seed() -> SigningSeed {
    SEED.parse().unwrap()
}

/// A seed of these bytes.
fn seed_of(number: u8) -> SigningSeed {
    let pair = nkeys::KeyPair::new_from_raw(nkeys::KeyPairType::User, [number; 32]).unwrap();
    pair.seed().unwrap().parse().unwrap()
}

fn text(event: &Received) -> String {
    String::from_utf8(event.bytes().to_vec()).unwrap()
}

fn value(event: &Received) -> String {
    event.decode().unwrap().signature.unwrap()
}

fn taken(event: &Received) -> Option<Unchecked> {
    let decoded = event.decode().ok()?;
    unchecked(event, &decoded).ok()?
}

fn verifies(event: &Received, seed: &SigningSeed) -> bool {
    taken(event).is_some_and(|unchecked| verify_batch(&[(unchecked, [seed.public()])]) == [true])
}

#[test]
fn an_independent_program_makes_the_same_signatures() {
    let public = seed().public().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    assert_eq!(public, PUBLIC);
    let json = sign(&Received::structured(EXAMPLE.into()), &seed()).unwrap();
    let signature = "Y6FwUxXn8d4Gp4heLxgFtfEZVaK5EavUKwGRTyystBjMIqMgmcT9h2FI5GsYcjQilV-tBMuv1VkBgsS8wS-nCQ";
    let expected = format!(r#"{},"signature":"{signature}"}}"#, EXAMPLE.strip_suffix('}').unwrap());
    assert_eq!(text(&json), expected);
    assert!(verifies(&json, &seed()));
    let event = Received::structured(EXAMPLE.into()).decode().unwrap().event;
    let binary = sign(&received_binary(&event), &seed()).unwrap();
    let signature = "jr2O71RVTKQ5B3OtSoKdcxMNChgPaImJ2Lw6Bdf1Q3zImuM8Vn3pDaVVwsndXZUA2TuzOg1Zb3DUJMMqDOMhDw";
    assert_eq!(value(&binary), signature);
    assert!(verifies(&binary, &seed()));
}

#[test]
fn what_three_lines_of_python_sign_is_taken() {
    // Written by `json.dumps`, which puts a space behind colons and commas.
    let body = concat!(
        r#"{"specversion": "1.0", "id": "019391f2-6f00-7a11-8c11-0d2f7a3b9c01", "#,
        r#""source": "urn:nld:kvknr:09220932:systeem:ecd", "type": "nl.doorstroom.bed.freed.v1", "#,
        r#""time": "2026-03-02T09:14:03.120Z", "subject": "zk23-de-linde/12", "#,
        r#""datacontenttype": "application/json", "region": "zk23", "#,
        r#""data": {"occurred_at": "2026-03-02T09:10:00.000Z", "location": "zk23-de-linde", "bed": "12"}, "#,
        r#""signature": "zBhPdCoNWZvP_btrVnQ6TS7xL8K1lVyp0lTYRTKOUnlWvECVvn0VjOefwNX9tXpitlxB8_4y3BbiNXy6TvjvCw"}"#,
    );
    let event = Received::structured(body.into());
    assert!(verifies(&event, &seed()));
    let bare = body.replace(&value(&event), "");
    assert_eq!(sign(&Received::structured(bare.into()), &seed()).unwrap(), event);
}

#[test]
fn every_type_is_signed_in_both_forms_and_keeps_its_meaning() {
    for event in one_of_each() {
        for plain in [Received::structured(encode_json(&event)), received_binary(&event)] {
            let signed = sign(&plain, &seed()).unwrap();
            let decoded = signed.decode().unwrap();
            assert_eq!(decoded.event, event);
            assert!(verifies(&signed, &seed()), "{}", event.fact.kind());
            assert!(!verifies(&signed, &seed_of(1)), "{}", event.fact.kind());
            assert!(taken(&plain).is_none(), "unsigned");
        }
    }
}

#[test]
fn any_change_of_any_byte_of_a_signed_event_fails() {
    let event = Received::structured(EXAMPLE.into()).decode().unwrap().event;
    for signed in [
        sign(&Received::structured(EXAMPLE.into()), &seed()).unwrap(),
        sign(&received_binary(&event), &seed()).unwrap(),
    ] {
        for at in 0..signed.bytes().len() {
            for bit in 0..8 {
                let mut bytes = signed.bytes().to_vec();
                bytes[at] ^= 1 << bit;
                let changed = Received::from_stored(signed.content_type(), bytes.into()).unwrap();
                assert!(!verifies(&changed, &seed()), "byte {at}, bit {bit}");
            }
        }
    }
}

#[test]
fn a_value_that_is_moved_doubled_or_written_otherwise_fails() {
    let signed = sign(&Received::structured(EXAMPLE.into()), &seed()).unwrap();
    let (whole, value) = (text(&signed), value(&signed));
    let without = whole.replace(&value, "");
    let checked = |text: String| {
        let event = Received::structured(text.into());
        event.decode().map(|decoded| unchecked(&event, &decoded))
    };
    let moved = without.replace(r#""bed":""#, &format!(r#""bed":"{value}"#));
    assert!(checked(moved).is_err(), "an empty signature is none");
    // Cut out there, the rest is what was signed; but the attribute says the value in another way, so it is not there.
    let escaped =
        value.chars().fold(String::new(), |text, char| text + &format!("\\u{:04x}", u32::from(char)));
    assert_eq!(checked(whole.replace(&value, &escaped)).unwrap().unwrap_err(), SignatureError::NotOnce);
    let elsewhere = whole.replace(r#""data":{"#, &format!(r#""note":"{value}","data":{{"#));
    assert_eq!(checked(elsewhere).unwrap().unwrap_err(), SignatureError::NotOnce);
    let both = whole.replace(&value, &escaped).replace(r#""data":{"#, &format!(r#""x":"{value}","data":{{"#));
    let event = Received::structured(both.into());
    assert!(!verifies(&event, &seed()));
    for other in [format!("{value}=="), value[1..].to_owned(), format!("{value}A"), "x".to_owned()] {
        assert_eq!(
            checked(whole.replace(&value, &other)).unwrap().unwrap_err(),
            SignatureError::NotBase64Url,
            "{other}"
        );
    }
    // The last character has four bits that say nothing.
    let last = whole.replace(&value, &format!("{}B", &value[..85]));
    assert!(matches!(checked(last), Ok(Err(SignatureError::NotBase64Url))));
}

#[test]
fn the_standard_alphabet_of_base64_is_not_taken() {
    let plain = Received::structured(EXAMPLE.into());
    let signed = sign(&plain, &seed()).unwrap();
    let value = value(&signed);
    assert!(value.contains(['-', '_']), "this example tells the alphabets apart");
    let standard = value.replace('-', "+").replace('_', "/");
    let event = Received::structured(text(&signed).replace(&value, &standard).into());
    let decoded = event.decode().unwrap();
    assert_eq!(unchecked(&event, &decoded).unwrap_err(), SignatureError::NotBase64Url);
}

#[test]
fn signing_changes_no_other_byte_and_fills_only_an_empty_place() {
    let odd =
        r#" { "signature" :  "" , "data":{"signature":"","x":"\"signature\":\"\""} , "é":["signature"] } "#;
    let signed = text(&sign(&Received::structured(odd.into()), &seed()).unwrap());
    let (before, after) = odd.split_at(odd.find(r#""" ,"#).unwrap() + 1);
    assert!(signed.starts_with(before) && signed.ends_with(after));
    assert_eq!(signed.len(), odd.len() + 86);
    let spaced = "{\"data\":{ }\n}\n";
    let signed = text(&sign(&Received::structured(spaced.into()), &seed()).unwrap());
    assert!(signed.starts_with("{\"data\":{ }\n,\"signature\":\"") && signed.ends_with("\"}\n"), "{signed}");
    for taken in [r#"{"signature":"x"}"#, r#"{"signature":null}"#, r#"{"s\u0069gnature":""}"#] {
        let error = sign(&Received::structured(taken.into()), &seed()).unwrap_err();
        assert_eq!(error, SignError::Taken, "{taken}");
    }
    for none in ["", "[]", "\"signature\"", "{", r#"{"signature":"","signature":""}"#] {
        let error = sign(&Received::structured(none.into()), &seed()).unwrap_err();
        assert!(matches!(error, SignError::NoEvent(_)), "{none}");
    }
    assert_eq!(sign(&Received::structured(signed.into()), &seed()).unwrap_err(), SignError::Taken);
}

#[test]
fn a_batch_says_of_each_whether_it_is_good() {
    let signed = |number: u8, with: u8| {
        let event = EXAMPLE.replace(r#""bed":"12""#, &format!(r#""bed":"{number}""#));
        taken(&sign(&Received::structured(event.into()), &seed_of(with)).unwrap()).unwrap()
    };
    let mut items: Vec<(Unchecked, Vec<[u8; 32]>)> = (0..200)
        .map(|number| (signed(number, number % 5 + 1), vec![seed_of(number % 5 + 1).public()]))
        .collect();
    assert_eq!(verify_batch(&items), [true; 200]);
    let none: [(Unchecked, Vec<[u8; 32]>); 0] = [];
    assert!(verify_batch(&none).is_empty());
    items[0].1 = vec![seed_of(9).public(), seed_of(1).public()];
    items[1].1 = Vec::new();
    items[2].1 = vec![[0; 32]];
    items[3].1 = vec![seed_of(9).public()];
    items[199].0 = signed(1, 9);
    let bad = [1, 2, 3, 199];
    let expected: Vec<bool> = (0..200).map(|number| !bad.contains(&number)).collect();
    assert_eq!(verify_batch(&items), expected);
}

#[test]
fn a_seed_shows_nothing_of_itself() {
    assert_eq!(format!("{:?}", seed()), "SigningSeed(hidden)");
    assert!(format!("{SEED}\n").parse::<SigningSeed>().is_ok());
    let public = nkeys::KeyPair::from_seed(SEED).unwrap().public_key();
    let account = nkeys::KeyPair::new_from_raw(nkeys::KeyPairType::Account, [1; 32]).unwrap().seed().unwrap();
    for wrong in ["", "SU", &SEED[..57], &SEED.replace("AAAI", "AAAJ"), &public, &account] {
        let error = wrong.parse::<SigningSeed>().unwrap_err().to_string();
        assert!(wrong.len() < 3 || !error.contains(wrong), "{error}");
    }
}

#[test]
fn what_is_asked_is_told_from_a_receipt() {
    let ask = Ask { since_position: 12, why: "the mailbox is a new one".to_owned() };
    assert_eq!(
        ask.to_json(),
        br#"{"ask":"send-again","since_position":12,"why":"the mailbox is a new one"}"#
    );
    assert_eq!(Ask::from_json(&ask.to_json()).unwrap(), ask);
    assert!(Receipt::from_json(&ask.to_json()).is_err());
    for other in [r#"{"ask":"stop"}"#, r#"{"outcome":"recorded"}"#, "", "[]"] {
        assert!(Ask::from_json(other.as_bytes()).is_err(), "{other}");
    }
}

proptest! {
    #[test]
    fn a_signed_event_with_anything_put_in_taken_out_or_exchanged_fails(
        event in event(),
        binary: bool,
        cut in any::<prop::sample::Index>(),
        taken_out in 0_usize..100,
        put_in in prop_oneof![Just(String::new()), "[ -~]{0,12}", Just("\n".to_owned())],
    ) {
        let plain = if binary { received_binary(&event) } else { Received::structured(encode_json(&event)) };
        let signed = sign(&plain, &seed()).unwrap();
        prop_assert!(verifies(&signed, &seed()));
        let mut bytes = signed.bytes().to_vec();
        let at = cut.index(bytes.len());
        let end = bytes.len().min(at + taken_out);
        bytes.splice(at..end, put_in.bytes());
        prop_assume!(bytes != *signed.bytes());
        let changed = Received::from_stored(signed.content_type(), Bytes::from(bytes)).unwrap();
        prop_assert!(!verifies(&changed, &seed()));
    }

    #[test]
    fn the_value_put_at_any_other_place_fails(event in event(), binary: bool, to in any::<prop::sample::Index>()) {
        let plain = if binary { received_binary(&event) } else { Received::structured(encode_json(&event)) };
        let signed = sign(&plain, &seed()).unwrap();
        let value = value(&signed);
        let bytes = signed.bytes();
        let from = bytes.windows(value.len()).position(|window| window == value.as_bytes()).unwrap();
        let mut bare = bytes.to_vec();
        bare.drain(from..from + value.len());
        let to = to.index(bare.len());
        prop_assume!(to != from);
        for attribute in [String::new(), "A".repeat(86), URL_SAFE_NO_PAD.encode([0; 64])] {
            let mut moved = bare.clone();
            moved.splice(to..to, value.bytes());
            let hole = if to < from { from + value.len() } else { from };
            moved.splice(hole..hole, attribute.bytes());
            let moved = Received::from_stored(signed.content_type(), Bytes::from(moved)).unwrap();
            prop_assert!(!verifies(&moved, &seed()));
        }
    }
}
