//! How answers of the API look in a terminal: tables for people, the very JSON for programs.
//!
//! Not here: what is asked (`desk`).

use serde_json::Value;

use crate::failure::Failure;
use crate::out::Out;
use crate::table::Table;

/// What became of an act, and the id of what it made.
pub(super) fn receipt(
    mut receipt: Value,
    made: Option<(&'static str, String)>,
    json: bool,
    out: &mut Out,
) -> Result<(), Failure> {
    if json {
        if let (Some(fields), Some((what, id))) = (receipt.as_object_mut(), made) {
            fields.insert(what.to_owned(), id.into());
        }
        return out.json(&receipt);
    }
    if let Some((what, id)) = made {
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
    }
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
            cell(row.get("location")),
            cell(row.get("care_type")),
            cell(row.get("admittable")),
            cell(row.get("offerable")),
            cell(row.get("reserve")),
            why.join(" "),
            minute(row.get("last_word_at")),
        ]);
    }
    out.line(&table)?;
    out.line(format_args!("\nat {}", cell(answer.get("at"))))
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
    let (position, moment) = (cell(answer.get("at_position")), cell(answer.get("moment")));
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

fn rows<'a>(answer: &'a Value, name: &str) -> &'a [Value] {
    answer.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice)
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(value @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_))) => {
            value.to_string()
        }
    }
}

/// To the minute: `2026-03-02T09:14`.
fn minute(value: Option<&Value>) -> String {
    cell(value).chars().take(16).collect()
}
