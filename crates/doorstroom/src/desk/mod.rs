//! `doorstroom desk`: the working process from a terminal, from `refer` to `discharge`, through the HTTP API.
//!
//! Here: what each word that a person types (`command`) asks of the API. `act` and `ask` reach all of it, by the node's own
//! description (`described`, `fields`). Not here: how it is sent (`client`), what is told after an act (`after`), how answers
//! look (`show`), what may be (the API and the rules behind it).

mod after;
mod args;
mod client;
mod codes;
mod command;
mod described;
mod fields;
mod flow;
mod names;
mod show;

use domain::RegionId;
use serde_json::{Value, json};

use self::args::{Found, Referral};
pub(crate) use self::client::OPERATOR_TOKEN;
use self::client::{Client, Way};
use self::command::{Command, Named};
use self::names::with_names;
use crate::failure::Failure;
use crate::out::Out;

/// Arguments of `doorstroom desk`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  doorstroom desk --region zk23 worklist\n  doorstroom desk --region zk23 refer --origin gp --urgency urgent --area 35 --age 80-84 --consent\n  doorstroom desk --node https://loket.example.nl --token-file desk.token worklist --of zk23\n  doorstroom desk act              # all that can be done; `desk ask`: all that can be asked"
)]
pub(crate) struct Args {
    #[command(flatten)]
    way: Way,
    #[command(subcommand)]
    command: Box<Command>,
}

#[expect(clippy::wildcard_enum_match_arm, reason = "each of these is for some of the commands")]
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let mut out = Out::new();
    match &*args.command {
        Command::Act(named) => any(&args.way, named, true, &mut out)?,
        Command::Ask(named) => any(&args.way, named, false, &mut out)?,
        Command::Match { .. }
        | Command::Worklist(_)
        | Command::Admittable { .. }
        | Command::Show(_)
        | Command::Stay(_)
        | Command::Flow(_)
        | Command::Unmet(_)
        | Command::Contradictions(_)
        | Command::Questions(_)
        | Command::Regions => ask(&Client::new(&args.way)?, &args.command, &mut out)?,
        act => {
            let client = Client::new(&args.way)?;
            let Sent { path, body, made } = sent(&client, act)?;
            let receipt = client.act(&path, &body)?;
            let made = made.map(|(what, id)| (what.to_owned(), id)).into_iter().collect();
            let after = after::look(&client, &path, &body, &receipt);
            show::receipt(&client, receipt, made, after, &mut out)?;
        }
    }
    out.flush()
}

/// Does or asks what the node calls so.
fn any(way: &Way, named: &Named, is_act: bool, out: &mut Out) -> Result<(), Failure> {
    let described = Client::describe(way)?;
    let Some(name) = &named.name else {
        return show::listed(described.all(is_act), way.json, out);
    };
    let operation = described.find(name, is_act)?;
    let typed = fields::read(&described, operation, &named.fields, way.region.as_ref(), way.id)?;
    let client = Client::new(way)?;
    if is_act {
        let receipt = client.act_with(&typed.path, &typed.body, &typed.headers)?;
        let after = after::look(&client, &typed.path, &typed.body, &receipt);
        return show::receipt(&client, receipt, typed.made, after, out);
    }
    if operation.is_stream {
        return client.listen(&typed.path, &typed.headers, |event| {
            out.json(event)?;
            out.flush()
        });
    }
    let answer = client.ask_with(&typed.path, &typed.query, &typed.headers)?;
    let region = client.home.as_ref().map(RegionId::as_str);
    show::anything(&with_names(&client, answer, region), client.json, out)
}

/// What an act asks of the API, and the id of what it makes.
struct Sent {
    path: String,
    body: Value,
    made: Option<(&'static str, String)>,
}

impl Sent {
    fn to(path: String, body: Value) -> Self {
        Self { path, body, made: None }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "each of these is for some of the commands")]
fn ask(client: &Client, command: &Command, out: &mut Out) -> Result<(), Failure> {
    match command {
        Command::Match { referral, at } => {
            let matched = client.ask(&format!("{}/matching", referral.path()), at.as_deref())?;
            show::matched(&with_names(client, matched, None), client.json, out)
        }
        Command::Worklist(of) => show::worklist(&of_region(client, of, "worklist")?, client.json, out),
        Command::Admittable { of, at } => {
            let path = format!("/regions/{}/admittable", of.region(client)?);
            show::admittable(&client.ask(&path, at.as_deref())?, client.json, out)
        }
        Command::Show(referral) => {
            let shown = client.ask(&referral.path(), None)?;
            let timeline = client.ask(&format!("{}/timeline", referral.path()), None)?;
            show::referral(&with_names(client, shown, None), &timeline, client.json, out)
        }
        Command::Stay(stay) => {
            let shown = with_names(client, client.ask(&stay.path(), None)?, None);
            show::anything(&shown, client.json, out)
        }
        Command::Flow(of) => flow::flow(&of_region(client, of, "flow")?, client.json, out),
        Command::Unmet(of) => show::anything(&of_region(client, of, "unmet")?, client.json, out),
        Command::Contradictions(of) => {
            show::anything(&of_region(client, of, "contradictions")?, client.json, out)
        }
        Command::Questions(of) => {
            show::questions(&of_region(client, of, "instruments")?, client.lang, client.json, out)
        }
        Command::Regions => show::anything(&client.ask("/regions", None)?, client.json, out),
        _ => Ok(()),
    }
}

/// An answer about a region.
fn of_region(client: &Client, of: &Found, what: &str) -> Result<Value, Failure> {
    let region = of.region(client)?;
    let answer = client.ask(&format!("/regions/{region}/{what}"), None)?;
    Ok(with_names(client, answer, Some(region.as_str())))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "each of these is for some of the commands")]
fn sent(client: &Client, command: &Command) -> Result<Sent, Failure> {
    Ok(match command {
        Command::Refer(profile) => {
            let id = client::id_of(client.id, "referral");
            let body = profile.body(&profile.of.region(client)?, &id)?;
            Sent { made: Some(("referral", id)), ..Sent::to("/referrals".to_owned(), body) }
        }
        Command::Triage(weighing) => {
            Sent::to(format!("{}/triage", weighing.referral.path()), weighing.body()?)
        }
        Command::Offer { referral, to, care_type, answer_by } => {
            let care_type = match care_type {
                Some(care_type) => care_type.clone(),
                None => care_type_of(client, referral)?,
            };
            let to: Vec<Value> = to.iter().map(|to| to.asked(&care_type, client.id)).collect();
            Sent::to(format!("{}/offers", referral.path()), json!({ "to": to, "answer_by": answer_by }))
        }
        Command::Accept { answer, bed, from, role } => {
            let from = from.clone().unwrap_or_else(client::now);
            let spoken_with = &answer.spoken_with;
            let body = json!({ "bed": bed, "from": from, "role": role, "spoken_with": spoken_with });
            Sent::to(answer.path(client, "accept")?, body)
        }
        Command::Decline { answer, code } => {
            let body = json!({ "code": code, "spoken_with": answer.spoken_with });
            Sent::to(answer.path(client, "decline")?, body)
        }
        Command::TakeBackPromise { answer, code } => {
            let body = json!({ "code": code, "spoken_with": answer.spoken_with });
            Sent::to(answer.path(client, "take-back")?, body)
        }
        Command::Agree(answer) => Sent::to(answer.path(client, "agree")?, json!({ "role": "doctor" })),
        Command::Choose { answer, role } => Sent::to(answer.path(client, "choose")?, json!({ "role": role })),
        Command::Contest(answer) => Sent::to(answer.path(client, "contest")?, json!({ "role": "nurse" })),
        Command::Revoke(answer) => Sent::to(answer.path(client, "revoke")?, json!({})),
        Command::Admit { place, care_type, referral, funding } => {
            let id = client::id_of(client.id, "stay");
            let place = place.place(care_type);
            let body = json!({ "stay": id, "referral": referral, "place": place, "funding": funding });
            Sent { made: Some(("stay", id)), ..Sent::to("/stays".to_owned(), body) }
        }
        Command::Stop { .. } | Command::Resume { .. } | Command::Bed { .. } | Command::Confirm { .. } => {
            of_location(command)?
        }
        Command::Wait { .. } | Command::Plan { .. } | Command::Discharge { .. } => of_stay(client, command)?,
        Command::HandOver(duty) => {
            Sent::to(format!("/regions/{}/duty/hand-over", duty.of.region(client)?), duty.body())
        }
        Command::TakeBack(of) => {
            Sent::to(format!("/regions/{}/duty/take-back", of.region(client)?), json!({}))
        }
        Command::Contact(contact) => {
            let path = format!("/regions/{}/contacts", contact.of.region(client)?);
            Sent::to(path, contact.body(&client::id_of(client.id, "contact")))
        }
        other => of_referral(other)?,
    })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "each of these is for some of the commands")]
fn of_referral(command: &Command) -> Result<Sent, Failure> {
    let (referral, what, body) = match command {
        Command::Arrive { referral, location, at, transport } => {
            (referral, "arrival", json!({ "location": location, "arrives_at": at, "transport": transport }))
        }
        Command::Extend { referral, location, until } => {
            (referral, "hold/extend", json!({ "location": location, "until": until }))
        }
        Command::Release { referral, location } => {
            (referral, "hold/release", json!({ "location": location }))
        }
        Command::Escalate { referral, to } => (referral, "escalate", json!({ "to": to })),
        Command::TakeOver(referral) => (referral, "take-over", json!({})),
        Command::Raise { referral, to } => (referral, "raise", json!({ "to": to })),
        Command::Withdraw { referral, reason } => (referral, "withdraw", json!({ "reason": reason })),
        Command::Divert { referral, reason } => (referral, "divert", json!({ "reason": reason })),
        Command::GiveUp { referral, reason } => (referral, "give-up", json!({ "reason": reason })),
        _ => return Err(Failure::usage("this is a question, not an act")),
    };
    Ok(Sent::to(format!("{}/{what}", referral.path()), body))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "each of these is for some of the commands")]
fn of_stay(client: &Client, command: &Command) -> Result<Sent, Failure> {
    Ok(match command {
        Command::Wait { stay, what, since } => {
            Sent::to(format!("{}/waiting", stay.path()), json!({ "what": what, "since": since }))
        }
        Command::Discharge { stay, destination, ready, care_hours } => {
            let body =
                json!({ "destination": destination, "ready": ready, "care_hours_at_home": care_hours });
            Sent::to(format!("{}/discharge", stay.path()), body)
        }
        Command::Plan { stay, items, expected } => {
            let (path, body) = (format!("{}/expected", stay.path()), json!({ "expected_at": expected }));
            match (expected, items.is_empty()) {
                (None, true) => {
                    return Err(Failure::usage("say what is arranged, such as aid=arranged, or --expected"));
                }
                (Some(_), true) => return Ok(Sent::to(path, body)),
                (Some(_), false) => drop(client.act_first("expected", &path, &body)?),
                (None, false) => {}
            }
            let items = args::plan_with(&client.ask(&stay.path(), None)?, items)?;
            Sent::to(format!("{}/plan", stay.path()), json!({ "items": items }))
        }
        _ => return Err(Failure::usage("this is not about a stay")),
    })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "each of these is for some of the commands")]
fn of_location(command: &Command) -> Result<Sent, Failure> {
    Ok(match command {
        Command::Stop { location, reason, ward, review_at } => {
            let body = json!({ "reason": reason, "ward": ward, "review_at": review_at });
            Sent::to(format!("/locations/{location}/stop"), body)
        }
        Command::Confirm { location } => Sent::to(format!("/locations/{location}/confirm"), json!({})),
        Command::Resume { location, ward } => {
            Sent::to(format!("/locations/{location}/resume"), json!({ "ward": ward }))
        }
        Command::Bed { bed, word, reason } => {
            let body = reason.as_ref().map_or_else(|| json!({}), |reason| json!({ "reason": reason }));
            Sent::to(format!("{}/{word}", bed.path()?), body)
        }
        _ => return Err(Failure::usage("this is not about a location")),
    })
}

/// What the weighing of a referral came to, or what was asked for.
fn care_type_of(client: &Client, referral: &Referral) -> Result<String, Failure> {
    let shown = client.ask(&referral.path(), None)?;
    let known = shown
        .get("outcome")
        .filter(|outcome| !outcome.is_null())
        .or_else(|| shown.pointer("/profile/care_type"));
    known.and_then(Value::as_str).map(str::to_owned).ok_or_else(|| {
        Failure::usage("the care type is not known yet: weigh it first (`triage`), or say --care-type")
    })
}
