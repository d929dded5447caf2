//! The connections of a sender: one for all, or one for each sender as itself, opened when first needed.
//!
//! Not here: what is sent over them (`session`), in which order (`window`).

use std::collections::{HashMap, HashSet};
use std::pin::Pin;

use async_nats::Message;
use futures::stream::{AbortHandle, SelectAll, abortable};
use futures::{Stream, StreamExt as _};
use network::Account;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::window::Window;
use super::{CONNECTIONS_MAX, Party, SenderConfig, sentence};
use crate::Bus;
use crate::connection::{Config, ConnectError};
use crate::denial::Denial;
use crate::login::Logins;
use crate::subjects::ReceiptSubject;

/// What a connection brings.
pub(super) enum Incoming {
    /// The answer to something sent.
    Answer(Message),
    /// A message for this sender on the subject of its receipts.
    Told(Party, Message),
    /// The broker refuses something.
    Denied(Denial),
    /// A connection is gone.
    Lost,
}

/// Why there is no connection for a sender.
pub(super) enum LinkError {
    /// It is not let in, by its key or for want of one; another may be.
    ShutOut(String),
    /// It is broken, for all.
    Broken(String),
}

impl From<ConnectError> for LinkError {
    fn from(error: ConnectError) -> Self {
        let text = sentence(&error);
        if error.shuts_out() { Self::ShutOut(text) } else { Self::Broken(text) }
    }
}

type Boxed = Pin<Box<dyn Stream<Item = Incoming> + Send>>;

/// One connection, its inbox, and whose receipts it listens to.
pub(super) struct Link {
    pub(super) bus: Bus,
    pub(super) inbox: String,
    listening: HashSet<Party>,
    /// When it was last used, by the count of uses.
    used: u64,
    streams: Vec<AbortHandle>,
}

/// All connections, and what they bring.
pub(super) struct Links {
    config: SenderConfig,
    open: HashMap<Option<Party>, Link>,
    incoming: SelectAll<Boxed>,
    uses: u64,
    /// Why the last that was not let in was not.
    shut_out: Option<String>,
}

impl Links {
    pub(super) fn new(config: SenderConfig) -> Self {
        Self { config, open: HashMap::new(), incoming: SelectAll::new(), uses: 0, shut_out: None }
    }

    /// The next that any connection brings; `None` while there is none. Cancel-safe.
    pub(super) async fn next(&mut self) -> Option<Incoming> {
        self.incoming.next().await
    }

    /// The connection of this sender, opened if need be; one that nothing is awaited on may be closed for it.
    pub(super) async fn of(&mut self, party: &Party, window: &Window) -> Result<&mut Link, LinkError> {
        let key = apart(&self.config.logins).then(|| party.clone());
        self.uses = self.uses.saturating_add(1);
        if !self.open.contains_key(&key) {
            if self.open.len() >= CONNECTIONS_MAX {
                self.close_one(window);
            }
            // Where all share one user, all are shut out, and need not each be asked for again.
            if let (Some(reason), None) = (&self.shut_out, &key) {
                return Err(LinkError::ShutOut(reason.clone()));
            }
            let link = match self.connect(party).await {
                Err(LinkError::ShutOut(reason)) => {
                    self.shut_out = Some(reason.clone());
                    return Err(LinkError::ShutOut(reason));
                }
                connected => connected?,
            };
            self.open.insert(key.clone(), link);
        }
        let link =
            self.open.get_mut(&key).ok_or_else(|| LinkError::Broken("the connection is gone".to_owned()))?;
        link.used = self.uses;
        Ok(link)
    }

    /// Listens to the subject of its receipts, from now on.
    pub(super) async fn listen(&mut self, party: &Party, window: &Window) -> Result<(), LinkError> {
        let link = self.of(party, window).await?;
        if !link.listening.insert(party.clone()) {
            return Ok(());
        }
        let (region, sender) = party.clone();
        let subject = ReceiptSubject { region, sender }.to_string();
        let told = link.bus.client().subscribe(subject).await.map_err(|error| broken(&error))?;
        let whose = party.clone();
        let (told, stop) = abortable(told.map(move |message| Incoming::Told(whose.clone(), message)));
        link.streams.push(stop);
        self.incoming.push(told.boxed());
        Ok(())
    }

    async fn connect(&mut self, (region, sender): &Party) -> Result<Link, LinkError> {
        let SenderConfig { server, name, logins, .. } = &self.config;
        let login = logins.of(&Account::Region(region.clone()), sender.as_str())?;
        let config = Config { server: server.clone(), name: name.clone(), login };
        let bus = Bus::connect_patiently(config).await?;
        let (denied, stop_denied) = abortable(denials(bus.denials()));
        let mut losses = bus.losses();
        let lost = futures::stream::once(async move {
            // An error says the same: the client ended.
            let _ended = losses.changed().await;
            Incoming::Lost
        });
        let inbox = bus.client().new_inbox();
        let answers = bus.client().subscribe(format!("{inbox}.*")).await.map_err(|error| broken(&error))?;
        let (answers, stop_answers) = abortable(answers.map(Incoming::Answer));
        let (lost, stop_lost) = abortable(lost);
        self.incoming.push(answers.boxed());
        self.incoming.push(lost.boxed());
        self.incoming.push(denied.boxed());
        let streams = vec![stop_answers, stop_lost, stop_denied];
        Ok(Link { bus, inbox, listening: HashSet::new(), used: self.uses, streams })
    }

    /// Closes the one that was not used for the longest, of those that nothing is awaited on.
    fn close_one(&mut self, window: &Window) {
        let idle = |party: &Option<Party>| party.as_ref().is_some_and(|party| !window.concerns(party));
        let oldest = self.open.iter().filter(|(key, _)| idle(key)).min_by_key(|(_, link)| link.used);
        if let Some(key) = oldest.map(|(key, _)| key.clone())
            && let Some(link) = self.open.remove(&key)
        {
            link.streams.iter().for_each(AbortHandle::abort);
        }
    }
}

fn denials(denials: Receiver<Denial>) -> impl Stream<Item = Incoming> + Send {
    futures::stream::unfold(denials, async |mut denials| {
        loop {
            match denials.recv().await {
                Ok(denial) => return Some((Incoming::Denied(denial), denials)),
                // What was left out comes again, or is missed as an answer.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    })
}

fn broken(error: &dyn std::error::Error) -> LinkError {
    LinkError::Broken(sentence(error))
}

/// Whether each sender has a connection of its own.
pub(super) fn apart(logins: &Logins) -> bool {
    match logins {
        Logins::None | Logins::One(_) => false,
        Logins::Folder(_) => true,
    }
}
