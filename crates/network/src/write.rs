//! A network as a file that a person would have written: one line per key, defaults left out.

use std::fmt::{self, Write};

use crate::party::{Region, Signature, Source};
use crate::rights::Right;
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
        let regions: Vec<String> = centre.regions.iter().map(|code| quoted(code.as_str())).collect();
        writeln!(out, "[[centre]]")?;
        writeln!(out, "code = {}", quoted(centre.code.as_str()))?;
        writeln!(out, "name = {}", quoted(centre.name.as_str()))?;
        writeln!(out, "regions = [{}]\n", regions.join(", "))?;
    }
    for location in network.locations() {
        write_location(out, location)?;
    }
    for source in network.sources() {
        write_source(out, source)?;
    }
    Ok(())
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
        let rights: Vec<String> = source.rights.iter().map(|right| quoted(right.as_str())).collect();
        writeln!(out, "may_send = [{}]", rights.join(", "))?;
    }
    if source.signature == Signature::Required {
        writeln!(out, "signature = \"required\"")?;
    }
    writeln!(out)
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
