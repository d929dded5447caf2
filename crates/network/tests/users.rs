//! Who is known by which key: what the file promises about users, keys, services, whom a source speaks for, alerts.
#![expect(clippy::unwrap_used, reason = "test code: a failed unwrap is the failed test")]

use domain::{CareType, LocationId, RegionId, Timestamp};
use network::{
    Account, AlertRule, KEYS_MAX, Locations, Network, NetworkError, Party, PublicKey, PublicKeyError, Role,
    SilentOf, Source, TOKENS_MAX, TokenHash, key_file,
};

/// Public keys whose seeds are nobody's.
const KEYS: [&str; 5] = [
    "UDVODSDZHNKZPRFT6SIOO2WDCFZMIOLJB6HOCQKCXOCRUYPZUSPQ4LXB",
    "UBRH6F6YSPSWS6SLUIQIXSALAKJOP5MNQEQOWNJ4DNKUFHNZY2YZNZHA",
    "UARALNYCC3APJSSGGANMQQBJEKO3N7LIYNFYVLCPBUEWNQNTS5PSX5JV",
    "UA37EJ5NQPLCRTHEUYDMWNE4NWKEVNLUVD4YANNQZ6VKO7T5UNQ37KBI",
    "UAVFSTOZX6RXLPDG6U6AOGZBDVMO52JS546GED5RX53X35EOV7L5PGUF",
];
const OF_AN_ACCOUNT: &str = "ACR7MCCLE75RFW4ZPDXBBLAENDOAFC4YS3LOXGLZ5JOKDH2LKJAPC4WH";
/// A seed that is in use nowhere.
const SEED: &str = "SUAMVF4BCLFBXPOK7LBDDM42EPOE3J4G574BI7COOK4YA54FV7XERO7ZGA";

const WITH_KEYS: &str = r#"
[[region]]
code = "zk01"
name = "Amstelland"
desk = { name = "Loket", phone = "020 000 0000", hours = "8-22 uur" }

[[region]]
code = "zk02"
name = "Amsterdam"
desk = { name = "Loket", phone = "020 000 0001", hours = "8-22 uur" }

[[centre]]
code = "noordwest"
name = "Noordwest"
regions = ["zk01", "zk02"]
keys = [{ key = "UARALNYCC3APJSSGGANMQQBJEKO3N7LIYNFYVLCPBUEWNQNTS5PSX5JV" }]

[[location]]
id = "zk01-de-linde"
region = "zk01"
name = "De Linde"

[[location]]
id = "zk02-de-beuk"
region = "zk02"
name = "De Beuk"

[[source]]
id = "urn:nld:kvknr:00000001:systeem:loket"
name = "loket"
kind = "desk"
region = "zk01"
keys = [
    { key = "UDVODSDZHNKZPRFT6SIOO2WDCFZMIOLJB6HOCQKCXOCRUYPZUSPQ4LXB", until = "2026-11-22T10:00:00Z" },
    { key = "UBRH6F6YSPSWS6SLUIQIXSALAKJOP5MNQEQOWNJ4DNKUFHNZY2YZNZHA" },
]

[[source]]
id = "urn:nld:kvknr:00000002:systeem:ecd"
name = "zk01-de-linde"
kind = "location"
region = "zk01"

[[source]]
id = "urn:nld:kvknr:00000003:systeem:ecd"
name = "de-es"
kind = "location"
region = "zk01"
locations = ["zk01-de-es", "zk01-de-linde"]

[[alert]]
centre = "noordwest"
kind = "offerable-below"
care_type = "ELV_HC"
below = 2

[[alert]]
centre = "noordwest"
kind = "crisis-unplaced"
minutes = 60

[[alert]]
centre = "noordwest"
kind = "silent"
hours = 24
of = "location"

[[service]]
role = "recorder"
region = "zk01"
keys = [{ key = "UA37EJ5NQPLCRTHEUYDMWNE4NWKEVNLUVD4YANNQZ6VKO7T5UNQ37KBI" }]

[[service]]
role = "provisioner"
centre = "noordwest"
"#;

fn network() -> Network {
    Network::from_toml("net.toml", WITH_KEYS).unwrap()
}

fn source<'a>(network: &'a Network, name: &str) -> &'a Source {
    network.source_named(&"zk01".parse().unwrap(), name).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn a_key_is_valid_until_its_end_and_not_at_it() {
    let network = network();
    let desk = source(&network, "loket");
    let valid = |moment| desk.valid_keys(at(moment)).map(PublicKey::as_str).collect::<Vec<_>>();
    assert_eq!(valid("2026-11-22T09:59:59.999999Z"), &KEYS[..2]);
    assert_eq!(valid("2026-11-22T10:00:00Z"), &KEYS[1..2]);
    assert_eq!(desk.keys.len(), 2, "a key that ended stays in the file");
}

#[test]
fn a_public_key_is_its_32_bytes_and_nothing_but_the_key_of_a_user_is_taken() {
    let key: PublicKey = KEYS[0].parse().unwrap();
    assert_eq!((key.to_string().as_str(), format!("{key:?}").as_str()), (KEYS[0], KEYS[0]));
    assert_eq!(nkeys::from_public_key(KEYS[0]).unwrap().1, key.bytes());
    let refused = |text: &str| text.parse::<PublicKey>().unwrap_err();
    assert_eq!(refused(OF_AN_ACCOUNT), PublicKeyError::NotAUser("an account"));
    assert_eq!(refused(SEED), PublicKeyError::Seed);
    let another_letter = KEYS[0].replacen("UDV", "UDW", 1);
    for text in ["", "U", "é", &KEYS[0].to_lowercase(), &KEYS[0][..55], &another_letter] {
        assert_eq!(refused(text), PublicKeyError::Malformed, "{text}");
    }
}

#[test]
fn the_users_of_a_network_are_its_sources_its_centres_and_the_services_of_every_account() {
    let network = network();
    let users: Vec<String> =
        network.users().map(|user| format!("{}/{} {}", user.account, user.name, user.keys.len())).collect();
    let expected = [
        "R_zk01/_provisioner 0",
        "R_zk01/_recorder 1",
        "R_zk01/de-es 0",
        "R_zk01/loket 2",
        "R_zk01/zk01-de-linde 0",
        "R_zk02/_provisioner 0",
        "R_zk02/_recorder 0",
        "CORE/_gateway 0",
        "CORE/_operator 0",
        "CORE/_provisioner 0",
        "ACUTE_noordwest/_provisioner 0",
        "ACUTE_noordwest/noordwest 1",
        "SYS/_monitor 0",
    ];
    assert_eq!(users, expected);
    assert_eq!(network.services().len(), 9);
    for user in network.users() {
        match user.party {
            Party::Service(service) => {
                assert_eq!((service.role.account(), service.role.user()), (user.account, user.name));
            }
            Party::Centre(centre) => assert_eq!(centre.keys, user.keys),
            Party::Source(source) => assert_eq!(source.keys, user.keys),
        }
    }
    let zk01: RegionId = "zk01".parse().unwrap();
    assert_eq!(network.service(&Role::Recorder(zk01.clone())).unwrap().keys.len(), 1);
    assert_eq!(key_file(&Account::Region(zk01), "loket").to_str(), Some("R_zk01/loket.nk"));
}

#[test]
fn fault_16_a_source_speaks_for_its_own_locations_and_never_for_another_region() {
    let network = network();
    let location = |id: &str| id.parse::<LocationId>().unwrap();
    let may = |name: &str, id: &str| network.may_speak_for(source(&network, name), &location(id));
    assert!(may("zk01-de-linde", "zk01-de-linde"));
    assert!(!may("zk01-de-linde", "zk01-de-es"), "of a neighbour");
    assert!(may("de-es", "zk01-de-es") && may("de-es", "zk01-de-linde"), "those the file names");
    assert!(!may("de-es", "de-es"), "only those the file names");
    assert!(
        may("loket", "zk01-de-linde") && may("loket", "zk01-not-in-the-file"),
        "a desk: any of its region"
    );
    assert!(!may("loket", "zk02-de-beuk"), "not of another region");
    assert!(
        source(&network, "loket").speaks_for(&location("zk02-de-beuk")),
        "which the source alone can not know"
    );
}

#[test]
fn networks_from_described_sources_let_a_location_speak_for_its_region() {
    let json = r#"{"urn:x:1": {"kind": "location", "name": "zk01-a", "region": "zk01"},
                   "urn:x:2": {"kind": "location", "name": "zk02-b", "region": "zk02"}}"#;
    let network = Network::from_sources("own.json", json).unwrap();
    let a = network.sources().next().unwrap();
    assert_eq!(a.locations, Locations::Any);
    assert!(network.may_speak_for(a, &"zk01-other".parse().unwrap()));
    assert!(!network.may_speak_for(a, &"zk02-b".parse().unwrap()));
    assert!(network.to_toml().contains("locations = [\"*\"]"));
    assert_eq!(Network::from_toml("again.toml", &network.to_toml()).unwrap(), network);
}

#[test]
fn a_centre_has_the_rules_of_the_file_in_their_order() {
    let network = network();
    let rules = &network.centres().next().unwrap().alerts;
    let expected = [
        AlertRule::OfferableBelow { care_type: CareType::ElvHc, below: 2 },
        AlertRule::CrisisUnplaced { minutes: 60 },
        AlertRule::Silent { hours: 24, of: SilentOf::Location },
    ];
    assert_eq!(rules[..], expected);
}

#[test]
fn keys_services_and_rules_are_written_and_read_back_equal() {
    let network = network();
    let text = network.to_toml();
    assert_eq!(Network::from_toml("again.toml", &text).unwrap(), network);
    assert_eq!(text.matches("[[service]]").count(), 1, "a service without a key needs no words");
}

/// What replaces what, and the line, the key and a part of the sentence that follow.
type Mistake = (&'static str, &'static str, usize, &'static str, &'static str);

fn told(cases: &[Mistake]) {
    for &(from, to, line, key, sentence) in cases {
        assert!(WITH_KEYS.contains(from), "the file has no {from}");
        let error = Network::from_toml("net.toml", &WITH_KEYS.replacen(from, to, 1)).unwrap_err();
        let shown = error.to_string();
        let NetworkError::Wrong { line: told_line, key: told_key, problem, .. } = error else {
            unreachable!("{shown}")
        };
        assert_eq!((told_line, &*told_key), (line, key), "{to}: {shown}");
        assert!(problem.contains(sentence), "{to}: {shown}");
    }
}

#[test]
fn a_mistake_about_keys_and_locations_is_told_with_its_line_its_key_and_what_to_do() {
    told(&[
        (
            KEYS[0],
            KEYS[1],
            35,
            "source.key",
            "`UBRH6F6YSPSWS6SLUIQIXSALAKJOP5MNQEQOWNJ4DNKUFHNZY2YZNZHA` is there",
        ),
        (KEYS[0], KEYS[3], 71, "service.keys.key", "a key is of one user"),
        (KEYS[0], KEYS[2], 34, "source.key", "is there already"),
        (KEYS[0], OF_AN_ACCOUNT, 34, "source.key", "of an account, not of a user"),
        (KEYS[0], "UDV", 34, "source.key", "not a public key: 56 characters"),
        ("2026-11-22T10:00:00Z", "tomorrow", 34, "source.until", "`tomorrow`: not an RFC 3339"),
        ("until =", "til =", 34, "source.til", "unknown field"),
        ("\"zk01-de-es\"", "\"zk02-de-beuk\"", 49, "source.locations", "in region zk02, not in the source's"),
        ("\"zk01-de-es\"", "\"zk01-de-linde\"", 49, "source.locations", "named twice"),
        ("\"zk01-de-es\"", "\"*\"", 49, "source.locations", "`*`: not a location"),
        (
            "name = \"zk01-de-linde\"",
            "name = \"l\"",
            40,
            "source.name",
            "say in `locations` whom it speaks for",
        ),
    ]);
}

#[test]
fn a_mistake_about_rules_and_services_is_told_with_its_line_its_key_and_what_to_do() {
    told(&[
        (
            "centre = \"noordwest\"\nkind",
            "centre = \"oost\"\nkind",
            52,
            "alert.centre",
            "no [[centre]] with code `oost`",
        ),
        ("\"offerable-below\"", "\"offerable\"", 53, "alert.kind", "unknown variant"),
        ("below = 2", "below = 0", 55, "alert.below", "0 is not from 1"),
        ("below = 2", "", 53, "alert.kind", "needs `below`; add it"),
        ("below = 2", "below = 2\nminutes = 1", 56, "alert.minutes", "has no `minutes`; remove it"),
        ("ELV_HC", "ELV", 54, "alert.care_type", "give one of ELV_LC, ELV_HC"),
        ("hours = 24", "hours = 9000", 65, "alert.hours", "is not from 1 to 8784"),
        ("of = \"location\"", "of = \"house\"", 66, "alert.of", "unknown variant"),
        (
            "kind = \"crisis-unplaced\"\nminutes = 60",
            "kind = \"silent\"\nhours = 24\nof = \"location\"",
            65,
            "alert.kind",
            "remove one of the two",
        ),
        (
            "role = \"recorder\"\nregion = \"zk01\"",
            "role = \"recorder\"",
            69,
            "service.role",
            "name its `region` only",
        ),
        ("role = \"recorder\"", "role = \"monitor\"", 69, "service.role", "remove its `region`"),
        ("role = \"recorder\"", "role = \"writer\"", 69, "service.role", "unknown variant"),
        (
            "region = \"zk01\"\nkeys = [{ key = \"UA37",
            "region = \"zk09\"\nkeys = [{ key = \"UA37",
            70,
            "service.region",
            "no [[region]] with code `zk09`",
        ),
        (
            "role = \"recorder\"\nregion = \"zk01\"",
            "role = \"provisioner\"\ncentre = \"noordwest\"",
            74,
            "service.role",
            "`_provisioner` of ACUTE_noordwest is there already",
        ),
    ]);
}

#[test]
fn a_seed_in_the_file_is_refused_wherever_it_stands_and_never_shown() {
    let places = [
        WITH_KEYS.replacen(KEYS[0], SEED, 1),
        WITH_KEYS.replacen(&format!("{{ key = \"{}\" }}", KEYS[2]), &format!("\"{SEED}\""), 1),
        WITH_KEYS.replacen("2026-11-22T10:00:00Z", SEED, 1),
        WITH_KEYS.replacen("kind = \"desk\"", &format!("kind = \"{SEED}\""), 1),
        WITH_KEYS.replacen("name = \"loket\"", &format!("name = \"{SEED}\""), 1),
        WITH_KEYS.replacen("kind = \"desk\"", &format!("{SEED} = \"desk\""), 1),
    ];
    for text in places {
        let error = Network::from_toml("net.toml", &text).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(SEED), "{error}");
    }
    let error = Network::from_toml("net.toml", &WITH_KEYS.replacen(KEYS[0], SEED, 1)).unwrap_err();
    assert!(error.to_string().contains("make a new seed, for this one was shown"), "{error}");
}

#[test]
fn more_keys_than_anybody_needs_are_refused() {
    let many: Vec<String> = (0..=KEYS_MAX)
        .map(|_| format!("{{ key = \"{}\" }}", nkeys::KeyPair::new_user().public_key()))
        .collect();
    let text = WITH_KEYS.replacen(&format!("{{ key = \"{}\" }}", KEYS[2]), &many.join(", "), 1);
    let error = Network::from_toml("net.toml", &text).unwrap_err().to_string();
    assert!(error.contains("more than 64 keys of one user"), "{error}");
}

#[test]
fn a_user_is_given_its_own_part_of_the_network_and_no_other_source_or_key() {
    let network = network();
    let part = |name: &str| {
        let user = network.users().find(|user| user.name == name).unwrap();
        let part = network.for_user(&user);
        assert_eq!(Network::from_toml("part.toml", &part.to_toml()).unwrap(), part, "{name}");
        part
    };
    let of_desk = part("loket");
    assert_eq!(of_desk.sources().collect::<Vec<_>>(), [source(&network, "loket")]);
    assert_eq!(of_desk.source_named(&"zk01".parse().unwrap(), "loket"), Some(source(&network, "loket")));
    let regions = |part: &Network| part.regions().map(|region| region.code.to_string()).collect::<Vec<_>>();
    assert_eq!(
        (regions(&of_desk), of_desk.centres().len(), of_desk.locations().len()),
        (vec!["zk01".into()], 0, 1)
    );
    assert!(of_desk.services().all(|service| service.keys.is_empty()));
    let of_centre = part("noordwest");
    assert_eq!((regions(&of_centre), of_centre.sources().len()), (vec!["zk01".into(), "zk02".into()], 0));
    assert_eq!(of_centre.centres().collect::<Vec<_>>(), network.centres().collect::<Vec<_>>());
    assert_eq!(part("_operator"), network);
}

const OF_DESK: &str = "id = \"urn:nld:kvknr:00000001:systeem:loket\"\n";
const TOKEN: &str = "dst_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn with_tokens(tokens: &str) -> String {
    WITH_KEYS.replace(OF_DESK, &format!("{OF_DESK}tokens = [{tokens}]\n"))
}

fn entry(token: &str, rest: &str) -> String {
    format!("{{ sha256 = \"{}\"{rest} }}", TokenHash::of(token))
}

#[test]
fn a_token_says_whose_it_is_while_it_is_valid() {
    let times = ", from = \"2026-11-01T00:00:00Z\", until = \"2026-12-01T00:00:00Z\"";
    let text = with_tokens(&entry(TOKEN, times));
    let network = Network::from_toml("network.toml", &text).unwrap();
    let holder = |token: &str, at: &str| {
        network.holder(token, at.parse().unwrap()).map(|source| source.name.as_str().to_owned())
    };
    assert_eq!(holder(TOKEN, "2026-11-01T00:00:00Z").as_deref(), Some("loket"));
    assert_eq!(holder(TOKEN, "2026-10-31T23:59:59Z"), None);
    assert_eq!(holder(TOKEN, "2026-12-01T00:00:00Z"), None);
    let mut other = TOKEN.to_owned();
    other.replace_range(67.., "0");
    assert_eq!(holder(&other, "2026-11-15T00:00:00Z"), None);
    assert_eq!(holder("", "2026-11-15T00:00:00Z"), None);
    assert_eq!(Network::from_toml("again", &network.to_toml()).unwrap(), network);
    let desk = network.users().find(|user| user.name == "loket").unwrap();
    assert!(network.for_user(&desk).sources().all(|source| source.tokens.is_empty()));
}

#[test]
fn a_token_in_the_place_of_its_hash_is_refused_and_not_shown_and_a_token_is_of_one_source() {
    let from = ", from = \"2026-11-01T00:00:00Z\"";
    let refused = |text: String| Network::from_toml("network.toml", &text).unwrap_err().to_string();
    let told = refused(with_tokens(&format!("{{ sha256 = \"{TOKEN}\"{from} }}")));
    assert!(told.contains("make a new token") && !told.contains("0123456789"), "{told}");
    let told = refused(with_tokens(&format!("{{ sha256 = \"abc\"{from} }}")));
    assert!(told.contains("64 of 0-9 and a-f"), "{told}");
    let told = refused(with_tokens(&format!("{0}, {0}", entry(TOKEN, from))));
    assert!(told.contains("a token is of one source"), "{told}");
    let many: Vec<String> = (0..=TOKENS_MAX).map(|n| entry(&n.to_string(), from)).collect();
    let told = refused(with_tokens(&many.join(", ")));
    assert!(told.contains("more than 32 tokens"), "{told}");
}
