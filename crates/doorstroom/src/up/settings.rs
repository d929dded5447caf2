//! How a node is to run: flags, then environment (both read by clap), then one TOML file, then the defaults.

use std::fmt;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use bus::Limits;
use notifier::{MailSetup, PushServices, PushSetup};
use serde::Deserialize;

use crate::failure::Failure;

/// Arguments of `doorstroom up`.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(
    after_help = "Examples:\n  doorstroom up --demo\n  doorstroom up --data /var/lib/doorstroom --network network.toml"
)]
pub(crate) struct Args {
    /// The folder of the node: log, views, broker, node.json [default: ./data]
    #[arg(long, env = "DOORSTROOM_DATA", value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Who takes part; without it the 31 Dutch regions (with --demo: those of the reference data)
    #[arg(long, env = "DOORSTROOM_NETWORK", value_name = "FILE")]
    pub(crate) network: Option<PathBuf>,
    /// The rules of the desks, where they differ from the defaults
    #[arg(long, env = "DOORSTROOM_RULES", value_name = "FILE")]
    pub(crate) rules: Option<PathBuf>,
    /// Where pages and HTTP API listen; loopback only, port 0 picks a free one [default: 127.0.0.1:8080]
    #[arg(long, env = "DOORSTROOM_HTTP", value_name = "ADDR")]
    pub(crate) http: Option<SocketAddr>,
    /// A proxy before the pages that says in X-Forwarded-For from where a request comes; may be given more than once, or
    /// several separated by commas [default: none, and whoever is connected counts]
    #[arg(long, env = "DOORSTROOM_TRUSTED_PROXY", value_name = "ADDRESS", value_delimiter = ',')]
    pub(crate) trusted_proxy: Vec<IpAddr>,
    /// The port of the node's own broker on 127.0.0.1; 0 picks a free one [default: 4222]
    #[arg(long, env = "DOORSTROOM_BUS_PORT", value_name = "PORT", conflicts_with = "nats")]
    pub(crate) bus_port: Option<u16>,
    /// The nats-server program (2.14.6 or newer) [default: nats-server from PATH]
    #[arg(long, env = "DOORSTROOM_NATS_SERVER", value_name = "PROGRAM")]
    pub(crate) nats_server: Option<PathBuf>,
    /// A broker that already runs with this network's accounts and keys (of a cluster all servers, separated by
    /// commas), instead of one of our own
    #[arg(long, env = "DOORSTROOM_NATS", value_name = "URL")]
    pub(crate) nats: Option<String>,
    /// How many servers of that broker keep each stream: 1, or 3 in a cluster [default: 1]
    #[arg(long, env = "DOORSTROOM_REPLICAS", value_name = "N", requires = "nats")]
    #[arg(value_parser = clap::value_parser!(u8).range(1..=5))]
    pub(crate) replicas: Option<u8>,
    /// Where the node's own broker takes the leaves of regions that have one [default: nowhere]
    #[arg(long, env = "DOORSTROOM_LEAF_LISTEN", value_name = "ADDR", conflicts_with = "nats")]
    pub(crate) leaf_listen: Option<SocketAddr>,
    /// Use that broker although it may lose what it accepted, for a throw-away test
    #[arg(long, env = "DOORSTROOM_UNCHECKED_BROKER", requires = "nats")]
    pub(crate) unchecked_broker: bool,
    /// The mail server by which people are told that there is something for them; smtp:// begins in the clear and is
    /// encrypted before anything is said [default: no mail]
    #[arg(long, env = "DOORSTROOM_SMTP", value_name = "smtps://USER:PASSWORD@HOST", hide_env_values = true)]
    pub(crate) smtp: Option<Hidden>,
    /// Who that mail comes from, and whom a push service may write to
    #[arg(long, env = "DOORSTROOM_MAIL_FROM", value_name = "ADDRESS")]
    pub(crate) mail_from: Option<String>,
    /// Tell people on their devices too, through the push services of their browsers; needs --mail-from
    #[arg(long, env = "DOORSTROOM_PUSH")]
    pub(crate) push: bool,
    /// The push services it may reach, separated by commas [default: those of Chrome, Firefox, Safari and Edge]
    #[arg(long, env = "DOORSTROOM_PUSH_SERVICES", value_name = "HOSTS")]
    pub(crate) push_services: Option<PushServices>,
    /// Replay two days of 31 regions, then go on with a small generator
    #[arg(long, env = "DOORSTROOM_DEMO")]
    pub(crate) demo: bool,
    /// Let time go so many times faster, for a simulation: never where anybody is cared for
    #[arg(long, env = "DOORSTROOM_CLOCK_FACTOR", value_name = "N", hide = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) clock_factor: Option<u32>,
    /// A TOML file with any of these settings, named with underscores: `bus_port = 4222`
    #[arg(long, env = "DOORSTROOM_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// The same, as a file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    data: Option<PathBuf>,
    network: Option<PathBuf>,
    rules: Option<PathBuf>,
    http: Option<SocketAddr>,
    #[serde(default)]
    trusted_proxy: Vec<IpAddr>,
    bus_port: Option<u16>,
    nats_server: Option<PathBuf>,
    nats: Option<String>,
    replicas: Option<u8>,
    leaf_listen: Option<SocketAddr>,
    smtp: Option<Hidden>,
    mail_from: Option<String>,
    #[serde(default)]
    push: bool,
    push_services: Option<String>,
    #[serde(default)]
    unchecked_broker: bool,
    #[serde(default)]
    demo: bool,
}

/// What is not written anywhere again: a password may stand in it.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub(crate) struct Hidden(String);

impl From<String> for Hidden {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden")
    }
}

/// What holds in the end.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) data: PathBuf,
    pub(crate) network: Option<PathBuf>,
    pub(crate) rules: Option<PathBuf>,
    pub(crate) http: SocketAddr,
    pub(crate) trusted_proxies: Vec<IpAddr>,
    pub(crate) broker: BrokerChoice,
    pub(crate) notices: notifier::Setup,
    pub(crate) demo: bool,
    pub(crate) clock_factor: Option<u32>,
}

/// Whose broker it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BrokerChoice {
    /// A child of ours.
    Own { program: PathBuf, port: u16, leaves: Option<SocketAddr> },
    /// One that runs already.
    Foreign { url: String, replicas: u8, unchecked: bool },
}

impl BrokerChoice {
    /// How much everything on it keeps.
    pub(crate) fn limits(&self) -> Limits {
        match self {
            Self::Own { .. } => Limits::default(),
            Self::Foreign { replicas, .. } => Limits { replicas: *replicas, ..Limits::default() },
        }
    }
}

impl Settings {
    /// Puts flags, environment, file and defaults together.
    ///
    /// # Errors
    /// The file can not be read or has an unknown key; the pages would listen beyond this machine.
    pub(crate) fn resolve(args: Args) -> Result<Self, Failure> {
        let file = args.config.as_deref().map_or_else(|| Ok(File::default()), read)?;
        let http = args.http.or(file.http).unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8080)));
        if !http.ip().is_loopback() {
            return Err(Failure::said(format!(
                "pages have no sign-in yet, so they listen on this machine only: use 127.0.0.1:{} instead of {http}",
                http.port()
            )));
        }
        let notices = notices(
            args.smtp.or(file.smtp),
            args.mail_from.or(file.mail_from).as_deref(),
            args.push || file.push,
            args.push_services.map_or_else(|| listed(file.push_services), |list| Ok(Some(list)))?,
        )?;
        let own_port = args.bus_port;
        let nats = args.nats.or_else(|| if own_port.is_some() { None } else { file.nats });
        let broker = match nats {
            Some(url) => BrokerChoice::Foreign {
                url,
                replicas: args.replicas.or(file.replicas).unwrap_or(1),
                unchecked: args.unchecked_broker || file.unchecked_broker,
            },
            None => BrokerChoice::Own {
                program: args
                    .nats_server
                    .or(file.nats_server)
                    .unwrap_or_else(|| PathBuf::from("nats-server")),
                port: own_port.or(file.bus_port).unwrap_or(4222),
                leaves: args.leaf_listen.or(file.leaf_listen),
            },
        };
        Ok(Self {
            data: args.data.or(file.data).unwrap_or_else(|| PathBuf::from("data")),
            network: args.network.or(file.network),
            rules: args.rules.or(file.rules),
            http,
            trusted_proxies: if args.trusted_proxy.is_empty() {
                file.trusted_proxy
            } else {
                args.trusted_proxy
            },
            broker,
            notices,
            demo: args.demo || file.demo,
            clock_factor: args.clock_factor,
        })
    }
}

/// The push services of the file.
fn listed(hosts: Option<String>) -> Result<Option<PushServices>, Failure> {
    let list = hosts.map(|hosts| hosts.parse()).transpose();
    list.map_err(|error| Failure::new("push_services is not right", error))
}

/// How people are told.
fn notices(
    smtp: Option<Hidden>,
    from: Option<&str>,
    push: bool,
    services: Option<PushServices>,
) -> Result<notifier::Setup, Failure> {
    let sender = |why: &str| {
        from.map(str::to_owned)
            .ok_or_else(|| Failure::said(format!("{why} needs --mail-from: an address of mail")))
    };
    let mail = smtp
        .map(|Hidden(server)| Ok::<_, Failure>(MailSetup { server, from: sender("--smtp")? }))
        .transpose()?;
    let push = push.then(|| {
        Ok::<_, Failure>(PushSetup { services: services.unwrap_or_default(), contact: sender("--push")? })
    });
    Ok(notifier::Setup { mail, push: push.transpose()? })
}

fn read(path: &Path) -> Result<File, Failure> {
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::new(format!("the configuration {} can not be read", path.display()), error)
    })?;
    toml::from_str(&text)
        .map_err(|error| Failure::new(format!("the configuration {} is not right", path.display()), error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, Args) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("node.toml");
        fs::write(&path, text).unwrap();
        (dir, Args { config: Some(path), ..Args::default() })
    }

    #[test]
    fn a_flag_overrides_the_file_and_the_file_the_default() {
        let (_dir, mut args) = file("data = \"/srv/node\"\nbus_port = 4300\n");
        args.bus_port = Some(4400);
        let settings = Settings::resolve(args).unwrap();
        assert_eq!(settings.data, PathBuf::from("/srv/node"));
        assert!(matches!(settings.broker, BrokerChoice::Own { port: 4400, .. }));
        assert_eq!(settings.http.port(), 8080);
    }

    #[test]
    fn proxies_are_trusted_that_are_named_and_no_others() {
        let (_dir, mut args) = file("trusted_proxy = [\"10.0.0.1\"]\n");
        assert_eq!(Settings::resolve(args.clone()).unwrap().trusted_proxies, [IpAddr::from([10, 0, 0, 1])]);
        args.trusted_proxy = vec![IpAddr::from([127, 0, 0, 1])];
        assert_eq!(Settings::resolve(args).unwrap().trusted_proxies, [IpAddr::from([127, 0, 0, 1])]);
        assert!(Settings::resolve(Args::default()).unwrap().trusted_proxies.is_empty());
    }

    #[test]
    fn an_unknown_key_of_the_file_is_named() {
        let (_dir, args) = file("dat = \"/srv/node\"\n");
        let error = Settings::resolve(args).unwrap_err();
        assert!(format!("{error:#}").contains("dat"), "{error:#}");
    }

    #[test]
    fn whoever_is_told_is_told_in_the_name_of_somebody_and_no_password_is_shown() {
        let (_dir, mut args) = file("smtp = \"smtps://me:geheim@mail.example\"\npush = true\n");
        let without = Settings::resolve(args.clone()).unwrap_err();
        assert!(without.to_string().contains("--mail-from"), "{without}");
        args.mail_from = Some("loket@mail.example".to_owned());
        let settings = Settings::resolve(args.clone()).unwrap();
        assert!(settings.notices.mail.is_some() && settings.notices.push.is_some());
        assert!(!format!("{settings:?} {args:?} {without:?}").contains("geheim"));
        let (_dir, args) = file("push_services = \"localhost\"\n");
        assert!(Settings::resolve(args).is_err());
        assert!(Settings::resolve(Args::default()).unwrap().notices.push.is_none());
    }

    #[test]
    fn pages_do_not_listen_beyond_this_machine() {
        let args = Args { http: Some("0.0.0.0:80".parse().unwrap()), ..Args::default() };
        assert!(Settings::resolve(args).unwrap_err().to_string().contains("127.0.0.1:80"));
    }
}
