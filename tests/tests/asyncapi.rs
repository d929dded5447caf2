//! The description of the bus, as somebody who never saw our code reads it.
//!
//! Not here: that it says what the code does (`doorstroom`, beside the code that writes it).

use std::process::{Command, Stdio};

#[test]
fn a_published_parser_finds_the_description_of_the_bus_valid() {
    let root = tests::root();
    let mut check = Command::new(root.join("tests/asyncapi.sh"));
    let checked = check.arg(root.join("proto/asyncapi.json")).stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&checked.stdout);
    assert!(checked.status.success(), "{said}\n{}", String::from_utf8_lossy(&checked.stderr));
    assert!(said.starts_with("AsyncAPI 3.0.0: "), "{said}");
}
