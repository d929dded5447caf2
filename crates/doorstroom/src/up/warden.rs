//! Watching over the bus: a user that holds too many connections or floods is shut out of it for a while.
//!
//! The broker limits an account, not a user, so without this one user could take the place of all others of its region.
//! The broker is asked each second who is connected; and whom the recorder finds flooding is shut out at once. Not here:
//! how somebody is shut out (`registry`).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use bus::alarm::{Alarm, Alarms};
use bus::server::{CONNECTIONS_OF_CENTRE_MAX, CONNECTIONS_OF_USER_MAX};
use bus::{Bus, Visitor};
use network::{Account, Network, Party};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior};

/// How often the broker is asked who is connected.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Messages that one user may send in a second, over all its connections. The whole country sends under 50,000 in a day;
/// one sender that asks for receipts as fast as this node gives them stays below.
const MESSAGES_PER_SECOND_MAX: u64 = 50_000;
/// Bytes that one user may send in a second.
const BYTES_PER_SECOND_MAX: u64 = 64 * 1024 * 1024;
/// Offenders that wait to be shut out; the ones beyond are found again at the next look.
const OFFENDERS_MAX: usize = 64;

/// A user by account and name.
pub(super) type Who = (Account, String);

/// Somebody to be shut out, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Offender {
    pub(super) who: Who,
    pub(super) why: String,
}

/// A channel for offenders: the warden's end and the registry's.
pub(super) fn offenders() -> (mpsc::Sender<Offender>, mpsc::Receiver<Offender>) {
    mpsc::channel(OFFENDERS_MAX)
}

/// Watches until `shutdown`.
pub(super) struct Warden {
    pub(super) config: bus::Config,
    pub(super) network: watch::Receiver<Arc<Network>>,
    pub(super) alarms: Alarms,
    pub(super) offenders: mpsc::Sender<Offender>,
}

impl Warden {
    pub(super) async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        tokio::select! {
            () = shutdown => {}
            () = self.listen() => {}
            () = self.look() => {}
        }
    }

    /// Hears whom the recorder finds flooding.
    async fn listen(&self) {
        let mut alarms = self.alarms.subscribe();
        loop {
            match alarms.recv().await {
                Ok(alarm) => {
                    if let Some(offender) = accused(&alarm) {
                        self.tell(offender);
                    }
                }
                // Whoever was missed goes on and is accused again.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return std::future::pending().await,
            }
        }
    }

    /// Asks the broker again and again.
    async fn look(&self) {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut bus, mut crowd) = (None, Crowd::default());
        loop {
            looks.tick().await;
            let asked = match &bus {
                Some(bus) => Bus::visitors(bus).await.map_err(|error| error.to_string()),
                None => match Bus::connect(self.config.clone()).await {
                    Ok(connected) => {
                        bus = Some(connected);
                        continue;
                    }
                    Err(error) => Err(error.to_string()),
                },
            };
            match asked {
                Ok(visitors) => {
                    let network = Arc::clone(&self.network.borrow());
                    crowd
                        .look(&network, &visitors, Instant::now())
                        .into_iter()
                        .for_each(|who| self.tell(who));
                }
                Err(error) => tracing::debug!(error, "the broker does not say who is connected"),
            }
            if bus.as_ref().is_some_and(Bus::is_closed) {
                bus = None;
            }
        }
    }

    fn tell(&self, offender: Offender) {
        // Full: it is found again.
        drop(self.offenders.try_send(offender));
    }
}

/// Whom an alarm of the recorder accuses of what the bus is to be guarded from.
fn accused(alarm: &Alarm) -> Option<Offender> {
    if ![recorder::IN_VAIN, recorder::POISONED].contains(&alarm.code) {
        return None;
    }
    let (region, sender) = (alarm.region.clone()?, alarm.sender.clone()?);
    Some(Offender { who: (Account::Region(region), sender.to_string()), why: alarm.code.to_owned() })
}

/// Who was connected at the last look, and how much each connection had sent.
#[derive(Debug, Default)]
struct Crowd {
    sent: HashMap<(String, u64), (u64, u64)>,
    at: Option<Instant>,
}

/// What one user does over all its connections.
#[derive(Debug, Default)]
struct Doing {
    connections: usize,
    messages: u64,
    bytes: u64,
}

impl Crowd {
    /// Who does too much since the last look. The node's own users are its own business.
    fn look(&mut self, network: &Network, visitors: &[Visitor], now: Instant) -> Vec<Offender> {
        let users = users(network);
        let mut doing = BTreeMap::<&Who, Doing>::new();
        for visitor in visitors {
            let Some((who, _)) = users.get(&*visitor.key) else { continue };
            let (messages, bytes) = self.sent.get(&visitor.connection).copied().unwrap_or_default();
            let doing = doing.entry(who).or_default();
            doing.connections = doing.connections.saturating_add(1);
            doing.messages = doing.messages.saturating_add(visitor.messages.saturating_sub(messages));
            doing.bytes = doing.bytes.saturating_add(visitor.bytes.saturating_sub(bytes));
        }
        let millis = self
            .at
            .map(|at| u64::try_from(now.saturating_duration_since(at).as_millis()).unwrap_or(u64::MAX));
        let most: HashMap<&Who, usize> = users.values().map(|(who, most)| (who, *most)).collect();
        let offenders = doing.iter().filter_map(|(who, doing)| {
            let most = most.get(*who).copied().unwrap_or(CONNECTIONS_OF_USER_MAX);
            let why = doing.excess(most, millis)?;
            Some(Offender { who: (*who).clone(), why })
        });
        let offenders = offenders.collect();
        self.sent = visitors
            .iter()
            .map(|visitor| (visitor.connection.clone(), (visitor.messages, visitor.bytes)))
            .collect();
        self.at = Some(now);
        offenders
    }
}

impl Doing {
    /// What is too much. How fast somebody sends is known from the second look on.
    fn excess(&self, connections_max: usize, millis: Option<u64>) -> Option<String> {
        if self.connections > connections_max {
            return Some(format!("it holds {} connections of at most {connections_max}", self.connections));
        }
        let millis = millis?.max(1);
        let per_second = |count: u64| count.saturating_mul(1_000) / millis;
        let (messages, bytes) = (per_second(self.messages), per_second(self.bytes));
        if messages > MESSAGES_PER_SECOND_MAX {
            return Some(format!(
                "it sends {messages} messages a second of at most {MESSAGES_PER_SECOND_MAX}"
            ));
        }
        (bytes > BYTES_PER_SECOND_MAX)
            .then(|| format!("it sends {bytes} bytes a second of at most {BYTES_PER_SECOND_MAX}"))
    }
}

/// By key: senders and centres, and how many connections each may have.
fn users(network: &Network) -> HashMap<&str, (Who, usize)> {
    let guests = network.users().filter_map(|user| {
        let most = match user.party {
            Party::Source(_) => CONNECTIONS_OF_USER_MAX,
            Party::Centre(_) => CONNECTIONS_OF_CENTRE_MAX,
            Party::Service(_) => return None,
        };
        Some((user, most))
    });
    guests
        .flat_map(|(user, most)| {
            let who = (user.account.clone(), user.name.to_owned());
            user.keys.iter().map(move |key| (key.key.as_str(), (who.clone(), most)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";

    fn network() -> Network {
        let text = format!(
            "[[region]]\ncode = \"zk01\"\nname = \"Een\"\ndesk = {{ name = \"d\", phone = \"1\", hours = \"h\" }}\n\
             [[source]]\nid = \"urn:nld:kvknr:00000000:systeem:loket\"\nname = \"loket\"\nkind = \"desk\"\n\
             region = \"zk01\"\nkeys = [{{ key = \"{KEY}\" }}]\n"
        );
        Network::from_toml("a test", &text).unwrap()
    }

    fn visitors(key: &str, count: u64, messages: u64) -> Vec<Visitor> {
        let one = |number| Visitor {
            connection: ("N1".to_owned(), number),
            key: key.to_owned(),
            messages,
            bytes: messages,
        };
        (1..=count).map(one).collect()
    }

    fn loket() -> Who {
        (Account::Region("zk01".parse().unwrap()), "loket".to_owned())
    }

    #[test]
    fn who_holds_one_connection_too_many_is_found_and_the_nodes_own_users_are_not() {
        let (mut crowd, network, now) = (Crowd::default(), network(), Instant::now());
        let most = u64::try_from(CONNECTIONS_OF_USER_MAX).unwrap();
        assert_eq!(crowd.look(&network, &visitors(KEY, most, 0), now), []);
        let found = crowd.look(&network, &visitors(KEY, most + 1, 0), now);
        assert_eq!(found.iter().map(|found| &found.who).collect::<Vec<_>>(), [&loket()]);
        assert_eq!(crowd.look(&network, &visitors("UANOTHER", 1_000, 0), now), []);
    }

    #[test]
    fn a_flood_is_counted_from_one_look_to_the_next_and_over_all_connections() {
        let (mut crowd, network, begin) = (Crowd::default(), network(), Instant::now());
        let mut look = |seconds, count, messages| {
            let now = begin + Duration::from_secs(seconds);
            crowd.look(&network, &visitors(KEY, count, messages), now).len()
        };
        assert_eq!(look(0, 1, 10_000_000), 0, "it may have sent them in a year");
        assert_eq!(look(1, 1, 10_000_000 + MESSAGES_PER_SECOND_MAX), 0);
        assert_eq!(
            look(3, 1, 10_000_000 + 4 * MESSAGES_PER_SECOND_MAX),
            1,
            "half as many more in two seconds"
        );
        assert_eq!(
            look(4, 3, 10_000_000 + 4 * MESSAGES_PER_SECOND_MAX),
            1,
            "two new connections, each with as many"
        );
    }

    #[test]
    fn whom_the_recorder_accuses_is_an_offender_and_who_is_only_wrong_is_not() {
        let alarm = |code| Alarm {
            region: Some("zk01".parse().unwrap()),
            sender: Some("loket".parse().unwrap()),
            ..Alarm::new(code, "")
        };
        assert_eq!(accused(&alarm(recorder::IN_VAIN)).map(|offender| offender.who), Some(loket()));
        assert_eq!(accused(&alarm("bad_signature")), None);
    }
}
