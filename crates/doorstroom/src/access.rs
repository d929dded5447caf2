//! How a client command gets onto the bus: where the broker is, by what it is believed, and as whom.
//!
//! A node on the data folder says all of it; flags say otherwise. Not here: what is done there.

use std::path::PathBuf;

use bus::{Login, Logins, Server};
use clap::Args;
use network::{Account, Role};

use crate::failure::Failure;
use crate::node_file::NodeFile;

/// Where the broker is, and as whom.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct AccessArg {
    /// The broker, instead of the one of the node on the data folder
    #[arg(long, value_name = "URL")]
    pub(crate) bus: Option<String>,
    /// The key of one user of the bus (FILE.nk), or the folder of many (`DIR/<account>/<user>.nk`), instead of the node's
    #[arg(long, value_name = "FILE|DIR")]
    creds: Option<PathBuf>,
    /// The certificate by which the broker is believed (ca.pem), instead of the node's
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

/// The way onto the bus.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) server: Server,
    pub(crate) logins: Logins,
}

impl AccessArg {
    /// What the flags say, and the node for the rest.
    ///
    /// # Errors
    /// The key can not be read; there is neither a node nor a flag for the broker.
    pub(crate) fn resolve(&self, node: Option<&NodeFile>) -> Result<Access, Failure> {
        let url = self.bus.clone().or_else(|| node.map(|node| node.bus.clone()));
        let url =
            url.ok_or_else(|| Failure::usage("--bus is needed: there is no node to ask for the broker"))?;
        let ca = self.ca.clone().or_else(|| node.map(|node| node.ca.clone()));
        let creds = self.creds.clone().or_else(|| node.map(|node| node.keys.clone()));
        let logins = match creds {
            None => Logins::None,
            Some(folder) if folder.is_dir() => Logins::Folder(folder),
            Some(file) => Logins::One(Login::from_file(&file)?),
        };
        Ok(Access { server: Server { url, ca }, logins })
    }
}

impl Access {
    /// A connection of the person on the node's machine, or of whoever `--creds` names.
    ///
    /// # Errors
    /// There is no key of the operator in the folder.
    pub(crate) fn operator(&self, name: &str) -> Result<bus::Config, Failure> {
        let login = self.logins.of(&Account::Core, Role::Operator.user())?;
        Ok(bus::Config { server: self.server.clone(), name: name.to_owned(), login })
    }
}
