//! How a client command gets onto the bus: where the broker is, by what it is believed, and as whom.
//!
//! Flags say it; what they do not say, the folder that was handed out says, and then the node on the data folder. Not
//! here: what is done on the bus, what is handed out (`keyring`).

use std::fs;
use std::path::{Path, PathBuf};

use bus::{Bus, Config, ConnectError, Login, Logins, Server};
use clap::Args;
use domain::RegionId;
use keyring::{BUS_FILE, CA_FILE, NETWORK_FILE};
use network::{Account, Network, Role};

use crate::failure::Failure;
use crate::node_file::NodeFile;
use crate::out::complain;

/// Where the broker is, and as whom.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct AccessArg {
    /// The broker, instead of the one of the node on the data folder
    #[arg(long, value_name = "URL")]
    pub(crate) bus: Option<String>,
    /// As whom: the key of one user (FILE.nk), the folder that was handed out with it, or a node's folder of keys,
    /// instead of the node's
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
    /// The network file that goes with it, if there is one.
    pub(crate) network: Option<PathBuf>,
}

/// A folder as `admin network hand-out` makes it; what a person took out of it is said by flags.
struct HandedOut {
    key: PathBuf,
    ca: Option<PathBuf>,
    network: Option<PathBuf>,
    bus: Option<String>,
}

impl HandedOut {
    /// What is in the folder; `None` when no key lies in it, as in a node's folder of keys.
    fn read(folder: &Path) -> Result<Option<Self>, Failure> {
        let unreadable = |error| Failure::new(format!("{} can not be read", folder.display()), error);
        let mut keys = Vec::new();
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.extension().is_some_and(|ending| ending == "nk") {
                keys.push(path);
            }
        }
        let key = match (keys.pop(), keys.is_empty()) {
            (None, _) => return Ok(None),
            (Some(key), true) => key,
            (Some(_), false) => {
                let text =
                    format!("{} has the keys of several users; name one of the files", folder.display());
                return Err(Failure::usage(text));
            }
        };
        let beside = |name: &str| Some(folder.join(name)).filter(|path| path.exists());
        let bus = match beside(BUS_FILE).map(fs::read_to_string) {
            Some(text) => Some(text.map_err(unreadable)?.trim().to_owned()),
            None => None,
        };
        Ok(Some(Self { key, ca: beside(CA_FILE), network: beside(NETWORK_FILE), bus }))
    }
}

impl AccessArg {
    /// What the flags say, what was handed out for the rest, and the node on this folder for what is then left.
    ///
    /// # Errors
    /// The key can not be read; nobody says where the broker is.
    pub(crate) fn resolve(&self, data: &Path) -> Result<Access, Failure> {
        let handed = match &self.creds {
            Some(creds) if creds.is_dir() => HandedOut::read(creds)?,
            Some(_) | None => None,
        };
        if let Some(HandedOut { key, ca, network, bus }) = handed {
            let url = self.bus.clone().or(bus).ok_or_else(|| {
                Failure::usage(
                    "--bus is needed: the folder that was handed out does not say where the bus is",
                )
            })?;
            let server = Server { url, ca: self.ca.clone().or(ca) };
            return Ok(Access { server, logins: Logins::One(Login::from_file(&key)?), network });
        }
        // Who names a broker may have no node, and if there is one it says the rest.
        let node = match (&self.bus, NodeFile::read(data)) {
            (_, Ok(node)) => Some(node),
            (Some(_), Err(_)) => None,
            (None, Err(error)) => return Err(error.into()),
        };
        let url = self.bus.clone().or_else(|| node.as_ref().map(|node| node.bus.clone()));
        let url =
            url.ok_or_else(|| Failure::usage("--bus is needed: there is no node to ask for the broker"))?;
        let ca = self.ca.clone().or_else(|| node.as_ref().map(|node| node.ca.clone()));
        let creds = self.creds.clone().or_else(|| node.as_ref().map(|node| node.keys.clone()));
        let logins = match creds {
            None => Logins::None,
            Some(folder) if folder.is_dir() => Logins::Folder(folder),
            Some(file) => Logins::One(Login::from_file(&file)?),
        };
        Ok(Access { server: Server { url, ca }, logins, network: node.map(|node| node.network) })
    }
}

impl Access {
    /// A connection of the person on the node's machine, or of whoever `--creds` names.
    ///
    /// # Errors
    /// There is no key of the operator in the folder; nobody answers, or refuses.
    pub(crate) async fn connect(&self, name: &str) -> Result<Bus, Failure> {
        let login = self.logins.of(&Account::Core, Role::Operator.user())?;
        let config = Config { server: self.server.clone(), name: name.to_owned(), login };
        Bus::connect_patiently(config).await.map_err(told)
    }

    /// Looks, before anything is sent, whether the broker is believed and (if there is one user) lets us in: sending
    /// would try again and again. A broker that is away says nothing of either.
    ///
    /// # Errors
    /// It is not believed, or does not know us.
    pub(crate) async fn try_door(&self, name: &str) -> Result<(), Failure> {
        let login = match &self.logins {
            Logins::One(login) => Some(login.clone()),
            Logins::None | Logins::Folder(_) => None,
        };
        // With a folder each sender will connect as itself: here it is enough to be refused by somebody who is believed.
        let alone = !matches!(self.logins, Logins::Folder(_));
        let config = Config { server: self.server.clone(), name: name.to_owned(), login };
        let tried = if alone { Bus::connect_patiently(config).await } else { Bus::connect(config).await };
        match tried {
            Err(error @ ConnectError::NotBelieved { .. }) => Err(told(error)),
            Err(error @ ConnectError::Unknown { .. }) if alone => Err(told(error)),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Refuses a region that the network file does not have, where there is such a file.
    ///
    /// # Errors
    /// There is none of this code.
    pub(crate) fn check_region(&self, region: Option<&RegionId>) -> Result<(), Failure> {
        let Some(file) = &self.network else { return Ok(()) };
        known_region(&Network::read(file)?, region)
    }
}

/// Refuses a region that is not in the network, and tells which are.
///
/// # Errors
/// There is none of this code.
pub(crate) fn known_region(network: &Network, region: Option<&RegionId>) -> Result<(), Failure> {
    match region {
        Some(region) if network.region(region).is_none() => {
            let known: Vec<&str> = network.regions().map(|region| region.code.as_str()).collect();
            Err(Failure::usage(format!("there is no region {region}; there are {}", known.join(", "))))
        }
        Some(_) | None => Ok(()),
    }
}

/// The same for whoever looks into a log: it may have events of a region that the network does not have any more, so this
/// is said and not refused. A log may also be elsewhere than its node.
pub(crate) fn say_unknown_region(network: &Path, region: Option<&RegionId>) {
    let Ok(network) = Network::read(network) else { return };
    if let Err(failure) = known_region(&network, region) {
        complain(format_args!("{failure}; what follows is what the log has of it\n"));
    }
}

/// Not let in is not broken.
fn told(error: ConnectError) -> Failure {
    let refused = error.is_refusal();
    let failure = Failure::from(error);
    if refused { Failure::refused(failure.to_string()) } else { failure }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: &str = "SUAMVF4BCLFBXPOK7LBDDM42EPOE3J4G574BI7COOK4YA54FV7XERO7ZGA";

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    fn resolve(creds: &Path, bus: Option<&str>) -> Result<Access, Failure> {
        let arg = AccessArg { bus: bus.map(str::to_owned), creds: Some(creds.to_owned()), ca: None };
        arg.resolve(Path::new("no/node/here"))
    }

    #[test]
    fn what_was_handed_out_says_everything_and_a_flag_says_otherwise() {
        let given = folder(&[
            ("zk23-de-es.nk", SEED),
            (CA_FILE, ""),
            (NETWORK_FILE, ""),
            (BUS_FILE, "tls://a:1,tls://b:1\n"),
        ]);
        let access = resolve(given.path(), None).unwrap();
        assert_eq!(access.server.url, "tls://a:1,tls://b:1");
        assert_eq!(access.server.ca, Some(given.path().join(CA_FILE)));
        assert_eq!(access.network, Some(given.path().join(NETWORK_FILE)));
        assert!(matches!(&access.logins, Logins::One(login) if login.name() == "zk23-de-es"), "{access:?}");
        assert_eq!(resolve(given.path(), Some("tls://c:1")).unwrap().server.url, "tls://c:1");
    }

    #[test]
    fn without_a_place_the_handed_out_folder_asks_for_it_and_of_two_keys_it_takes_none() {
        let given = folder(&[("zk23-de-es.nk", SEED)]);
        let told = resolve(given.path(), None).unwrap_err().to_string();
        assert!(told.contains("--bus is needed"), "{told}");
        let given = folder(&[("zk23-de-es.nk", SEED), ("zk23-de-eik.nk", SEED)]);
        let told = resolve(given.path(), Some("tls://a:1")).unwrap_err().to_string();
        assert!(told.contains("the keys of several users"), "{told}");
    }

    #[test]
    fn a_folder_of_folders_of_keys_is_a_node_s() {
        let keys = tempfile::tempdir().unwrap();
        fs::create_dir(keys.path().join("R_zk23")).unwrap();
        let access = resolve(keys.path(), Some("tls://a:1")).unwrap();
        assert!(matches!(access.logins, Logins::Folder(_)), "{access:?}");
    }

    #[test]
    fn a_region_that_is_not_there_is_told_with_those_that_are() {
        let network = Network::default_dutch().unwrap();
        let told = known_region(&network, Some(&"zk99".parse().unwrap())).unwrap_err().to_string();
        assert!(told.contains("no region zk99; there are zk01, zk02"), "{told}");
        assert!(known_region(&network, Some(&"zk23".parse().unwrap())).is_ok());
    }
}
