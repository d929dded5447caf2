//! So many at the same time for each: connections of an address, pages that somebody follows.
//!
//! Not here: how many (`server`, `places`).

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// How many each has.
#[derive(Debug)]
pub(crate) struct Shares<K>(Arc<Mutex<HashMap<K, usize>>>);

/// One of them; gone when it is let go of.
#[derive(Debug)]
pub(crate) struct Share<K: Eq + Hash> {
    shares: Shares<K>,
    of: K,
}

impl<K> Default for Shares<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K> Clone for Shares<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Eq + Hash + Clone> Shares<K> {
    /// One more; none if it has `max`.
    pub(crate) fn take(&self, of: K, max: usize) -> Option<Share<K>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = known.entry(of.clone()).or_default();
        if *count >= max {
            return None;
        }
        *count += 1;
        Some(Share { shares: self.clone(), of })
    }
}

impl<K: Eq + Hash> Drop for Share<K> {
    fn drop(&mut self) {
        let mut known = self.shares.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = known.get_mut(&self.of) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                known.remove(&self.of);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_own_and_what_is_let_go_of_is_free_again() {
        let shares = Shares::default();
        let one = shares.take("a", 1);
        assert!(one.is_some() && shares.take("a", 1).is_none());
        assert!(shares.take("b", 1).is_some());
        drop(one);
        assert!(shares.take("a", 1).is_some());
        assert!(shares.0.lock().unwrap().is_empty(), "nothing is kept of who is gone");
    }
}
