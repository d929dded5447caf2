//! A log with a desk's view of it, a clock that goes when it is told to, and people who answer for two houses.
//!
//! Not here: the servers of mail and push (the `tests` package).

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use desk::DeskClock;
use domain::Timestamp;
use domain::desk::State;
use eventlog::{Batch, Clock, EventLog, Options, SystemClock};
use notifier::{
    Directory, LOOK_EVERY_MIN, Lang, MailSetup, NewDevice, Notifier, PushSetup, Recipient, Setup,
};
use projector::Handle;
use tests::push::Device;
use tests::smtp::SmtpServer;
use tests::{Hand, record_of};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) const LINDE: &str = "zk01-de-linde";
pub(crate) const EIK: &str = "zk01-de-eik";
/// Longer than anything here takes; a test that reaches it fails.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

pub(crate) fn machine_seconds() -> i64 {
    SystemClock.now() / 1_000_000
}

/// Waits until something is so.
pub(crate) async fn within(so: impl Fn() -> bool) {
    let waiting = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap();
}

/// The clock of the node.
#[derive(Debug)]
struct Watched(Hand);

impl Clock for Watched {
    fn now(&self) -> i64 {
        self.0.now()
    }
}

impl DeskClock for Watched {
    /// Not for long: the hand may be moved meanwhile.
    fn wait_until(&self, _: Timestamp) -> Duration {
        Duration::from_millis(20)
    }
}

/// Where the mail comes from, and whom a push service may write to.
pub(crate) const NODE: &str = "node@test.example";

/// A node that mails by this server, and that pushes to services of the test.
pub(crate) fn setup(smtp: Option<&SmtpServer>, push: bool) -> Setup {
    let mail = smtp.map(|server| MailSetup { server: server.url(), from: NODE.to_owned() });
    let services = || "127.0.0.1".parse().unwrap();
    let push = push.then(|| PushSetup { services: services(), contact: NODE.to_owned() });
    Setup { mail, push }
}

/// What a browser registers for this device.
pub(crate) fn registered(device: &Device, endpoint: &str, lang: Lang) -> NewDevice {
    let (key, auth) = (device.key(), device.auth());
    NewDevice { endpoint: endpoint.to_owned(), key, auth, name: "Firefox".to_owned(), lang }
}

/// Accounts called after a house answer for it.
struct Houses;

impl Directory for Houses {
    fn answers_for(&self, account: &str, recipient: &Recipient, _: Timestamp) -> bool {
        match recipient {
            Recipient::Location { location, .. } => {
                account.starts_with(location.as_str().trim_start_matches("zk01-de-"))
            }
            Recipient::Desk { .. } => account == "loket",
        }
    }
}

pub(crate) struct Desk {
    log: EventLog,
    state: Handle<State>,
    _view: projector::Task,
    clock: Arc<Watched>,
    folder: tempfile::TempDir,
}

impl Desk {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (log, _) = EventLog::open(&folder.path().join("log"), Options::default()).unwrap();
        let config = projector::Config { snapshots: folder.path().join("views"), snapshot_every: 1_000_000 };
        let (state, view) = projector::start(log.reader(), config).unwrap();
        // Ahead of the log's own clock, so that no answer was due long before it was recorded.
        let clock = Arc::new(Watched(Hand::at(SystemClock.now())));
        Self { log, state, _view: view, clock, folder }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.clock.now())
    }

    /// Time passes. What the notifier makes of it is seen by what it does; that it does nothing, by what it does next.
    pub(crate) fn pass(&self, time: Duration) {
        self.clock.0.pass(time);
    }

    /// Time passes until something is so, however long the notifier takes to write down when it will try again.
    pub(crate) async fn pass_until(&self, step: Duration, so: impl Fn() -> bool) {
        let passing = async {
            while !so() {
                self.pass(step);
                tokio::time::sleep(LOOK_EVERY_MIN).await;
            }
        };
        tokio::time::timeout(PATIENCE, passing).await.unwrap();
    }

    pub(crate) fn run(&self, notifier: &Notifier) -> Running {
        let (stop, stopped) = oneshot::channel::<()>();
        let (notifier, state) = (notifier.clone(), self.state.clone());
        let clock: Arc<dyn DeskClock> = Arc::<Watched>::clone(&self.clock);
        let task = tokio::spawn(async move {
            let end = async { drop(stopped.await) };
            notifier.run(state, clock, Arc::new(Houses), end).await;
        });
        Running { stop, task }
    }

    /// A location is asked, with so many minutes to answer from now on.
    pub(crate) async fn offer(&self, number: u32, location: &str, minutes: i64) {
        let referral = referral(number);
        let made = format!(
            r#""origin":"gp","care_type":"ELV_LC","urgency":"planned","area":"97","channel":"phone","consent":true,"referral":"{referral}""#
        );
        self.record(10 * number, "referral.made", &referral, &made).await;
        let by = self.now().saturating_add_micros(minutes * 60_000_000);
        let asked = format!(
            r#""offer":"{}","referral":"{referral}","location":"{location}","care_type":"ELV_LC","answer_by":"{by}""#,
            offer(number)
        );
        self.record(10 * number + 1, "offer.sent", &referral, &asked).await;
    }

    /// Somebody there looked at it.
    pub(crate) async fn seen(&self, number: u32, location: &str) {
        let referral = referral(number);
        let seen = format!(r#""offer":"{}","referral":"{referral}","location":"{location}""#, offer(number));
        self.record(10 * number + 2, "offer.seen", &referral, &seen).await;
    }

    async fn record(&self, number: u32, kind: &str, subject: &str, data: &str) {
        let at = self.now();
        let line = format!(
            r#"{{"specversion":"1.0","id":"019cabd9-7c38-7650-a69e-{number:012x}","source":"urn:test:desk","type":"nl.doorstroom.{kind}.v1","time":"{at}","subject":"{subject}","datacontenttype":"application/json","region":"zk01","data":{{"occurred_at":"{at}",{data}}}}}"#
        );
        let appended = self.log.append(Batch::from(record_of(&line))).await.unwrap();
        assert!(self.state.wait_for(*appended.positions.last().unwrap()).await);
    }
}

/// What no message may say.
pub(crate) fn secrets() -> Vec<String> {
    let ids = [referral(1), offer(1)];
    let words = [LINDE, "linde,", "zk01", "ELV", "planned", "crisis", "gp", "9700", "http"];
    ids.into_iter().chain(words.map(str::to_owned)).collect()
}

fn referral(number: u32) -> String {
    format!("019cabd9-7c38-7650-b69e-{number:012x}")
}

fn offer(number: u32) -> String {
    format!("019cabd9-7c38-7650-869e-{number:012x}")
}

/// A notifier at work.
pub(crate) struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    pub(crate) async fn stop(self) {
        drop(self.stop);
        self.task.await.unwrap();
    }

    /// Without a word.
    pub(crate) async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}
