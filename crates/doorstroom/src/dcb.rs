//! `doorstroom dcb`: serves a log of its own to published clients of a DCB event store, until told to stop.
//!
//! Not here: the server (`dcb`).

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::failure::Failure;
use crate::out::Out;

/// Arguments of `doorstroom dcb`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  doorstroom dcb --data ./dcb\n\n\
    Published clients of `umadb.v1.DCB` work with it as they are, for example in Python\n\
    (`pip install eventsourcing-umadb`): umadb.Client(\"http://127.0.0.1:50051\"). For tests and comparison: it has\n\
    nothing to do with any node, and takes no folder in which something else lies.")]
pub(crate) struct Args {
    /// The folder of this server, made if it is not there; never that of a node
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where it listens; this machine only, port 0 picks a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:50051")]
    listen: SocketAddr,
}

/// Serves until the process is told to end.
///
/// # Errors
/// If it can not start, or the disk fails.
pub(crate) fn run(args: Args) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new("the runtime can not be started", error))?;
    runtime.block_on(async {
        let told = crate::up::stop_signals()?;
        let server = dcb::Server::open(dcb::Config::new(args.data, args.listen)).await?;
        let mut out = Out::new();
        out.line(format_args!("ready dcb=http://{}", server.address()))?;
        out.flush()?;
        Ok(server.run(told).await?)
    })
}
