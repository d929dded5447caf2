//! Compiles `/proto/umadb` to Rust without a `protoc`.

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    // Relative: a build script runs in the folder of its crate, and another checkout may share the build folder.
    let proto = Path::new("../../proto");
    let file = proto.join("umadb/v1/dcb.proto");
    println!("cargo::rerun-if-changed={}", file.display());
    let descriptors = protox::compile([file], [proto])?;
    // Who uses the client brings its own connection.
    tonic_prost_build::configure().build_transport(false).bytes(".").compile_fds(descriptors)?;
    Ok(())
}
