//! The demo: two days of 31 regions at speed, then a few events a second, so that the board moves.
//!
//! It speaks to the node as any sender does, through the counter. Not here: a simulation that could be measured; this
//! one only keeps to what a location would say next of a bed. What the houses are called is in `houses`.

mod houses;

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bus::{Door, Outgoing, Sender, SenderConfig};
use contracts::{Outcome, Received};
use domain::{
    BedRef, CareType, Destination, Event, EventId, Fact, LocationId, Place, RegionId, SourceId, StayId,
    Timestamp,
};
use eventlog::{Key, LogReader};
use flate2::read::GzDecoder;
use futures::Stream;
use network::{Kind, Network};
use portal::signin::{Accounts, As, Mandate, MandateKind};
use tokio::time::MissedTickBehavior;
use views::{Availability, BedCard, CountsAs};

use crate::access::Access;
use crate::admin::ACCOUNTS;
use crate::failure::Failure;

use houses::Houses;

/// The events of the reference data, packed; the same file that the tests use.
const REFERENCE: &[u8] = include_bytes!("../../../../tests/data/national-two-days.jsonl.gz");
/// Who sends them.
const SOURCES: &str = include_str!("../../../../tests/data/national-two-days.sources.json");
/// Who the reference data has none of: a coordination centre of the network that wants to be told, and the people of one house, who
/// speak for no other.
const ADDED: &str = r#"
[[alert]]
centre = "midden-nl"
kind = "offerable-below"
care_type = "ELV_HC"
below = 10

[[source]]
id = "urn:nld:kvknr:00000000:systeem:midden-nl"
name = "midden-nl"
kind = "centre"
region = "zk23"

[[source]]
id = "urn:nld:kvknr:00000000:systeem:zk23-de-linde-zorg"
name = "zk23-de-linde-zorg"
kind = "location"
region = "zk23"
locations = ["zk23-de-linde"]
"#;
/// Between two events of the generator.
const PAUSE: Duration = Duration::from_millis(400);
/// Senders of the replay side by side.
const IN_FLIGHT: usize = 256;
/// The node it plays for is in the same process: whatever takes this long is broken.
const GIVE_UP_AFTER: Duration = Duration::from_mins(5);

/// The network of the reference data.
///
/// # Errors
/// Never with the data that is built in; a wrong build says so.
pub(crate) fn network() -> Result<Network, Failure> {
    let wrong = |error| Failure::new("the built-in demo network is not right", error);
    let network = Network::from_sources("national-two-days.sources.json", SOURCES).map_err(wrong)?;
    Network::from_toml("the demo", &(network.to_toml() + ADDED)).map_err(wrong)
}

/// The events of the reference data in recording order.
///
/// # Errors
/// Never with the data that is built in; a wrong build says so.
fn reference() -> Result<Vec<Received>, Failure> {
    let mut text = String::new();
    GzDecoder::new(REFERENCE)
        .read_to_string(&mut text)
        .map_err(|error| Failure::new("the built-in demo events can not be unpacked", error))?;
    Ok(text.lines().map(|line| Received::structured(line.to_owned().into())).collect())
}

/// Who signs in at the demo: what is typed, as which sender, and what that shows.
const PEOPLE: [(&str, &str, &str); 3] = [
    ("loket", "loket-zk23", "the desk of Utrecht"),
    ("verpleegkundige", "zk23-de-linde-zorg", "a nurse at one of its locations"),
    ("centrum", "midden-nl", "acute care coordination"),
];
/// The region that the demo's people work in.
const PEOPLE_REGION: &str = "zk23";
/// The file with what they type, for the owner of the machine alone.
const PEOPLE_FILE: &str = "demo-accounts.txt";

/// Lets people sign in at the demo, each with a password that is made for this folder of data: at a desk, at a location and
/// as an auditor. Where there are accounts already, nothing is changed.
///
/// # Errors
/// A file can not be written, or no password can be made.
pub(super) fn people(data: &Path, network: &Network) -> Result<(), Failure> {
    let file = data.join(ACCOUNTS);
    if file.exists() {
        return Ok(());
    }
    let unusable = |error| Failure::new("nobody can sign in at the demo", error);
    let mut accounts = Accounts::default();
    let mut told = String::new();
    let region: RegionId =
        PEOPLE_REGION.parse().map_err(|error| Failure::new("the demo's region is none", error))?;
    let sources = PEOPLE.iter().filter_map(|(name, sender, what)| {
        let source = network.sources().find(|source| source.name.as_str() == *sender)?;
        Some((*name, As::Source(source.id.clone()), *what))
    });
    let mandate =
        Mandate { kind: MandateKind::Supervisor, regions: [region.clone()].into(), locations: [].into() };
    for (name, works_as, what) in sources.chain([("auditor", As::Auditor(mandate), "looks back at Utrecht")])
    {
        let password = keyring::passphrase()?;
        let known = name.parse().map_err(unusable)?;
        accounts.add(known, works_as, &password, None).map_err(unusable)?;
        told.push_str(&[name, password.as_str(), what].join("\t"));
        told.push('\n');
    }
    accounts.write(&file).map_err(unusable)?;
    keyring::write_private(&data.join(PEOPLE_FILE), told.as_bytes())?;
    tracing::info!(file = %data.join(PEOPLE_FILE).display(), "who can sign in at the demo, and with what");
    Ok(())
}

/// Says what a location would say next of one of its beds.
#[derive(Debug)]
struct Generator {
    locations: Vec<(LocationId, SourceId, RegionId)>,
    dice: fastrand::Rng,
}

impl Generator {
    /// A generator for the locations of this network. The same seed makes the same choices from the same boards.
    fn new(network: &Arc<Network>, seed: u64) -> Self {
        let locations = network
            .sources()
            .filter(|source| source.kind == Kind::Location)
            .filter_map(|source| {
                let location = LocationId::try_from(source.name.as_str()).ok()?;
                Some((location, source.id.clone(), source.region.clone()))
            })
            .collect();
        Self { locations, dice: fastrand::Rng::with_seed(seed) }
    }

    /// The next event as the board stands; `None` if the location that was thought of has nothing to say.
    fn next(&mut self, board: &Availability, now: Timestamp, id: uuid::Uuid) -> Option<Event> {
        let (location, source, region) = self.dice.choice(&self.locations)?.clone();
        // A location that went to another region is that region's to tell of.
        board.location(&location).filter(|card| card.region == region)?;
        let beds: Vec<BedCard> = board.beds(&location).collect();
        let fact = match self.dice.choice(&beds) {
            Some(bed) if self.dice.u8(..) >= 12 => self.said_of(&location, bed, id)?,
            Some(_) | None => Fact::LocationConfirmed { location },
        };
        Some(Event { source, id: EventId::new(id)?, time: now, region, occurred_at: now, fact })
    }

    fn said_of(&mut self, location: &LocationId, card: &BedCard, id: uuid::Uuid) -> Option<Fact> {
        let bed = BedRef { location: location.clone(), bed: card.bed.clone() };
        let care_type = CareType::from(card.care_type.as_str());
        let place = Place { location: location.clone(), bed: Some(card.bed.clone()), care_type };
        match card.counts_as {
            CountsAs::Offerable if self.dice.u8(..) < 16 => Some(Fact::BedUnstaffed(bed)),
            CountsAs::Offerable => {
                Some(Fact::StayAdmitted { stay: StayId::new(id)?, place, referral: None, funding: None })
            }
            CountsAs::Occupied(stay) => Some(Fact::StayDischarged {
                stay,
                place,
                destination: Destination::HomeWithCare,
                ready: false,
                care_hours_at_home: None,
            }),
            CountsAs::NotReady => Some(Fact::BedFreed(bed)),
            CountsAs::Closed => Some(Fact::BedOpened(bed)),
            CountsAs::Unstaffed => Some(Fact::BedStaffed(bed)),
            // A desk holds it, or the location keeps it back: it has nothing to say of it now.
            CountsAs::Held | CountsAs::Reserve => None,
        }
    }
}

/// Sends the reference data, if it is not there yet, then what the generator says, until the node stops.
///
/// # Errors
/// The bus gave up, or the clock of ids is not usable. A demo that ends takes the node along: it is no demo then.
pub(crate) async fn run(
    access: Access,
    network: Arc<Network>,
    reader: LogReader,
    view: projector::Handle<Availability>,
    stop: impl Future<Output = ()>,
) -> Result<(), Failure> {
    let play = async {
        replay(&access, &network, &reader).await?;
        generate(&access, &network, &view).await
    };
    tokio::select! {
        () = stop => Ok(()),
        ended = play => ended,
    }
}

async fn replay(access: &Access, network: &Network, reader: &LogReader) -> Result<(), Failure> {
    let events = reference()?;
    let Some(last) = events.last() else { return Ok(()) };
    let last = last.decode()?.event;
    let key = contracts::key(last.source.as_str(), &last.id.to_string());
    if reader.position_of(&Key(key))?.is_some() {
        tracing::info!("the demo's two days are in the log already");
        return Ok(());
    }
    let total = events.len();
    let houses = Houses::of(network);
    let known = |event: Received| {
        let called = houses.called(event.decode()?.event)?;
        let called = called.map(|said| Received::structured(contracts::encode_json(&said)));
        outgoing(network, called.unwrap_or(event))
    };
    let outgoing = events.into_iter().map(known).collect::<Result<Vec<_>, Failure>>()?;
    send(access, futures::stream::iter(outgoing)).await?;
    tracing::info!(events = total, "the demo's two days are recorded; from here on a few events a second");
    Ok(())
}

async fn generate(
    access: &Access,
    network: &Arc<Network>,
    view: &projector::Handle<Availability>,
) -> Result<(), Failure> {
    let mut tick = tokio::time::interval(PAUSE);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let seed = u64::from(std::process::id());
    let state = (Generator::new(network, seed), tick, view.clone(), Arc::clone(network));
    let events = futures::stream::unfold(state, |(mut generator, mut tick, view, network)| async {
        loop {
            tick.tick().await;
            let said = view.read(|board| generator.next(board, super::now(), uuid::Uuid::now_v7()));
            let Some(event) = said else { continue };
            match outgoing(&network, Received::structured(contracts::encode_json(&event))) {
                Ok(event) => return Some((event, (generator, tick, view, network))),
                Err(failure) => tracing::warn!(%failure, "the demo said something nobody may send"),
            }
        }
    });
    send(access, Box::pin(events)).await
}

async fn send(
    access: &Access,
    events: impl Stream<Item = Outgoing> + Send + Unpin + 'static,
) -> Result<(), Failure> {
    let config = SenderConfig {
        server: access.server.clone(),
        name: "doorstroom demo".to_owned(),
        logins: access.logins.clone(),
        door: Door::Counter(bus::Order::WithinRegion),
        in_flight: IN_FLIGHT,
        give_up_after: GIVE_UP_AFTER,
    };
    let mut sender = Sender::start(config, events);
    while let Some(receipt) = sender.next().await {
        let (index, receipt) = receipt?;
        if !matches!(receipt.outcome, Outcome::Recorded | Outcome::Duplicate) {
            tracing::warn!(
                index,
                id = receipt.id,
                code = receipt.code,
                "an event of the demo was not recorded"
            );
        }
    }
    Ok(())
}

fn outgoing(network: &Network, event: Received) -> Result<Outgoing, Failure> {
    let said = event.decode()?.event;
    let source = network.source(&said.source).ok_or_else(|| {
        Failure::said(format!(
            "{} is a sender of the demo and not in this network; start the demo on a data folder of its own",
            said.source
        ))
    })?;
    let name = said.fact.kind().parse()?;
    Ok(Outgoing { region: said.region, sender: source.name.clone(), name, event, sign: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_network_of_the_demo_is_right_and_has_everybody_who_signs_in_at_it() {
        let network = network().unwrap();
        for (name, sender, _) in PEOPLE {
            assert!(network.sources().any(|source| source.name.as_str() == sender), "{name}");
        }
        assert!(network.sources().any(|source| source.kind == Kind::Centre));
    }
}
