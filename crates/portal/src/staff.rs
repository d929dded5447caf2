//! Who is told of what: the accounts as they are now, asked by the same function that lets them in.
//!
//! Not here: when and how they are told (`notifier`), what an account is (`signin`).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use domain::access::{About, Action};
use domain::{SourceId, Timestamp};
use network::Network;
use notifier::{Directory, Recipient};
use tokio::sync::watch;

use crate::api::who;
use crate::signin::Door;
use crate::site::visit;

/// Those who may sign in.
#[derive(Clone)]
pub struct Staff {
    /// The accounts.
    pub door: Arc<Door>,
    /// What they work for.
    pub registry: watch::Receiver<Arc<Network>>,
    /// The clock that accounts are valid by.
    pub now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

impl fmt::Debug for Staff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Staff").finish_non_exhaustive()
    }
}

impl Directory for Staff {
    fn answers_for(&self, account: &str, recipient: &Recipient, _at: Timestamp) -> bool {
        let Some(account) = self.door.account(account, (self.now)()) else { return false };
        let network = Arc::clone(&self.registry.borrow());
        let Some(signed) = visit::of_account(&network, &account) else { return false };
        let (action, about, but): (_, _, Option<&SourceId>) = match recipient {
            Recipient::Location { location, region } => {
                let locations = BTreeMap::from([(location.clone(), region.clone())]);
                (Action::SeeOffer, About { locations, ..About::default() }, None)
            }
            Recipient::Desk { region, deputy, but } => {
                let about =
                    About { region: Some(region.clone()), deputy: deputy.clone(), ..About::default() };
                (Action::Worklist, about, but.as_ref())
            }
        };
        but != Some(&signed.principal.source) && who::permits(&signed.principal, action, &about)
    }
}
