//! The one user that makes streams and consumers: the mailboxes of the regions, the streams of the core, the copies
//! of the centres. It is connected only while it works.
//!
//! Everything is made again and again with the same outcome; nothing in a mailbox is ever lost by it. What is derived
//! from the log may be emptied or made anew, and is then published again. Not here: who notices that something is
//! missing (`recorder`, `gateway`: they say a [`Need`]), what may be made by whom (`server`).

mod streams;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::stream::{Config as Stream, Info};
use domain::RegionId;
use futures::{StreamExt as _, TryStreamExt as _};
use network::{Account, Centre, CentreId, Network, Role};
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

use crate::connection::{Bus, Config, Server};
use crate::limits::Limits;
use crate::login::Logins;
use crate::mirrors;
use crate::provision::ProvisionError;
use crate::subjects::log_stream;

/// Needs that wait. Whoever needs something asks again, so what comes beyond them is dropped.
pub const NEEDS_MAX: usize = 64;
/// Accounts worked on at once: the broker syncs its disk for each mailbox, one after the other.
const AT_ONCE_MAX: usize = 8;
/// Everything is looked at so often, needed or not: a copy that stopped is missed by nobody of the node.
const LOOK_EVERY: Duration = Duration::from_mins(2);
/// The first wait after a failure; it doubles, up to [`WAIT_MAX`].
const WAIT_MIN: Duration = Duration::from_millis(200);
/// The longest wait after a failure.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// Something that should be there and is not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// The mailbox of a region, or its consumer.
    Mailbox(RegionId),
    /// A stream of the core.
    Outward,
    /// The stream of this region's recorded events holds those of another log: it is to be emptied.
    LogOfAnother(RegionId),
    /// The copies for a centre.
    Mirrors(CentreId),
}

/// Where a need is told. With `try_send`: who needs something asks again anyway.
pub type Needs = mpsc::Sender<Need>;

/// A place to tell needs, and where they arrive.
#[must_use]
pub fn needs() -> (Needs, mpsc::Receiver<Need>) {
    mpsc::channel(NEEDS_MAX)
}

/// What is there now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Mailboxes with their consumers.
    pub mailboxes: usize,
    /// Streams of the core.
    pub streams: usize,
    /// Copies for centres.
    pub copies: usize,
    /// Of these, copies that had to be made anew.
    pub made_anew: usize,
}

/// Makes what is missing.
#[derive(Clone, Debug)]
pub struct Provisioner {
    server: Server,
    logins: Logins,
    network: Arc<Network>,
    limits: Limits,
}

/// The core's streams, by name.
type Origins = BTreeMap<String, Info>;

impl Provisioner {
    /// Nothing happens yet. On a plain broker, where all is one account, there are no copies.
    #[must_use]
    pub fn new(server: Server, logins: Logins, network: Arc<Network>, limits: Limits) -> Self {
        Self { server, logins, network, limits }
    }

    /// Makes everything that is missing, and brings what is there to its settings.
    ///
    /// # Errors
    /// When the broker does not let us in, or refuses something.
    pub async fn once(&self) -> Result<Done, ProvisionError> {
        let regions = self.network.regions().map(|region| region.code.clone());
        // Collected first: a future that borrows from the closure of a stream can not go to another thread.
        let work: Vec<_> = regions.map(|region| self.mailbox(region)).collect();
        let mailboxes = work.len();
        let mut made = futures::stream::iter(work).buffer_unordered(AT_ONCE_MAX);
        while let Some(()) = made.try_next().await? {}
        Ok(Done { mailboxes, ..self.outward().await? })
    }

    /// Makes the mailbox of a region at its leaf; the server is the leaf's.
    ///
    /// # Errors
    /// As [`Provisioner::once`].
    pub async fn once_at_leaf(&self, region: &RegionId) -> Result<(), ProvisionError> {
        let bus = self.connect(Account::Region(region.clone())).await?;
        bus.make_mailbox_stream(region, &self.limits, None).await
    }

    /// Makes what is needed and looks at everything from time to time, until `shutdown` resolves. A broker that is
    /// away is no reason to stop.
    pub async fn run(self, mut needs: mpsc::Receiver<Need>, shutdown: impl Future<Output = ()> + Send) {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        looks.reset();
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            let mut wanted = BTreeSet::new();
            tokio::select! {
                () = &mut shutdown => return,
                Some(need) = needs.recv() => { wanted.insert(need); }
                _ = looks.tick() => {}
            }
            while let Ok(need) = needs.try_recv() {
                wanted.insert(need);
            }
            tokio::select! {
                () = &mut shutdown => return,
                () = self.until_there(&wanted) => {}
            }
        }
    }

    async fn until_there(&self, wanted: &BTreeSet<Need>) {
        let mut wait = WAIT_MIN;
        while let Err(error) = self.fulfil(wanted).await {
            {
                // Gone before the wait: it can not be handed to another thread.
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, wait_ms = wait.as_millis(), "what the bus keeps can not be made now");
            }
            tokio::time::sleep(wait).await;
            wait = wait.saturating_mul(2).min(WAIT_MAX);
        }
    }

    /// Everything, if nothing is named.
    async fn fulfil(&self, wanted: &BTreeSet<Need>) -> Result<(), ProvisionError> {
        if wanted.is_empty() {
            return self.once().await.map(drop);
        }
        tracing::info!(?wanted, "something on the bus is missing and is made");
        for need in wanted {
            match need {
                Need::Mailbox(region) => self.mailbox(region.clone()).await?,
                // The copies too: their origins may have gone with the others.
                Need::Outward => drop(self.outward().await?),
                Need::LogOfAnother(region) => self.empty_log(region).await?,
                Need::Mirrors(centre) => {
                    if let Some(centre) = self.network.centre(centre) {
                        self.copies(centre, &self.core().await?).await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Connects to an account, as long as it takes to do something there.
    async fn connect(&self, account: Account) -> Result<Bus, ProvisionError> {
        let login = self.logins.of(&account, Role::Provisioner(account.clone()).user())?;
        let name = format!("doorstroom provisioner {account}");
        Ok(Bus::connect(Config { server: self.server.clone(), name, login }).await?)
    }

    async fn mailbox(&self, region: RegionId) -> Result<(), ProvisionError> {
        let leaf = self.network.region(&region).is_some_and(|region| region.leaf);
        let bus = self.connect(Account::Region(region.clone())).await?;
        bus.make_mailbox(&region, &self.limits, leaf).await
    }

    /// The core and all copies of it.
    async fn outward(&self) -> Result<Done, ProvisionError> {
        let origins = self.core().await?;
        let mut done = Done { streams: origins.len(), ..Done::default() };
        // Only in an account of its own can a copy have the name of its origin.
        if matches!(self.logins, Logins::Folder(_)) {
            let work: Vec<_> = self.network.centres().map(|centre| self.copies(centre, &origins)).collect();
            let mut centres = futures::stream::iter(work).buffer_unordered(AT_ONCE_MAX);
            while let Some((copies, anew)) = centres.try_next().await? {
                done.copies = done.copies.saturating_add(copies);
                done.made_anew = done.made_anew.saturating_add(anew);
            }
        }
        Ok(done)
    }

    async fn core(&self) -> Result<Origins, ProvisionError> {
        let bus = self.connect(Account::Core).await?;
        let mut origins = Origins::new();
        for stream in streams::of_core(&self.network, &self.limits) {
            let name = stream.name.clone();
            let made = bus.jetstream().create_or_update_stream(stream).await;
            origins.insert(name.clone(), made.map_err(|source| refused(&name, source))?);
        }
        Ok(origins)
    }

    /// How many copies there are for a centre now, and how many of them were made anew.
    async fn copies(&self, centre: &Centre, origins: &Origins) -> Result<(usize, usize), ProvisionError> {
        let bus = self.connect(Account::Centre(centre.code.clone())).await?;
        let mut anew = 0_usize;
        let copies = streams::of_centre(centre, &self.limits);
        let count = copies.len();
        for copy in copies {
            if make_copy(&bus, copy, origins).await? {
                anew = anew.saturating_add(1);
            }
        }
        Ok((count, anew))
    }

    /// Empties the stream of a region's recorded events, and its copies as far as they have come.
    async fn empty_log(&self, region: &RegionId) -> Result<(), ProvisionError> {
        let name = log_stream(region);
        let core = self.connect(Account::Core).await?;
        let last = purge(&core, &name, None).await?;
        if !matches!(self.logins, Logins::Folder(_)) {
            return Ok(());
        }
        for centre in self.network.centres().filter(|centre| mirrors::of(centre).contains(&name)) {
            let bus = self.connect(Account::Centre(centre.code.clone())).await?;
            // What is published anew may be there already, behind what is to go.
            purge(&bus, &name, Some(last.saturating_add(1))).await?;
        }
        Ok(())
    }
}

/// Makes a copy, anew if it is of an origin that is no more; whether it was made anew.
async fn make_copy(bus: &Bus, copy: Stream, origins: &Origins) -> Result<bool, ProvisionError> {
    let name = copy.name.clone();
    let jetstream = bus.jetstream();
    let there = jetstream.get_stream(&name).await.ok().map(|stream| stream.cached_info().clone());
    let made = jetstream.create_or_update_stream(copy.clone()).await;
    let current =
        there.as_ref().is_none_or(|there| origins.get(&name).is_none_or(|origin| is_of(there, origin)));
    match made {
        Ok(_info) if current => return Ok(false),
        Ok(_info) => tracing::info!(stream = name, "the copy of a stream that was made anew is made anew"),
        // What of a copy can not be changed is what it copies: regions came or went.
        Err(error) if there.is_some() => {
            tracing::info!(stream = name, %error, "a copy can not be changed and is made anew");
        }
        Err(error) => return Err(refused(&name, error)),
    }
    jetstream.delete_stream(&name).await.map_err(|error| refused(&name, error))?;
    jetstream.create_stream(copy).await.map_err(|error| refused(&name, error))?;
    Ok(true)
}

/// Whether a copy can still be of this origin: made after it, and not ahead of it.
fn is_of(copy: &Info, origin: &Info) -> bool {
    copy.created >= origin.created && copy.state.last_sequence <= origin.state.last_sequence
}

/// Empties a stream (up to a number); the number of its last message.
async fn purge(bus: &Bus, name: &str, before: Option<u64>) -> Result<u64, ProvisionError> {
    let stream = bus.jetstream().get_stream(name).await.map_err(|error| refused(name, error))?;
    let purged = match before {
        Some(sequence) => stream.purge().sequence(sequence).await,
        None => stream.purge().await,
    };
    purged.map_err(|error| refused(name, error))?;
    Ok(stream.cached_info().state.last_sequence)
}

fn refused(stream: &str, source: impl Into<async_nats::Error>) -> ProvisionError {
    ProvisionError::Refused { stream: stream.to_owned(), source: source.into() }
}
