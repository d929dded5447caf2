//! Whether the broker is fit for use: new enough, and it writes to disk before it says so.
//!
//! Not here: starting a broker (the node does), making streams (`provision`).

use std::net::SocketAddr;
use std::time::Duration;

use futures::StreamExt as _;
use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::Bus;

/// The oldest broker taken, as major, minor, patch: older ones have known holes in access control and in `sync_interval: always`.
pub const BROKER_VERSION_MIN: [u64; 3] = [2, 14, 6];

/// How long the monitoring address may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest answer of the monitoring address that is read, in bytes: it is about one.
const ANSWER_BYTES_MAX: u64 = 256 * 1024;

/// Where every server is asked for its JetStream, by a user of the system account.
const ASK_JETSTREAM: &str = "$SYS.REQ.SERVER.PING.JSZ";

/// How the broker is checked.
#[derive(Clone, Debug)]
pub enum Monitoring {
    /// Ask its monitoring address, `host:port`, of a broker that is not ours.
    At(SocketAddr),
    /// Ask over this connection, which is of the system account: a guarded broker has no monitoring address.
    Asked,
    /// Do not ask how it writes: somebody said on purpose that it may lose what it accepted.
    Unchecked,
}

/// Why the broker is not used.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// It is too old, or does not say how old it is.
    #[error("the broker is nats-server {found:?}; at least {}.{}.{} is needed: upgrade it", min[0], min[1], min[2])]
    TooOld {
        /// What it says it is.
        found: String,
        /// What is needed.
        min: [u64; 3],
    },
    /// It has no JetStream.
    #[error(
        "the broker has JetStream off; give it a `jetstream {{ store_dir: …, sync_interval: always }}` block"
    )]
    NoJetStream,
    /// It says "accepted" before the disk has it.
    #[error(
        "the broker accepts messages before they are on disk; set `sync_interval: always` in its jetstream block and restart it"
    )]
    Unsynced,
    /// The monitoring address does not answer as it should.
    #[error(
        "the broker's monitoring address {at} does not say how it writes to disk ({what}); set `http: {at}` in its configuration, or allow an unchecked broker for a throw-away test"
    )]
    NoAnswer {
        /// The address.
        at: SocketAddr,
        /// What came instead.
        what: String,
    },
    /// The broker does not tell this user how it writes.
    #[error(
        "the broker does not say how it writes to disk ({what}); check that its configuration is made from this network file"
    )]
    Silent {
        /// What came instead.
        what: String,
    },
    /// The monitoring address is of another server.
    #[error(
        "the monitoring address {at} belongs to another broker than the one connected to; give the address of this one"
    )]
    Another {
        /// The address.
        at: SocketAddr,
    },
}

impl Bus {
    /// Checks that the connected broker is new enough and syncs before it acknowledges.
    ///
    /// # Errors
    /// A sentence that says what to change at the broker.
    pub async fn check_broker(&self, monitoring: &Monitoring) -> Result<(), BrokerError> {
        let info = self.client().server_info();
        if !new_enough(&info.version) {
            return Err(BrokerError::TooOld { found: info.version, min: BROKER_VERSION_MIN });
        }
        if !info.jetstream {
            return Err(BrokerError::NoJetStream);
        }
        match monitoring {
            Monitoring::Unchecked => {
                tracing::warn!(
                    version = info.version,
                    "this broker is not checked: it may lose what it accepted"
                );
                Ok(())
            }
            Monitoring::Asked => self.ask_system(&info.server_id).await,
            Monitoring::At(at) => {
                let answer = ask(*at).await.map_err(|what| BrokerError::NoAnswer { at: *at, what })?;
                judge(*at, &answer, &info.server_id)
            }
        }
    }
}

impl Bus {
    /// Asks the broker itself, as a user of the system account may. Every server of a cluster answers; the one that we
    /// are connected to is heard.
    async fn ask_system(&self, server_id: &str) -> Result<(), BrokerError> {
        let silent = |what: String| BrokerError::Silent { what };
        let inbox = self.client().new_inbox();
        let answers = self.client().subscribe(inbox.clone()).await;
        let mut answers = answers.map_err(|error| silent(error.to_string()))?;
        let asked = self.client().publish_with_reply(ASK_JETSTREAM, inbox, r#"{"config":true}"#.into()).await;
        asked.map_err(|error| silent(error.to_string()))?;
        let heard = async {
            while let Some(answer) = answers.next().await {
                let told: Told = serde_json::from_slice(&answer.payload)
                    .map_err(|error| silent(format!("not the expected JSON: {error}")))?;
                if told.server.id == server_id {
                    return judge_config(told.data.config.as_ref());
                }
            }
            Err(silent("the connection was closed".to_owned()))
        };
        tokio::time::timeout(ANSWER_TIMEOUT, heard)
            .await
            .map_err(|_elapsed| silent(format!("no answer within {} s", ANSWER_TIMEOUT.as_secs())))?
    }
}

fn new_enough(version: &str) -> bool {
    // A pre-release such as 2.14.6-RC.1 comes before 2.14.6, so only the plain form counts for the last part.
    let mut parts = version.splitn(3, '.');
    let mut number = || parts.next().and_then(|part| part.parse::<u64>().ok());
    let (Some(major), Some(minor)) = (number(), number()) else { return false };
    let last = parts.next().unwrap_or_default();
    let (patch, released) = match last.split_once('-') {
        None => (last, true),
        Some((patch, _)) => (patch, false),
    };
    let Ok(patch) = patch.parse::<u64>() else { return false };
    let found = [major, minor, patch];
    if released { found >= BROKER_VERSION_MIN } else { found > BROKER_VERSION_MIN }
}

/// An answer to [`ASK_JETSTREAM`].
#[derive(Deserialize)]
struct Told {
    server: ToldBy,
    #[serde(default)]
    data: ToldData,
}

#[derive(Deserialize)]
struct ToldBy {
    id: String,
}

#[derive(Default, Deserialize)]
struct ToldData {
    config: Option<JszConfig>,
}

#[derive(Deserialize)]
struct Jsz {
    server_id: String,
    config: Option<JszConfig>,
}

#[derive(Deserialize)]
struct JszConfig {
    #[serde(default)]
    sync_always: bool,
}

fn judge(at: SocketAddr, answer: &[u8], server_id: &str) -> Result<(), BrokerError> {
    let jsz: Jsz = serde_json::from_slice(answer)
        .map_err(|error| BrokerError::NoAnswer { at, what: format!("not the expected JSON: {error}") })?;
    if jsz.server_id != server_id {
        return Err(BrokerError::Another { at });
    }
    judge_config(jsz.config.as_ref())
}

fn judge_config(config: Option<&JszConfig>) -> Result<(), BrokerError> {
    match config {
        None => Err(BrokerError::NoJetStream),
        Some(JszConfig { sync_always: true }) => Ok(()),
        Some(JszConfig { sync_always: false }) => Err(BrokerError::Unsynced),
    }
}

/// The body of `GET /jsz?config=1`. HTTP/1.0, so that the answer is not chunked and ends with the connection.
async fn ask(at: SocketAddr) -> Result<Vec<u8>, String> {
    let exchange = async {
        let mut stream = TcpStream::connect(at).await.map_err(|error| error.to_string())?;
        let request = format!("GET /jsz?config=1 HTTP/1.0\r\nHost: {at}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.map_err(|error| error.to_string())?;
        let mut answer = Vec::new();
        stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).await.map_err(|error| error.to_string())?;
        Ok::<_, String>(answer)
    };
    let answer = tokio::time::timeout(ANSWER_TIMEOUT, exchange)
        .await
        .map_err(|_| format!("no answer within {} s", ANSWER_TIMEOUT.as_secs()))??;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").ok_or("not an HTTP answer")?;
    let (head, body) = answer.split_at(end.saturating_add(4));
    let status = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    if status.windows(5).any(|window| window == b" 200 ") {
        Ok(body.to_vec())
    } else {
        Err(String::from_utf8_lossy(status).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_compared_by_its_numbers() {
        for fit in ["2.14.6", "2.15.0", "2.15.1", "3.0.0", "2.15.0-RC.1", "2.100.0"] {
            assert!(new_enough(fit), "{fit}");
        }
        for unfit in ["2.9.10", "2.14.5", "2.14.6-RC.1", "1.99.99", "", "2", "2.15", "new", "2.x.1"] {
            assert!(!new_enough(unfit), "{unfit}");
        }
    }

    #[test]
    fn what_the_monitoring_address_says_is_judged() {
        let at: SocketAddr = "127.0.0.1:8222".parse().unwrap();
        let judge = |text: &str| judge(at, text.as_bytes(), "N1");
        assert!(judge(r#"{"server_id":"N1","config":{"sync_always":true}}"#).is_ok());
        assert!(matches!(judge(r#"{"server_id":"N1","config":{}}"#), Err(BrokerError::Unsynced)));
        assert!(matches!(judge(r#"{"server_id":"N1"}"#), Err(BrokerError::NoJetStream)));
        assert!(matches!(
            judge(r#"{"server_id":"N2","config":{"sync_always":true}}"#),
            Err(BrokerError::Another { .. })
        ));
        assert!(matches!(judge("<html>"), Err(BrokerError::NoAnswer { .. })));
    }
}
