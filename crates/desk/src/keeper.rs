//! The deadline keeper: does what falls due, in order, once.
//!
//! It keeps nothing: what is due is a question to the state, and the id of what is done follows from the deadline. So it
//! may be killed at any moment, and two of them say the same. Not here: what falls due and when (`domain::desk`).

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use domain::desk::{Due, due, next_due};
use futures::future::join_all;
use tokio::time::{Instant, sleep, sleep_until};

use crate::{Desk, DeskError};

/// It looks at most so often: a busy day changes the state a thousand times a second, and a deadline has a second.
pub const LOOK_EVERY_MIN: Duration = Duration::from_millis(100);
/// It looks at least so often, whatever it believes to be next: a clock that is set must not leave anybody waiting.
pub const LOOK_AGAIN_AFTER_MAX: Duration = Duration::from_secs(30);
/// Of what is due at once it does so many before it looks again at what is so.
pub const DUE_AT_ONCE_MAX: usize = 256;
/// So many of them are decided and recorded at once, begun in their order: one write to the disk for all, not one for each.
pub const KEPT_AT_ONCE_MAX: usize = 32;
/// After something could not be done.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(1);

impl Desk {
    /// Keeps the deadlines of all desks until `shutdown` resolves.
    pub async fn keep(&self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => return,
                () = self.look() => {}
            }
        }
    }

    /// Does what is due now, then waits until something may be.
    async fn look(&self) {
        let looked = Instant::now();
        let mut standing = self.state.standing();
        // Until it has caught up it would let lapse what was answered long ago.
        if standing.wait_for(|standing| standing.live).await.is_err() {
            return std::future::pending().await;
        }
        let fell_due = self.state.read(|state| {
            let mut fell_due = due(state, self.now());
            fell_due.truncate(DUE_AT_ONCE_MAX);
            fell_due
        });
        let some = !fell_due.is_empty();
        for together in fell_due.chunks(KEPT_AT_ONCE_MAX) {
            if let Err(error) = self.catch_up().await {
                tracing::warn!(%error, "deadlines could not be kept; they are tried again");
                return sleep(TRY_AGAIN_AFTER).await;
            }
            let kept = join_all(together.iter().cloned().map(|due| self.keep_one(due))).await;
            if kept.contains(&false) {
                return sleep(TRY_AGAIN_AFTER).await;
            }
        }
        let pause = if some { Duration::ZERO } else { self.until_next() };
        tokio::select! {
            () = sleep(pause) => {}
            _ = standing.changed() => {}
        }
        sleep_until(looked + LOOK_EVERY_MIN).await;
    }

    /// Does one thing that fell due; `false` if it could not be done.
    async fn keep_one(&self, due: Due) -> bool {
        let (at, id) = (due.at, due.id);
        match self.handle_now(due.command(self.keeper.clone(), self.now())).await {
            Ok(done) => tracing::debug!(%id, %at, position = done.position, "a deadline passed"),
            // Somebody answered in the last moment.
            Err(DeskError::Refused(refusal)) => {
                tracing::debug!(%id, %at, code = refusal.code(), "a deadline passed without need");
            }
            Err(
                error @ (DeskError::Reused { .. }
                | DeskError::Contended { .. }
                | DeskError::Unfit
                | DeskError::Failed(_)),
            ) => {
                tracing::warn!(%id, %at, %error, "a deadline could not be kept; it is tried again");
                return false;
            }
        }
        true
    }

    fn until_next(&self) -> Duration {
        let next = self.state.read(next_due).map(|at| self.clock.wait_until(at));
        next.unwrap_or(LOOK_AGAIN_AFTER_MAX).min(LOOK_AGAIN_AFTER_MAX)
    }
}
