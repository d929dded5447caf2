//! What changing a network file promises: what a person wrote stays, and a file that would be wrong is not written.
#![expect(clippy::unwrap_used, reason = "test code: a failed unwrap is the failed test")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use network::edit::{Draft, EditError, NewCentre, NewLocation, NewRegion, NewSource};
use network::{Desk, Kind, Network, Party, PublicKey};
use tempfile::TempDir;

/// As a person writes: comments, own spacing, one odd order.
const BY_HAND: &str = r#"# Our network. Ask Fatma before you change it.

[[source]]   # the desk first, because it is what we look for
id = "urn:nld:kvknr:00000001:systeem:loket"
name   = "loket"
kind   = "desk"
region = "zk01"
keys = [
    # the old machine
    { key = "UDVODSDZHNKZPRFT6SIOO2WDCFZMIOLJB6HOCQKCXOCRUYPZUSPQ4LXB" },
]

[[region]]
code = "zk01"
name = "Amstelland"
desk = { name = "Loket", phone = "020 000 0000", hours = "8-22 uur" } # ring twice

# Acute care.
[[centre]]
code = "noordwest"
name = "Noordwest"
regions = ["zk01"]
# the end
"#;
const OLD: &str = "UDVODSDZHNKZPRFT6SIOO2WDCFZMIOLJB6HOCQKCXOCRUYPZUSPQ4LXB";
const NEW: &str = "UBRH6F6YSPSWS6SLUIQIXSALAKJOP5MNQEQOWNJ4DNKUFHNZY2YZNZHA";

fn by_hand() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("network.toml");
    fs::write(&path, BY_HAND).unwrap();
    (dir, path)
}

fn key(text: &str) -> PublicKey {
    text.parse().unwrap()
}

/// The lines that `after` has more than `before`, if it has all of those in their order.
fn added<'a>(before: &str, after: &'a str) -> Vec<&'a str> {
    let mut before = before.lines().peekable();
    let more: Vec<&str> = after.lines().filter(|line| before.next_if_eq(line).is_none()).collect();
    assert_eq!(before.next(), None, "a line of before is gone from:\n{after}");
    more.into_iter().filter(|line| !line.is_empty()).collect()
}

#[test]
fn a_region_a_location_a_source_and_a_centre_are_added_and_every_line_stays() {
    let (_dir, path) = by_hand();
    let mut draft = Draft::open(&path).unwrap();
    let region = "zk02".parse::<domain::RegionId>().unwrap();
    let desk = Desk {
        name: "Loket \"Centrum\"".parse().unwrap(),
        phone: "020 000 0001".parse().unwrap(),
        hours: "dag en nacht".parse().unwrap(),
    };
    draft.add_region(&NewRegion { code: region.clone(), name: "Amsterdam".parse().unwrap(), desk }).unwrap();
    draft
        .add_location(&NewLocation {
            id: "zk02-de-beuk".parse().unwrap(),
            region: region.clone(),
            name: "De Beuk".parse().unwrap(),
            phone: None,
        })
        .unwrap();
    draft
        .add_source(&NewSource {
            id: "urn:nld:kvknr:00000002:systeem:ecd".parse().unwrap(),
            name: "zk02-de-beuk".parse().unwrap(),
            kind: Kind::Location,
            region: region.clone(),
            must_sign: true,
        })
        .unwrap();
    draft
        .add_centre(&NewCentre {
            code: "zuid".parse().unwrap(),
            name: "Zuid".parse().unwrap(),
            regions: vec![region],
        })
        .unwrap();
    let network = draft.save().unwrap();

    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(Network::read(&path).unwrap(), network);
    assert_eq!((network.regions().len(), network.centres().len(), network.locations().len()), (2, 2, 1));
    let more = added(BY_HAND, &text);
    assert_eq!(more.iter().filter(|line| line.starts_with("[[")).count(), 4, "{text}");
    assert!(
        text.find("zk02").unwrap() < text.find("# Acute care.").unwrap(),
        "a region stands behind the regions"
    );
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no draft is left");
}

#[test]
fn a_key_is_added_and_another_ended_and_every_comment_stays() {
    let (_dir, path) = by_hand();
    let before = Network::read(&path).unwrap();
    let mut draft = Draft::open(&path).unwrap();
    draft.add_key(Party::Source(before.sources().next().unwrap()), &key(NEW)).unwrap();
    draft
        .add_key(
            Party::Centre(before.centres().next().unwrap()),
            &key("UARALNYCC3APJSSGGANMQQBJEKO3N7LIYNFYVLCPBUEWNQNTS5PSX5JV"),
        )
        .unwrap();
    draft.end_key(&key(OLD), "2026-11-22T10:00:00Z".parse().unwrap()).unwrap();
    let network = draft.save().unwrap();

    let desk = network.sources().next().unwrap();
    let keys: Vec<(&str, bool)> =
        desk.keys.iter().map(|key| (key.key.as_str(), key.until.is_some())).collect();
    assert_eq!(keys, [(OLD, true), (NEW, false)]);
    let text = fs::read_to_string(&path).unwrap();
    for comment in [
        "# Our network.",
        "# the desk first",
        "# the old machine",
        "# ring twice",
        "# Acute care.",
        "# the end",
    ] {
        assert!(text.contains(comment), "{comment} is gone from:\n{text}");
    }
}

#[test]
fn every_service_gets_its_own_table_and_a_second_key_goes_into_it() {
    let (_dir, path) = by_hand();
    let before = Network::read(&path).unwrap();
    let mut draft = Draft::open(&path).unwrap();
    for service in before.services() {
        for _ in 0..2 {
            draft.add_key(Party::Service(service), &key(&nkeys::KeyPair::new_user().public_key())).unwrap();
        }
    }
    let network = draft.save().unwrap();
    assert!(network.services().all(|service| service.keys.len() == 2));
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.matches("[[service]]").count(), before.services().len());
}

#[test]
fn what_would_be_wrong_is_not_written() {
    let (_dir, path) = by_hand();
    let mut draft = Draft::open(&path).unwrap();
    let network = Network::read(&path).unwrap();
    draft.add_key(Party::Centre(network.centres().next().unwrap()), &key(OLD)).unwrap();
    let error = draft.save().unwrap_err().to_string();
    assert!(error.contains("a key is of one user"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), BY_HAND);
}

#[test]
fn what_is_not_there_is_named() {
    let (_dir, path) = by_hand();
    let mut draft = Draft::open(&path).unwrap();
    let error = draft.end_key(&key(NEW), "2026-11-22T10:00:00Z".parse().unwrap()).unwrap_err();
    assert!(matches!(&error, EditError::Missing { what, .. } if what.contains(NEW)), "{error}");
    let error = draft.add_to_centre(&"zuid".parse().unwrap(), &"zk01".parse().unwrap()).unwrap_err();
    assert!(error.to_string().contains("no [[centre]] with code `zuid`"), "{error}");
}

#[test]
fn a_file_that_is_there_is_not_made_again() {
    let (_dir, path) = by_hand();
    let error = Draft::create(&path, &Network::default_dutch().unwrap()).unwrap_err();
    assert!(matches!(error, EditError::Exists(_)), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), BY_HAND);
}

#[test]
fn two_who_change_one_file_do_so_one_after_the_other() {
    let (_dir, path) = by_hand();
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let path = path.clone();
            std::thread::spawn(move || {
                let mut draft = Draft::open(&path).unwrap();
                let network = draft.network().unwrap();
                let made = key(&nkeys::KeyPair::new_user().public_key());
                draft.add_key(Party::Source(network.sources().next().unwrap()), &made).unwrap();
                draft.save().unwrap();
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(Network::read(&path).unwrap().sources().next().unwrap().keys.len(), 9);
}
