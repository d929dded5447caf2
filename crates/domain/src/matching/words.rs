//! What people read of a list: why a location is in it, why not, in Dutch and in English.
//!
//! Made from the list alone, so that it can be read again from the log. Not here: the judgement (`hard`, `score`).

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::score::is_scarce;
use crate::words::{Sentence, Word, decline, feature, say};
use crate::{Candidate, DeclineCode, Excluded, Exclusion, ExclusionCode, Feature, LocationId, Matched};

impl Matched {
    /// Why a candidate stands where it does: one sentence for each part of its score.
    #[must_use]
    pub fn why(&self, candidate: &Candidate) -> Vec<Sentence> {
        let mut why = Vec::from([fits(candidate)]);
        why.push(match candidate.minutes {
            Some(minutes) => say!(
                "Ongeveer {minutes} minuten rijden.",
                "About {minutes} minutes by car.",
                minutes = minutes
            ),
            None => say!("De afstand is niet bekend.", "How far it is is not known."),
        });
        if let Some(place) = self.wished.iter().position(|wished| *wished == candidate.location) {
            let number = place.saturating_add(1);
            why.push(say!("Wens nummer {number}.", "Wish number {number}.", number = number));
        }
        why.push(truth(candidate));
        let all = self.recent();
        if all > 0 {
            let recent = candidate.recent;
            why.push(say!(
                "Laatste opnames op deze locaties: {all}, waarvan hier: {recent}.",
                "Latest admissions at these locations: {all}, of which here: {recent}.",
                all = all,
                recent = recent,
            ));
        }
        if candidate.unanswered {
            why.push(say!(
                "Is voor deze aanmelding al gevraagd en antwoordde niet.",
                "Was asked for this referral before and did not answer.",
            ));
        }
        why
    }

    /// Why a location is not among the candidates; empty if it is, or was not looked at.
    #[must_use]
    pub fn why_not(&self, location: &LocationId) -> Vec<Sentence> {
        let excluded = self.excluded.iter().find(|excluded| excluded.location == *location);
        excluded.map(Excluded::why).unwrap_or_default()
    }
}

fn fits(candidate: &Candidate) -> Sentence {
    let Some(bed) = &candidate.bed else {
        return say!(
            "Meldt zelf een vrije plek; welk bed is niet bekend.",
            "Reports a free place itself; which bed is not known.",
        );
    };
    let scarce: Vec<&Feature> = candidate.spare.iter().filter(|feature| is_scarce(feature)).collect();
    match (candidate.primary, scarce.is_empty()) {
        (true, true) => say!("Bed {bed} past precies.", "Bed {bed} is just what is needed.", bed = bed),
        (false, true) => say!(
            "Bed {bed} kan; het is eerst voor andere zorg bedoeld.",
            "Bed {bed} will do; it is meant for other care first.",
            bed = bed,
        ),
        (_, false) => {
            let (nl, en) = listed(&scarce);
            say!(
                "Bed {bed} kan; het heeft iets schaars dat niet nodig is: {nl}.",
                "Bed {bed} will do; it has something scarce that is not needed: {en}.",
                bed = bed,
                nl = nl,
                en = en,
            )
        }
    }
}

fn listed(features: &[&Feature]) -> (String, String) {
    let join = |pick: fn(Word<'_>) -> &str| {
        features.iter().map(|one| pick(feature(one))).collect::<Vec<_>>().join(", ")
    };
    (join(|(nl, _)| nl), join(|(_, en)| en))
}

fn truth(candidate: &Candidate) -> Sentence {
    let (answers, right) = (candidate.answers, candidate.answers_true);
    if answers == 0 {
        return say!("Nog geen antwoorden om op af te gaan.", "No answers to go by yet.");
    }
    say!(
        "Klopte {right} van de {answers} keer.",
        "Was right {right} times in {answers}.",
        right = right,
        answers = answers,
    )
}

impl Excluded {
    /// Every reason, as a sentence.
    #[must_use]
    pub fn why(&self) -> Vec<Sentence> {
        self.reasons.iter().map(Exclusion::sentence).collect()
    }
}

impl Exclusion {
    /// The reason as a sentence.
    #[must_use]
    pub fn sentence(&self) -> Sentence {
        let about = self.about.as_ref().map_or("?", |about| about.as_str());
        let named = Feature::from(about);
        match &self.code {
            ExclusionCode::CareTypeNotGiven => {
                say!("Geeft geen {about}.", "Does not give {about}.", about = about)
            }
            ExclusionCode::AdmissionsStopped => say!("Heeft een opnamestop.", "Has stopped admissions."),
            ExclusionCode::OutsideWindow => say!(
                "Neemt op dat moment ({about}) niet op.",
                "Does not admit at that moment ({about}).",
                about = about
            ),
            ExclusionCode::IntakeLimitReached => say!(
                "Neemt in die periode niet meer dan {about} mensen op.",
                "Admits no more than {about} people in that period.",
                about = about,
            ),
            ExclusionCode::NoSuchBed => say!("Heeft geen bed voor deze zorg.", "Has no bed for this care."),
            ExclusionCode::NoBedFree => {
                say!("Heeft geen bed vrij voor deze zorg.", "Has no bed free for this care.")
            }
            ExclusionCode::ReserveOnly => say!(
                "Heeft alleen een bed achter de hand: in overleg.",
                "Has only a bed in reserve: to be asked for."
            ),
            ExclusionCode::FeatureMissing => {
                let (nl, en) = feature(&named);
                say!("Geen vrij bed biedt: {nl}.", "No free bed offers: {en}.", nl = nl, en = en)
            }
            ExclusionCode::FeatureUnknown => {
                let (nl, en) = feature(&named);
                say!(
                    "Of een vrij bed dit biedt is niet bekend: {nl}. Bel de locatie.",
                    "Whether a free bed offers this is not known: {en}. Call the location.",
                    nl = nl,
                    en = en,
                )
            }
            ExclusionCode::FeaturesApart => say!(
                "Geen enkel vrij bed biedt alles wat nodig is tegelijk.",
                "No single free bed offers all that is needed.",
            ),
            ExclusionCode::AskedAlready => {
                say!("De aanmelding ligt hier al voor.", "The referral is before it already.")
            }
            ExclusionCode::PromisedAlready => {
                say!("Heeft al een plek toegezegd.", "Has promised a place already.")
            }
            ExclusionCode::DeclinedAlready => {
                let code = DeclineCode::from(about);
                let (nl, en) = decline(&code);
                say!("Heeft al nee gezegd: {nl}.", "Has said no already: {en}.", nl = nl, en = en)
            }
            ExclusionCode::Other(raw) => {
                let raw = raw.to_string();
                say!("Valt af: {raw}.", "Is excluded: {raw}.", raw = raw)
            }
        }
    }
}
