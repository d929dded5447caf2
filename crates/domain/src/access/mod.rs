//! Who may do and see what: one function, [`allowed`], that every way in asks before anything else.
//!
//! It denies by default. It knows a principal by its role, the thing by its region, location and maker, and why it is
//! looked at. What it allows may still be refused by the rules of the desk ([`crate::desk::decide`]), which know more.
//! Not here: who somebody is (tokens, sign-in), what a source may send on the bus (registry).
//!
//! The whole table is in `tests/access/table.txt`, for people to read; a test holds the code to it.

mod action;

use alloc::collections::{BTreeMap, BTreeSet};

pub use action::Action;

use crate::{Label, LocationId, RegionId, SourceId};

/// Whom a way in has recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// In whose name events are recorded.
    pub source: SourceId,
    /// What it is.
    pub role: Role,
}

/// What a principal is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// Works at the desk of a region.
    DeskOperator {
        /// The region.
        region: RegionId,
    },
    /// Works at locations.
    LocationStaff {
        /// The region the locations belong to.
        region: RegionId,
        /// Which locations of it.
        locations: Whose,
    },
    /// A device that stays on a ward, whoever stands before it: it says how beds are and sees nobody. For more a person
    /// signs in.
    WardDevice {
        /// The region the locations belong to.
        region: RegionId,
        /// Which locations of it.
        locations: Whose,
    },
    /// Refers people.
    Referrer {
        /// The region it refers in.
        region: RegionId,
    },
    /// Works at a coordination centre.
    Centre {
        /// The centre.
        centre: Label,
        /// Its regions.
        regions: BTreeSet<RegionId>,
    },
    /// Looks back.
    Auditor {
        /// For whom.
        kind: AuditorKind,
        /// At which regions; nothing for the auditor of a provider.
        regions: BTreeSet<RegionId>,
        /// At which locations; only for the auditor of a provider.
        locations: BTreeSet<LocationId>,
    },
    /// Keeps a node running. Sees nothing of anybody's care.
    Admin,
}

/// Locations of one region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Any of it.
    Any,
    /// These.
    These(BTreeSet<LocationId>),
}

impl Whose {
    /// Whether this location, which is of that region, is among them.
    #[must_use]
    pub fn has(&self, location: &LocationId) -> bool {
        match self {
            Self::Any => true,
            Self::These(these) => these.contains(location),
        }
    }
}

/// For whom an auditor looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AuditorKind {
    /// The desk, for its quality.
    Quality,
    /// A provider, for itself.
    Provider,
    /// An insurer: sums only.
    Insurer,
    /// A supervisor with a mandate.
    Supervisor,
    /// The privacy officer: who looked at what, not the care itself.
    Privacy,
}

/// What an action is about, as far as that decides who may.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// The region whose desk decides; `None` for what is of no region.
    pub region: Option<RegionId>,
    /// The desk that was asked to take it.
    pub asked: Option<RegionId>,
    /// Who stands in for the desk of the region now: a region or a centre.
    pub deputy: Option<Label>,
    /// Who stands in now for the desk that was asked to take it.
    pub asked_deputy: Option<Label>,
    /// The locations it is about, each with its region: every one has to be the principal's own. For a referral that is
    /// looked at by a location: one of those that were asked, and for what is sealed of it: the one that was chosen.
    pub locations: BTreeMap<LocationId, RegionId>,
    /// Who made the referral.
    pub made_by: Option<SourceId>,
}

/// Why something is done or looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// To find somebody a place, or to give care.
    Care,
    /// To coordinate acute care over regions.
    Coordination,
    /// To look back.
    Audit,
    /// To keep a node running.
    Operation,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: &'static [Self] = &[Self::Care, Self::Coordination, Self::Audit, Self::Operation];

    /// Its name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Care => "care",
            Self::Coordination => "coordination",
            Self::Audit => "audit",
            Self::Operation => "operation",
        }
    }
}

macro_rules! denials {
    ($( $(#[$doc:meta])* $variant:ident = $code:literal, $nl:literal, $en:literal; )+) => {
        /// Why not.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Denied { $( $(#[$doc])* $variant, )+ }

        impl Denied {
            /// The code, such as `not-your-role`.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $( Self::$variant => $code, )+ }
            }

            /// The sentence in Dutch.
            #[must_use]
            pub const fn nl(self) -> &'static str {
                match self { $( Self::$variant => $nl, )+ }
            }

            /// The sentence in English.
            #[must_use]
            pub const fn en(self) -> &'static str {
                match self { $( Self::$variant => $en, )+ }
            }
        }
    };
}

denials! {
    /// Nobody of this role may, wherever.
    Role = "not-your-role",
        "Dit hoort niet bij uw rol.", "This is not for your role to do.";
    /// The role has no such purpose.
    Purpose = "not-your-purpose",
        "Uw rol kent dit doel niet.", "Your role has no such purpose.";
    /// Another's. A way in says of it what it says of something that does not exist.
    Foreign = "not-yours",
        "Dit is van een ander.", "This is somebody else's.";
}

/// Over what a role may do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// Nothing.
    Never,
    /// What it stands in for.
    Deputy,
    /// What is its own.
    Own,
    /// What is its own, and what it stands in for.
    OwnOrDeputy,
    /// Everything.
    Everywhere,
}

/// Whether this principal may do this, about this, for this purpose.
///
/// # Errors
/// It may not, and why.
pub fn allowed(principal: &Principal, action: Action, about: &About, purpose: Purpose) -> Result<(), Denied> {
    if !purposes_of(&principal.role).contains(&purpose) {
        return Err(Denied::Purpose);
    }
    let (own, deputy) = match reach(&principal.role, action, purpose) {
        Reach::Everywhere => return Ok(()),
        Reach::Never => return Err(Denied::Role),
        Reach::Own => (true, false),
        Reach::Deputy => (false, true),
        Reach::OwnOrDeputy => (true, true),
    };
    let deputy_of_asked = is_open_to_asked(action).then_some(about.asked_deputy.as_ref()).flatten();
    let deputies = [about.deputy.as_ref(), deputy_of_asked];
    let stands_in = deputies.into_iter().flatten().any(|deputy| is_deputy(&principal.role, deputy));
    if own && is_own(principal, action, about) || deputy && stands_in { Ok(()) } else { Err(Denied::Foreign) }
}

/// Whether anybody of this role may do this to anything at all.
#[must_use]
pub fn ever(role: &Role, action: Action) -> bool {
    purposes_of(role).iter().any(|purpose| reach(role, action, *purpose) != Reach::Never)
}

/// What a role may do something for, its usual purpose first.
#[must_use]
pub const fn purposes_of(role: &Role) -> &'static [Purpose] {
    match role {
        Role::DeskOperator { .. }
        | Role::LocationStaff { .. }
        | Role::WardDevice { .. }
        | Role::Referrer { .. } => &[Purpose::Care],
        // One that stands in for a desk does a desk's work.
        Role::Centre { .. } => &[Purpose::Coordination, Purpose::Care],
        Role::Auditor { .. } => &[Purpose::Audit],
        Role::Admin => &[Purpose::Operation],
    }
}

fn reach(role: &Role, action: Action, purpose: Purpose) -> Reach {
    if matches!(action, Action::Regions | Action::Board | Action::Locations) {
        // Counts, names and numbers: nothing of anybody.
        return Reach::Everywhere;
    }
    match role {
        Role::DeskOperator { .. } => of_desk(action),
        Role::LocationStaff { .. } => of_location(action),
        Role::WardDevice { .. } => of_device(action),
        Role::Referrer { .. } => of_referrer(action),
        Role::Centre { .. } => match purpose {
            Purpose::Coordination => of_coordination(action),
            Purpose::Care => of_deputy(action),
            Purpose::Audit | Purpose::Operation => Reach::Never,
        },
        Role::Auditor { kind, .. } => of_auditor(*kind, action),
        Role::Admin => Reach::Never,
    }
}

fn of_desk(action: Action) -> Reach {
    if matches!(action, Action::Admittable | Action::WhyStopped) {
        // It looks for a place next door too.
        Reach::Everywhere
    } else if action.is_of_duty() {
        Reach::Own
    } else if of_deputy(action) == Reach::Deputy {
        Reach::OwnOrDeputy
    } else {
        Reach::Never
    }
}

/// Whoever stands in for a desk: all of its work but the duty itself.
fn of_deputy(action: Action) -> Reach {
    match action {
        Action::MakeReferral
        | Action::ChangeReferral
        | Action::WithdrawReferral
        | Action::DivertReferral
        | Action::GiveUp
        | Action::Triage
        | Action::SendOffers
        | Action::RevokeOffer
        | Action::AcceptOffer
        | Action::DeclineOffer
        | Action::TakeBackPromise
        | Action::AgreeMedically
        | Action::ChooseOffer
        | Action::AgreeArrival
        | Action::ExtendHold
        | Action::ReleaseHold
        | Action::Admit
        | Action::ReviewTriage
        | Action::PlanDischarge
        | Action::SetPlan
        | Action::WaitFor
        | Action::SwitchFunding
        | Action::Move
        | Action::Discharge
        | Action::CancelAdmission
        | Action::CancelMove
        | Action::CancelDischarge
        | Action::Escalate
        | Action::TakeOver
        | Action::Raise
        | Action::LogContact
        | Action::AskConfirmation
        | Action::Report
        | Action::SayOfBeds
        | Action::CorrectBed
        | Action::WhyStopped
        | Action::Beds
        | Action::Offers
        | Action::Instruments
        | Action::Matching
        | Action::Worklist
        | Action::Referral
        | Action::Private
        | Action::Timeline
        | Action::Receipt
        | Action::Contradictions
        | Action::Flow
        | Action::Unmet
        | Action::Stay
        | Action::Events => Reach::Deputy,
        // A location's own word, a deadline's, the duty itself, and what is open to desks or to everybody.
        Action::SeeOffer
        | Action::ContestAnswer
        | Action::LapseOffer
        | Action::LapseHold
        | Action::HandOverDuty
        | Action::TakeBackDuty
        | Action::SwitchRuleSet
        | Action::Regions
        | Action::Board
        | Action::Locations
        | Action::Admittable => Reach::Never,
    }
}

fn of_location(action: Action) -> Reach {
    let own = matches!(
        action,
        Action::SeeOffer
            | Action::AcceptOffer
            | Action::DeclineOffer
            | Action::TakeBackPromise
            | Action::AgreeMedically
            | Action::ContestAnswer
            | Action::AgreeArrival
            | Action::Admit
            | Action::ReviewTriage
            | Action::PlanDischarge
            | Action::SetPlan
            | Action::WaitFor
            | Action::SwitchFunding
            | Action::Move
            | Action::Discharge
            | Action::CancelAdmission
            | Action::CancelMove
            | Action::CancelDischarge
            | Action::Report
            | Action::SayOfBeds
            | Action::CorrectBed
            | Action::WhyStopped
            | Action::Beds
            | Action::Offers
            | Action::Referral
            | Action::Private
            | Action::Contradictions
            | Action::Stay
    );
    if own { Reach::Own } else { Reach::Never }
}

/// How beds are, and nothing of whoever lies in one, nor of the location itself.
fn of_device(action: Action) -> Reach {
    let own = matches!(action, Action::SayOfBeds | Action::CorrectBed | Action::Beds);
    if own { Reach::Own } else { Reach::Never }
}

fn of_referrer(action: Action) -> Reach {
    let own = matches!(
        action,
        Action::MakeReferral
            | Action::ChangeReferral
            | Action::WithdrawReferral
            | Action::Admittable
            | Action::Referral
            | Action::Private
            | Action::Timeline
    );
    if own { Reach::Own } else { Reach::Never }
}

fn of_coordination(action: Action) -> Reach {
    let own = matches!(
        action,
        Action::WhyStopped
            | Action::Admittable
            | Action::Matching
            | Action::Flow
            | Action::Unmet
            | Action::Events
    );
    if own { Reach::Own } else { Reach::Never }
}

fn of_auditor(kind: AuditorKind, action: Action) -> Reach {
    let sums = matches!(action, Action::Flow | Action::Unmet);
    let histories = matches!(action, Action::Referral | Action::Timeline | Action::Receipt);
    let own = match kind {
        AuditorKind::Quality => sums || histories || action == Action::Contradictions,
        AuditorKind::Supervisor => sums || histories,
        AuditorKind::Insurer => sums,
        AuditorKind::Provider => action == Action::Contradictions,
        AuditorKind::Privacy => false,
    };
    if own { Reach::Own } else { Reach::Never }
}

fn is_own(principal: &Principal, action: Action, about: &About) -> bool {
    let region = about.region.as_ref();
    match &principal.role {
        Role::DeskOperator { region: own } => {
            region == Some(own) || (is_open_to_asked(action) && about.asked.as_ref() == Some(own))
        }
        Role::LocationStaff { region: own, locations } | Role::WardDevice { region: own, locations } => {
            let works_at =
                |(location, region): (&LocationId, &RegionId)| region == own && locations.has(location);
            // Something of no location is nobody's own.
            !about.locations.is_empty() && about.locations.iter().all(works_at)
        }
        Role::Referrer { region: own } if matches!(action, Action::MakeReferral | Action::Admittable) => {
            region == Some(own)
        }
        Role::Referrer { .. } => about.made_by.as_ref() == Some(&principal.source),
        Role::Centre { regions, .. } => region.is_some_and(|region| regions.contains(region)),
        Role::Auditor { kind: AuditorKind::Provider, locations, .. } => {
            !about.locations.is_empty() && about.locations.keys().all(|named| locations.contains(named))
        }
        Role::Auditor { regions, .. } => region.is_some_and(|region| regions.contains(region)),
        Role::Admin => false,
    }
}

/// What a desk may that was asked to take a referral, and whoever stands in for it: look at it, and take it.
const fn is_open_to_asked(action: Action) -> bool {
    matches!(action, Action::TakeOver | Action::Referral | Action::Timeline | Action::Receipt)
}

/// Whether this is what the one who stands in is called.
#[must_use]
pub fn is_deputy(role: &Role, deputy: &Label) -> bool {
    match role {
        Role::DeskOperator { region } => deputy.as_str() == region.as_str(),
        Role::Centre { centre, .. } => deputy == centre,
        Role::LocationStaff { .. }
        | Role::WardDevice { .. }
        | Role::Referrer { .. }
        | Role::Auditor { .. }
        | Role::Admin => false,
    }
}
