//! What a folder of keys promises: what is missing is made, what is there stays, and only its owner reads a secret.
#![expect(clippy::unwrap_used, reason = "test code: a failed unwrap is the failed test")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::Timestamp;
use keyring::{
    Keyring, KeyringError, Made, Secret, add_token, prepare, revoke_key, revoke_token, revoke_user, rotate,
};
use network::{Account, KEYS_MAX, Network, PublicKey, key_file};
use tempfile::TempDir;
use x509_parser::pem::parse_x509_pem;

const HOUR: Duration = Duration::from_hours(1);

/// A node's folder with a network of one region, one desk, one location and one centre.
struct Node {
    dir: TempDir,
}

impl Node {
    fn new() -> Self {
        let json = r#"{"urn:x:1": {"kind": "desk", "name": "loket-zk23", "region": "zk23"},
                       "urn:x:2": {"kind": "location", "name": "zk23-de-linde", "region": "zk23"}}"#;
        let dir = tempfile::tempdir().unwrap();
        let node = Self { dir };
        fs::write(node.file(), Network::from_sources("own.json", json).unwrap().to_toml()).unwrap();
        node
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("network.toml")
    }

    fn keys(&self) -> PathBuf {
        self.dir.path().join("keys")
    }

    fn prepare(&self) -> (Network, Keyring, Made) {
        prepare(&self.file(), &self.keys(), &[], now()).unwrap()
    }

    /// Every file below the folder, with its rights and bytes.
    fn everything(&self) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.dir.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
                    let bytes = fs::read(&path).unwrap();
                    found.insert(path, (mode, bytes));
                }
            }
        }
        found
    }
}

fn now() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

fn later(by: Duration) -> Timestamp {
    now().saturating_add_micros(i64::try_from(by.as_micros()).unwrap())
}

fn zk23() -> Account {
    Account::Region("zk23".parse().unwrap())
}

fn desk_keys(network: &Network, at: Timestamp) -> Vec<PublicKey> {
    let desk = network.source_named(&"zk23".parse().unwrap(), "loket-zk23").unwrap();
    desk.valid_keys(at).cloned().collect()
}

fn set_rights(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn every_user_gets_a_key_in_the_file_whose_seed_only_its_owner_may_read() {
    let node = Node::new();
    let (network, keyring, made) = node.prepare();
    assert_eq!(Network::read(&node.file()).unwrap(), network);
    assert_eq!((made.ca, made.certificate), (true, true));
    let users: Vec<(Account, String)> =
        network.users().map(|user| (user.account, user.name.to_owned())).collect();
    assert_eq!(made.users, users);
    assert_eq!(users.len(), 10, "two sources, the centre and seven services");
    for user in network.users() {
        let seed = keyring.seed(&user.account, user.name).unwrap().unwrap();
        let keys: Vec<&PublicKey> = user.valid_keys(now()).collect();
        assert_eq!(keys, [seed.public_key()]);
        assert!(seed.expose().starts_with("SU"));
    }
    for (path, (mode, bytes)) in node.everything() {
        let expected =
            if path.extension().is_some_and(|end| end == "nk" || end == "key") { 0o600 } else { 0o644 };
        assert_eq!(mode, expected, "{}", path.display());
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(!name.starts_with('.') && !bytes.is_empty(), "{name}: no draft is left");
    }
    for folder in [node.keys(), node.keys().join("R_zk23"), node.keys().join("SYS")] {
        assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
    }
}

#[test]
fn preparing_again_changes_nothing() {
    let node = Node::new();
    let (network, _, _) = node.prepare();
    let before = node.everything();
    let (again, _, made) = node.prepare();
    assert!(made.is_nothing(), "{made:?}");
    assert_eq!(again, network);
    assert_eq!(node.everything(), before);
}

#[test]
fn a_preparation_that_was_interrupted_goes_on_with_the_seeds_it_made() {
    let node = Node::new();
    let bare = fs::read(node.file()).unwrap();
    let (network, _, _) = node.prepare();
    let seeds = node.everything();
    // The machine stopped before the network file was written, and before one of the seeds was.
    fs::write(node.file(), bare).unwrap();
    fs::remove_file(node.keys().join("SYS/_monitor.nk")).unwrap();
    let (again, _, made) = node.prepare();
    assert_eq!(made.users.len(), network.users().len());
    assert_eq!(desk_keys(&again, now()), desk_keys(&network, now()));
    let same = node.everything().into_iter().filter(|(path, file)| seeds.get(path) == Some(file)).count();
    assert_eq!(same, seeds.len() - 2, "all but the monitor's seed and the network file");
}

#[test]
fn who_made_a_key_of_its_own_keeps_that() {
    let node = Node::new();
    let text = fs::read_to_string(node.file()).unwrap();
    let own = nkeys::KeyPair::new_user().public_key();
    let desk = "name = \"loket-zk23\"\n";
    assert!(text.contains(desk));
    fs::write(node.file(), text.replace(desk, &format!("{desk}keys = [{{ key = \"{own}\" }}]\n"))).unwrap();
    let (network, keyring, made) = node.prepare();
    assert_eq!(desk_keys(&network, now()), [own.parse().unwrap()]);
    assert!(keyring.seed(&zk23(), "loket-zk23").unwrap().is_none());
    assert!(!made.users.iter().any(|(_, name)| name == "loket-zk23"));
    let desk = network.users().find(|user| user.name == "loket-zk23").unwrap();
    let error = keyring.hand_out(&network, &desk, None, &node.dir.path().join("out")).unwrap_err();
    assert!(error.to_string().contains("no seed of R_zk23/loket-zk23"), "{error}");
}

#[test]
fn the_country_is_prepared_in_a_moment() {
    let path = format!("{}/../../tests/data/national-two-days.sources.json", env!("CARGO_MANIFEST_DIR"));
    let network = Network::from_sources("national", &fs::read_to_string(path).unwrap()).unwrap();
    let node = Node::new();
    fs::write(node.file(), network.to_toml()).unwrap();
    let begun = std::time::Instant::now();
    let (prepared, _, made) = node.prepare();
    let took = begun.elapsed();
    assert_eq!(made.users.len(), prepared.users().len());
    assert!(made.users.len() > 400, "{}", made.users.len());
    assert!(prepared.users().all(|user| user.keys.len() == 1));
    assert!(took < Duration::from_secs(10), "{took:?} for {} users", made.users.len());
}

#[test]
fn a_seed_that_others_may_read_is_refused_with_a_sentence() {
    let node = Node::new();
    let (_, keyring, _) = node.prepare();
    let seed = node.keys().join(key_file(&zk23(), "loket-zk23"));
    for mode in [0o604, 0o640, 0o620] {
        set_rights(&seed, mode);
        let error = keyring.seed(&zk23(), "loket-zk23").unwrap_err();
        let expected = format!("others may read it (rights {mode:04o}); `chmod go= ");
        assert!(error.to_string().contains(&expected), "{error}");
    }
    set_rights(&seed, 0o600);
    assert!(keyring.seed(&zk23(), "loket-zk23").unwrap().is_some());
    set_rights(&node.keys().join("server.key"), 0o644);
    let error = prepare(&node.file(), &node.keys(), &[], now()).unwrap_err();
    assert!(matches!(error, KeyringError::OpenToOthers { .. }), "{error}");
}

#[test]
fn a_folder_that_others_may_enter_is_refused() {
    let node = Node::new();
    node.prepare();
    set_rights(&node.keys(), 0o750);
    let error = Keyring::open(&node.keys()).unwrap_err().to_string();
    assert!(error.contains("others may read it (rights 0750)"), "{error}");
    assert!(matches!(Keyring::open(&node.dir.path().join("none")), Err(KeyringError::Unreadable { .. })));
}

#[test]
fn a_seed_is_never_shown() {
    let node = Node::new();
    let (_, keyring, _) = node.prepare();
    let seed = keyring.seed(&zk23(), "loket-zk23").unwrap().unwrap();
    assert!(!format!("{seed:?} {keyring:?}").contains(seed.expose()));
    // Half a seed is no seed, and is not repeated either.
    let path = node.keys().join(key_file(&zk23(), "loket-zk23"));
    let half = &seed.expose()[..40];
    fs::write(&path, half).unwrap();
    let error = keyring.seed(&zk23(), "loket-zk23").unwrap_err();
    assert!(matches!(error, KeyringError::NotASeed(_)), "{error}");
    assert!(!format!("{error} {error:?}").contains(half));
    // The seed of something else than a user.
    fs::write(&path, nkeys::KeyPair::new_account().seed().unwrap()).unwrap();
    assert!(matches!(keyring.seed(&zk23(), "loket-zk23"), Err(KeyringError::NotASeed(_))));
}

#[test]
fn fault_62_a_new_key_is_valid_at_once_and_the_one_before_for_the_grace() {
    let node = Node::new();
    let (network, keyring, _) = node.prepare();
    let before = desk_keys(&network, now());
    let rotated = rotate(&node.file(), &keyring, (&zk23(), "loket-zk23"), 24 * HOUR, now()).unwrap();
    assert_eq!((&rotated.ending, rotated.until), (&before, later(24 * HOUR)));
    let new = keyring.seed(&zk23(), "loket-zk23").unwrap().unwrap().public_key().clone();
    assert_eq!(rotated.key, new);
    let network = Network::read(&node.file()).unwrap();
    assert_eq!(network, rotated.network);
    assert_eq!(desk_keys(&network, later(23 * HOUR)), [before[0].clone(), new.clone()]);
    assert_eq!(desk_keys(&network, later(24 * HOUR)), std::slice::from_ref(&new));
    assert!(node.prepare().2.is_nothing());
    // A second change does not lengthen the life of the first key.
    let again = rotate(&node.file(), &keyring, (&zk23(), "loket-zk23"), 48 * HOUR, later(HOUR)).unwrap();
    assert_eq!(again.ending, [new]);
    assert_eq!(desk_keys(&again.network, later(25 * HOUR)).len(), 2);
}

#[test]
fn a_new_key_that_can_not_be_told_to_the_broker_leaves_the_seed_before_it() {
    let node = Node::new();
    let (_, keyring, _) = node.prepare();
    let mut valid = keyring.seed(&zk23(), "loket-zk23").unwrap().unwrap();
    for _ in 1..KEYS_MAX {
        rotate(&node.file(), &keyring, (&zk23(), "loket-zk23"), HOUR, now()).unwrap();
        valid = keyring.seed(&zk23(), "loket-zk23").unwrap().unwrap();
    }
    let before = node.everything();
    let error = rotate(&node.file(), &keyring, (&zk23(), "loket-zk23"), HOUR, now()).unwrap_err();
    assert!(error.to_string().contains("more than 64 keys of one user"), "{error}");
    assert_eq!(keyring.seed(&zk23(), "loket-zk23").unwrap().unwrap().public_key(), valid.public_key());
    assert_eq!(node.everything(), before);
}

#[test]
fn a_user_whose_keys_were_taken_away_gets_another_only_when_told_so() {
    let node = Node::new();
    let (network, keyring, _) = node.prepare();
    let before = desk_keys(&network, now());
    rotate(&node.file(), &keyring, (&zk23(), "loket-zk23"), 24 * HOUR, now()).unwrap();
    let revoked = revoke_user(&node.file(), &keyring, (&zk23(), "loket-zk23"), later(HOUR)).unwrap();
    assert_eq!(revoked.keys.len(), 2, "also the one that was ending");
    assert_eq!(desk_keys(&revoked.network, later(HOUR)), []);
    assert!(desk_keys(&revoked.network, now()).contains(&before[0]), "it was valid until then");
    let moved = revoked.seed.unwrap();
    assert!(moved.starts_with(node.keys().join("revoked/R_zk23")) && moved.exists());
    assert!(keyring.seed(&zk23(), "loket-zk23").unwrap().is_none());

    let (network, _, made) = node.prepare();
    assert!(made.is_nothing() && desk_keys(&network, later(HOUR)).is_empty());
    let rotated = rotate(&node.file(), &keyring, (&zk23(), "loket-zk23"), HOUR, later(HOUR)).unwrap();
    assert_eq!(desk_keys(&rotated.network, later(HOUR)), [rotated.key]);
    assert!(rotated.ending.is_empty());
}

#[test]
fn one_key_is_taken_away_and_the_seed_of_another_stays() {
    let node = Node::new();
    let (network, keyring, _) = node.prepare();
    let before = desk_keys(&network, now())[0].clone();
    let rotated = rotate(&node.file(), &keyring, (&zk23(), "loket-zk23"), 24 * HOUR, now()).unwrap();
    let revoked = revoke_key(&node.file(), &keyring, &before, later(HOUR)).unwrap();
    assert_eq!((revoked.keys, revoked.seed), (vec![before.clone()], None));
    assert_eq!(desk_keys(&revoked.network, later(HOUR)), std::slice::from_ref(&rotated.key));
    let again = revoke_key(&node.file(), &keyring, &before, later(2 * HOUR)).unwrap();
    assert!(again.keys.is_empty(), "its end does not move");
    let last = revoke_key(&node.file(), &keyring, &rotated.key, later(2 * HOUR)).unwrap();
    assert!(last.seed.unwrap().to_str().unwrap().contains(rotated.key.as_str()));
    let unknown = nkeys::KeyPair::new_user().public_key().parse().unwrap();
    let error = revoke_key(&node.file(), &keyring, &unknown, now()).unwrap_err().to_string();
    assert!(error.contains(&format!("there is no key {unknown}")), "{error}");
    let error = revoke_user(&node.file(), &keyring, (&Account::Core, "loket-zk23"), now()).unwrap_err();
    assert!(error.to_string().contains("there is no user CORE/loket-zk23"), "{error}");
}

#[test]
fn what_a_user_needs_is_handed_out_once_and_nothing_is_written_over() {
    let node = Node::new();
    let (network, keyring, _) = node.prepare();
    let desk = network.users().find(|user| user.name == "loket-zk23").unwrap();
    let to = node.dir.path().join("for the desk");
    let given = keyring.hand_out(&network, &desk, Some("tls://bus.example.nl:4222"), &to).unwrap();
    let names: Vec<_> = given.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["loket-zk23.nk", "ca.pem", "network.toml", "README.txt", "bus.url"]);
    assert_eq!(fs::read(&given[0]).unwrap(), fs::read(node.keys().join("R_zk23/loket-zk23.nk")).unwrap());
    assert_eq!(fs::read(&given[1]).unwrap(), fs::read(keyring.ca_file()).unwrap());
    assert_eq!(Network::read(&given[2]).unwrap(), network.for_user(&desk));
    let words = fs::read_to_string(&given[3]).unwrap();
    assert!(words.contains("doorstroom send events.jsonl --creds DIR\n"), "{words}");
    assert_eq!(fs::read_to_string(&given[4]).unwrap(), "tls://bus.example.nl:4222\n");
    let seed = fs::read_to_string(&given[0]).unwrap();
    for path in &given {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
        let tells = fs::read_to_string(path).unwrap().contains(seed.trim());
        assert_eq!(tells, *path == given[0], "{}", path.display());
    }
    keyring.hand_out(&network, &desk, Some("tls://bus.example.nl:4222"), &to).unwrap();
    assert_eq!(fs::read_dir(&to).unwrap().count(), 5);
    let network = rotate(&node.file(), &keyring, (&zk23(), "loket-zk23"), HOUR, now()).unwrap().network;
    let desk = network.users().find(|user| user.name == "loket-zk23").unwrap();
    let error = keyring.hand_out(&network, &desk, None, &to).unwrap_err();
    assert!(matches!(&error, KeyringError::Exists(path) if *path == given[0]), "{error}");
}

#[test]
fn a_centre_is_told_how_to_watch_and_where_the_bus_is_not_known_that_it_has_to_be_said() {
    let node = Node::new();
    let (network, keyring, _) = node.prepare();
    let centre = network.users().find(|user| matches!(user.party, network::Party::Centre(_))).unwrap();
    let given = keyring.hand_out(&network, &centre, None, &node.dir.path().join("centre")).unwrap();
    assert_eq!(given.len(), 4);
    let words = fs::read_to_string(&given[3]).unwrap();
    assert!(words.contains("doorstroom watch alerts --creds DIR --bus tls://HOST:4222\n"), "{words}");
}

/// The certificate in a file: its bytes.
fn der(path: &Path) -> Vec<u8> {
    parse_x509_pem(&fs::read(path).unwrap()).unwrap().1.contents
}

#[test]
fn the_certificate_of_the_broker_is_signed_by_the_authority_and_names_this_machine() {
    let node = Node::new();
    let (_, keyring, _) = node.prepare();
    let (ca, server) = (der(&keyring.ca_file()), der(&keyring.server_certificate_file()));
    let ca = x509_parser::parse_x509_certificate(&ca).unwrap().1;
    let server = x509_parser::parse_x509_certificate(&server).unwrap().1;
    ca.verify_signature(None).unwrap();
    server.verify_signature(Some(ca.public_key())).unwrap();
    assert_eq!(server.issuer(), ca.subject());
    assert!(ca.is_ca() && !server.is_ca());
    assert_ne!(ca.raw_serial(), server.raw_serial());
    let names = server.subject_alternative_name().unwrap().unwrap().value.general_names.clone();
    assert_eq!(names.len(), 3, "{names:?}");
    let purposes = server.extended_key_usage().unwrap().unwrap().value;
    assert!(purposes.server_auth && purposes.client_auth, "brokers call each other");
    let begun = now().as_micros() / 1_000_000;
    assert!(server.validity().not_before.timestamp() < begun);
    assert_eq!(server.validity().not_after.timestamp() - begun, 2 * 365 * 24 * 60 * 60);
    assert_eq!(ca.validity().not_after.timestamp() - begun, 10 * 365 * 24 * 60 * 60);
}

#[test]
fn a_certificate_is_made_anew_for_another_name_or_before_it_ends_and_the_keys_stay() {
    let node = Node::new();
    let (_, keyring, _) = node.prepare();
    let keys = || ["ca.pem", "ca.key", "server.key"].map(|name| fs::read(node.keys().join(name)).unwrap());
    let certificate = || fs::read(keyring.server_certificate_file()).unwrap();
    let (before, first) = (keys(), certificate());
    let again = |names: &[&str], at| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        prepare(&node.file(), &node.keys(), &names, at).unwrap().2.certificate
    };
    assert!(again(&["Broker.Example.nl", "2001:DB8::1"], later(HOUR)));
    assert_ne!(certificate(), first);
    assert!(
        !again(&["broker.example.nl", "2001:db8:0::1"], later(2 * HOUR)),
        "other spellings of what it has"
    );
    assert!(again(&["10.0.0.1"], later(3 * HOUR)));
    assert!(!again(&["broker.example.nl"], later(4 * HOUR)), "a name it had stays in it");
    let day = 24 * HOUR;
    assert!(!again(&[], later(day * 600)));
    assert!(again(&[], later(day * 650)), "it would have ended within three months");
    assert!(!again(&["10.0.0.1", "broker.example.nl"], later(day * 651)));
    assert_eq!(keys(), before, "no key and no authority was replaced");

    let error = prepare(&node.file(), &node.keys(), &["loket.één".to_owned()], later(day * 651)).unwrap_err();
    assert!(matches!(error, KeyringError::Certificate { .. }), "{error}");
    fs::remove_file(node.keys().join("ca.key")).unwrap();
    assert!(!again(&[], later(day * 652)), "nothing has to be signed");
    let error = prepare(&node.file(), &node.keys(), &["c.nl".to_owned()], later(day * 653)).unwrap_err();
    assert!(error.to_string().contains("ca.key: is needed to sign the broker's certificate"), "{error}");
}

#[test]
fn a_token_is_made_once_kept_as_its_hash_and_ends_when_it_is_revoked() {
    let node = Node::new();
    let source = "urn:x:1".parse().unwrap();
    let secret = add_token(&node.file(), &source, (now(), None)).unwrap();
    let other = add_token(&node.file(), &source, (now(), None)).unwrap();
    assert_ne!(secret.expose(), other.expose());
    assert_eq!(secret.expose().len(), 68);
    assert!(!format!("{secret:?}").contains(secret.expose()));
    let text = fs::read_to_string(node.file()).unwrap();
    assert!(!text.contains(secret.expose()) && text.contains(&secret.hash().to_string()));
    let network = Network::read(&node.file()).unwrap();
    assert_eq!(network.holder(secret.expose(), now()).unwrap().id, source);
    revoke_token(&node.file(), &secret.hash().id(), now()).unwrap();
    let network = Network::read(&node.file()).unwrap();
    assert_eq!(network.holder(secret.expose(), now()), None);
    assert_eq!(network.holder(other.expose(), now()).unwrap().id, source);
    let told = revoke_token(&node.file(), "zz", now()).unwrap_err().to_string();
    assert!(told.contains("no single token zz"), "{told}");
    let told = revoke_token(&node.file(), "", now()).unwrap_err().to_string();
    assert!(told.contains("2 are called so"), "{told}");
}

#[test]
fn a_token_file_is_for_its_owner_only() {
    let node = Node::new();
    let file = node.dir.path().join("desk.token");
    let secret = Secret::make().unwrap();
    secret.write(&file).unwrap();
    assert_eq!(Secret::read(&file).unwrap().expose(), secret.expose());
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(Secret::read(&file), Err(KeyringError::OpenToOthers { .. })));
    fs::remove_file(&file).unwrap();
    assert!(matches!(Secret::read(&file), Err(KeyringError::NoToken(_))));
}
