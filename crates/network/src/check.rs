//! From the file's form to a network: names valid and unique, references leading somewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use domain::{Label, LocationId, RegionId, SourceId};
use toml::Spanned;

use crate::error::Problem;
use crate::party::{Centre, CentreId, Desk, Location, Region, SenderName, Source, Tile};
use crate::rights::Right;
use crate::{Network, file};

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
    };
    let mut tiles = BTreeSet::new();
    for region in &file.region {
        add_region(&mut network, &mut tiles, region)?;
    }
    for centre in &file.centre {
        add_centre(&mut network, centre)?;
    }
    for location in &file.location {
        add_location(&mut network, location)?;
    }
    for source in &file.source {
        add_source(&mut network, source)?;
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
        centres: Vec::new(),
    };
    add(&mut network.regions, code, region, at, "a region's code")
}

fn add_centre(network: &mut Network, centre: &file::Centre) -> Result<(), Problem> {
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
    add(
        &mut network.centres,
        code.clone(),
        Centre { code: code.clone(), name, regions: regions.clone() },
        at,
        "a centre's code",
    )?;
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

fn add_source(network: &mut Network, source: &file::Source) -> Result<(), Problem> {
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
    let checked =
        Source { id: id.clone(), name, kind: source.kind, region, rights, signature: source.signature };
    add(&mut network.sources, id, checked, source.id.span(), "a source's id")
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
