//! A network as a file that a person would have written: one line per key, defaults left out.

use std::fmt::{self, Write};

use crate::alert::AlertRule;
use crate::check::ANY;
use crate::key::UserKey;
use crate::party::{Centre, Locations, Region, Signature, Source};
use crate::rights::Right;
use crate::token::Token;
use crate::user::{Account, Role, Service};
use crate::{Location, Network};

pub(crate) fn to_toml(network: &Network) -> String {
    let mut out = String::new();
    // Writing to a `String` fails for no reason of its own, and no `Display` used here returns an error.
    let written = write_all(&mut out, network);
    debug_assert!(written.is_ok(), "a String takes every text");
    out
}

fn write_all(out: &mut String, network: &Network) -> fmt::Result {
    for region in network.regions() {
        write_region(out, region)?;
    }
    for centre in network.centres() {
        write_centre(out, centre)?;
    }
    for location in network.locations() {
        write_location(out, location)?;
    }
    for source in network.sources() {
        write_source(out, source)?;
    }
    // One without a key is there without being named.
    for service in network.services().filter(|service| !service.keys.is_empty()) {
        write_service(out, service)?;
    }
    Ok(())
}

fn write_centre(out: &mut String, centre: &Centre) -> fmt::Result {
    let code = quoted(centre.code.as_str());
    writeln!(out, "[[centre]]")?;
    writeln!(out, "code = {code}")?;
    writeln!(out, "name = {}", quoted(centre.name.as_str()))?;
    writeln!(out, "regions = {}", list(centre.regions.iter().map(domain::RegionId::as_str)))?;
    write_keys(out, &centre.keys)?;
    writeln!(out)?;
    for rule in &centre.alerts {
        writeln!(out, "[[alert]]")?;
        writeln!(out, "centre = {code}")?;
        writeln!(out, "kind = {}", quoted(rule.kind()))?;
        match rule {
            AlertRule::OfferableBelow { care_type, below } => {
                writeln!(out, "care_type = {}", quoted(care_type.raw()))?;
                writeln!(out, "below = {below}")?;
            }
            AlertRule::CrisisUnplaced { minutes } => writeln!(out, "minutes = {minutes}")?,
            AlertRule::Silent { hours, of } => {
                writeln!(out, "hours = {hours}")?;
                writeln!(out, "of = {}", quoted(of.as_str()))?;
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

fn write_service(out: &mut String, service: &Service) -> fmt::Result {
    writeln!(out, "[[service]]")?;
    writeln!(out, "role = {}", quoted(service.role.as_str()))?;
    match &service.role {
        Role::Recorder(region) | Role::Leaf(region) | Role::Provisioner(Account::Region(region)) => {
            writeln!(out, "region = {}", quoted(region.as_str()))?;
        }
        Role::Provisioner(Account::Centre(centre)) => {
            writeln!(out, "centre = {}", quoted(centre.as_str()))?;
        }
        Role::Provisioner(Account::Core | Account::System)
        | Role::Gateway
        | Role::Operator
        | Role::Monitor => {}
    }
    write_keys(out, &service.keys)?;
    writeln!(out)
}

fn write_keys(out: &mut String, keys: &[UserKey]) -> fmt::Result {
    let written = keys.iter().map(|UserKey { key, until }| {
        let key = quoted(key.as_str());
        match until {
            Some(until) => format!("{{ key = {key}, until = {} }}", quoted(&until.to_string())),
            None => format!("{{ key = {key} }}"),
        }
    });
    match keys.len() {
        0 => Ok(()),
        1 => writeln!(out, "keys = [{}]", written.collect::<String>()),
        _ => {
            writeln!(out, "keys = [")?;
            for key in written {
                writeln!(out, "    {key},")?;
            }
            writeln!(out, "]")
        }
    }
}

fn list<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    format!("[{}]", texts.map(quoted).collect::<Vec<_>>().join(", "))
}

fn write_region(out: &mut String, region: &Region) -> fmt::Result {
    let desk = &region.desk;
    writeln!(out, "[[region]]")?;
    writeln!(out, "code = {}", quoted(region.code.as_str()))?;
    writeln!(out, "name = {}", quoted(region.name.as_str()))?;
    let [name, phone, hours] = [&desk.name, &desk.phone, &desk.hours].map(|label| quoted(label.as_str()));
    writeln!(out, "desk = {{ name = {name}, phone = {phone}, hours = {hours} }}")?;
    if let Some(tile) = region.tile {
        writeln!(out, "tile = {{ column = {}, row = {} }}", tile.column, tile.row)?;
    }
    if region.leaf {
        writeln!(out, "leaf = true")?;
    }
    writeln!(out)
}

fn write_location(out: &mut String, location: &Location) -> fmt::Result {
    writeln!(out, "[[location]]")?;
    writeln!(out, "id = {}", quoted(location.id.as_str()))?;
    writeln!(out, "region = {}", quoted(location.region.as_str()))?;
    writeln!(out, "name = {}", quoted(location.name.as_str()))?;
    if let Some(phone) = &location.phone {
        writeln!(out, "phone = {}", quoted(phone.as_str()))?;
    }
    writeln!(out)
}

fn write_source(out: &mut String, source: &Source) -> fmt::Result {
    writeln!(out, "[[source]]")?;
    writeln!(out, "id = {}", quoted(source.id.as_str()))?;
    writeln!(out, "name = {}", quoted(source.name.as_str()))?;
    writeln!(out, "kind = {}", quoted(source.kind.as_str()))?;
    writeln!(out, "region = {}", quoted(source.region.as_str()))?;
    if source.rights != Right::defaults(source.kind) {
        writeln!(out, "may_send = {}", list(source.rights.iter().map(Right::as_str)))?;
    }
    if source.signature == Signature::Required {
        writeln!(out, "signature = \"required\"")?;
    }
    if Locations::default_of(source.kind, &source.name).as_ref() != Some(&source.locations) {
        let locations = match &source.locations {
            Locations::Any => list([ANY].into_iter()),
            Locations::These(these) => list(these.iter().map(domain::LocationId::as_str)),
        };
        writeln!(out, "locations = {locations}")?;
    }
    write_keys(out, &source.keys)?;
    write_tokens(out, &source.tokens)?;
    writeln!(out)
}

fn write_tokens(out: &mut String, tokens: &[Token]) -> fmt::Result {
    if tokens.is_empty() {
        return Ok(());
    }
    writeln!(out, "tokens = [")?;
    for Token { hash, from, until } in tokens {
        let [hash, from] = [hash.to_string(), from.to_string()].map(|text| quoted(&text));
        let until = until.map(|until| format!(", until = {}", quoted(&until.to_string())));
        writeln!(out, "    {{ sha256 = {hash}, from = {from}{} }},", until.unwrap_or_default())?;
    }
    writeln!(out, "]")
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
