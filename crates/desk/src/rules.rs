//! The rules of the regions, from a file.
//!
//! What a region leaves out is as the file's `[default]` says, and what that leaves out as `domain` does. Not here: what
//! the rules mean (`domain::desk`).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use domain::desk::{RegionRules, RuleBook};
use toml::{Table, Value};

/// The rules can not be used. The node does not start with others than were meant.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// The file can not be read.
    #[error("{}: the rules of the desks can not be read", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// It says something else than rules.
    #[error("{}: {what}", path.display())]
    Unfit {
        /// Which file.
        path: PathBuf,
        /// Where in it and what.
        what: String,
    },
}

/// The rules in a file such as
///
/// ```toml
/// [default.normal.answer]
/// crisis = "10 min"
///
/// [region.zk23.normal]
/// doctor_first = true
/// ```
///
/// # Errors
/// If it can not be read, has a key or a region code that is none, or a value out of its range.
pub fn read_rules(path: &Path) -> Result<RuleBook, RulesError> {
    let text = fs::read_to_string(path)
        .map_err(|source| RulesError::Unreadable { path: path.to_owned(), source })?;
    rules(&text).map_err(|what| RulesError::Unfit { path: path.to_owned(), what })
}

fn rules(text: &str) -> Result<RuleBook, String> {
    let mut file: Table = text.parse().map_err(|error: toml::de::Error| error.to_string())?;
    let mut base =
        Table::try_from(RegionRules::default()).map_err(|error| format!("the default rules: {error}"))?;
    if let Some(default) = file.remove("default") {
        lay_over(&mut base, table("default", default)?);
    }
    let mut book = RuleBook { default: read("default", base.clone())?, ..RuleBook::default() };
    let regions = file.remove("region").map_or_else(|| Ok(Table::new()), |given| table("region", given))?;
    for (code, given) in regions {
        let place = format!("region.{code}");
        let region = code.parse().map_err(|error| format!("{place}: {error}"))?;
        let mut all = base.clone();
        lay_over(&mut all, table(&place, given)?);
        book.regions.insert(region, read(&place, all)?);
    }
    match file.keys().next() {
        Some(other) => Err(format!("unknown key `{other}`; there are `default` and `region`")),
        None => Ok(book),
    }
}

fn table(place: &str, value: Value) -> Result<Table, String> {
    match value {
        Value::Table(table) => Ok(table),
        Value::String(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Boolean(_)
        | Value::Datetime(_)
        | Value::Array(_) => Err(format!("{place}: this has to be a table")),
    }
}

fn read(place: &str, all: Table) -> Result<RegionRules, String> {
    all.try_into().map_err(|error: toml::de::Error| format!("{place}: {}", error.message()))
}

/// Puts what is given in the place of what was, table by table.
fn lay_over(base: &mut Table, given: Table) {
    for (key, value) in given {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => lay_over(below, above),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::desk::{RoundRule, Rung};

    use super::*;

    const HOUR: i64 = 3_600_000_000;

    #[test]
    fn a_region_sets_what_it_wants_and_leaves_the_rest_to_the_defaults() {
        let text = r#"
            [default.normal]
            hold_max = "3 d"
            [region.zk23]
            ladder = [{ desk = "zk24" }, { above = "insurer" }]
            [region.zk23.normal]
            doctor_first = true
            answer = { crisis = "10 min" }
            [region.zk23.crisis.round]
            planned = "collect-and-choose"
        "#;
        let book = rules(text).unwrap();
        let zk23 = book.of(&"zk23".parse().unwrap());
        let usual = RegionRules::default();
        assert!(zk23.normal.doctor_first && !zk23.crisis.doctor_first);
        assert_eq!(zk23.normal.answer_micros.crisis, HOUR / 6);
        assert_eq!(zk23.normal.answer_micros.planned, usual.normal.answer_micros.planned);
        assert_eq!(zk23.normal.hold_micros_max, 72 * HOUR);
        assert_eq!(zk23.crisis.round.planned, RoundRule::CollectAndChoose);
        assert_eq!(zk23.crisis.answer_micros, usual.crisis.answer_micros, "as a crisis has them");
        assert_eq!(zk23.ladder.first(), Some(&Rung::Desk("zk24".parse().unwrap())));
        let other = book.of(&"zk07".parse().unwrap());
        assert_eq!((other.normal.hold_micros_max, other.normal.doctor_first), (72 * HOUR, false));
        assert_eq!(rules("").unwrap(), RuleBook::default());
    }

    #[test]
    fn what_is_not_a_rule_is_named_with_its_place() {
        for (text, wanted) in [
            ("[region.zk23.normal]\nansver = 1", "ansver"),
            ("[region.zk23.normal]\nhold_max = \"2 weeks\"", "15 min"),
            ("[region.'Zuid Holland'.normal]\ndoctor_first = true", "Zuid Holland"),
            ("[regions.zk23]", "regions"),
            ("region = 3", "region"),
        ] {
            let said = rules(text).unwrap_err();
            assert!(said.contains(wanted), "{said}");
        }
    }
}
