//! The house in order: what `ARCHITECTURE.md` says about the crates and the tests is so, and every file keeps the
//! few rules that no compiler checks.
#![expect(clippy::unwrap_used, reason = "test code: a failed unwrap is the failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};
use support::{files, names_in_backticks, test_functions};

/// Technology from outside and the crates that may know it. Tests may use what they like.
const ONLY_PLACES: [(&str, &[&str]); 10] = [
    ("async-nats", &["bus"]),
    // The messages of events, and those of a wire that is not ours.
    ("prost", &["contracts", "dcb"]),
    ("tonic", &["dcb"]),
    ("prost-build", &["contracts"]),
    ("axum", &["portal"]),
    ("clap", &["doorstroom"]),
    ("lettre", &["notifier"]),
    ("rcgen", &["keyring"]),
    ("x509-parser", &["keyring"]),
    ("sled", &["eventlog", "projector"]),
];

/// The package of the end-to-end tests: no part of the product, so it is not in the table.
const TESTS: &str = "tests";

/// A row of the crate table.
#[derive(Debug)]
struct Row {
    name: String,
    /// What it may use of ours; `None` for all.
    may_use: Option<BTreeSet<String>>,
}

/// The crate table of `ARCHITECTURE.md`, from the top.
fn crate_table() -> Vec<Row> {
    let text = fs::read_to_string(tests::root().join("ARCHITECTURE.md")).unwrap();
    let table = text.lines().skip_while(|line| !line.starts_with("| crate |")).skip(2);
    let rows: Vec<Row> = table
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let [name, _, may_use, _] = cells[..] else { unreachable!("not four cells: {line}") };
            let may_use = match may_use {
                "all" => None,
                "–" => Some(BTreeSet::new()),
                some => Some(some.split(',').map(|name| name.trim().trim_matches('`').to_owned()).collect()),
            };
            Row { name: name.trim_matches('`').to_owned(), may_use }
        })
        .collect();
    assert!(!rows.is_empty(), "ARCHITECTURE.md has no table that begins with `| crate |`");
    rows
}

fn workspace() -> Metadata {
    MetadataCommand::new().manifest_path(tests::root().join("Cargo.toml")).no_deps().exec().unwrap()
}

/// What a package is built from, tests aside.
fn built_from(package: &Package) -> BTreeSet<String> {
    let dependencies = package.dependencies.iter();
    dependencies
        .filter(|used| used.kind != DependencyKind::Development)
        .map(|used| used.name.clone())
        .collect()
}

#[test]
fn the_crate_table_is_what_cargo_says() {
    let table = crate_table();
    let packages = workspace().packages;
    let ours: BTreeSet<&str> =
        packages.iter().map(|package| package.name.as_str()).filter(|name| *name != TESTS).collect();
    let named: BTreeSet<&str> = table.iter().map(|row| &*row.name).collect();
    assert_eq!(named, ours, "left the table, right the crates");
    assert_eq!(named.len(), table.len(), "a crate stands twice in the table");
    for row in &table {
        let Some(may_use) = &row.may_use else { continue };
        let package = packages.iter().find(|package| package.name.as_str() == row.name).unwrap();
        let uses: BTreeSet<String> =
            built_from(package).into_iter().filter(|name| ours.contains(&**name)).collect();
        let more: Vec<_> = uses.difference(may_use).collect();
        assert!(more.is_empty(), "`{}` uses {more:?}, which the table does not allow", row.name);
    }
}

#[test]
fn the_arrows_of_the_crate_table_only_point_down() {
    let table = crate_table();
    let mut above = BTreeSet::new();
    for row in table {
        for used in row.may_use.iter().flatten() {
            assert!(above.contains(used), "`{}` may use `{used}`, which does not stand above it", row.name);
        }
        above.insert(row.name);
    }
}

#[test]
fn a_foreign_technology_is_known_to_its_only_place() {
    let packages = workspace().packages;
    let users: BTreeMap<&str, BTreeSet<&str>> = packages
        .iter()
        .filter(|package| package.name.as_str() != TESTS)
        .flat_map(|package| package.dependencies.iter().map(move |used| (package, used)))
        .filter(|(_, used)| used.kind != DependencyKind::Development)
        .fold(BTreeMap::new(), |mut users, (package, used)| {
            users.entry(&*used.name).or_default().insert(package.name.as_str());
            users
        });
    for (technology, places) in ONLY_PLACES {
        let found = users.get(technology).cloned().unwrap_or_default();
        let elsewhere: Vec<_> = found.iter().filter(|user| !places.contains(user)).collect();
        assert!(elsewhere.is_empty(), "{technology} belongs in {places:?} only, but {elsewhere:?} uses it");
    }
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    for package in workspace().packages {
        let manifest: toml::Table =
            toml::from_str(&fs::read_to_string(&package.manifest_path).unwrap()).unwrap();
        let shared =
            manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool);
        assert_eq!(shared, Some(true), "{} lacks `[lints] workspace = true`", package.manifest_path);
    }
}

#[test]
fn every_version_stands_in_the_manifest_of_the_workspace() {
    for package in workspace().packages {
        let manifest: toml::Table =
            toml::from_str(&fs::read_to_string(&package.manifest_path).unwrap()).unwrap();
        for kind in ["dependencies", "build-dependencies", "dev-dependencies"] {
            let used = manifest.get(kind).and_then(toml::Value::as_table).into_iter().flatten();
            for (name, value) in used {
                let inherited = value.get("workspace").and_then(toml::Value::as_bool);
                assert_eq!(
                    inherited,
                    Some(true),
                    "{}: {name} lacks `workspace = true`",
                    package.manifest_path
                );
            }
        }
    }
}

#[test]
fn every_source_file_begins_by_saying_what_lives_in_it() {
    let silent: Vec<PathBuf> = files(&["rs"])
        .into_iter()
        .filter(|(_, text)| {
            !text.starts_with("//! ") || text.lines().next().unwrap().len() < "//! Words.".len()
        })
        .map(|(path, _)| path)
        .collect();
    assert!(silent.is_empty(), "these do not begin with `//! ` and words: {silent:#?}");
}

#[test]
fn every_invariant_names_a_test_that_exists() {
    let text = fs::read_to_string(tests::root().join("ARCHITECTURE.md")).unwrap();
    let known = test_functions();
    let invariants: Vec<&str> = text.split("Invariant:").skip(1).collect();
    assert!(!invariants.is_empty(), "ARCHITECTURE.md states no invariant (`Invariant: … (test: `name`)`)");
    for invariant in invariants {
        let statement = invariant.split("\n\n").next().unwrap();
        assert!(!names_in_backticks(statement, "test").is_empty(), "no test is named for: {statement}");
    }
    let missing: Vec<String> =
        names_in_backticks(&text, "test").into_iter().filter(|name| !known.contains(name)).collect();
    assert!(missing.is_empty(), "ARCHITECTURE.md names tests that are not there: {missing:#?}");
}

#[test]
fn no_file_speaks_of_what_is_outside_the_repository() {
    // In two parts, or this file would be the first to do so.
    let outside = [concat!("../", "shared"), concat!("/wo", "rk/"), concat!("/ro", "ot/")];
    for (path, text) in files(&[]) {
        for place in outside {
            let line = text.lines().position(|line| line.contains(place)).map(|line| line + 1);
            assert_eq!(line, None, "{} speaks of {place} in this line", path.display());
        }
    }
}

#[cfg(test)]
mod support {
    use super::{BTreeSet, Path, PathBuf, fs};

    /// What is built or obtained, or is not ours; never part of the repository.
    const NOT_OURS: [&str; 4] = ["target", ".git", ".tools", "__pycache__"];

    /// Every text file of the repository with one of these extensions (none: every text file), by its path in it.
    pub(crate) fn files(extensions: &[&str]) -> Vec<(PathBuf, String)> {
        let mut found = Vec::new();
        collect(tests::root(), extensions, &mut found);
        assert!(!found.is_empty(), "no file was found");
        found
    }

    fn collect(folder: &Path, extensions: &[&str], found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            // A node that was tried out keeps its data beside the sources.
            let tried_out = name == "data" && folder == tests::root();
            if NOT_OURS.contains(&name) || tried_out {
                continue;
            }
            if path.is_dir() {
                collect(&path, extensions, found);
                continue;
            }
            let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
            if !extensions.is_empty() && !extensions.contains(&extension) {
                continue;
            }
            // What is not text (a picture, a packed file) is left out.
            if let Ok(text) = String::from_utf8(fs::read(&path).unwrap()) {
                found.push((path.strip_prefix(tests::root()).unwrap().to_owned(), text));
            }
        }
    }

    /// The names in every `(<what>: `a`, `b`)` of a text.
    pub(crate) fn names_in_backticks(text: &str, what: &str) -> Vec<String> {
        let opening = format!("({what}: ");
        let lists = text.split(&opening).skip(1).filter_map(|rest| rest.split(')').next());
        lists.flat_map(|list| list.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
    }

    /// Every function of the repository that a test attribute stands on.
    pub(crate) fn test_functions() -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for (_, text) in files(&["rs"]) {
            let mut attributed = false;
            for line in text.lines().map(str::trim_start) {
                if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                    attributed = true;
                } else if let Some((before, name)) = line.split_once("fn ") {
                    if attributed && before.chars().all(|letter| letter.is_ascii_lowercase() || letter == ' ')
                    {
                        names.insert(name.split(['(', '<']).next().unwrap().to_owned());
                    }
                    attributed = false;
                }
            }
        }
        names
    }
}
