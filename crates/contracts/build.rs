//! Compiles `/proto` to Rust without a `protoc`, and gives the event messages the field names and the rules of the JSON.

use std::error::Error;
use std::path::Path;

/// The file whose messages are also read and written as JSON.
const EVENT_FILE: &str = "doorstroom/v1/event.proto";

/// Lists that the JSON may leave out; every other list is required there.
const OPTIONAL_LISTS: [&str; 5] = [
    "LocationProfile.wards",
    "AdmissionWindow.care_types",
    "ReferralProfile.constraints",
    "Candidate.spare",
    "ReferralMatched.wished",
];

fn main() -> Result<(), Box<dyn Error>> {
    // Relative: a build script runs in the folder of its crate, and another checkout may share the build folder.
    let proto = Path::new("../../proto");
    let files = [proto.join(EVENT_FILE), proto.join("doorstroom/v1/record.proto")];
    for file in &files {
        println!("cargo::rerun-if-changed={}", file.display());
    }
    let descriptors = protox::compile(&files, [proto])?;

    let mut config = prost_build::Config::new();
    config.bytes(["."]);
    for file in descriptors.file.iter().filter(|file| file.name() == EVENT_FILE) {
        for message in &file.message_type {
            let path = format!(".{}.{}", file.package(), message.name());
            config.message_attribute(&path, "#[derive(serde::Serialize, serde::Deserialize)]");
            if message.name() == "Codes" {
                config.message_attribute(&path, "#[serde(transparent)]");
            }
            for field in &message.field {
                let skip = if field.proto3_optional() {
                    "#[serde(skip_serializing_if = \"Option::is_none\")]"
                } else if OPTIONAL_LISTS.contains(&format!("{}.{}", message.name(), field.name()).as_str()) {
                    "#[serde(default, skip_serializing_if = \"Vec::is_empty\")]"
                } else {
                    continue;
                };
                config.field_attribute(format!("{path}.{}", field.name()), skip);
            }
        }
    }
    config.compile_fds(descriptors)?;
    Ok(())
}
