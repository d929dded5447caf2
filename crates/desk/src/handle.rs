//! A command: decided on what is so, recorded unless that changed meanwhile, and then decided anew.
//!
//! Not here: the rules (`domain::desk`), deadlines (`keeper`).

use std::time::Duration;

use domain::desk::{Command, Refusal, Scope, State, decide};
use domain::{Event, Fact, Names, Recorded, Sealed, Timestamp};
use eventlog::{AppendCondition, Key, LogReader, ReadError};
use recorder::{InnerError, InnerReceipt};

use crate::{Desk, DeskError, Done, lookup};

/// How often a command is decided before it is given back: each time somebody else's was recorded, so the desk as a whole
/// goes on.
pub const TRIES_MAX: u32 = 32;
/// How long what the desk decides on may take to follow the log.
pub const FRESH_WITHIN: Duration = Duration::from_secs(5);

/// What was decided, on what, and where the log stood.
struct Decision {
    outcome: Result<Vec<Event>, Refusal>,
    scope: Scope,
    position: u64,
    recorded_at: Timestamp,
}

impl Decision {
    fn on(state: &State, command: &Command) -> Self {
        let narrow = Scope::of(command);
        let scope = narrow.wider(command, state).unwrap_or(narrow);
        let (position, recorded_at) = (state.position(), state.board.recorded_at());
        Self { outcome: decide(state, command), scope, position, recorded_at }
    }
}

/// One try.
enum Tried {
    Done(Done),
    Overtaken(u64),
}

impl Desk {
    /// Does what is wanted. When it answers, what was recorded is on disk, and the next command decides on it.
    ///
    /// A command that comes again with its id is not done twice: it is told what became of it.
    ///
    /// # Errors
    /// The rules say no; or the id belongs to something else; or it can not be done now.
    pub async fn handle(&self, command: Command) -> Result<Done, DeskError> {
        self.catch_up().await?;
        self.handle_now(command).await
    }

    /// Waits until what was recorded by now is in what the desk decides on: it counts, so that nobody is refused over what is over.
    pub(crate) async fn catch_up(&self) -> Result<(), DeskError> {
        self.follow(self.reader.head().position).await
    }

    /// The same without catching up first. The first time it is polled it decides and hands over to the log: of several that are begun
    /// one after the other, the events come in that order, but for those that are overtaken.
    pub(crate) async fn handle_now(&self, command: Command) -> Result<Done, DeskError> {
        for _ in 0..TRIES_MAX {
            match self.try_once(&command).await? {
                Tried::Done(done) => {
                    self.follow(done.position).await?;
                    return Ok(done);
                }
                Tried::Overtaken(position) => self.follow(position).await?,
            }
        }
        tracing::warn!(command = %command.id, tries = TRIES_MAX, "a command was overtaken each time");
        Err(DeskError::Contended { tries: TRIES_MAX })
    }

    /// Waits until what the desk decides on has this position.
    async fn follow(&self, position: u64) -> Result<(), DeskError> {
        let following = self.state.wait_for(position);
        match tokio::time::timeout(FRESH_WITHIN, following).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(DeskError::Failed("the desk is closing".to_owned())),
            Err(_) => {
                let why = self.state.failure().unwrap_or_else(|| "it is still catching up".to_owned());
                Err(DeskError::Failed(format!("the desk does not follow the log: {why}")))
            }
        }
    }

    async fn try_once(&self, command: &Command) -> Result<Tried, DeskError> {
        let Decision { outcome, scope, position, recorded_at } = self.decide(command).await?;
        let events = match outcome {
            Ok(events) => events,
            Err(refusal) => {
                return match self.known(command).await? {
                    Some(done) => Ok(Tried::Done(done)),
                    None => Err(DeskError::Refused(refusal)),
                };
            }
        };
        if events.is_empty() {
            // It may be so because of this very command, when it came before: then it is told what became of it.
            let nothing = Done { position, recorded_at, events: Vec::new(), duplicate: false };
            return Ok(Tried::Done(self.known(command).await?.unwrap_or(nothing)));
        }
        let fail_if = scope.items.iter().map(lookup::query_item).collect();
        match self.door.record(&events, AppendCondition { fail_if, after: position }).await {
            Ok(InnerReceipt { position, recorded_at }) => {
                let events = events.iter().map(|event| event.id).collect();
                Ok(Tried::Done(Done { position, recorded_at, events, duplicate: false }))
            }
            Err(InnerError::Overtaken { position }) => Ok(Tried::Overtaken(position)),
            Err(InnerError::Known { position, .. }) => match self.known(command).await? {
                Some(done) => Ok(Tried::Done(done)),
                None => Err(DeskError::Reused { id: command.id, position }),
            },
            Err(error @ InnerError::Unreadable { .. }) => {
                tracing::warn!(command = %command.id, %error, "a command says what no event may");
                Err(DeskError::Unfit)
            }
            Err(error @ InnerError::Log(_)) => Err(failed(error)),
        }
    }

    async fn decide(&self, command: &Command) -> Result<Decision, DeskError> {
        let (decision, unknown) = self.state.read(|state| {
            let decision = Decision::on(state, command);
            let unknown = lookup::unknown(state, &decision.scope);
            (decision, unknown)
        });
        if unknown.is_empty() {
            return Ok(decision);
        }
        // It is new, or it ended so long ago that it was forgotten: the log knows.
        let (reader, until, command) = (self.reader.clone(), decision.position, command.clone());
        let empty = self.state.read(|state| State::new(state.rule_book.clone()));
        let folded = blocking(move || {
            if !lookup::is_in_log(&reader, unknown)? {
                return Ok(None);
            }
            let (state, scope) = lookup::fold(&reader, &empty, &command, until)?;
            Ok(Some((decide(&state, &command), scope)))
        })
        .await?;
        Ok(match folded {
            Some((outcome, scope)) => Decision { outcome, scope, ..decision },
            None => decision,
        })
    }

    /// What became of this command when it came before; `None` if it never did, or its id is that of something else.
    async fn known(&self, command: &Command) -> Result<Option<Done>, DeskError> {
        let key = contracts::key(command.source.as_str(), &command.id.to_string());
        let (reader, command) = (self.reader.clone(), command.clone());
        let empty = self.state.read(|state| State::new(state.rule_book.clone()));
        blocking(move || {
            let Some(first) = reader.position_of(&Key(key))? else { return Ok(None) };
            let mut recorded = Vec::new();
            // The events of one command stand one after the other, and their ids follow from its own.
            for (position, number) in (first..).zip(0u32..) {
                let Some(record) = reader.record(position)? else { break };
                let read =
                    contracts::recorded(position, record.recorded_at, &record.content_type, record.bytes);
                let Ok(read) = read else { break };
                if read.event.id != command.id.following(number) || read.event.source != command.source {
                    break;
                }
                recorded.push(read);
            }
            let (Some(start), Some(end)) = (recorded.first(), recorded.last()) else { return Ok(None) };
            if !is_of(&command, &start.event) || !came_of(&command, &recorded, &reader, &empty)? {
                return Ok(None);
            }
            Ok(Some(Done {
                position: end.position,
                recorded_at: end.recorded_at,
                events: recorded.iter().map(|recorded| recorded.event.id).collect(),
                duplicate: true,
            }))
        })
        .await
    }
}

/// Whether the command, decided on what was so before these events and at their time, comes to them: the id of an act is not taken
/// for an answer to another act, such as a bed that was freed for one that is closed.
fn came_of(
    command: &Command,
    recorded: &[Recorded],
    reader: &LogReader,
    empty: &State,
) -> Result<bool, ReadError> {
    let Some(first) = recorded.first() else { return Ok(false) };
    let then = Command { at: first.event.time, ..command.clone() };
    let (state, _) = lookup::fold(reader, empty, &then, first.position.saturating_sub(1))?;
    let Ok(decided) = decide(&state, &then) else { return Ok(false) };
    let recorded = recorded.iter().map(|recorded| &recorded.event).filter_map(told);
    Ok(decided.iter().filter_map(told).eq(recorded))
}

/// What is the same each time a command comes: not the list that an offer was chosen from, which is made anew, and not how something
/// was sealed, only that it was.
fn told(event: &Event) -> Option<(Timestamp, Fact)> {
    let mut fact = event.fact.clone();
    let bare = |sealed: &mut Option<Sealed>| {
        if let Some(sealed) = sealed {
            (sealed.nonce, sealed.ciphertext) = (sealed.scheme.clone(), String::new());
        }
    };
    if let Fact::ReferralMatched(_) = fact {
        return None;
    } else if let Fact::ReferralMade(profile) | Fact::ReferralChanged(profile) = &mut fact {
        bare(&mut profile.sealed);
    } else if let Fact::ReferralTriaged { sealed, .. } = &mut fact {
        bare(sealed);
    }
    Some((event.occurred_at, fact))
}

/// Whether this event can be the first of the command: it names something that the command stands on.
fn is_of(command: &Command, event: &Event) -> bool {
    let tags = Names::of(event).tags();
    let of_region = |tag: &str| tag.starts_with("region:");
    let named = |tag: &str| !of_region(tag) && tags.iter().any(|of| **of == *tag);
    let scope = Scope::of(command);
    let mut items = scope.items.iter();
    // What names nothing but its region, such as a duty handed over, is told apart by its region alone.
    let names_nothing = items.clone().all(|item| item.tags.iter().all(|tag| of_region(tag)));
    event.region == command.region
        && (names_nothing || items.any(|item| item.tags.iter().any(|tag| named(tag))))
}

async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, ReadError> + Send + 'static,
) -> Result<T, DeskError> {
    match tokio::task::spawn_blocking(read).await {
        Ok(read) => read.map_err(failed),
        Err(_) => Err(DeskError::Failed("reading the log broke off".to_owned())),
    }
}

fn failed(error: impl std::error::Error) -> DeskError {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    DeskError::Failed(text)
}
