//! How answers of the API look in a terminal: tables for people, the very JSON for programs.
//!
//! Not here: what is asked (`desk`).

use serde_json::Value;

use super::after::After;
use super::client::{AMSTERDAM, Client};
use super::described::Operation;
use crate::failure::Failure;
use crate::out::Out;
use crate::table::Table;

/// What became of an act, the ids of what it made, and what is so after it.
pub(super) fn receipt(
    client: &Client,
    mut receipt: Value,
    made: Vec<(String, String)>,
    after: After,
    out: &mut Out,
) -> Result<(), Failure> {
    if client.json {
        if let Some(fields) = receipt.as_object_mut() {
            fields.extend(made.into_iter().map(|(what, id)| (what, id.into())));
            fields.extend(after.fields());
        }
        return out.json(&receipt);
    }
    for (what, id) in made {
        out.line(format_args!("{what} {id}"))?;
    }
    let events = receipt.get("events").and_then(Value::as_array).map_or(0, Vec::len);
    let position = cell(receipt.get("position"));
    let again = receipt.get("duplicate").and_then(Value::as_bool).unwrap_or(false);
    match (events, again) {
        (_, true) => out.line(format_args!("recorded before, up to position {position}")),
        (0, false) => out.line("nothing to record: it is so already"),
        (1, false) => out.line(format_args!("recorded at position {position}")),
        (many, false) => out.line(format_args!("recorded {many} events up to position {position}")),
    }?;
    after.tell(client, out)
}

/// The questions of each instrument, in the language of whoever weighs.
pub(super) fn questions(answer: &Value, lang: &str, json: bool, out: &mut Out) -> Result<(), Failure> {
    if json {
        return out.json(answer);
    }
    for instrument in rows(answer, "instruments") {
        let mut table = Table::new(&["question", "asks", "yes", "no"]);
        let comes_to = |outcome: Option<&Value>| match cell(outcome) {
            none if none.is_empty() => "asks on".to_owned(),
            outcome => outcome,
        };
        for one in rows(instrument, "questions") {
            let (yes, no) = (comes_to(one.get("yes")), comes_to(one.get("no")));
            table.row([cell(one.get("id")), cell(one.get(lang)), yes, no]);
        }
        let otherwise = cell(instrument.get("otherwise"));
        out.line(format_args!("{}:\n{table}\notherwise {otherwise}", cell(instrument.get("instrument"))))?;
    }
    Ok(())
}

pub(super) fn worklist(list: &Value, json: bool, out: &mut Out) -> Result<(), Failure> {
    if json {
        return out.json(list);
    }
    let mut table = Table::new(&["urgency", "due", "late", "what", "about", "location", "phone"]);
    let items = rows(list, "items");
    for item in items {
        let about = ["referral", "stay", "about"].iter().map(|name| cell(item.get(*name)));
        let about: Vec<String> = about.filter(|text| !text.is_empty()).collect();
        table.row([
            cell(item.get("urgency")),
            minute(item.get("due")),
            if item.get("late").and_then(Value::as_bool) == Some(true) { "late" } else { "" }.to_owned(),
            cell(item.get("kind")),
            about.join(" "),
            cell(item.get("location")),
            cell(item.get("phone")),
        ]);
    }
    if items.is_empty() { out.line("nothing to do") } else { out.line(&table) }?;
    match list.get("left_off").and_then(Value::as_u64) {
        Some(more) if more > 0 => out.line(format_args!("and {more} more")),
        Some(_) | None => Ok(()),
    }
}

pub(super) fn admittable(answer: &Value, json: bool, out: &mut Out) -> Result<(), Failure> {
    if json {
        return out.json(answer);
    }
    let mut table =
        Table::new(&["location", "type", ">admittable", ">offerable", ">reserve", "why fewer", "last word"]);
    for row in rows(answer, "rows") {
        let why: Vec<String> = rows(row, "why_less").iter().map(|why| cell(why.get("text"))).collect();
        table.row([
            format!("{} ({})", cell(row.get("name")), cell(row.get("location"))),
            cell(row.get("care_type")),
            cell(row.get("admittable")),
            cell(row.get("offerable")),
            cell(row.get("reserve")),
            why.join(" "),
            minute(row.get("last_word_at")),
        ]);
    }
    out.line(&table)?;
    out.line(format_args!("\nat {}", minute(answer.get("at"))))
}

pub(super) fn matched(answer: &Value, json: bool, out: &mut Out) -> Result<(), Failure> {
    if json {
        return out.json(answer);
    }
    let (candidates, excluded) = (rows(answer, "candidates"), rows(answer, "excluded"));
    let mut table = Table::new(&[">score", "location", "bed", "type", ">minutes", "why"]);
    for one in candidates {
        table.row([
            cell(one.get("score")),
            cell(one.get("location")),
            cell(one.get("bed")),
            cell(one.get("care_type")),
            cell(one.get("minutes")),
            rows(one, "why").iter().map(|why| cell(Some(why))).collect::<Vec<_>>().join(" "),
        ]);
    }
    if candidates.is_empty() { out.line("nobody can") } else { out.line(&table) }?;
    let mut table = Table::new(&["not", "why not"]);
    for one in excluded {
        let why: Vec<String> = rows(one, "reasons").iter().map(|why| cell(why.get("text"))).collect();
        table.row([cell(one.get("location")), why.join(" ")]);
    }
    if !excluded.is_empty() {
        out.line(format_args!("\n{table}"))?;
    }
    let (position, moment) = (cell(answer.get("at_position")), minute(answer.get("moment")));
    out.line(format_args!("\nfor {moment}, at position {position}"))
}

pub(super) fn referral(shown: &Value, timeline: &Value, json: bool, out: &mut Out) -> Result<(), Failure> {
    if json {
        return out.json(&serde_json::json!({ "referral": shown, "timeline": timeline }));
    }
    let of = |name: &str| cell(shown.get(name));
    let profile = |name: &str| cell(shown.get("profile").and_then(|profile| profile.get(name)));
    out.line(format_args!("referral {} at the desk of {}", of("referral"), of("region")))?;
    out.line(format_args!(
        "{} {} {} from {}, area {}",
        profile("urgency"),
        profile("age_band"),
        profile("care_type"),
        profile("origin"),
        profile("area"),
    ))?;
    if let Some(end) = shown.get("end").filter(|end| !end.is_null()) {
        out.line(format_args!("ended: {} {}", cell(end.get("how")), cell(end.get("about"))))?;
    }
    let offers = rows(shown, "offers");
    if !offers.is_empty() {
        let mut table = Table::new(&["asked", "bed", "type", "answer by", "standing", "chosen", "offer"]);
        for offer in offers {
            table.row([
                cell(offer.get("location")),
                cell(offer.get("promised_bed").filter(|bed| !bed.is_null()).or_else(|| offer.get("bed"))),
                cell(offer.get("care_type")),
                minute(offer.get("answer_by")),
                cell(offer.get("standing")),
                if offer.get("chosen").and_then(Value::as_bool) == Some(true) { "yes" } else { "" }
                    .to_owned(),
                cell(offer.get("offer")),
            ]);
        }
        out.line(format_args!("\n{table}"))?;
    }
    let mut table = Table::new(&[">position", "recorded", "what happened"]);
    for entry in rows(timeline, "entries") {
        table.row([cell(entry.get("position")), minute(entry.get("recorded_at")), cell(entry.get("text"))]);
    }
    out.line(format_args!("\n{table}"))
}

/// Acts or questions, with their sentences.
pub(super) fn listed<'a>(
    all: impl Iterator<Item = (&'a str, &'a Operation)>,
    json: bool,
    out: &mut Out,
) -> Result<(), Failure> {
    let mut table = Table::new(&["name", "what it does"]);
    for (name, Operation { summary, .. }) in all {
        if json {
            out.json(&serde_json::json!({ "name": name, "summary": summary }))?;
        }
        table.row([name.to_owned(), summary.clone()]);
    }
    if json { Ok(()) } else { out.line(&table) }
}

/// Any answer: what is said once as lines, each list of things as a table.
pub(super) fn anything(answer: &Value, json: bool, out: &mut Out) -> Result<(), Failure> {
    if json {
        return out.json(answer);
    }
    let (mut lines, mut tables) = (Table::new(&["", ""]).bare(), Vec::new());
    for (name, value) in flat(answer) {
        let of_things = value.as_array().filter(|list| list.iter().any(Value::is_object));
        match of_things {
            Some(list) => tables.push((name, list)),
            None => lines.row([name, said(value)]),
        }
    }
    let alone = lines.is_empty();
    if !alone {
        out.line(&lines)?;
    }
    for (at, (name, list)) in tables.iter().enumerate() {
        let gap = if alone && at == 0 { "" } else { "\n" };
        out.line(format_args!("{gap}{name}:\n{}", tabled(list)))?;
    }
    Ok(())
}

/// A table of things: a column for whatever any of them says.
fn tabled(list: &[Value]) -> Table {
    let things: Vec<Vec<(String, &Value)>> = list.iter().map(flat).collect();
    let mut names: Vec<&str> = Vec::new();
    for (name, value) in things.iter().flatten() {
        if !said(value).is_empty() && !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let numbers = |name: &str| {
        let mut values = things.iter().flatten().filter(|(named, value)| named == name && !value.is_null());
        values.all(|(_, value)| value.is_number())
    };
    let headings: Vec<String> =
        names.iter().map(|name| format!("{}{name}", if numbers(name) { ">" } else { "" })).collect();
    let mut table = Table::new(&headings.iter().map(String::as_str).collect::<Vec<_>>());
    for thing in &things {
        let of = |name: &&str| thing.iter().find(|(named, _)| named == name).map(|(_, value)| said(value));
        table.row(names.iter().map(|name| of(name).unwrap_or_default()));
    }
    table
}

/// What a thing says, with what its parts say under `part.name`.
fn flat(thing: &Value) -> Vec<(String, &Value)> {
    let Some(fields) = thing.as_object() else { return Vec::from([(String::new(), thing)]) };
    let mut all = Vec::new();
    for (name, value) in fields {
        if value.is_object() {
            all.extend(flat(value).into_iter().map(|(inner, value)| (format!("{name}.{inner}"), value)));
        } else {
            all.push((name.clone(), value));
        }
    }
    all
}

/// A value for a person: what has a text says that.
fn said(value: &Value) -> String {
    match value {
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Array(list) => list.iter().map(said).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => match fields.get("text") {
            Some(text) => cell(Some(text)),
            None => fields.values().map(said).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" "),
        },
        Value::String(text) if text.contains('T') => minute(Some(&Value::String(text.clone()))),
        plain @ (Value::Null | Value::Number(_) | Value::String(_)) => cell(Some(plain)),
    }
}

pub(super) fn rows<'a>(answer: &'a Value, name: &str) -> &'a [Value] {
    answer.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice)
}

/// A value as text that is fit to be shown.
pub(super) fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => domain::plain(text),
        Some(value @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_))) => {
            value.to_string()
        }
    }
}

/// To the minute, on the clock of the Netherlands: `2026-03-02 09:14`.
pub(super) fn minute(value: Option<&Value>) -> String {
    let text = cell(value);
    let Ok(at) = text.parse::<jiff::Timestamp>() else { return text };
    at.to_zoned(AMSTERDAM.clone()).strftime("%Y-%m-%d %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn moments_are_those_of_the_clock_on_the_wall() {
        let shown = |text: &str| minute(Some(&text.into()));
        assert_eq!(shown("2026-11-23T13:00:00.000Z"), "2026-11-23 14:00");
        assert_eq!(shown("2026-07-01T22:30:00Z"), "2026-07-02 00:30");
        assert_eq!(minute(None), "");
    }

    #[test]
    fn a_list_of_things_is_a_table_of_what_any_of_them_says() {
        let list = [
            json!({ "bed": "1", "at": { "ward": "Zuid", "room": null }, "days": 3, "why": [{ "code": "x", "text": "vol" }] }),
            json!({ "bed": "2", "days": 14, "free": true, "why": [] }),
        ];
        let shown = tabled(&list).to_string();
        let lines =
            ["at.ward  bed  days  why  free", "Zuid     1       3  vol", "         2      14       yes"];
        assert_eq!(shown, lines.join("\n"));
    }
}
