//! `doorstroom desk`: the working process from a terminal, from `refer` to `discharge`, through the HTTP API.
//!
//! Here: the words a person types and what each asks of the API. `act` and `ask` reach all of it, by the node's own
//! description (`described`, `fields`). Not here: how it is sent (`client`), how answers look (`show`), what may be (the
//! API and the rules behind it).

mod args;
mod client;
mod described;
mod fields;
mod show;

use clap::Subcommand;
use domain::LocationId;
use serde_json::{Value, json};

use self::args::{Answer, Bed, Contact, Duty, Found, Profile, Referral, Stay, Weighing};
pub(crate) use self::client::OPERATOR_TOKEN;
use self::client::{Client, Way};
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

#[derive(Debug, Subcommand)]
enum Command {
    /// A place is needed for somebody
    #[command(
        after_help = "Example:\n  doorstroom desk --region zk23 refer --origin gp --urgency urgent --care-type ELV_LC --area 35 --age 80-84 --consent"
    )]
    Refer(Profile),
    /// Weigh: the answers to the questions of the instrument
    #[command(
        after_help = "Example:\n  doorstroom desk --region zk23 triage 019391f2-6f00-7a11-8c11-0d2f7a3b9c01 --instrument afweging-1 --answer specialist=no --answer psychiatric=no --decided-by nurse"
    )]
    Triage(Weighing),
    /// Who can take somebody, the best first, and why everybody else can not
    #[command(
        after_help = "Example:\n  doorstroom desk --region zk23 match 019391f2-6f00-7a11-8c11-0d2f7a3b9c01 --at 2026-03-05T14:00:00+01:00"
    )]
    Match {
        #[command(flatten)]
        referral: Referral,
        /// When the person comes [default: when a place is wished for]
        #[arg(long, value_name = "TIME", value_parser = args::moment)]
        at: Option<String>,
    },
    /// Ask locations for a place, at once
    #[command(
        after_help = "Example:\n  doorstroom desk --region zk23 offer 019391f2-6f00-7a11-8c11-0d2f7a3b9c01 --to zk23-de-linde --to zk23-de-beuk/12"
    )]
    Offer {
        #[command(flatten)]
        referral: Referral,
        /// A location, or one bed of it as LOCATION/BED; may be given more than once
        #[arg(long = "to", value_name = "LOCATION", required = true)]
        to: Vec<Bed>,
        /// The care type [default: what the weighing came to]
        #[arg(long, value_name = "CODE")]
        care_type: Option<String>,
        /// Until when they can answer [default: as the rules say]
        #[arg(long, value_name = "TIME", value_parser = args::moment)]
        answer_by: Option<String>,
    },
    /// A location promises a place
    #[command(
        after_help = "Example:\n  doorstroom desk --region zk23 accept 019391f2-6f00-7a11-8c11-0d2f7a3b9c01 zk23-de-linde --bed 12 --spoken-with nurse"
    )]
    Accept {
        #[command(flatten)]
        answer: Answer,
        /// A certain bed
        #[arg(long)]
        bed: Option<String>,
        /// From when [default: now]
        #[arg(long, value_name = "TIME", value_parser = args::moment)]
        from: Option<String>,
        /// Who promised
        #[arg(long, default_value = "nurse")]
        role: String,
    },
    /// A location says no
    #[command(
        after_help = "Example:\n  doorstroom desk --region zk23 decline 019391f2-6f00-7a11-8c11-0d2f7a3b9c01 zk23-de-linde no-staff --spoken-with nurse"
    )]
    Decline {
        #[command(flatten)]
        answer: Answer,
        /// Why
        code: String,
    },
    /// The admitting doctor agrees
    #[command(
        after_help = "Example:\n  doorstroom desk --region zk23 agree 019391f2-6f00-7a11-8c11-0d2f7a3b9c01 zk23-de-linde"
    )]
    Agree(Answer),
    /// Of those that promised a place, this one
    #[command(
        after_help = "Example:\n  doorstroom desk --region zk23 choose 019391f2-6f00-7a11-8c11-0d2f7a3b9c01 zk23-de-linde"
    )]
    Choose {
        #[command(flatten)]
        answer: Answer,
        /// Who chose, or for the family
        #[arg(long, default_value = "desk")]
        role: String,
    },
    /// The location never gave the answer that was recorded for it
    #[command(
        after_help = "Example:\n  doorstroom desk --as zk23-de-linde contest 019391f2-6f00-7a11-8c11-0d2f7a3b9c01 zk23-de-linde"
    )]
    Contest(Answer),
    /// The desk asks a location no longer
    #[command(
        after_help = "Example:\n  doorstroom desk --region zk23 revoke 019391f2-6f00-7a11-8c11-0d2f7a3b9c01 zk23-de-linde"
    )]
    Revoke(Answer),
    /// The arrival is agreed
    #[command(
        after_help = "Example:\n  doorstroom desk --region zk23 arrive 019391f2-6f00-7a11-8c11-0d2f7a3b9c01 zk23-de-linde 2026-03-05T14:00:00+01:00"
    )]
    Arrive {
        #[command(flatten)]
        referral: Referral,
        /// Where
        location: String,
        /// When
        #[arg(value_name = "TIME", value_parser = args::moment)]
        at: String,
        /// How
        #[arg(long)]
        transport: Option<String>,
    },
    /// The place is kept longer
    #[command(
        after_help = "Example:\n  doorstroom desk --region zk23 extend 019391f2-6f00-7a11-8c11-0d2f7a3b9c01 zk23-de-linde 2026-03-05T18:00:00+01:00"
    )]
    Extend {
        #[command(flatten)]
        referral: Referral,
        /// Where
        location: String,
        /// Until when
        #[arg(value_name = "TIME", value_parser = args::moment)]
        until: String,
    },
    /// The place is kept no longer
    #[command(
        after_help = "Example:\n  doorstroom desk --region zk23 release 019391f2-6f00-7a11-8c11-0d2f7a3b9c01 zk23-de-linde"
    )]
    Release {
        #[command(flatten)]
        referral: Referral,
        /// Where
        location: String,
    },
    /// Somebody came in
    #[command(
        after_help = "Example:\n  doorstroom desk --region zk23 admit zk23-de-linde/12 --care-type ELV_LC --referral 019391f2-6f00-7a11-8c11-0d2f7a3b9c01"
    )]
    Admit {
        /// Where: LOCATION/BED, or LOCATION where it counts
        place: Bed,
        /// The care type
        #[arg(long, value_name = "CODE")]
        care_type: String,
        /// The referral it comes from
        #[arg(long, value_name = "REFERRAL")]
        referral: Option<String>,
        /// Who pays
        #[arg(long)]
        funding: Option<String>,
    },
    /// Ready to go and not gone: what a stay waits for; `none` ends it
    #[command(
        after_help = "Example:\n  doorstroom desk --as zk23-de-linde wait 019391f2-6f00-7a11-8c11-0d2f7a3b9c01 wlz-place"
    )]
    Wait {
        #[command(flatten)]
        stay: Stay,
        /// For what
        what: String,
        /// Since when [default: now]
        #[arg(long, value_name = "TIME", value_parser = args::moment)]
        since: Option<String>,
    },
    /// The plan for going home
    #[command(
        after_help = "Example:\n  doorstroom desk --as zk23-de-linde plan 019391f2-6f00-7a11-8c11-0d2f7a3b9c01 care-at-home=open aid=arranged --expected 2026-03-12T10:00:00+01:00"
    )]
    Plan {
        #[command(flatten)]
        stay: Stay,
        /// An item and how far it is, such as aid=arranged
        #[arg(value_name = "ITEM=STATE")]
        items: Vec<String>,
        /// The day of leaving
        #[arg(long, value_name = "TIME", value_parser = args::moment)]
        expected: Option<String>,
    },
    /// Somebody left
    #[command(
        after_help = "Example:\n  doorstroom desk --as zk23-de-linde discharge 019391f2-6f00-7a11-8c11-0d2f7a3b9c01 home-with-care --ready"
    )]
    Discharge {
        #[command(flatten)]
        stay: Stay,
        /// To where
        destination: String,
        /// The bed is ready for the next
        #[arg(long)]
        ready: bool,
        /// Hours of care at home per week that follow
        #[arg(long, value_name = "HOURS")]
        care_hours: Option<u32>,
    },
    /// Ask another desk to take it
    #[command(
        after_help = "Example:\n  doorstroom desk --region zk23 escalate 019391f2-6f00-7a11-8c11-0d2f7a3b9c01 zk07"
    )]
    Escalate {
        #[command(flatten)]
        referral: Referral,
        /// Its region
        to: String,
    },
    /// Take what another desk asked this one to take, or take it back
    #[command(
        after_help = "Example:\n  doorstroom desk --region zk07 take-over 019391f2-6f00-7a11-8c11-0d2f7a3b9c01"
    )]
    TakeOver(Referral),
    /// Bring it before somebody above the desks
    #[command(
        after_help = "Example:\n  doorstroom desk --region zk23 raise 019391f2-6f00-7a11-8c11-0d2f7a3b9c01 insurer"
    )]
    Raise {
        #[command(flatten)]
        referral: Referral,
        /// Before whom
        to: String,
    },
    /// A place is no longer needed
    #[command(
        after_help = "Example:\n  doorstroom desk --region zk23 withdraw 019391f2-6f00-7a11-8c11-0d2f7a3b9c01 recovered"
    )]
    Withdraw {
        #[command(flatten)]
        referral: Referral,
        /// Why
        reason: String,
    },
    /// Solved otherwise
    #[command(
        after_help = "Example:\n  doorstroom desk --region zk23 divert 019391f2-6f00-7a11-8c11-0d2f7a3b9c01 home-with-care"
    )]
    Divert {
        #[command(flatten)]
        referral: Referral,
        /// How
        reason: String,
    },
    /// Nothing was found
    #[command(
        after_help = "Example:\n  doorstroom desk --region zk23 give-up 019391f2-6f00-7a11-8c11-0d2f7a3b9c01 'nergens plek'"
    )]
    GiveUp {
        #[command(flatten)]
        referral: Referral,
        /// Why
        reason: String,
    },
    /// Another desk or a centre stands in
    #[command(
        after_help = "Example:\n  doorstroom desk --region zk23 hand-over --to midden-nl --until 2026-03-03T08:00:00+01:00"
    )]
    HandOver(Duty),
    /// The desk is back before the time
    #[command(after_help = "Example:\n  doorstroom desk --region zk23 take-back")]
    TakeBack(Found),
    /// What the desk has to do now, the first first
    #[command(after_help = "Example:\n  doorstroom desk --region zk23 worklist")]
    Worklist(Found),
    /// What can be admitted where, now or at a moment
    #[command(
        after_help = "Example:\n  doorstroom desk --region zk23 admittable --at 2026-03-05T20:00:00+01:00"
    )]
    Admittable {
        #[command(flatten)]
        of: Found,
        /// At which moment [default: now]
        #[arg(long, value_name = "TIME", value_parser = args::moment)]
        at: Option<String>,
    },
    /// A referral as it stands, and all that happened to it
    #[command(
        after_help = "Example:\n  doorstroom desk --region zk23 show 019391f2-6f00-7a11-8c11-0d2f7a3b9c01"
    )]
    Show(Referral),
    /// The desk was in contact
    #[command(
        after_help = "Example:\n  doorstroom desk --region zk23 contact gp --minutes 6 --about 'vraag over ELV'"
    )]
    Contact(Contact),
    /// No admissions for now, of a ward or the house
    #[command(
        after_help = "Example:\n  doorstroom desk --as zk23-de-linde stop zk23-de-linde infection --ward Zuid"
    )]
    Stop {
        /// The location
        location: String,
        /// Why
        reason: String,
        /// Only this ward
        #[arg(long)]
        ward: Option<String>,
        /// When it is looked at again
        #[arg(long, value_name = "TIME", value_parser = args::moment)]
        review_at: Option<String>,
    },
    /// Admissions go on
    #[command(after_help = "Example:\n  doorstroom desk --as zk23-de-linde resume zk23-de-linde")]
    Resume {
        /// The location
        location: String,
        /// Only this ward
        #[arg(long)]
        ward: Option<String>,
    },
    /// Everything at this location is as the board says
    #[command(after_help = "Example:\n  doorstroom desk --as zk23-de-linde confirm zk23-de-linde")]
    Confirm {
        /// The location
        location: LocationId,
    },
    /// A stay as it stands
    #[command(
        after_help = "Example:\n  doorstroom desk --region zk23 stay 019391f2-6f00-7a11-8c11-0d2f7a3b9c01"
    )]
    Stay(Stay),
    /// Inflow, throughput and outflow
    #[command(after_help = "Example:\n  doorstroom desk --region zk23 flow")]
    Flow(Found),
    /// What nothing was found for
    #[command(after_help = "Example:\n  doorstroom desk --region zk23 unmet")]
    Unmet(Found),
    /// What does not fit, and who has to solve it
    #[command(after_help = "Example:\n  doorstroom desk --region zk23 contradictions")]
    Contradictions(Found),
    /// The regions, and how their desks are reached
    #[command(after_help = "Example:\n  doorstroom desk --region zk23 regions")]
    Regions,
    /// Do anything that the node can do; without a name, list it
    #[command(
        after_help = "Examples:\n  doorstroom desk act\n  doorstroom desk --as zk23-de-linde act addBed location=zk23-de-linde bed=12 facts[care_types][0]=ELV_LC\n  doorstroom desk --region zk23 act makeReferral profile[origin]=gp profile[urgency]=crisis profile[channel]=phone profile[consent]=true private=@-"
    )]
    Act(Named),
    /// Ask anything that the node can answer; without a name, list it
    #[command(
        after_help = "Examples:\n  doorstroom desk ask\n  doorstroom desk --region zk23 ask board\n  doorstroom desk --region zk23 ask admittable at=2026-03-05T20:00:00+01:00\n  doorstroom desk --region zk23 ask events --json"
    )]
    Ask(Named),
    /// A word about a bed
    #[command(
        after_help = "Examples:\n  doorstroom desk --as zk23-de-linde bed zk23-de-linde/12 freed\n  doorstroom desk --as zk23-de-linde bed zk23-de-linde/12 closed --reason maintenance"
    )]
    Bed {
        /// LOCATION/BED
        bed: Bed,
        /// opened, staffed, unstaffed, vacated, freed, contaminated, removed, or closed with --reason
        word: String,
        /// Why it is closed
        #[arg(long)]
        reason: Option<String>,
    },
}

/// An act or a question, by the name that the node gives it.
#[derive(Debug, clap::Args)]
struct Named {
    /// Its name; without one all of them are listed
    name: Option<String>,
    /// What it is told, as name=value
    #[arg(
        help = "What it is told: profile[urgency]=crisis, to[0][location]=zk23-de-linde, from=now, private=@FILE (@- for standard input)",
        value_name = "NAME=VALUE"
    )]
    fields: Vec<String>,
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
        | Command::Regions => ask(&Client::new(&args.way)?, &args.command, &mut out)?,
        act => {
            let client = Client::new(&args.way)?;
            let Sent { path, body, made } = sent(&client, act)?;
            let receipt = client.act(&path, body)?;
            let made = made.map(|(what, id)| (what.to_owned(), id));
            show::receipt(receipt, made.into_iter().collect(), client.json, &mut out)?;
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
        let receipt = client.act_with(&typed.path, typed.body, &typed.headers)?;
        return show::receipt(receipt, typed.made, client.json, out);
    }
    if operation.is_stream {
        return client.listen(&typed.path, &typed.headers, |event| {
            out.json(event)?;
            out.flush()
        });
    }
    let answer = client.ask_with(&typed.path, &typed.query, &typed.headers)?;
    show::anything(&answer, client.json, out)
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
            show::matched(&matched, client.json, out)
        }
        Command::Worklist(of) => {
            let list = client.ask(&format!("/regions/{}/worklist", of.region(client)?), None)?;
            show::worklist(&list, client.json, out)
        }
        Command::Admittable { of, at } => {
            let path = format!("/regions/{}/admittable", of.region(client)?);
            show::admittable(&client.ask(&path, at.as_deref())?, client.json, out)
        }
        Command::Show(referral) => {
            let shown = client.ask(&referral.path(), None)?;
            let timeline = client.ask(&format!("{}/timeline", referral.path()), None)?;
            show::referral(&shown, &timeline, client.json, out)
        }
        Command::Stay(stay) => show::anything(&client.ask(&stay.path(), None)?, client.json, out),
        Command::Flow(of) => of_region(client, of, "flow", out),
        Command::Unmet(of) => of_region(client, of, "unmet", out),
        Command::Contradictions(of) => of_region(client, of, "contradictions", out),
        Command::Regions => show::anything(&client.ask("/regions", None)?, client.json, out),
        _ => Ok(()),
    }
}

/// An answer about a region, as it is.
fn of_region(client: &Client, of: &Found, what: &str, out: &mut Out) -> Result<(), Failure> {
    let answer = client.ask(&format!("/regions/{}/{what}", of.region(client)?), None)?;
    show::anything(&answer, client.json, out)
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
            let since = since.clone().unwrap_or_else(client::now);
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
                (Some(_), false) => drop(client.act_first("expected", &path, body)?),
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
