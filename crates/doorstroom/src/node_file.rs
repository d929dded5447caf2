//! `node.json`: how a command finds the node that runs on this data folder. Written by `up` when it is ready,
//! removed when it ends.
//!
//! Not here: what lies in the data folder otherwise.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::{Deserialize, Serialize};

/// The file's name in the data folder.
const NAME: &str = "node.json";

/// Where a node keeps everything: its log, its broker's files, `node.json`.
#[derive(Args, Clone, Debug)]
pub(crate) struct DataArg {
    /// The folder of the node's data.
    #[arg(long, value_name = "DIR", env = "DOORSTROOM_DATA", default_value = "data")]
    pub(crate) data: PathBuf,
}

impl DataArg {
    /// The network file: that of the node which runs here, or the one in the folder.
    pub(crate) fn network(&self) -> PathBuf {
        NodeFile::read(&self.data).map_or_else(|_no_node| self.data.join("network.toml"), |node| node.network)
    }

    /// The folder of the log.
    pub(crate) fn log(&self) -> PathBuf {
        self.data.join("log")
    }
}

/// The addresses of a running node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NodeFile {
    /// The pages and the HTTP API, such as `http://127.0.0.1:8080`.
    pub(crate) http: String,
    /// The broker, such as `nats://127.0.0.1:4222`.
    pub(crate) bus: String,
    /// The certificate of the only authority that the broker is believed by; absolute.
    pub(crate) ca: PathBuf,
    /// The folder with the key of every user of the bus; absolute.
    pub(crate) keys: PathBuf,
    /// The network file the node works with; absolute.
    pub(crate) network: PathBuf,
    /// The process of the node.
    pub(crate) pid: u32,
}

/// `node.json` could not be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NodeFileError {
    #[error("no node runs on {}: there is no {NAME} in it; start one with `doorstroom up --data {}`, or name its folder with --data", .0.display(), .0.display())]
    Missing(PathBuf),
    #[error("{} cannot be read; the node that runs on this folder writes it, so start that again", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{} is not what a node writes; the node that runs on this folder writes it, so start that again", path.display())]
    Malformed { path: PathBuf, source: serde_json::Error },
    #[error("{} cannot be written; clients would not find this node", path.display())]
    Unwritable { path: PathBuf, source: io::Error },
}

impl NodeFile {
    /// The node that runs on this data folder.
    pub(crate) fn read(data: &Path) -> Result<Self, NodeFileError> {
        let path = data.join(NAME);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(NodeFileError::Missing(data.to_owned()));
            }
            Err(source) => return Err(NodeFileError::Unreadable { path, source }),
        };
        serde_json::from_slice(&bytes).map_err(|source| NodeFileError::Malformed { path, source })
    }

    /// Writes it, readable for this user only, in one step: a reader sees all of it or nothing.
    pub(crate) fn write(&self, data: &Path) -> Result<(), NodeFileError> {
        let path = data.join(NAME);
        let draft = data.join(format!(".{NAME}.{}", self.pid));
        let written = self.write_draft(&draft).and_then(|()| fs::rename(&draft, &path));
        written.map_err(|source| NodeFileError::Unwritable { path, source })
    }

    fn write_draft(&self, draft: &Path) -> io::Result<()> {
        let mut file =
            fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(draft)?;
        serde_json::to_writer_pretty(&mut file, self)?;
        file.write_all(b"\n")?;
        file.sync_all()
    }

    /// Removes it: no node runs here any more. A file that is not there is as good.
    pub(crate) fn remove(data: &Path) -> Result<(), NodeFileError> {
        let path = data.join(NAME);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(NodeFileError::Unwritable { path, source })
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn node() -> NodeFile {
        NodeFile {
            http: "http://127.0.0.1:8080".to_owned(),
            bus: "nats://127.0.0.1:4222".to_owned(),
            ca: "/srv/doorstroom/keys/ca.pem".into(),
            keys: "/srv/doorstroom/keys".into(),
            network: "/srv/doorstroom/network.toml".into(),
            pid: 4711,
        }
    }

    #[test]
    fn a_node_is_found_by_what_it_wrote_and_only_its_user_may_read_it() {
        let data = tempfile::tempdir().unwrap();
        node().write(data.path()).unwrap();
        assert_eq!(NodeFile::read(data.path()).unwrap(), node());
        let mode = fs::metadata(data.path().join(NAME)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn a_folder_without_a_node_says_how_to_start_one() {
        let data = tempfile::tempdir().unwrap();
        node().write(data.path()).unwrap();
        NodeFile::remove(data.path()).unwrap();
        NodeFile::remove(data.path()).unwrap();
        let error = NodeFile::read(data.path()).unwrap_err().to_string();
        assert!(error.contains("doorstroom up --data"), "{error}");
    }
}
