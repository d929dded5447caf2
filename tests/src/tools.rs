//! Where the programs are: ours, built for the profile the tests are built for, and those from outside.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The root of the repository.
#[must_use]
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The binary, built to the state of the source on the first call of each test process.
///
/// Cargo tells only the tests of a package where its binaries are, so it is looked for where cargo puts it: beside
/// the folder of the test programs. `DOORSTROOM_BINARY` names another one, which is then taken as it is.
///
/// # Panics
/// If it cannot be built.
#[must_use]
pub fn doorstroom() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(named) = std::env::var_os("DOORSTROOM_BINARY") {
            return named.into();
        }
        build(&["--package", "doorstroom"]).join("doorstroom")
    })
}

/// An example program of one of our crates, built to the state of the source.
///
/// Asked of the whole workspace, as the tests are: for its package alone, with other features of other packages, cargo
/// would build almost everything anew.
///
/// # Panics
/// If it cannot be built.
#[must_use]
pub fn example(name: &str) -> PathBuf {
    build(&["--workspace", "--example", name]).join("examples").join(name)
}

/// Builds with the profile the tests are built with, and gives the folder of its programs.
fn build(what: &[&str]) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    // target/<profile>/deps/<test>
    let folder = test.parent().unwrap().parent().unwrap();
    let profile = match folder.file_name().unwrap().to_str().unwrap() {
        "debug" => "dev",
        other => other,
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.current_dir(root()).args(["build", "--quiet", "--profile", profile]).args(what);
    // Cargo sets these for a test program; a build that sees them would build other things anew.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CARGO_PKG_"))
    {
        build.env_remove(name);
    }
    build.env("CARGO_TARGET_DIR", folder.parent().unwrap()).env_remove("CARGO_MANIFEST_DIR");
    let status = build.stdin(Stdio::null()).status().unwrap();
    assert!(status.success(), "the program could not be built: {build:?}");
    folder.to_owned()
}

/// A nats-server: the one of `DOORSTROOM_NATS_SERVER`, one in `PATH`, or the pinned one.
///
/// # Panics
/// If there is none and none can be obtained.
#[must_use]
pub fn nats_server() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| obtained("deploy/nats-server", &[]))
}

/// A Python that has nats-py and nothing else of NATS; the scripts for it are in `tests/python`.
///
/// # Panics
/// If there is none and none can be made.
#[must_use]
pub fn python() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| obtained("tests/python.sh", &[]))
}

/// A Python that has a published client of a DCB event store and its test case.
///
/// # Panics
/// If there is none and none can be made.
#[must_use]
pub fn dcb_python() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| obtained("tests/python.sh", &["dcb"]))
}

/// A Python that has schemathesis.
///
/// # Panics
/// If there is none and none can be made.
#[must_use]
pub fn api_python() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| obtained("tests/python.sh", &["api"]))
}

/// A Chromium.
///
/// # Panics
/// If there is none and none can be installed.
#[must_use]
pub fn chromium() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| obtained("tests/chromium.sh", &[]))
}

/// The path that a script of ours prints; it obtains what is missing.
fn obtained(script: &str, arguments: &[&str]) -> PathBuf {
    // Several test processes may ask at once: one at a time, the others find it done.
    let lock = std::fs::File::create(std::env::temp_dir().join("doorstroom-tests-obtain.lock")).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let mut command = Command::new(root().join(script));
    let output = command.args(arguments).stdin(Stdio::null()).stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "{script} failed");
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim_end())
}
