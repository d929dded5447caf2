//! Sentences for people, in Dutch and in English, and the words in them.
//!
//! Not here: refusals (`desk`), what a screen says around them (the portal).

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::{DeclineCode, Feature, Urgency};

/// One sentence in the two languages of the house.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sentence {
    /// In Dutch.
    pub nl: String,
    /// In English.
    pub en: String,
}

/// A sentence with named values in braces.
macro_rules! say {
    ($nl:literal, $en:literal $(, $name:ident = $value:expr)* $(,)?) => {{
        $(let $name = &$value;)*
        $crate::words::Sentence { nl: ::alloc::format!($nl), en: ::alloc::format!($en) }
    }};
}
pub(crate) use say;

/// A word in Dutch and in English.
pub(crate) type Word<'a> = (&'a str, &'a str);

/// What a bed offers or somebody needs.
pub(crate) fn feature(feature: &Feature) -> Word<'_> {
    match feature {
        Feature::SingleRoom => ("eenpersoonskamer", "single room"),
        Feature::SameSexRoom => ("kamer met hetzelfde geslacht", "same-sex room"),
        Feature::Isolation => ("isolatie", "isolation"),
        Feature::Hoist => ("tillift", "hoist"),
        Feature::Bariatric => ("bariatrisch bed", "bariatric bed"),
        Feature::ClosedWard => ("gesloten afdeling", "closed ward"),
        Feature::Oxygen => ("zuurstof", "oxygen"),
        Feature::Iv => ("infuus", "IV"),
        Feature::TubeFeeding => ("sondevoeding", "tube feeding"),
        Feature::WoundVac => ("wondvacuüm", "wound vac"),
        Feature::DialysisTransport => ("vervoer naar dialyse", "dialysis transport"),
        Feature::Tracheostomy => ("tracheostoma", "tracheostomy"),
        Feature::Wheelchair => ("rolstoel", "wheelchair"),
        Feature::Couple => ("echtpaar", "couple"),
        Feature::Smoking => ("roken", "smoking"),
        Feature::Pet => ("huisdier", "pet"),
        Feature::Other(raw) => (raw, raw),
    }
}

/// Why a location said no.
pub(crate) fn decline(code: &DeclineCode) -> Word<'_> {
    match code {
        DeclineCode::NotFreeAfterAll => ("toch niet vrij", "not free after all"),
        DeclineCode::NoStaff => ("geen personeel", "no staff"),
        DeclineCode::CannotProvideCare => ("kan deze zorg niet geven", "cannot provide this care"),
        DeclineCode::Isolation => ("geen isolatie mogelijk", "no isolation possible"),
        DeclineCode::Behaviour => ("gedrag", "behaviour"),
        DeclineCode::Equipment => ("hulpmiddel ontbreekt", "equipment missing"),
        DeclineCode::NoDoctorCover => ("geen arts beschikbaar", "no doctor cover"),
        DeclineCode::TriageDisagreement => ("oneens met de triage", "disagrees with the triage"),
        DeclineCode::Contract => ("geen contract", "no contract"),
        DeclineCode::DistanceOrWish => ("afstand of wens", "distance or wish"),
        DeclineCode::TooLate => ("te laat", "too late"),
        DeclineCode::NoAnswer => ("geen antwoord", "no answer"),
        DeclineCode::Otherwise => ("anders", "other"),
        DeclineCode::Other(raw) => (raw, raw),
    }
}

/// How soon.
pub(crate) fn urgency(urgency: &Urgency) -> Word<'_> {
    match urgency {
        Urgency::Crisis => ("crisis", "crisis"),
        Urgency::Urgent => ("spoed", "urgent"),
        Urgency::Planned => ("gepland", "planned"),
        Urgency::Other(raw) => (raw, raw),
    }
}
