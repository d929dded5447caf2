//! What a person should hear after an act, beside that it is recorded: what is kept and until when, who else was told, and what does
//! not fit because of it.
//!
//! Asked of the node, as it stands from the act on. The act is done by then: what can not be answered, or is not for whoever acts to
//! see, is not said, and fails nothing.

use std::ops::RangeInclusive;

use serde_json::{Map, Value, json};

use super::client::Client;
use super::names::Names;
use super::show::{cell, minute, rows};
use crate::failure::Failure;
use crate::out::{Out, complain};

/// What is so after an act.
#[derive(Debug, Default)]
pub(super) struct After {
    kept: Option<Kept>,
    /// What does not fit because of it; `None` where that could not be asked.
    odd: Option<Vec<Value>>,
}

/// A place that the act was about.
#[derive(Debug)]
struct Kept {
    /// What is kept there for the referral.
    holds: Vec<Value>,
    /// What it came to, if it was an answer or a choice.
    answered: Option<Answered>,
    region: String,
    location: String,
}

/// What an answer or a choice came to.
#[derive(Debug)]
struct Answered {
    /// What made it the one; `None` while it is not.
    chosen: Option<&'static str>,
    /// Those that were asked too, and were told that they are asked no longer.
    told: Vec<String>,
}

/// Looks what is so after an act that was sent to `path`.
pub(super) fn look(client: &Client, path: &str, body: &Value, receipt: &Value) -> After {
    let Some(positions) = positions(receipt) else { return After::default() };
    let steps: Vec<&str> = path.split('/').skip(1).collect();
    let kept = Kept::look(client, &steps, body, &positions);
    let odd = contradictions(client, &steps, body, kept.as_ref(), &positions);
    After { kept, odd }
}

/// The positions of the events of an act, which stand one after the other; `None` if nothing was recorded.
fn positions(receipt: &Value) -> Option<RangeInclusive<u64>> {
    let last = receipt.get("position")?.as_u64()?;
    let events = u64::try_from(receipt.get("events")?.as_array()?.len()).ok()?;
    (events > 0).then_some(last.saturating_sub(events).saturating_add(1)..=last)
}

impl Kept {
    /// The place that a promise, a choice, an agreed arrival or a longer hold is about.
    fn look(client: &Client, steps: &[&str], body: &Value, positions: &RangeInclusive<u64>) -> Option<Self> {
        let (referral, offer, why) = match steps {
            ["referrals", referral, "offers", offer, "accept"] => {
                (referral, Some(offer), "the first yes wins")
            }
            ["referrals", referral, "offers", offer, "choose"] => {
                (referral, Some(offer), "of those that promised a place")
            }
            ["referrals", referral, "arrival"] | ["referrals", referral, "hold", "extend"] => {
                (referral, None, "")
            }
            _ => return None,
        };
        let after = Some(*positions.end());
        let shown = client.look(&format!("/referrals/{referral}"), after)?;
        let offers = rows(&shown, "offers");
        let is = |value: &Value, name: &str, text: &str| value.get(name).is_some_and(|value| value == text);
        let asked = match offer {
            Some(offer) => offers.iter().find(|one| is(one, "offer", offer)),
            None => offers.iter().find(|one| one.get("location") == body.get("location")),
        };
        let location = cell(asked?.get("location"));
        let here = |hold: &&Value| hold.pointer("/place/location").is_some_and(|at| *at == location);
        let answered = || {
            let is_chosen = asked?.get("chosen")?.as_bool()?;
            // For the desk alone: a location does not know who else was asked.
            let timeline = client.look(&format!("/referrals/{referral}/timeline"), after).unwrap_or_default();
            let revoked =
                rows(&timeline, "entries").iter().filter(|entry| is(entry, "kind", "offer.revoked"));
            let told =
                revoked.filter(|entry| is_of(entry, positions)).map(|entry| cell(entry.get("location")));
            Some(Answered { chosen: is_chosen.then_some(why), told: told.collect() })
        };
        Some(Self {
            holds: rows(&shown, "holds").iter().filter(here).cloned().collect(),
            answered: offer.and_then(|_| answered()),
            region: cell(shown.get("region")),
            location,
        })
    }

    fn tell(&self, names: &Names, out: &mut Out) -> Result<(), Failure> {
        if self.holds.is_empty() {
            out.line(format_args!("nothing is kept at {} yet", names.house(&self.location)))?;
        }
        for hold in &self.holds {
            let bed = place(&names.house(&self.location), hold.pointer("/place/bed"));
            out.line(format_args!("kept: {bed}, until {}", minute(hold.get("until"))))?;
        }
        let Some(Answered { chosen, told }) = &self.answered else { return Ok(()) };
        match chosen {
            Some(why) => out.line(format_args!("chosen: {why}"))?,
            None => out.line("not chosen yet: `desk choose` says which it is to be")?,
        }
        if told.is_empty() {
            return Ok(());
        }
        let told: Vec<String> = told.iter().map(|location| names.house(location)).collect();
        out.line(format_args!("told that they are asked no longer: {}", told.join(", ")))
    }
}

/// What does not fit because of an act: what the region's desk is asked to look at, or where that is not for whoever acted, what the
/// location is.
fn contradictions(
    client: &Client,
    steps: &[&str],
    body: &Value,
    kept: Option<&Kept>,
    positions: &RangeInclusive<u64>,
) -> Option<Vec<Value>> {
    let text =
        |value: &Value, pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let after = Some(*positions.end());
    let (region, location) = match steps {
        ["regions", region, ..] => (Some((*region).to_owned()), text(body, "/location")),
        ["locations", location, ..] => (None, Some((*location).to_owned())),
        ["stays"] => (None, text(body, "/place/location")),
        ["stays", stay, ..] => {
            let stay = client.look(&format!("/stays/{stay}"), after).unwrap_or_default();
            (text(&stay, "/region"), text(&stay, "/place/location"))
        }
        _ => {
            (text(body, "/region").or_else(|| kept.map(|kept| kept.region.clone())), text(body, "/location"))
        }
    };
    let location = location.or_else(|| kept.map(|kept| kept.location.clone()));
    let region = region.or_else(|| client.home.as_ref().map(ToString::to_string)).or_else(|| {
        let house = client.look(&format!("/locations/{}", location.as_deref()?), after)?;
        text(&house, "/location/region")
    });
    let ask = |of: &str, name: Option<String>| client.look(&format!("/{of}/{}/contradictions", name?), after);
    let answer = ask("regions", region).or_else(|| ask("locations", location))?;
    Some(arisen(&answer, positions))
}

/// Those that arose by these events.
fn arisen(answer: &Value, positions: &RangeInclusive<u64>) -> Vec<Value> {
    let all = rows(answer, "contradictions").iter();
    all.filter(|open| is_of(open, positions)).cloned().collect()
}

/// Whether something came of one of these events.
fn is_of(thing: &Value, positions: &RangeInclusive<u64>) -> bool {
    let position = thing.get("position").and_then(Value::as_u64);
    position.is_some_and(|position| positions.contains(&position))
}

/// A location with the bed, if there is one.
fn place(location: &str, bed: Option<&Value>) -> String {
    match cell(bed) {
        bed if bed.is_empty() => location.to_owned(),
        bed if location.is_empty() => format!("bed {bed}"),
        bed => format!("{location}, bed {bed}"),
    }
}

impl After {
    /// The same for programs, as fields of a receipt.
    pub(super) fn fields(self) -> Map<String, Value> {
        let mut fields = Map::new();
        if let Some(Kept { holds, answered, .. }) = self.kept {
            fields.insert("kept".to_owned(), json!(holds));
            if let Some(Answered { chosen, told }) = answered {
                let answered = [("chosen", json!(chosen.is_some())), ("told", json!(told))];
                fields.extend(answered.map(|(name, value)| (name.to_owned(), value)));
            }
        }
        fields.extend(self.odd.map(|odd| ("contradictions".to_owned(), json!(odd))));
        fields
    }

    /// The same for a person: what is kept with what became of the act, what does not fit beside it.
    pub(super) fn tell(&self, client: &Client, out: &mut Out) -> Result<(), Failure> {
        let odd = self.odd.as_deref().unwrap_or_default();
        if self.kept.is_none() && odd.is_empty() {
            return Ok(());
        }
        let home = client.home.as_ref().map(ToString::to_string);
        let region = self.kept.as_ref().map(|kept| kept.region.clone()).or(home);
        let names = Names::of(client, &json!(odd), region.as_deref());
        if let Some(kept) = &self.kept {
            kept.tell(&names, out)?;
        }
        out.flush()?;
        for open in odd {
            complain(format_args!("doorstroom: {}\n", sentence(open, &names)));
        }
        Ok(())
    }
}

/// What does not fit, for a person.
fn sentence(open: &Value, names: &Names) -> String {
    let of = |name: &str| cell(open.get(name));
    let location = of("location");
    let house = if location.is_empty() { location } else { names.house(&location) };
    let about = [place(&house, open.get("bed")), of("code")];
    let about: Vec<String> = about.into_iter().filter(|part| !part.is_empty()).collect();
    format!("recorded, but it does not fit: {} ({})", of("text"), about.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_events_of_an_act_stand_one_after_the_other_up_to_its_position() {
        let receipt = json!({ "position": 31, "events": ["a", "b", "c"] });
        assert_eq!(positions(&receipt), Some(29..=31));
        assert_eq!(positions(&json!({ "position": 31, "events": [] })), None);
    }

    #[test]
    fn what_did_not_fit_before_the_act_is_not_told_after_it() {
        let answer = json!({ "contradictions": [
            { "code": "answer-contested", "position": null },
            { "code": "unknown-bed", "position": 28 },
            { "code": "freed-occupied", "position": 30, "text": "Een bezet bed is vrijgemeld.", "location": "zk23-de-linde", "bed": "2" },
        ] });
        let found = arisen(&answer, &(29..=31));
        assert_eq!(found.len(), 1);
        assert_eq!(
            sentence(&found[0], &Names::default()),
            "recorded, but it does not fit: Een bezet bed is vrijgemeld. (zk23-de-linde, bed 2; freed-occupied)"
        );
        assert_eq!(place("", Some(&json!("2"))), "bed 2");
        assert_eq!(place("zk23-de-berk", Some(&Value::Null)), "zk23-de-berk");
    }
}
