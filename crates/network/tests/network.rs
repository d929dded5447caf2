//! What a network file promises: it is taken as a whole or refused at a place, and nothing is lost on the way.
#![expect(clippy::unwrap_used, reason = "test code: a failed unwrap is the failed test")]

use std::collections::{BTreeMap, BTreeSet};

use domain::{Fact, LocationId, RegionId, SourceId};
use network::{Kind, Network, NetworkError, Signature};

const SMALL: &str = r#"
[[region]]
code = "zk01"
name = "Amstelland"
desk = { name = "Loket", phone = "020 000 0000", hours = "8-22 uur" }
tile = { column = 2, row = 4 }

[[region]]
code = "zk02"
name = "Amsterdam"
desk = { name = "Loket \"Centrum\"", phone = "020 000 0001", hours = "dag en nacht" }

[[centre]]
code = "noordwest"
name = "Noordwest"
regions = ["zk02", "zk01"]

[[location]]
id = "zk01-de-linde"
region = "zk01"
name = "De Linde"
phone = "020 000 0002"

[[source]]
id = "urn:nld:kvknr:00000001:systeem:loket"
name = "loket"
kind = "desk"
region = "zk01"

[[source]]
id = "urn:nld:kvknr:00000002:systeem:ecd"
name = "de-linde"
kind = "location"
region = "zk01"
may_send = ["bed.*", "stay.admitted"]
signature = "required"
"#;

fn region(code: &str) -> RegionId {
    code.parse().unwrap()
}

/// The line, the key and the sentence with which the small file is refused after one replacement.
fn refusal(from: &str, to: &str) -> (usize, String, String) {
    assert!(SMALL.contains(from), "the small file has no {from}");
    let error = Network::from_toml("net.toml", &SMALL.replacen(from, to, 1)).unwrap_err();
    let shown = error.to_string();
    let NetworkError::Wrong { file, line, key, problem } = error else { unreachable!("{shown}") };
    assert_eq!(shown, format!("{file}:{line}: {key}: {problem}"));
    assert_eq!(file, "net.toml");
    (line, key, problem)
}

#[test]
fn the_default_has_the_31_regions_each_with_its_own_desk_number_tile_and_centre() {
    let network = Network::default_dutch().unwrap();
    assert_eq!(network.regions().len(), 31);
    let tiles: BTreeSet<_> = network.regions().map(|region| region.tile.unwrap()).collect();
    let phones: BTreeSet<_> = network.regions().map(|region| region.desk.phone.clone()).collect();
    assert_eq!((tiles.len(), phones.len()), (31, 31));
    assert!(phones.iter().all(|phone| phone.as_str().starts_with("0800-000-00")));
    assert!(network.regions().all(|region| !region.centres.is_empty()));
    assert_eq!(network.sources().len(), 0);
    let utrecht = network.region(&region("zk23")).unwrap();
    assert_eq!((utrecht.name.as_str(), utrecht.desk.name.as_str()), ("Utrecht", "Regioloket Utrecht"));
    assert!(network.region(&region("zk05")).is_none(), "05 was merged away");
}

#[test]
fn the_example_in_the_documentation_is_a_network() {
    let source = include_str!("../src/lib.rs");
    let example = source.split("```").nth(1).unwrap().strip_prefix("toml").unwrap().replace("\n//!", "\n");
    let network = Network::from_toml("example.toml", &example).unwrap();
    assert_eq!((network.regions().len(), network.locations().len(), network.sources().len()), (1, 1, 1));
}

#[test]
fn what_is_written_reads_back_equal() {
    let examples = [Network::default_dutch().unwrap(), Network::from_toml("net.toml", SMALL).unwrap()];
    for network in examples {
        let text = network.to_toml();
        assert_eq!(Network::from_toml("again.toml", &text).unwrap(), network);
        assert_eq!(Network::from_toml("again.toml", &text).unwrap().to_toml(), text);
    }
}

#[test]
fn parties_are_found_by_what_they_are_called() {
    let network = Network::from_toml("net.toml", SMALL).unwrap();
    let id: SourceId = "urn:nld:kvknr:00000002:systeem:ecd".parse().unwrap();
    let source = network.source(&id).unwrap();
    assert_eq!(network.source_named(&region("zk01"), "de-linde"), Some(source));
    assert_eq!(
        network.source_named(&region("zk02"), "de-linde"),
        None,
        "a sender has its name in its own region"
    );
    assert_eq!(network.source_named(&region("zk99"), "de-linde"), None);
    assert_eq!(source.signature, Signature::Required);
    let linde: LocationId = "zk01-de-linde".parse().unwrap();
    assert_eq!(network.location(&linde).unwrap().name.as_str(), "De Linde");
    let centre = network.centres().next().unwrap();
    assert_eq!(centre.regions, [region("zk01"), region("zk02")]);
    assert_eq!(network.region(&region("zk02")).unwrap().centres, std::slice::from_ref(&centre.code));
    assert_eq!(network.centre(&centre.code), Some(centre));
}

#[test]
fn a_source_may_send_what_its_file_or_else_its_kind_allows() {
    let network = Network::from_toml("net.toml", SMALL).unwrap();
    let named = |sender| network.source_named(&region("zk01"), sender).unwrap();
    let linde = named("de-linde");
    assert!(linde.may_send("bed.freed") && linde.may_send("stay.admitted"));
    assert!(!linde.may_send("stay.discharged") && !linde.may_send("bed") && !linde.may_send("bedding.freed"));
    assert!(Fact::KINDS.iter().all(|kind| named("loket").may_send(kind)));

    let by_kind = |kind: &str| {
        let text = SMALL
            .replace("may_send = [\"bed.*\", \"stay.admitted\"]\n", "")
            .replace("kind = \"location\"", &format!("kind = \"{kind}\""));
        let network = Network::from_toml("net.toml", &text).unwrap();
        let source = network.source_named(&region("zk01"), "de-linde").unwrap();
        let allowed = Fact::KINDS.iter().copied().filter(|event| source.may_send(event));
        allowed.map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let location = by_kind("location");
    for event in Fact::KINDS {
        let own = ["location", "bed", "stay"].contains(&event.split('.').next().unwrap());
        let answers =
            ["offer.seen", "offer.accepted", "offer.declined", "offer.medically-agreed", "offer.contested"];
        let answer = answers.contains(event);
        assert_eq!(location.contains(*event), own || answer, "{event}");
    }
    assert!(
        by_kind("referrer").contains("referral.made") && !by_kind("referrer").contains("referral.triaged")
    );
    assert!(by_kind("centre").is_empty());
    assert_eq!(by_kind("node").len(), 4);
}

#[test]
fn a_mistake_is_told_with_its_line_its_key_and_what_to_do() {
    // What replaces what, and the line, the key and a part of the sentence that follow.
    let cases = [
        (
            "phone = \"020 000 0002\"",
            "telephone = \"1\"",
            22,
            "location.telephone",
            "unknown field `telephone`",
        ),
        ("hours = \"8-22 uur\"", "houres = \"8-22 uur\"", 5, "region.desk.houres", "correct the spelling"),
        ("name = \"Amstelland\"", "", 2, "region", "missing field `name`; add it"),
        ("name = \"Amstelland\"", "name = 7", 4, "region.name", "invalid type"),
        ("name = \"Amstelland\"", "name = ", 4, "region.name", "correct what stands here"),
        ("name = \"Amstelland\"", "name = \"\"", 4, "region.name", "1 to 128 characters"),
        ("phone = \"020 000 0000\"", "phone = \"\\u0007\"", 5, "region.desk.phone", "correct the value"),
        ("code = \"zk01\"", "code = \"ZK01\"", 3, "region.code", "`ZK01`: not a region: 2 to 32 of a-z"),
        ("code = \"zk02\"", "code = \"zk01\"", 9, "region.code", "`zk01` is there already"),
        ("[\"zk02\", ", "[\"zk03\", ", 16, "centre.regions", "no [[region]] with code `zk03`; add it"),
        ("[\"zk02\", ", "[\"zk01\", ", 16, "centre.regions", "named twice"),
        ("[\"zk02\", \"zk01\"]", "[]", 16, "centre.regions", "name its regions"),
        ("code = \"noordwest\"", "code = \"core\"", 14, "centre.code", "choose another code"),
        ("code = \"noordwest\"", "code = \"noord.west\"", 14, "centre.code", "not a centre code"),
        ("region = \"zk01\"", "region = \"zk09\"", 20, "location.region", "no [[region]] with code `zk09`"),
        ("id = \"urn:nld:kvknr:00000001", "id = \"nld:kvknr:00000001", 25, "source.id", "is not a URN"),
        (
            "id = \"urn:nld:kvknr:00000002:systeem:ecd",
            "id = \"urn:nld:kvknr:00000001:systeem:loket",
            31,
            "source.id",
            "unique",
        ),
        ("name = \"de-linde\"", "name = \"loket\"", 32, "source.name", "`loket` is there already"),
        ("name = \"de-linde\"", "name = \"De Linde\"", 32, "source.name", "not a sender name"),
        ("kind = \"desk\"", "kind = \"dsek\"", 27, "source.kind", "unknown variant `dsek`"),
        ("\"bed.*\"", "\"beds.*\"", 35, "source.may_send", "`beds.*`: not a right"),
        ("\"bed.*\"", "\"bed*\"", 35, "source.may_send", "`bed*`: not a right"),
        ("\"bed.*\"", "\"bed.free\"", 35, "source.may_send", "`bed.free`: not a right"),
        ("signature = \"required\"", "signature = true", 36, "source.signature", "correct what stands here"),
    ];
    for (from, to, line, key, sentence) in cases {
        let refused = refusal(from, to);
        assert_eq!((refused.0, &*refused.1), (line, key), "{to}: {refused:?}");
        assert!(refused.2.contains(sentence), "{to}: {refused:?}");
    }
}

#[test]
fn two_regions_on_one_tile_are_refused() {
    let (line, key, problem) =
        refusal("hours = \"dag en nacht\" }", "hours = \"dag en nacht\" }\ntile = { column = 2, row = 4 }");
    assert_eq!((line, &*key), (12, "region.tile"));
    assert!(problem.contains("column 2, row 4"), "{problem}");
}

#[test]
fn a_file_without_regions_is_refused() {
    let error = Network::from_toml("net.toml", "").unwrap_err().to_string();
    assert_eq!(error, "net.toml:1: the file: the file names no region; add at least one [[region]]");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Network::read("no/such/net.toml".as_ref()).unwrap_err();
    assert!(error.to_string().starts_with("no/such/net.toml: the network file cannot be read"), "{error}");
    assert!(std::error::Error::source(&error).is_some());
}

#[test]
fn a_file_without_end_is_refused() {
    let error = Network::read("/dev/zero".as_ref()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "/dev/zero: more than the 16777216 bytes a network file may have; is this the right file?"
    );
}

#[test]
fn the_sources_of_the_reference_data_make_a_network() {
    for (name, regions) in [("region-day", 1), ("national-two-days", 31)] {
        let path = format!("{}/../../tests/data/{name}.sources.json", env!("CARGO_MANIFEST_DIR"));
        let json = std::fs::read_to_string(path).unwrap();
        let network = Network::from_sources(name, &json).unwrap();
        assert_eq!(network.regions().len(), regions);
        let described: BTreeMap<String, BTreeMap<String, String>> = serde_json::from_str(&json).unwrap();
        assert_eq!(network.sources().len(), described.len());
        for (urn, entry) in &described {
            let source = network.source(&urn.parse().unwrap()).unwrap();
            assert_eq!(source.kind.as_str(), entry["kind"]);
            assert_eq!(network.source_named(&region(&entry["region"]), &entry["name"]), Some(source));
        }
        let locations = network.sources().filter(|source| source.kind == Kind::Location).count();
        assert_eq!(network.locations().len(), locations);
        assert_eq!(network.locations().next().unwrap().name.as_str(), "De Brug");
        assert_eq!(Network::from_toml("again.toml", &network.to_toml()).unwrap(), network);
    }
}

#[test]
fn every_source_of_the_reference_data_may_send_what_it_sent() {
    let data = |name: &str| {
        std::fs::read_to_string(format!("{}/../../tests/data/region-day.{name}", env!("CARGO_MANIFEST_DIR")))
            .unwrap()
    };
    let network = Network::from_sources("region-day", &data("sources.json")).unwrap();
    let events = data("jsonl");
    assert!(!events.is_empty());
    for line in events.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        let source = network.source(&event["source"].as_str().unwrap().parse().unwrap()).unwrap();
        let short =
            event["type"].as_str().unwrap().strip_prefix("nl.doorstroom.").unwrap().strip_suffix(".v1");
        assert!(source.may_send(short.unwrap()), "{line}");
    }
}

#[test]
fn no_damage_to_a_file_makes_reading_it_panic() {
    let text = format!("{SMALL}# één");
    let (mut taken, mut refused) = (0, 0);
    for (at, letter) in text.char_indices() {
        let (before, after) = (&text[..at], &text[at + letter.len_utf8()..]);
        for damage in ["", "\"", "{", "]", "=", "\n", "é", "\0"] {
            match Network::from_toml("net.toml", &format!("{before}{damage}{after}")) {
                Ok(_) => taken += 1,
                Err(error) => {
                    refused += 1;
                    assert!(error.to_string().starts_with("net.toml:"), "{error}");
                }
            }
        }
        // Cut off in the middle.
        drop(Network::from_toml("net.toml", before));
    }
    assert!(taken > 0 && refused > 0);
}

#[test]
fn sources_in_a_region_of_ones_own_get_a_region_named_after_its_code() {
    let json = r#"{"urn:x:1": {"kind": "desk", "name": "loket", "region": "eiland"}}"#;
    let network = Network::from_sources("own.json", json).unwrap();
    let own = network.regions().next().unwrap();
    assert_eq!((own.name.as_str(), own.desk.name.as_str(), own.tile), ("eiland", "Regioloket eiland", None));
    assert_eq!(network.centres().len(), 0);
}

#[test]
fn described_sources_are_refused_at_their_line() {
    let twice = "{\n\"urn:x:1\": {\"kind\": \"desk\", \"name\": \"a\", \"region\": \"zk01\"},\n\
                 \"urn:x:1\": {\"kind\": \"desk\", \"name\": \"b\", \"region\": \"zk01\"}}";
    let error = Network::from_sources("own.json", twice).unwrap_err().to_string();
    assert!(error.starts_with("own.json:3: urn:x:1: `urn:x:1` is there already"), "{error}");
    let error =
        Network::from_sources("own.json", "{\n\"urn:x:1\": {\"kind\": \"dsek\"}}").unwrap_err().to_string();
    assert!(error.starts_with("own.json:2: sources: unknown variant `dsek`"), "{error}");
}
