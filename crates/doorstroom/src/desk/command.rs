//! The words a person types, with what each is told.
//!
//! Not here: their parts that come back (`args`), what each asks of the API (`desk`).

use clap::Subcommand;
use domain::{
    CareType, ClosedReason, DeclineCode, Destination, DivertedReason, ItemState, LocationId, PlanItem,
    RaisedTo, Role, StopReason, WaitingFor, WithdrawnReason,
};

use super::args::{self, Answer, Bed, Contact, Duty, Found, Profile, Referral, Stay, Weighing};
use super::codes::codes;

/// The items of a plan and how far each can be.
fn items_help() -> String {
    let (items, states) = (PlanItem::KNOWN.join(", "), ItemState::KNOWN.join(", "));
    format!("An item and how far it is, such as aid=arranged [items: {items}] [states: {states}]")
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// A place is needed for somebody
    #[command(
        after_help = "Example:\n  doorstroom desk --region zk23 refer --origin gp --urgency urgent --care-type ELV_LC --area 35 --age 80-84 --consent"
    )]
    Refer(Profile),
    /// Weigh: the answers to the questions of the instrument
    #[command(
        after_help = "The questions, in their order, and what each answer comes to: doorstroom desk --region zk23 questions\n\nExample:\n  doorstroom desk --region zk23 triage 019391f2-6f00-7a11-8c11-0d2f7a3b9c01 --instrument afweging-1 --answer specialist=no --answer psychiatric=no --decided-by nurse"
    )]
    Triage(Weighing),
    /// The questions of the weighing instrument, and what each answer comes to
    #[command(
        after_help = "Example:\n  doorstroom desk --region zk23 questions\n  doorstroom desk --region zk23 --lang nl questions"
    )]
    Questions(Found),
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
        #[arg(long, value_name = "CODE", value_parser = codes(CareType::KNOWN))]
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
        #[arg(long, default_value = "nurse", value_parser = codes(Role::KNOWN))]
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
        #[arg(value_parser = codes(DeclineCode::KNOWN))]
        code: String,
    },
    /// A location cannot keep what it promised
    #[command(
        after_help = "Example:\n  doorstroom desk --region zk23 take-back-promise 019391f2-6f00-7a11-8c11-0d2f7a3b9c01 zk23-de-linde not-free-after-all --spoken-with nurse"
    )]
    TakeBackPromise {
        #[command(flatten)]
        answer: Answer,
        /// Why
        #[arg(value_parser = codes(DeclineCode::KNOWN))]
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
        #[arg(long, default_value = "desk", value_parser = codes(Role::KNOWN))]
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
        #[arg(long, value_name = "CODE", value_parser = codes(CareType::KNOWN))]
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
        #[arg(value_parser = codes(WaitingFor::KNOWN))]
        what: String,
        /// Since when [default: as before if it waits for this already, else now]
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
        #[arg(value_name = "ITEM=STATE", help = items_help())]
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
        #[arg(value_parser = codes(Destination::KNOWN))]
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
        #[arg(value_parser = codes(RaisedTo::KNOWN))]
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
        #[arg(value_parser = codes(WithdrawnReason::KNOWN))]
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
        #[arg(value_parser = codes(DivertedReason::KNOWN))]
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
        #[arg(value_parser = codes(StopReason::KNOWN))]
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
        #[arg(long, value_parser = codes(ClosedReason::KNOWN))]
        reason: Option<String>,
    },
}

/// An act or a question, by the name that the node gives it.
#[derive(Debug, clap::Args)]
pub(super) struct Named {
    /// Its name; without one all of them are listed
    pub(super) name: Option<String>,
    /// What it is told, as name=value
    #[arg(
        help = "What it is told: profile[urgency]=crisis, to[0][location]=zk23-de-linde, from=now, private=@FILE (@- for standard input)",
        value_name = "NAME=VALUE"
    )]
    pub(super) fields: Vec<String>,
}
