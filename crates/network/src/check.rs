//! From the file's form to a network: names valid and unique, references leading somewhere.

mod users;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use domain::{Label, LocationId, RegionId, SourceId};
use toml::Spanned;

use crate::error::Problem;
use crate::party::{Centre, CentreId, Desk, Location, Locations, Region, SenderName, Source, Tile};
use crate::rights::Right;
use crate::{Network, file, user};
use users::{Keys, add_alert, add_service};

/// How a file says "any location of the region".
pub(crate) const ANY: &str = "*";

/// What `acute.core.alarm` is called; a centre of this code would be handed the node's own alarms.
const RESERVED_CENTRE: &str = "core";

pub(crate) fn check(file: &file::File) -> Result<Network, Problem> {
    if file.region.is_empty() {
        return Err(Problem::new(0..0, "the file names no region; add at least one [[region]]"));
    }
    let mut network = Network {
        regions: BTreeMap::new(),
        centres: BTreeMap::new(),
        locations: BTreeMap::new(),
        sources: BTreeMap::new(),
        names: BTreeMap::new(),
        services: BTreeMap::new(),
    };
    let mut tiles = BTreeSet::new();
    let mut keys = Keys::default();
    for region in &file.region {
        add_region(&mut network, &mut tiles, region)?;
    }
    for centre in &file.centre {
        add_centre(&mut network, &mut keys, centre)?;
    }
    for location in &file.location {
        add_location(&mut network, location)?;
    }
    for source in &file.source {
        add_source(&mut network, &mut keys, source)?;
    }
    for alert in &file.alert {
        add_alert(&mut network, alert)?;
    }
    network.services = user::without_keys(&network);
    let mut seen = BTreeSet::new();
    for service in &file.service {
        add_service(&mut network, &mut seen, &mut keys, service)?;
    }
    Ok(network)
}

fn add_region(
    network: &mut Network,
    tiles: &mut BTreeSet<Tile>,
    region: &file::Region,
) -> Result<(), Problem> {
    let at = region.code.span();
    let code: RegionId = parsed(&region.code)?;
    let tile = region.tile.as_ref().map(|tile| (tile.span(), *tile.get_ref()));
    if let Some((at, tile)) = &tile
        && !tiles.insert(*tile)
    {
        let Tile { column, row } = tile;
        let text = format_args!("another region has column {column}, row {row}; give each a tile of its own");
        return Err(Problem::new(at.clone(), text));
    }
    let region = Region {
        code: code.clone(),
        name: parsed(&region.name)?,
        desk: Desk {
            name: parsed(&region.desk.name)?,
            phone: parsed(&region.desk.phone)?,
            hours: parsed(&region.desk.hours)?,
        },
        tile: tile.map(|(_, tile)| tile),
        leaf: region.leaf,
        centres: Vec::new(),
    };
    add(&mut network.regions, code, region, at, "a region's code")
}

fn add_centre(network: &mut Network, keys: &mut Keys, centre: &file::Centre) -> Result<(), Problem> {
    let at = centre.code.span();
    let code: CentreId = parsed(&centre.code)?;
    if code.as_str() == RESERVED_CENTRE {
        let text =
            format_args!("`{RESERVED_CENTRE}` is where the node puts its own alarms; choose another code");
        return Err(Problem::new(at, text));
    }
    if centre.regions.get_ref().is_empty() {
        return Err(Problem::new(
            centre.regions.span(),
            "a centre needs at least one region; name its regions",
        ));
    }
    let mut regions = BTreeSet::new();
    for named in centre.regions.get_ref() {
        let region = known_region(network, named)?;
        if !regions.insert(region.clone()) {
            let text = format_args!("`{region}` is named twice in this centre; remove one");
            return Err(Problem::new(named.span(), text));
        }
    }
    let name = parsed(&centre.name)?;
    let regions: Vec<RegionId> = regions.into_iter().collect();
    let checked = Centre {
        code: code.clone(),
        name,
        regions: regions.clone(),
        keys: keys.checked(&centre.keys)?,
        alerts: Vec::new(),
    };
    add(&mut network.centres, code.clone(), checked, at, "a centre's code")?;
    for region in &regions {
        if let Some(region) = network.regions.get_mut(region) {
            region.centres.push(code.clone());
            region.centres.sort();
        }
    }
    Ok(())
}

fn add_location(network: &mut Network, location: &file::Location) -> Result<(), Problem> {
    let at = location.id.span();
    let id: LocationId = parsed(&location.id)?;
    let location = Location {
        id: id.clone(),
        region: known_region(network, &location.region)?,
        name: parsed(&location.name)?,
        phone: location.phone.as_ref().map(parsed::<Label>).transpose()?,
    };
    add(&mut network.locations, id, location, at, "a location's id")
}

fn add_source(network: &mut Network, keys: &mut Keys, source: &file::Source) -> Result<(), Problem> {
    let id: SourceId = parsed(&source.id)?;
    if !id.as_str().starts_with("urn:") {
        let text = format_args!("`{id}` is not a URN; write it as `urn:nld:kvknr:<number>:systeem:<name>`");
        return Err(Problem::new(source.id.span(), text));
    }
    let region = known_region(network, &source.region)?;
    let name: SenderName = parsed(&source.name)?;
    let names = network.names.entry(region.clone()).or_default();
    add(names, name.clone(), id.clone(), source.name.span(), "a sender's name in its region")?;
    let rights = match &source.may_send {
        Some(rights) => rights.iter().map(parsed::<Right>).collect::<Result<_, _>>()?,
        None => Right::defaults(source.kind),
    };
    let checked = Source {
        id: id.clone(),
        locations: locations_of(network, source, &region, &name)?,
        name,
        kind: source.kind,
        region,
        rights,
        signature: source.signature,
        keys: keys.checked(&source.keys)?,
        tokens: keys.checked_tokens(&source.tokens)?,
    };
    add(&mut network.sources, id, checked, source.id.span(), "a source's id")
}

/// The locations a source speaks for. One that the file does not know is taken: a location also registers itself.
fn locations_of(
    network: &Network,
    source: &file::Source,
    region: &RegionId,
    name: &SenderName,
) -> Result<Locations, Problem> {
    let Some(named) = &source.locations else {
        return Locations::default_of(source.kind, name).ok_or_else(|| {
            let text =
                format_args!("`{name}` can not be a location's id; say in `locations` whom it speaks for");
            Problem::new(source.name.span(), text)
        });
    };
    if let [any] = named.as_slice()
        && any.get_ref() == ANY
    {
        return Ok(Locations::Any);
    }
    let mut these = BTreeSet::new();
    for named in named {
        let id: LocationId = parsed(named)?;
        if let Some(location) = network.locations.get(&id)
            && location.region != *region
        {
            let text =
                format_args!("`{id}` is in region {}, not in the source's; remove it", location.region);
            return Err(Problem::new(named.span(), text));
        }
        if !these.insert(id.clone()) {
            return Err(Problem::new(named.span(), format_args!("`{id}` is named twice; remove one")));
        }
    }
    Ok(Locations::These(these))
}

/// Adds under a name that has to be new.
fn add<K: Ord + fmt::Display, V>(
    to: &mut BTreeMap<K, V>,
    name: K,
    value: V,
    at: Range<usize>,
    what: &str,
) -> Result<(), Problem> {
    if to.contains_key(&name) {
        let text =
            format_args!("`{name}` is there already and {what} is unique; rename or remove one of the two");
        return Err(Problem::new(at, text));
    }
    to.insert(name, value);
    Ok(())
}

fn known_region(network: &Network, named: &Spanned<String>) -> Result<RegionId, Problem> {
    let region: RegionId = parsed(named)?;
    if network.regions.contains_key(&region) {
        Ok(region)
    } else {
        let text = format_args!("there is no [[region]] with code `{region}`; add it or correct the code");
        Err(Problem::new(named.span(), text))
    }
}

fn parsed<T: FromStr<Err: fmt::Display>>(text: &Spanned<String>) -> Result<T, Problem> {
    text.get_ref().parse().map_err(|error: T::Err| {
        Problem::new(text.span(), format_args!("`{}`: {error}; correct the value", text.get_ref()))
    })
}
