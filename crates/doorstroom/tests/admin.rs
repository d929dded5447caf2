//! What `admin network` promises: a node's folder is made ready, parties come and go, and no seed is ever told.
#![expect(clippy::unwrap_used, reason = "test code")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use network::Network;
use serde_json::Value;
use tempfile::TempDir;

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/region-day.sources.json");

/// The folder of a node, prepared for the sources of the reference data.
struct Node {
    dir: TempDir,
}

impl Node {
    fn new() -> Self {
        let node = Self { dir: tempfile::tempdir().unwrap() };
        node.succeeds(&["init", "--from-sources", SOURCES]);
        node
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn network(&self) -> Network {
        Network::read(&self.path("network.toml")).unwrap()
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_doorstroom"))
            .args(["admin", "network"])
            .args(args)
            .arg("--data")
            .arg(self.dir.path())
            .env_clear()
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// What it says on standard output.
    fn succeeds(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{args:?}: {said}");
        assert_eq!(said, "", "{args:?}");
        let told = String::from_utf8(output.stdout).unwrap();
        assert!(!tells_a_seed(&told), "{args:?}: a seed was told");
        told
    }

    fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.succeeds(&[args, &["--json"]].concat())).unwrap()
    }

    /// One sentence on standard error.
    fn fails(&self, args: &[&str], code: i32) -> String {
        let output = self.run(args);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{args:?}: {said}");
        assert!(said.starts_with("doorstroom: ") && !tells_a_seed(&said), "{args:?}: {said}");
        said
    }

    /// Every file below the folder, with its bytes.
    fn everything(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.dir.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.insert(path.clone(), fs::read(path).unwrap());
                }
            }
        }
        found
    }

    /// How a user is shown.
    fn shown(&self, user: &str) -> Value {
        let all = self.json(&["show"]);
        all.as_array().unwrap().iter().find(|shown| shown["user"] == user).unwrap().clone()
    }
}

fn tells_a_seed(text: &str) -> bool {
    text.split(|letter: char| !letter.is_ascii_alphanumeric())
        .any(|word| word.len() == 58 && word.starts_with("SU"))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn init_makes_a_folder_ready_and_again_changes_nothing() {
    let node = Node::new();
    let network = node.network();
    assert_eq!(network.sources().len(), 9);
    assert!(
        network.users().all(|user| user.keys.len() == 1 && node.path("keys").join(user.key_file()).is_file())
    );
    let before = node.everything();
    let again = node.succeeds(&["init"]);
    assert!(again.starts_with("nothing was missing\n"), "{again}");
    assert_eq!(node.everything(), before);
    let said = node.fails(&["init", "--from-sources", SOURCES], 1);
    assert!(said.contains("there is a network file already"), "{said}");
}

#[test]
fn init_without_sources_begins_with_the_country_and_says_what_it_made() {
    let node = Node { dir: tempfile::tempdir().unwrap() };
    let told = node.succeeds(&["init", "--host", "bus.example.nl"]);
    for part in [
        "the network file was written",
        "the certificate of the bus was made",
        "users got a key",
        "31 regions",
    ] {
        assert!(told.contains(part), "{told}");
    }
    let told = node.json(&["init", "--host", "other.example.nl"]);
    assert_eq!((&told["certificate"], &told["ca"]), (&true.into(), &false.into()));
    assert_eq!(told["users"].as_array().unwrap().len(), 0);
}

#[test]
fn a_region_a_location_and_a_centre_are_added_with_their_keys() {
    let node = Node::new();
    let urn = "urn:nld:kvknr:00000001:systeem:loket";
    let phone = "036 000 0000";
    let told = node.succeeds(&[
        "add-region",
        "zk99",
        "--name",
        "Waddeneiland",
        "--phone",
        phone,
        "--hours",
        "8-22 uur",
        "--source",
        urn,
        "--centre",
        "noordwest",
    ]);
    assert!(
        told.contains("R_zk99/loket-zk99 got a key") && told.contains("R_zk99/_recorder got a key"),
        "{told}"
    );
    let urn = "urn:nld:kvknr:00000002:systeem:ecd";
    let told = node.json(&[
        "add-location",
        "zk99-de-wadden",
        "--region",
        "zk99",
        "--name",
        "De Wadden",
        "--source",
        urn,
        "--must-sign",
    ]);
    assert_eq!(told["users"], serde_json::json!(["R_zk99/zk99-de-wadden"]));
    node.succeeds(&["add-centre", "noord", "--name", "Noord", "--region", "zk99"]);

    let network = node.network();
    let region = network.region(&"zk99".parse().unwrap()).unwrap();
    assert_eq!(region.desk.name.as_str(), "Regioloket Waddeneiland");
    assert_eq!(region.centres.iter().map(ToString::to_string).collect::<Vec<_>>(), ["noord", "noordwest"]);
    assert!(network.users().all(|user| user.keys.len() == 1));
    assert_eq!(node.shown("zk99-de-wadden")["must_sign"], true);

    let before = node.everything();
    let said = node.fails(&["add-centre", "noord", "--name", "Noord", "--region", "zk99"], 1);
    assert!(said.contains("`noord` is there already"), "{said}");
    let said = node.fails(&["add-location", "zk98-de-wadden", "--region", "zk98", "--name", "De Wadden"], 1);
    assert!(said.contains("no [[region]] with code `zk98`"), "{said}");
    assert_eq!(node.everything(), before);
}

#[test]
fn a_user_gets_a_new_key_and_loses_it() {
    let node = Node::new();
    let first = node.shown("loket-zk01")["keys"][0]["key"].clone();
    let told = node.json(&["rotate", "loket-zk01", "--grace", "2"]);
    assert_eq!((&told["user"], &told["ending"][0]), (&"R_zk01/loket-zk01".into(), &first));
    let shown = node.shown("loket-zk01");
    assert_eq!((&shown["keys"][0]["until"], &shown["keys"][1]["key"]), (&told["until"], &told["key"]));
    assert_eq!((&shown["keys"][0]["valid"], &shown["keys"][1]["valid"]), (&true.into(), &true.into()));

    let told = node.succeeds(&["revoke", first.as_str().unwrap()]);
    assert_eq!(told, format!("not valid any more: {}\n", first.as_str().unwrap()));
    assert_eq!(node.shown("loket-zk01")["seed_here"], true, "that is the seed of the other key");
    let told = node.succeeds(&["revoke", "loket-zk01"]);
    assert!(told.contains("its seed is now"), "{told}");
    let shown = node.shown("loket-zk01");
    assert_eq!((&shown["keys"][1]["valid"], &shown["seed_here"]), (&false.into(), &false.into()));
    assert!(node.succeeds(&["show"]).contains("revoked"));
    assert!(node.succeeds(&["init"]).contains("nothing was missing"), "it gets no key by the way");
}

#[test]
fn what_is_taken_away_twice_or_given_back_is_said_and_the_node_s_own_only_with_yes() {
    let node = Node::new();
    node.succeeds(&["revoke", "loket-zk01"]);
    let told = node.succeeds(&["revoke", "loket-zk01"]);
    assert!(told.starts_with("nothing changed: ") && told.contains("R_zk01/loket-zk01"), "{told}");
    let told = node.succeeds(&["rotate", "loket-zk01"]);
    assert!(told.contains("it was shut out, and is let in again"), "{told}");
    let before = node.everything();
    let said = node.fails(&["revoke", "R_zk01/_recorder"], 2);
    assert!(said.contains("nothing that zk01 sends is recorded") && said.contains("--yes"), "{said}");
    let key = node.shown("_recorder")["keys"][0]["key"].clone();
    let said = node.fails(&["revoke", key.as_str().unwrap()], 2);
    assert!(said.contains("--yes"), "{said}");
    assert_eq!(node.everything(), before);
    let told = node.succeeds(&["revoke", "R_zk01/_recorder", "--yes"]);
    assert!(told.contains(key.as_str().unwrap()), "{told}");
}

#[test]
fn what_a_user_needs_is_handed_out_for_its_owner_only() {
    let node = Node::new();
    let to = node.path("stick");
    let bus = "tls://bus.example.nl:4222";
    let told = node.json(&["hand-out", "loket-zk01", "--to", text(&to), "--bus", bus]);
    assert_eq!((told["files"].as_array().unwrap().len(), &told["bus"]), (5, &bus.into()));
    let seed = to.join("loket-zk01.nk");
    assert_eq!(fs::metadata(&seed).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read(&seed).unwrap(), fs::read(node.path("keys/R_zk01/loket-zk01.nk")).unwrap());
    assert_eq!(fs::read(to.join("ca.pem")).unwrap(), fs::read(node.path("keys/ca.pem")).unwrap());
    let told = node.succeeds(&["hand-out", "noordwest", "--to", text(&node.path("other"))]);
    assert!(told.contains("where the bus is is not said"), "{told}");
}

#[test]
fn users_are_shown_in_columns_and_asked_for_by_name_or_account_and_name() {
    let node = Node::new();
    let told = node.succeeds(&["show", "--account", "R_zk01"]);
    let mut lines = told.lines();
    assert_eq!(
        lines.next().unwrap().split_whitespace().collect::<Vec<_>>(),
        ["account", "user", "is", "signs", "seed", "key"]
    );
    assert!(lines.clone().all(|line| line.starts_with("R_zk01 ")), "{told}");
    assert_eq!(lines.count(), 11, "nine sources, the recorder, the provisioner");
    let said = node.fails(&["show", "--account", "R_zk02"], 2);
    assert!(said.contains("there is no account R_zk02"), "{said}");
    let said = node.fails(&["rotate", "_provisioner"], 2);
    assert!(
        said.contains("3 accounts have a user _provisioner; say which, as in R_zk01/_provisioner"),
        "{said}"
    );
    node.succeeds(&["rotate", "CORE/_provisioner"]);
    let seed = fs::read_to_string(node.path("keys/CORE/_gateway.nk")).unwrap();
    let said = node.fails(&["revoke", seed.trim()], 2);
    assert!(said.contains("this looks like a seed"), "{said}");
    let said = node.fails(&["revoke", "nobody"], 2);
    assert!(said.contains("there is no user nobody"), "{said}");
}

#[test]
fn keys_that_others_may_read_are_refused_with_what_to_do() {
    let node = Node::new();
    let seed = node.path("keys/R_zk01/loket-zk01.nk");
    fs::set_permissions(&seed, fs::Permissions::from_mode(0o644)).unwrap();
    let said = node.fails(&["hand-out", "loket-zk01", "--to", text(&node.path("stick"))], 1);
    assert!(said.contains("others may read it (rights 0644); `chmod go= "), "{said}");
    let said = node.fails(&["rotate", "loket-zk01"], 1);
    assert!(said.contains("others may read it"), "{said}");
}

#[test]
fn a_referrer_is_added_as_a_source_and_a_region_gets_a_leaf_each_with_a_key() {
    let node = Node::new();
    let urn = "urn:nld:kvknr:00000003:systeem:verwijzer";
    let told = node.succeeds(&[
        "add-source",
        urn,
        "--name",
        "huisartsenpost",
        "--kind",
        "referrer",
        "--region",
        "zk01",
        "--must-sign",
    ]);
    assert!(told.contains("R_zk01/huisartsenpost got a key"), "{told}");
    let network = node.network();
    let source = network.source(&urn.parse().unwrap()).unwrap();
    assert!(source.may_send("referral.made") && !source.may_send("bed.freed"), "{source:?}");
    let told = node.succeeds(&["add-leaf", "zk01"]);
    assert!(told.contains("R_zk01/_leaf got a key"), "{told}");
    assert!(node.network().region(&"zk01".parse().unwrap()).unwrap().leaf);
    // What the edited file says is what a file written anew says.
    assert_eq!(Network::from_toml("again", &node.network().to_toml()).unwrap(), node.network());
    assert!(!node.run(&["add-leaf", "zk99"]).status.success());
}

#[test]
fn a_token_is_shown_once_listed_by_its_name_and_revoked() {
    let node = Node::new();
    let token = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_doorstroom"))
            .args(["admin", "token"])
            .args(args)
            .arg("--data")
            .arg(node.dir.path())
            .env_clear()
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), said)
    };
    let name = node.network().sources().next().unwrap().name.to_string();
    let (code, told, said) = token(&["add", &name, "--json"]);
    assert_eq!((code, &*said), (Some(0), ""));
    let made: Value = serde_json::from_str(&told).unwrap();
    let (id, secret) = (made["id"].as_str().unwrap(), made["token"].as_str().unwrap());
    assert!(node.everything().values().all(|bytes| !String::from_utf8_lossy(bytes).contains(secret)));
    let listed = token(&["list"]).1;
    assert!(listed.contains(id) && listed.contains(&name) && !listed.contains(secret), "{listed}");
    let (code, _, said) = token(&["revoke", secret]);
    assert!(code == Some(2) && !said.contains(secret), "{said}");
    assert_eq!(token(&["revoke", id]).0, Some(0));
    assert!(token(&["list"]).1.contains("not valid"));
    let file = node.path("ecd.token");
    let (code, told, _) = token(&["add", &name, "--to", file.to_str().unwrap()]);
    assert_eq!(code, Some(0));
    let secret = fs::read_to_string(&file).unwrap();
    assert!(secret.starts_with("dst_") && !told.contains(secret.trim()));
    let (code, _, said) = token(&["add", "niemand"]);
    assert!(code == Some(2) && said.contains("there is no source niemand"), "{said}");
}
