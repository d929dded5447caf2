//! What houses are called: an answer of the API names a location by its id, and people know it by its name.
//!
//! Asked of the node once for each region that an answer speaks of. Who can not be told a name sees the id alone.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::client::Client;

/// The fields of an answer that name a location.
const HOUSES: [&str; 3] = ["location", "owner_location", "arrives_where"];
/// The fields that name a region.
const REGIONS: [&str; 3] = ["region", "regions", "owner_region"];
/// No answer speaks of more regions than a desk has neighbours.
const REGIONS_MAX: usize = 12;

/// The names of locations, by their ids.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeMap<String, String>);

impl Names {
    /// Those of the regions that this answer speaks of, and of this one.
    pub(super) fn of(client: &Client, answer: &Value, region: Option<&str>) -> Self {
        let mut regions: BTreeSet<String> = region.map(str::to_owned).into_iter().collect();
        regions_in(answer, &mut regions);
        let answers = regions.iter().take(REGIONS_MAX);
        let answers = answers.filter_map(|region| client.look(&format!("/regions/{region}/locations"), None));
        let mut names = Self::default();
        for answer in answers {
            names.learn(&answer);
        }
        names
    }

    fn learn(&mut self, answer: &Value) {
        for house in answer.get("locations").and_then(Value::as_array).into_iter().flatten() {
            let text = |name: &str| house.get(name).and_then(Value::as_str).map(str::to_owned);
            if let (Some(id), Some(name)) = (text("location"), text("name")) {
                self.0.insert(id, name);
            }
        }
    }

    /// A location as people call it, with the id that they type.
    pub(super) fn house(&self, id: &str) -> String {
        self.0.get(id).map_or_else(|| id.to_owned(), |name| format!("{name} ({id})"))
    }

    /// The same wherever an answer names one; where it says the name itself, it stays as it is.
    fn put(&self, answer: &mut Value) {
        for one in answer.as_array_mut().into_iter().flatten() {
            self.put(one);
        }
        let Some(fields) = answer.as_object_mut() else { return };
        let has_name = fields.get("name").is_some_and(Value::is_string);
        for (name, value) in fields {
            match value.as_str() {
                Some(id) if HOUSES.contains(&name.as_str()) && !has_name => *value = self.house(id).into(),
                Some(_) => {}
                None => self.put(value),
            }
        }
    }
}

/// An answer for a person, with the names of the houses in it; for a program as it is.
pub(super) fn with_names(client: &Client, mut answer: Value, region: Option<&str>) -> Value {
    if !client.json && speaks_of_houses(&answer) {
        Names::of(client, &answer, region).put(&mut answer);
    }
    answer
}

fn speaks_of_houses(answer: &Value) -> bool {
    let inner = |(name, value): (&String, &Value)| {
        HOUSES.contains(&name.as_str()) && value.is_string() || speaks_of_houses(value)
    };
    answer.as_object().is_some_and(|fields| fields.iter().any(inner))
        || answer.as_array().is_some_and(|list| list.iter().any(speaks_of_houses))
}

fn regions_in(answer: &Value, found: &mut BTreeSet<String>) {
    for one in answer.as_array().into_iter().flatten() {
        regions_in(one, found);
    }
    for (name, value) in answer.as_object().into_iter().flatten() {
        if REGIONS.contains(&name.as_str()) {
            let many = value.as_array().into_iter().flatten().filter_map(Value::as_str);
            found.extend(value.as_str().into_iter().chain(many).map(str::to_owned));
        }
        regions_in(value, found);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_house_is_shown_by_its_name_and_its_id_wherever_an_answer_names_it() {
        let mut names = Names::default();
        names.learn(&json!({ "locations": [{ "location": "zk23-de-linde", "name": "De Linde" }] }));
        let mut answer = json!({
            "region": "zk23",
            "items": [{ "location": "zk23-de-linde", "about": "zk23-de-linde" }, { "location": null }],
            "holds": [{ "place": { "location": "zk23-de-beuk" } }],
            "rows": [{ "location": "zk23-de-linde", "name": "Huize De Linde" }],
        });
        assert!(
            speaks_of_houses(&answer) && !speaks_of_houses(&json!([{ "location": {}, "region": "zk23" }]))
        );
        names.put(&mut answer);
        let wanted = json!({
            "region": "zk23",
            "items": [{ "location": "De Linde (zk23-de-linde)", "about": "zk23-de-linde" }, { "location": null }],
            "holds": [{ "place": { "location": "zk23-de-beuk" } }],
            "rows": [{ "location": "zk23-de-linde", "name": "Huize De Linde" }],
        });
        assert_eq!(answer, wanted);
    }

    #[test]
    fn the_regions_that_an_answer_speaks_of_are_found() {
        let mut found = BTreeSet::new();
        let answer =
            json!({ "regions": ["zk23", "zk24"], "list": [{ "owner_region": "zk07", "region": null }] });
        regions_in(&answer, &mut found);
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["zk07", "zk23", "zk24"]);
    }
}
