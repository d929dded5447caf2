//! Who is connected to the broker, and how much each has sent: asked of the broker itself.
//!
//! Not here: how much is too much, and what becomes of it (the node decides).

use std::time::Duration;

use futures::StreamExt as _;
use serde::Deserialize;

use crate::Bus;
use crate::counter::PublishError;

/// Where every server is asked for its connections, by a user of the system account.
pub(crate) const ASK_CONNECTIONS: &str = "$SYS.REQ.SERVER.PING.CONNZ";
/// Connections told in one answer.
const PAGE: u64 = 512;
/// Answers of one server that are asked for: what is beyond is seen once others are gone.
const PAGES_MAX: u64 = 64;
/// The first answer may take this long …
const FIRST_WITHIN: Duration = Duration::from_secs(2);
/// … and those of further servers of a cluster so much longer.
const FURTHER_WITHIN: Duration = Duration::from_millis(100);

/// One connection of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visitor {
    /// The server it is at, and its number there: together they are never used again while that server lives.
    pub connection: (String, u64),
    /// The public key it is known by.
    pub key: String,
    /// Messages it has sent since it connected.
    pub messages: u64,
    /// Bytes it has sent since it connected.
    pub bytes: u64,
}

#[derive(Deserialize)]
struct Told {
    server: ToldBy,
    data: Option<Page>,
}

#[derive(Deserialize)]
struct ToldBy {
    id: String,
}

#[derive(Deserialize)]
struct Page {
    total: u64,
    connections: Vec<Connection>,
}

#[derive(Deserialize)]
struct Connection {
    cid: u64,
    in_msgs: u64,
    in_bytes: u64,
    #[serde(default)]
    authorized_user: String,
}

impl Bus {
    /// Every client that is connected to the broker, at every server of a cluster.
    ///
    /// # Errors
    /// When the connection is gone, or the broker does not answer as it should.
    pub async fn visitors(&self) -> Result<Vec<Visitor>, PublishError> {
        let mut visitors = Vec::new();
        for page in 0..PAGES_MAX {
            let offset = page.saturating_mul(PAGE);
            let total = self.visitors_from(offset, &mut visitors).await?;
            if total <= offset.saturating_add(PAGE) {
                break;
            }
        }
        Ok(visitors)
    }

    /// Adds one page of every server; gives the most that any server has.
    async fn visitors_from(&self, offset: u64, visitors: &mut Vec<Visitor>) -> Result<u64, PublishError> {
        let failed = |reason: String| PublishError::new("a question to the broker", reason);
        let inbox = self.client().new_inbox();
        let answers = self.client().subscribe(inbox.clone()).await;
        let mut answers = answers.map_err(|error| failed(error.to_string()))?;
        let question = format!(r#"{{"auth":true,"limit":{PAGE},"offset":{offset}}}"#);
        let asked = self.client().publish_with_reply(ASK_CONNECTIONS, inbox, question.into()).await;
        asked.map_err(|error| failed(error.to_string()))?;
        let (mut most, mut within) = (None, FIRST_WITHIN);
        while let Ok(Some(answer)) = tokio::time::timeout(within, answers.next()).await {
            within = FURTHER_WITHIN;
            let told: Told = serde_json::from_slice(&answer.payload)
                .map_err(|error| failed(format!("the answer is not the expected JSON: {error}")))?;
            let Some(page) = told.data else { continue };
            most = most.max(Some(page.total));
            visitors.extend(page.connections.into_iter().map(|connection| Visitor {
                connection: (told.server.id.clone(), connection.cid),
                key: connection.authorized_user,
                messages: connection.in_msgs,
                bytes: connection.in_bytes,
            }));
        }
        most.ok_or_else(|| failed("it does not answer".to_owned()))
    }
}
