//! Looking when the desk's state moves or a rung falls due, writing down what is begun, and sending it.
//!
//! Each way goes by itself, so that a mail server that is away holds up no push. What is about to be sent is on disk before it
//! is: a node that is killed has told one fewer, never one twice. Somebody is told when one device or address of those who answer
//! took it; only what reached nobody is tried again. Not here: what is due (`ladder`).

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use desk::DeskClock;
use domain::Timestamp;
use domain::desk::State;
use projector::Handle;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::book::{Book, Device, Reached};
use crate::ladder::{Notice, Rung, Sent, due, next_due};
use crate::mail::Mail;
use crate::push::Push;
use crate::{Directory, Lang, Notifier, NotifierError, Setup, file};

/// It looks at most so often: a busy day changes the state a thousand times a second.
pub const LOOK_EVERY_MIN: Duration = Duration::from_millis(250);
/// It looks at least so often, whatever it believes to be next: a clock may be set.
pub const LOOK_AGAIN_AFTER_MAX: Duration = Duration::from_secs(30);
/// The most devices or addresses that are told of one thing: those of one house or desk.
pub const TOLD_MAX: usize = 256;
/// Messages on their way at the same time, of each way.
const AT_ONCE_MAX: usize = 8;
/// After something could not be written down.
const WRITE_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// Who wants to be told.
const BOOK_FILE: &str = "reached.json";
/// What was sent.
const SENT_FILE: &str = "told.json";
/// The key that push services know this node by.
const KEY_FILE: &str = "push.key";

/// What became of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was taken.
    Done,
    /// The device is no more.
    Gone,
    /// Not now.
    Again,
    /// Never.
    Refused,
}

/// What all users of a notifier share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) book: Book,
    pub(crate) mail: Option<Arc<Mail>>,
    pub(crate) push: Option<Arc<Push>>,
    sent: Mutex<Sent>,
    /// `None`: nothing is kept.
    sent_file: Option<PathBuf>,
}

impl Shared {
    pub(crate) fn open(folder: &Path, setup: Setup) -> Result<Self, NotifierError> {
        let services = setup.push.as_ref().map(|push| push.services.clone());
        let book = Book::open(&folder.join(BOOK_FILE), services)?;
        let mail = setup.mail.as_ref().map(Mail::new).transpose()?.map(Arc::new);
        let push = setup.push.map(|push| Push::open(&folder.join(KEY_FILE), push)).transpose()?.map(Arc::new);
        let sent_file = folder.join(SENT_FILE);
        let unusable = |source| NotifierError::File { path: sent_file.clone(), source };
        let sent = match file::read(&sent_file).map_err(unusable)? {
            None => Sent::default(),
            Some(bytes) => serde_json::from_slice(&bytes).map_err(|_| NotifierError::Unfit {
                path: sent_file.clone(),
                what: "it is not the file of what was told",
                then: "what is open now is told once more",
            })?,
        };
        Ok(Self { book, mail, push, sent: Mutex::new(sent), sent_file: Some(sent_file) })
    }

    pub(crate) fn nothing() -> Self {
        let (book, sent) = (Book::nowhere(), Mutex::default());
        Self { book, mail: None, push: None, sent, sent_file: None }
    }

    /// Changes what is remembered, on disk first.
    async fn remember<T>(&self, change: impl FnOnce(&mut Sent) -> T) -> io::Result<T> {
        let mut kept = self.sent.lock().await;
        let mut sent = kept.clone();
        let said = change(&mut sent);
        if let Some(path) = self.sent_file.clone().filter(|_| sent != *kept) {
            let text = serde_json::to_vec(&sent).map_err(io::Error::other)?;
            tokio::task::spawn_blocking(move || file::write(&path, &text))
                .await
                .map_err(io::Error::other)??;
        }
        *kept = sent;
        Ok(said)
    }
}

/// Where one message goes.
enum Target {
    Device(Arc<Push>, Device, u64),
    Mail(Arc<Mail>, String, Lang),
}

impl Target {
    /// Sends it; gives the endpoint of a device that is no more.
    async fn send(self) -> (Outcome, Option<String>) {
        match self {
            Self::Mail(mail, address, lang) => (mail.send(&address, lang).await, None),
            Self::Device(push, device, keep) => {
                let endpoint = device.endpoint.clone();
                let sent = tokio::task::spawn_blocking(move || push.send(&device, keep)).await;
                (sent.unwrap_or(Outcome::Again), Some(endpoint))
            }
        }
    }
}

impl Notifier {
    /// Tells people until `shutdown` resolves. Returns at once where there is no way to.
    pub async fn run(
        &self,
        state: Handle<State>,
        clock: Arc<dyn DeskClock>,
        directory: Arc<dyn Directory>,
        shutdown: impl Future<Output = ()>,
    ) {
        let lane = |rung, open: bool| {
            let shared = Arc::clone(&self.shared);
            let lane = Lane {
                shared,
                state: state.clone(),
                clock: Arc::clone(&clock),
                directory: Arc::clone(&directory),
                rung,
            };
            async move {
                if open {
                    lane.run().await;
                }
            }
        };
        let lanes = async {
            tokio::join!(
                lane(Rung::Push, self.shared.push.is_some()),
                lane(Rung::Mail, self.shared.mail.is_some())
            )
        };
        let mut shutdown = pin!(shutdown);
        tokio::select! {
            () = &mut shutdown => {}
            _ = lanes => {}
        }
    }
}

/// One way, at work.
struct Lane {
    shared: Arc<Shared>,
    state: Handle<State>,
    clock: Arc<dyn DeskClock>,
    directory: Arc<dyn Directory>,
    rung: Rung,
}

impl Lane {
    async fn run(self) {
        let mut standing = self.state.standing();
        loop {
            let looked = Instant::now();
            // Until it has caught up it would tell of what was answered long ago, and forget what it told.
            if standing.wait_for(|standing| standing.live).await.is_err() {
                return;
            }
            standing.mark_unchanged();
            match self.look().await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(%error, "what is told can not be written down, so nobody is told");
                    sleep(WRITE_AGAIN_AFTER).await;
                    continue;
                }
            }
            let pause = self.until_next().await;
            tokio::select! {
                () = sleep(pause) => {}
                changed = standing.changed() => if changed.is_err() { return },
            }
            sleep_until(looked + LOOK_EVERY_MIN).await;
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.clock.now())
    }

    async fn until_next(&self) -> Duration {
        let (now, sent) = (self.now(), self.shared.sent.lock().await);
        let next = self.state.read(|state| next_due(state, now, &sent, self.rung));
        next.map_or(LOOK_AGAIN_AFTER_MAX, |at| self.clock.wait_until(at)).min(LOOK_AGAIN_AFTER_MAX)
    }

    /// Tells of one thing, if there is one to tell of.
    async fn look(&self) -> io::Result<bool> {
        let now = self.now();
        let notice = self.shared.remember(|sent| {
            self.state.read(|state| {
                sent.forget(state, now);
                due(state, now, sent).into_iter().find(|notice| notice.rung == self.rung)
            })
        });
        let Some(notice) = notice.await? else { return Ok(false) };
        let told = self.targets(&notice, now);
        let tries = self.shared.remember(|sent| sent.begin(&notice)).await?;
        let reached = self.send(told).await;
        if !reached {
            self.shared.remember(|sent| sent.failed(&notice, tries, self.now())).await?;
        }
        Ok(true)
    }

    /// The devices or addresses of everybody who answers for it.
    fn targets(&self, notice: &Notice, now: Timestamp) -> Vec<Target> {
        let those = self.shared.book.those(|account| self.directory.answers_for(account, &notice.to, now));
        let left = notice.until.as_micros().saturating_sub(now.as_micros()).div_euclid(1_000_000);
        let keep = u64::try_from(left).unwrap_or(0);
        let targets = those.into_iter().flat_map(|Reached { mail, lang, devices }| match notice.rung {
            Rung::Push => {
                let push = self.shared.push.as_ref();
                let to = |device| push.map(|push| Target::Device(Arc::clone(push), device, keep));
                devices.into_iter().filter_map(to).collect::<Vec<_>>()
            }
            Rung::Mail => {
                let to = self.shared.mail.as_ref().zip(mail);
                to.map(|(way, mail)| Target::Mail(Arc::clone(way), mail, lang)).into_iter().collect()
            }
        });
        targets.take(TOLD_MAX).collect()
    }

    /// Sends to all; says whether it is over: somebody has it, or nobody ever will.
    async fn send(&self, targets: Vec<Target>) -> bool {
        let (mut done, mut again) = (0_usize, 0_usize);
        let mut waiting = targets.into_iter();
        let mut sending: JoinSet<_> = waiting.by_ref().take(AT_ONCE_MAX).map(Target::send).collect();
        while let Some(sent) = sending.join_next().await {
            match sent {
                Ok((Outcome::Done, _)) => done += 1,
                Ok((Outcome::Gone, Some(endpoint))) => self.gone(&endpoint),
                Ok((Outcome::Again, _)) | Err(_) => again += 1,
                Ok((Outcome::Refused | Outcome::Gone, _)) => {}
            }
            if let Some(next) = waiting.next() {
                sending.spawn(next.send());
            }
        }
        tracing::info!(rung = ?self.rung, done, again, "told");
        done > 0 || again == 0
    }

    fn gone(&self, endpoint: &str) {
        match self.shared.book.gone(endpoint) {
            Ok(()) => tracing::info!("a device is no more, and is taken out"),
            Err(error) => tracing::warn!(%error, "a device is no more, and can not be taken out"),
        }
    }
}
