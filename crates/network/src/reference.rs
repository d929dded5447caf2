//! A network made from a description of sources, as reference data brings it along.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use domain::RegionId;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use crate::error::Problem;
use crate::party::{Kind, Region, Signature};
use crate::{Network, NetworkError, check, file};

/// The sources in the order of the text; a map would quietly drop a URN that is there twice.
struct Described(Vec<(String, Description)>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    kind: Kind,
    name: String,
    region: String,
}

impl<'de> Deserialize<'de> for Described {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Described;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of sources by their URN")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Described, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Described(entries))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

pub(crate) fn from_sources(file: &str, json: &str) -> Result<Network, NetworkError> {
    let described: Described = serde_json::from_str(json).map_err(|error| NetworkError::Wrong {
        file: file.to_owned(),
        line: error.line(),
        key: "sources".to_owned(),
        problem: format!("{error}; correct it to an object of {{kind, name, region}} by URN"),
    })?;
    let mut form = regions_of(&described)?;
    let mut searched = 0;
    for (id, source) in described.0 {
        // Where the entry stands: the text of its URN, after the entry before it.
        let quoted = format!("\"{id}\"");
        let start = json
            .get(searched..)
            .and_then(|rest| rest.find(&quoted))
            .map_or(searched, |found| searched + found);
        searched = start + quoted.len().min(json.len() - start);
        let at = |text: String| Spanned::new(start..searched, text);
        if source.kind == Kind::Location {
            form.location.push(file::Location {
                id: at(source.name.clone()),
                region: at(source.region.clone()),
                name: at(readable(&source.name, &source.region)),
                phone: None,
            });
        }
        form.source.push(file::Source {
            id: at(id),
            name: at(source.name),
            kind: source.kind,
            region: at(source.region),
            may_send: None,
            signature: Signature::default(),
            locations: (source.kind == Kind::Location).then(|| vec![nowhere("*".to_owned())]),
            keys: Vec::new(),
            tokens: Vec::new(),
        });
    }
    check::check(&form).map_err(|problem: Problem| {
        let key = json.get(problem.span.clone()).filter(|key| !key.is_empty()).unwrap_or("sources");
        problem.with_key(file, json, key.trim_matches('"'))
    })
}

/// The regions that occur, as the default describes them, and the centres over them.
fn regions_of(described: &Described) -> Result<file::File, NetworkError> {
    let known = Network::default_dutch()?;
    let codes: BTreeSet<&str> = described.0.iter().map(|(_, source)| &*source.region).collect();
    let region = codes
        .iter()
        .map(|code| {
            let default = code.parse::<RegionId>().ok().and_then(|code| known.region(&code));
            let [name, desk, phone, hours] = match default {
                Some(Region { name, desk, .. }) => {
                    [name, &desk.name, &desk.phone, &desk.hours].map(|label| label.as_str().to_owned())
                }
                None => [
                    (*code).to_owned(),
                    format!("Regioloket {code}"),
                    "0800-000-0000".into(),
                    "onbekend".into(),
                ],
            };
            file::Region {
                code: nowhere((*code).to_owned()),
                name: nowhere(name),
                desk: file::Desk { name: nowhere(desk), phone: nowhere(phone), hours: nowhere(hours) },
                tile: default.and_then(|region| region.tile).map(nowhere),
                leaf: false,
            }
        })
        .collect();
    let centre = known
        .centres()
        .filter_map(|centre| {
            let regions: Vec<_> = centre
                .regions
                .iter()
                .filter(|region| codes.contains(region.as_str()))
                .map(|region| nowhere(region.as_str().to_owned()))
                .collect();
            (!regions.is_empty()).then(|| file::Centre {
                code: nowhere(centre.code.as_str().to_owned()),
                name: nowhere(centre.name.as_str().to_owned()),
                regions: nowhere(regions),
                keys: Vec::new(),
            })
        })
        .collect();
    Ok(file::File { region, centre, ..file::File::default() })
}

/// A value that stands nowhere in the text: it was made here.
fn nowhere<T>(value: T) -> Spanned<T> {
    const NOWHERE: Range<usize> = 0..0;
    Spanned::new(NOWHERE, value)
}

/// `zk01-de-linde` in `zk01` reads as `De Linde`.
fn readable(name: &str, region: &str) -> String {
    let own = name.strip_prefix(region).and_then(|rest| rest.strip_prefix('-')).filter(|own| !own.is_empty());
    let words = own.unwrap_or(name).split('-').map(|word| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    });
    words.collect::<Vec<_>>().join(" ")
}
