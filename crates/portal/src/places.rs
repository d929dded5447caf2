//! Places: how many pages are live and how many boards of the past are reckoned at the same time, for the public and for
//! whoever is known, each apart, so that nobody takes them from the other without a name.
//!
//! Not here: live pages (`live`, `site::follow`), streams (`api::events`), the past (`api::open`, `site::lookback`).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::guard::Refusal;
use crate::shares::{Share, Shares};

/// Live pages of the public at the same time. Each costs a connection and at most four small messages a second; the
/// 501st reader keeps a page that works, without the live part.
const READERS_MAX: usize = 500;
/// Those of one address: a fifth, for a house stands behind one.
pub(crate) const READERS_OF_ONE_MAX: usize = READERS_MAX / 5;
/// Live pages and streams of whoever is signed in or has a token.
const FOLLOWERS_MAX: usize = 500;
/// Those of one person or source: two for each page that somebody has open. A browser lets go of those not looked at.
const FOLLOWED_BY_ONE_MAX: usize = 16;
/// Boards of the past reckoned at the same time for whoever is known: each reads the log from its start and keeps a processor
/// busy. Whoever comes then waits for a turn.
const PAST_BOARDS_MAX: usize = 2;
/// Those of one source, with those it waits for: one that looks and changes its mind, and no more of the others' turns.
const PAST_OF_ONE_MAX: usize = 2;
/// How long whoever is known waits for a turn.
const TURN_WITHIN_MAX: Duration = Duration::from_secs(5);
/// Those of the public: one, so that there is a processor left.
const PUBLIC_PAST_BOARDS_MAX: usize = 1;

/// The places that are free.
#[derive(Debug)]
pub(crate) struct Places {
    readers: Arc<Semaphore>,
    of_address: Shares<IpAddr>,
    followers: Arc<Semaphore>,
    of_one: Shares<String>,
    past: Arc<Semaphore>,
    past_of_one: Shares<String>,
    public_past: Arc<Semaphore>,
}

/// A place, free again when it is let go of.
#[derive(Debug)]
pub(crate) enum Place {
    /// The public's.
    Public {
        #[expect(dead_code, reason = "held")]
        place: OwnedSemaphorePermit,
        #[expect(dead_code, reason = "held")]
        share: Share<IpAddr>,
    },
    /// Of whoever is known.
    Known {
        #[expect(dead_code, reason = "held")]
        place: OwnedSemaphorePermit,
        #[expect(dead_code, reason = "held")]
        share: Share<String>,
    },
}

/// A place to reckon a board of the past, free again when it is let go of.
#[derive(Debug)]
pub(crate) struct PastPlace {
    #[expect(dead_code, reason = "held")]
    place: OwnedSemaphorePermit,
    #[expect(dead_code, reason = "held")]
    share: Option<Share<String>>,
}

impl Default for Places {
    fn default() -> Self {
        let places = |max| Arc::new(Semaphore::new(max));
        Self {
            readers: places(READERS_MAX),
            of_address: Shares::default(),
            followers: places(FOLLOWERS_MAX),
            of_one: Shares::default(),
            past: places(PAST_BOARDS_MAX),
            past_of_one: Shares::default(),
            public_past: places(PUBLIC_PAST_BOARDS_MAX),
        }
    }
}

fn free(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Refusal> {
    Arc::clone(places).try_acquire_owned().map_err(|_| Refusal::Busy)
}

impl Places {
    /// A live page for anybody.
    ///
    /// # Errors
    /// The public, or this address, has as many as it may have.
    pub(crate) fn public(&self, address: IpAddr) -> Result<Place, Refusal> {
        let share = self.of_address.take(address, READERS_OF_ONE_MAX).ok_or(Refusal::Busy)?;
        Ok(Place::Public { place: free(&self.readers)?, share })
    }

    /// A live page or a stream for a person or a source.
    ///
    /// # Errors
    /// All of them together, or this one, have as many as they may have.
    pub(crate) fn known(&self, name: &str) -> Result<Place, Refusal> {
        let share = self.of_one.take(name.to_owned(), FOLLOWED_BY_ONE_MAX).ok_or(Refusal::Busy)?;
        Ok(Place::Known { place: free(&self.followers)?, share })
    }

    /// A board of the past, for a source or for anybody. Whoever is known comes in turn.
    ///
    /// # Errors
    /// This source has as many as it may have, its turn does not come in time, or the public's is taken.
    pub(crate) async fn past(&self, source: Option<&str>) -> Result<PastPlace, Refusal> {
        let Some(source) = source else {
            return Ok(PastPlace { place: free(&self.public_past)?, share: None });
        };
        let share = self.past_of_one.take(source.to_owned(), PAST_OF_ONE_MAX).ok_or(Refusal::Busy)?;
        let turn = tokio::time::timeout(TURN_WITHIN_MAX, Arc::clone(&self.past).acquire_owned());
        let place = turn.await.map_err(|_| Refusal::Busy)?.map_err(|_| Refusal::Busy)?;
        Ok(PastPlace { place, share: Some(share) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_public_takes_no_place_of_whoever_is_known_and_one_address_not_all_of_the_public_s() {
        let places = Places::default();
        let address = |last: u8| IpAddr::from([192, 0, 2, last]);
        let held: Vec<Place> = (0..READERS_MAX).map_while(|_| places.public(address(1)).ok()).collect();
        assert_eq!(held.len(), READERS_OF_ONE_MAX);
        let more: Vec<Place> = (2..=255)
            .flat_map(|last| (0..50).map_while(|_| places.public(address(last)).ok()).collect::<Vec<_>>())
            .collect();
        assert_eq!(held.len() + more.len(), READERS_MAX);
        assert!(places.known("loket").is_ok());
        let past = places.past(None).await;
        assert!(past.is_ok() && places.past(None).await.is_err() && places.past(Some("loket")).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_looks_back_a_lot_waits_for_itself_and_others_come_in_turn() {
        let places = Places::default();
        let many = [places.past(Some("insurer")).await.unwrap(), places.past(Some("insurer")).await.unwrap()];
        assert!(places.past(Some("insurer")).await.is_err(), "one source has no more than its own");
        assert!(places.past(Some("loket")).await.is_err(), "nobody waits for ever");
        let next = async {
            let turn = places.past(Some("loket")).await;
            assert!(turn.is_ok());
            turn
        };
        // Looked at after the one above, which waits by then.
        let leave = async { drop(many) };
        let (turn, ()) = tokio::join!(next, leave);
        drop(turn);
        assert!(places.past_of_one.take("loket".to_owned(), 1).is_some(), "what was refused holds nothing");
    }

    #[test]
    fn one_who_is_known_takes_no_more_than_some() {
        let places = Places::default();
        let held: Vec<Place> = (0..FOLLOWERS_MAX).map_while(|_| places.known("loket").ok()).collect();
        assert_eq!(held.len(), FOLLOWED_BY_ONE_MAX);
        assert!(places.known("linde").is_ok());
    }
}
