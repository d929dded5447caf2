//! The pages and the HTTP API: desks and their numbers, the national overview, the board of a region, all live;
//! the board as JSON, health and metrics.
//!
//! Server-rendered HTML that works without a script; one small script keeps it live by server-sent events.
//! Not here: what is counted (`views`), how it is kept up to date (`projector`), who may do what
//! (`domain::access`). Counts are for everybody; behind the door are the desk's work, a location's beds and a centre's regions.

mod api;
mod assets;
mod board;
mod cover;
mod guard;
mod live;
mod messages;
mod pace;
mod pages;
mod peer;
mod places;
mod quiet;
mod said;
mod server;
mod shares;
pub mod signin;
mod site;
mod staff;
mod stall;
mod text;
mod why;
mod words;

use std::fmt;
use std::sync::Arc;

use domain::Timestamp;
use tokio::sync::watch;

pub use server::{CONNECTIONS_MAX, CONNECTIONS_OF_ONE_MAX, PortalError, serve};
pub use staff::Staff;

/// What the portal shows and asks.
#[derive(Clone)]
pub struct App {
    /// The board, kept up to date by its projector.
    pub availability: projector::Handle<views::Availability>,
    /// Regions, desks and their numbers.
    pub network: Arc<network::Network>,
    /// The network as it changes: who has a token.
    pub registry: watch::Receiver<Arc<network::Network>>,
    /// The token of the person on this node's machine, who may speak for any source.
    pub operator: Option<network::TokenHash>,
    /// The proxies whose word it is from where a request comes.
    pub trusted_proxies: Vec<std::net::IpAddr>,
    /// Who may sign in, and who has.
    pub door: Arc<signin::Door>,
    /// The desk, which decides and records.
    pub desk: desk::Desk,
    /// Inflow, throughput and outflow.
    pub flow: projector::Handle<views::Flow>,
    /// What nothing was found for.
    pub unmet: projector::Handle<views::Unmet>,
    /// Who is told that there is something for them.
    pub notifier: notifier::Notifier,
    /// The keys of what is sealed.
    pub vault: desk::Vault,
    /// The log, to see the board as it was.
    pub reader: eventlog::LogReader,
    /// What others verify the signed heads of the log with (`name+id+key`, c2sp.org/signed-note); nothing where none are signed.
    pub log_key: Option<String>,
    /// The alerts as centres were told of them, with the moment from which on each is.
    pub raised: watch::Receiver<Arc<[views::AlertChange]>>,
    /// What must hold for this node to be of use.
    pub checks: Arc<dyn Checks>,
    /// The metrics in the `OpenMetrics` text format.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// The clock that ages are counted by.
    pub now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("network", &self.network.regions().len()).finish_non_exhaustive()
    }
}

/// Says whether this node is of use: recorder, log, broker, view lag.
pub trait Checks: Send + Sync {
    /// Each check with its answer now. Answers from memory: it is asked by every probe and every live page.
    fn readiness(&self) -> Vec<Check>;
}

/// One check of readiness.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Check {
    /// What is checked, such as `recorder`.
    pub name: String,
    /// Whether it holds.
    pub ok: bool,
    /// In words: what was found, and what to do if it does not hold.
    pub detail: String,
}
