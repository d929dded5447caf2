//! The counter of one region: requests of its senders, each listened to apart.
//!
//! Each sender has room of its own between the broker and its line, so what one sends too much takes nothing from
//! another. Who floods is not listened to for a while: the broker then drops what it sends, which costs nobody else
//! anything here. When a message ends a connection (the client library gives up on some headers), senders get a connection
//! each for a while: if it happens again, its sender is known and the others do not notice. Not here: what is done with a
//! message (`serve`), whether a sender is shut out of the bus (the node).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use bus::alarm::Alarm;
use bus::subjects::RecordSubject;
use bus::{Bus, Counted, Counter};
use contracts::ContentHash;
use network::SenderName;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use crate::answer::{self, body, refusal_of_all};
use crate::door::{Closed, Door, WAIT_MAX, stopped};
use crate::judge::Message;
use crate::lines::{Arrived, Line};
use crate::serve::Reply;

/// How long a sender that floods, or whose message ended a connection, is not listened to.
pub const SHUT_FOR: Duration = Duration::from_secs(30);
/// How long after a message ended a connection every sender has one of its own.
const APART_FOR: Duration = Duration::from_mins(1);
/// How long the counter may take to give out what had arrived when it was closed.
const DRAIN_WITHIN: Duration = Duration::from_secs(2);
/// The code of the alarm that a sender's message ended the connection it came over.
pub const POISONED: &str = "counter_poisoned";

/// Who is listened to; `None` is everybody, on a broker that does not tell senders apart.
type Whom = Option<SenderName>;

/// How the counter is listened to, from one connection to the next.
#[derive(Debug, Default)]
pub(crate) struct Manner {
    /// Until when every sender has a connection of its own.
    apart_until: Option<Instant>,
    /// Who is not listened to, and until when.
    shut: HashMap<Whom, Instant>,
}

/// Why somebody is not listened to any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// As it was told to.
    Closed,
    /// It sends too much in vain.
    Flooding,
    /// The connection is gone for good.
    Gone,
}

impl Manner {
    fn is_apart(&self, now: Instant) -> bool {
        self.apart_until.is_some_and(|until| now < until)
    }

    /// Forgets what is over, and says when something will be next.
    fn at(&mut self, now: Instant) -> Option<Instant> {
        self.shut.retain(|_, until| now < *until);
        self.apart_until = self.apart_until.filter(|until| now < *until);
        self.shut.values().copied().chain(self.apart_until).min()
    }
}

/// Everybody who is listened to over one connection, or each over one of its own.
struct Listening<'a> {
    door: &'a Door,
    bus: &'a Arc<Bus>,
    apart: bool,
    tasks: JoinSet<(Whom, Ended)>,
    to: HashSet<Whom>,
    close: watch::Sender<bool>,
}

impl Door {
    /// Listens to every sender of the region until the connection ends or the recorder is told to stop.
    pub(crate) async fn open_to_senders(&self, bus: &Arc<Bus>, manner: &mut Manner) -> Closed {
        loop {
            let apart = manner.is_apart(Instant::now());
            let (close, _) = watch::channel(false);
            let mut listening =
                Listening { door: self, bus, apart, tasks: JoinSet::new(), to: HashSet::new(), close };
            let closed = listening.run(manner).await;
            if matches!(closed, Some(Closed::Gone(_))) {
                // Whatever it was: if it comes again, we will know whose it is.
                manner.apart_until = Some(Instant::now() + APART_FOR);
            } else {
                listening.drain().await;
            }
            if let Some(closed) = closed {
                return closed;
            }
        }
    }

    /// Puts a request in its line. Whether its sender floods.
    async fn counted(&self, bus: &Arc<Bus>, counted: Counted) -> bool {
        let Counted { subject, headers, payload, reply } = counted;
        let sender = subject.parse::<RecordSubject>().ok().map(|subject| subject.sender);
        let message = Message { subject, headers, payload, stream_sequence: None, unreadable: None };
        let reply = Reply::Counter { bus: Arc::clone(bus), to: reply };
        let arrived = Arrived { message, reply };
        let line = Line::Counter(sender.clone());
        if let Some(full) = self.region.arrive(line, arrived, &self.serving) {
            self.region.shared.metrics.count_busy();
            self.region.note_in_vain(sender.as_ref(), self.region.shared.clock.now());
            tell_busy(full).await;
        }
        // Who is not told apart is not shut out: it would be everybody.
        bus.guarded() && self.region.is_flooded_by(sender.as_ref())
    }

    /// Everybody there is to listen to.
    fn senders(&self, bus: &Bus) -> HashSet<Whom> {
        if !bus.guarded() {
            return HashSet::from([None]);
        }
        let network = self.region.shared.network.borrow();
        network
            .sources()
            .filter(|source| source.region == self.region.code)
            .map(|source| Some(source.name.clone()))
            .collect()
    }

    fn alarm_poison(&self, whom: &Whom) {
        let detail = "a message of this sender has headers that can not be read, and ended the connection it came over; \
             the sender is not listened to for a while: find out who has its key";
        self.region.shared.alarms.raise(Alarm {
            region: Some(self.region.code.clone()),
            sender: whom.clone(),
            security: true,
            ..Alarm::new(POISONED, detail)
        });
    }
}

async fn tell_busy(full: Arrived<Reply>) {
    let Arrived { message, reply: Reply::Counter { bus, to: Some(to) } } = full else { return };
    let reason = "this sender has too much on its way: wait for receipts, then send this again";
    let receipt = refusal_of_all("busy", reason.to_owned());
    let protobuf = message.says_protobuf();
    let receipt = contracts::Receipt { content_hash: ContentHash::of(&message.payload), ..receipt };
    if let Err(error) = bus.answer(to, body(&[receipt], protobuf), protobuf).await {
        tracing::debug!(%error, "a sender that sends too much was not told so");
    }
}

impl Listening<'_> {
    /// `None`: the manner has changed.
    async fn run(&mut self, manner: &mut Manner) -> Option<Closed> {
        let mut network = self.door.region.shared.network.clone();
        let mut stopping = self.door.stopping.clone();
        loop {
            let next = manner.at(Instant::now());
            if self.apart != manner.apart_until.is_some() {
                return None;
            }
            network.mark_unchanged();
            for whom in self.door.senders(self.bus) {
                if !manner.shut.contains_key(&whom)
                    && !self.to.contains(&whom)
                    && let Err(reason) = self.listen(whom).await
                {
                    return Some(Closed::Gone(reason));
                }
            }
            self.bus.flush().await;
            self.door.tell(true);
            let later = next.unwrap_or_else(|| Instant::now() + APART_FOR);
            tokio::select! {
                // An error means that nothing will change any more: the node is ending.
                changed = network.changed() => if changed.is_err() {
                    stopped(&mut stopping).await;
                    return Some(Closed::Stopping);
                },
                Some(ended) = self.tasks.join_next(), if !self.tasks.is_empty() => {
                    if let Ok((whom, ended)) = ended {
                        self.ended(whom, ended, manner).await;
                    }
                }
                () = sleep_until(later) => {}
                () = self.bus.closed() => {
                    return Some(Closed::Gone("the connection was closed for good".to_owned()));
                }
                () = stopped(&mut stopping) => return Some(Closed::Stopping),
            }
        }
    }

    /// Listens to one from now on.
    async fn listen(&mut self, whom: Whom) -> Result<(), String> {
        let bus = if self.apart {
            Arc::new(self.door.connect().await.map_err(|error| answer::sentence(&error))?)
        } else {
            Arc::clone(self.bus)
        };
        let counter = bus.counter_of(&self.door.region.code, whom.as_ref()).await;
        let counter = counter.map_err(|error| error.to_string())?;
        self.to.insert(whom.clone());
        let (door, close) = (self.door.clone(), self.close.subscribe());
        self.tasks.spawn(async move {
            let ended = listen(&door, &bus, counter, close).await;
            if ended == Ended::Closed {
                // What was answered over a connection of its own is out before that is dropped.
                bus.flush().await;
            }
            (whom, ended)
        });
        Ok(())
    }

    async fn ended(&mut self, whom: Whom, ended: Ended, manner: &mut Manner) {
        self.to.remove(&whom);
        let until = Instant::now() + SHUT_FOR;
        match ended {
            Ended::Closed => {}
            Ended::Flooding => {
                self.door.region.forgive(whom.as_ref());
                manner.shut.insert(whom, until);
            }
            // Only if the broker would still let us in it was the message.
            Ended::Gone if self.apart && self.door.connect().await.is_ok() => {
                self.door.alarm_poison(&whom);
                manner.shut.insert(whom, until);
                manner.apart_until = Some(Instant::now() + SHUT_FOR + APART_FOR);
            }
            // The loop sees it too, or opens it again.
            Ended::Gone => tokio::time::sleep(WAIT_MAX / 50).await,
        }
    }

    /// Takes no more; all that had arrived is put in line.
    async fn drain(mut self) {
        self.close.send_replace(true);
        let rest = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(DRAIN_WITHIN, rest).await.is_err() {
            tracing::warn!(
                region = %self.door.region.code,
                "the counter did not give out all it had; what has no receipt is sent again"
            );
        }
    }
}

/// Listens to one until it is told to stop, the connection ends, or what comes is a flood.
async fn listen(
    door: &Door,
    bus: &Arc<Bus>,
    mut counter: Counter,
    mut close: watch::Receiver<bool>,
) -> Ended {
    {
        let closed = bus.closed();
        let close = stopped(&mut close);
        tokio::pin!(closed, close);
        loop {
            tokio::select! {
                request = counter.next() => match request {
                    Some(request) => if door.counted(bus, request).await {
                        return Ended::Flooding;
                    },
                    None => return Ended::Gone,
                },
                () = &mut closed => return Ended::Gone,
                () = &mut close => break,
            }
        }
    }
    counter.close().await;
    while let Some(request) = counter.next().await {
        if door.counted(bus, request).await {
            return Ended::Flooding;
        }
    }
    Ended::Closed
}
