//! Sending what is in the outbox: the ordered sender is fed from it, and what it says is written down.
//!
//! Not here: order and repetition (`sender`), what is kept (`store`).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::entry::Ended;
use super::feed::{Given, feed};
use super::store::{self, Store, shut_out, unsendable};
use super::{OutboxError, Place, Told};
use crate::sender::{Asked, Ears, Party, SendError, Sender, SenderConfig, Sent};

/// Receipts written down at once: one sync of the disk for them all.
const ENDED_MAX: usize = 256;
/// Questions of the recorder that wait; they say the same, so few are enough.
const ASKED_MAX: usize = 16;

/// How long who is not let in is passed over, before it is tried again: a person has to see to its key.
const HELD_FOR: Duration = Duration::from_secs(30);

/// What was asked, and how far everything that it meant goes.
type Answering = HashMap<Party, (u64, Place)>;

/// What comes next of a sender.
enum Step {
    Sent(Option<Sent>),
    Asked(Asked),
    Again,
}

pub(super) async fn send<F: FnMut(Told)>(
    store: &Arc<Store>,
    config: SenderConfig,
    mut told: F,
) -> Result<(), OutboxError> {
    let _only = store.sending.lock().await;
    let config = SenderConfig { give_up_after: Duration::MAX, ..config };
    let (mut answering, mut shut) = (Answering::new(), HashSet::new());
    loop {
        store.hold_nothing();
        let (asks, mut asked) = mpsc::channel(ASKED_MAX);
        let ears = Ears { parties: store.book().parties(), asks };
        let given = Given::default();
        let events = feed(Arc::clone(store), given.clone());
        let mut sender = Sender::start_listening(config.clone(), events, Some(ears));
        let retry = sleep_until(Instant::now() + HELD_FOR);
        tokio::pin!(retry);
        loop {
            let step = tokio::select! {
                sent = sender.next() => Step::Sent(sent),
                Some(asked) = asked.recv() => Step::Asked(asked),
                () = store.again.notified() => Step::Again,
                () = &mut retry => {
                    if !store.book().held().is_empty() {
                        break;
                    }
                    retry.as_mut().reset(Instant::now() + HELD_FOR);
                    continue;
                }
            };
            match step {
                Step::Sent(None) => return given.failure().map_or(Ok(()), Err),
                Step::Sent(Some(sent)) => {
                    end(store, &given, sent, &mut sender, (&mut told, &mut shut)).await?;
                }
                Step::Asked(asked) => answer(store, asked, &mut answering).await?,
                // From the first event that waits now, over fresh connections.
                Step::Again => break,
            }
        }
    }
}

/// Writes down this and all else that is known by now, and tells it.
async fn end<F: FnMut(Told)>(
    store: &Arc<Store>,
    given: &Given,
    first: Sent,
    sender: &mut Sender,
    (told, shut): (&mut F, &mut HashSet<Party>),
) -> Result<(), OutboxError> {
    let (mut ended, mut all) = (Vec::new(), Vec::new());
    let mut next = Some(first);
    while let Some(sent) = next.take() {
        let (index, outcome) = match sent {
            Ok((index, receipt)) => (index, Ok(receipt)),
            Err(SendError::Unsendable { index, reason }) => (index, Err(reason)),
            Err(SendError::ShutOut { index, reason }) => {
                if let Some((place, party)) = given.take(index) {
                    store.hold(place, Arc::clone(&reason));
                    if !shut.contains(&party) {
                        store.alarms.raise(shut_out(&party, &reason));
                        shut.insert(party);
                    }
                }
                next = sender.next().now_or_never().flatten();
                continue;
            }
            // Said by one who gives up, which this one never does.
            Err(SendError::GaveUp { .. }) => continue,
        };
        if let Some((place, party)) = given.take(index) {
            if let Err(reason) = &outcome {
                store.alarms.raise(unsendable(&party, reason));
            }
            let recorded = outcome.as_ref().ok().and_then(|receipt| receipt.position);
            ended.push(Ended { generation: place.generation, position: place.position, recorded });
            let (region, sender) = party;
            all.push(Told { place, region, sender, outcome });
        }
        if ended.len() < ENDED_MAX {
            next = sender.next().now_or_never().flatten();
        }
    }
    if !ended.is_empty() {
        store.end(&ended).await?;
    }
    all.into_iter().for_each(told);
    Ok(())
}

/// Makes wait again what the recorder asks for; not once more while the answer to the same is still on its way.
async fn answer(store: &Arc<Store>, asked: Asked, answering: &mut Answering) -> Result<(), OutboxError> {
    let Asked { party, ask } = asked;
    let first = store.book().first_waiting();
    let same = answering.get(&party).is_some_and(|(since, until)| {
        *since <= ask.since_position && first.is_some_and(|first| first <= *until)
    });
    if same {
        return Ok(());
    }
    let (region, sender) = &party;
    tracing::warn!(%region, %sender, since = ask.since_position, why = ask.why, "asked to send again what is kept");
    store::send_again(store, Some(&party), ask.since_position).await?;
    if let Some(until) = store.book().last_waiting() {
        answering.insert(party, (ask.since_position, until));
    }
    Ok(())
}
