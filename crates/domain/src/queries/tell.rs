//! What happened, as a sentence in Dutch and in English. Nothing personal is in an event, so none is in a sentence.
//!
//! Not here: which events make a timeline (`timeline`).

use crate::words::{Sentence, decline, say, urgency};
use crate::{Fact, OfferRef, Place, ReferralProfile, Role, Timestamp, WaitingFor};

/// What happened to a referral or to the stay it led to; anything else is told by its type.
#[expect(clippy::wildcard_enum_match_arm, reason = "a new fact is told by its type until it has a sentence")]
pub(super) fn tell(fact: &Fact) -> Sentence {
    match fact {
        Fact::ReferralMade(profile) => made(profile),
        Fact::ReferralChanged(_) => say!("Gegevens aangepast.", "What is known was changed."),
        Fact::ReferralTriaged { outcome, overruled, decided_by, .. } => match overruled {
            None => say!(
                "Getrieerd door {role}: {outcome}.",
                "Weighed by {role}: {outcome}.",
                role = decided_by,
                outcome = outcome,
            ),
            Some(aside) => {
                let was = &aside.outcome;
                say!(
                    "Getrieerd door {role}: {outcome}; gemotiveerd afgeweken van {was}.",
                    "Weighed by {role}: {outcome}; {was} was set aside with a reason.",
                    role = decided_by,
                    outcome = outcome,
                    was = was,
                )
            }
        },
        Fact::ReferralMatched(list) => {
            let (can, cannot) = (list.candidates.len(), list.excluded.len());
            say!(
                "Plekken gezocht: {can} kunnen, {cannot} niet.",
                "Looked for places: {can} can, {cannot} cannot.",
                can = can,
                cannot = cannot,
            )
        }
        Fact::ReferralWithdrawn { reason, .. } => {
            say!("Ingetrokken ({reason}).", "Withdrawn ({reason}).", reason = reason)
        }
        Fact::ReferralDiverted { reason, .. } => {
            say!("Anders opgelost ({reason}).", "Solved otherwise ({reason}).", reason = reason)
        }
        Fact::ReferralExpiredUnplaced { reason, .. } => {
            say!("Afgesloten zonder plek ({reason}).", "Ended without a place ({reason}).", reason = reason)
        }
        Fact::ReferralEscalated { to_region, .. } => {
            say!("Overgedragen aan loket {region}.", "Handed to the desk of {region}.", region = to_region)
        }
        Fact::ReferralTakenOver { from_region, .. } => say!(
            "Overgenomen van loket {region}.",
            "Taken over from the desk of {region}.",
            region = from_region
        ),
        Fact::ReferralRaised { to, .. } => say!("Voorgelegd aan {to}.", "Brought before {to}.", to = to),
        Fact::ArrivalAgreed { location, at, .. } => say!(
            "Aankomst bij {location} afgesproken: {at}.",
            "Arrival at {location} agreed: {at}.",
            location = location,
            at = at,
        ),
        Fact::ContactLogged { kind, with, minutes, .. } => say!(
            "Contact ({kind}) met {with}, {minutes} minuten.",
            "Contact ({kind}) with {with}, {minutes} minutes.",
            kind = kind,
            with = with,
            minutes = minutes,
        ),
        other => tell_offer(other),
    }
}

/// The same of a choice that was made by the rule that the first promise wins.
#[expect(clippy::wildcard_enum_match_arm, reason = "nothing else is won")]
pub(super) fn tell_won(fact: &Fact) -> Sentence {
    match fact {
        Fact::OfferChosen { offer, .. } => say!(
            "De eerste toezegging geldt: {location} heeft de plek.",
            "The first promise wins: {location} has the place.",
            location = offer.location,
        ),
        other => tell(other),
    }
}

fn made(profile: &ReferralProfile) -> Sentence {
    let (nl, en) = urgency(&profile.urgency);
    let origin = &profile.origin;
    let care = profile.care_type.as_ref().map(|care| say!(", voor {care}", ", for {care}", care = care));
    let Sentence { nl: for_nl, en: for_en } = care.unwrap_or_else(|| say!("", ""));
    say!(
        "Aangemeld door {origin}, {nl}{for_nl}.",
        "Referred by {origin}, {en}{for_en}.",
        origin = origin,
        nl = nl,
        en = en,
        for_nl = for_nl,
        for_en = for_en,
    )
}

#[expect(clippy::wildcard_enum_match_arm, reason = "a new fact is told by its type until it has a sentence")]
fn tell_offer(fact: &Fact) -> Sentence {
    match fact {
        Fact::OfferSent { offer, answer_by, .. } => say!(
            "Voorgelegd aan {location}, antwoord voor {at}.",
            "Offered to {location}, to be answered by {at}.",
            location = offer.location,
            at = answer_by,
        ),
        Fact::OfferSeen(offer) => named(offer, "heeft de vraag bekeken", "looked at the offer"),
        Fact::OfferLapsed(offer) => named(offer, "antwoordde niet op tijd", "did not answer in time"),
        Fact::OfferRevoked(offer) => {
            named(offer, "is niet meer nodig: ingetrokken", "is not needed any more: revoked")
        }
        Fact::OfferAccepted { offer, from, spoken_with, .. } => accepted(offer, *from, spoken_with.as_ref()),
        Fact::OfferDeclined { offer, code, spoken_with } => {
            let (nl, en) = decline(code);
            let (by_nl, by_en) = by_telephone(spoken_with.as_ref());
            say!(
                "{location} zegt nee: {nl}{by_nl}.",
                "{location} says no: {en}{by_en}.",
                location = offer.location,
                nl = nl,
                en = en,
                by_nl = by_nl,
                by_en = by_en,
            )
        }
        Fact::OfferMedicallyAgreed { offer, .. } => {
            named(offer, "heeft akkoord van de opnemend arts", "has the admitting doctor's agreement")
        }
        Fact::OfferChosen { offer, .. } => named(offer, "is gekozen", "was chosen"),
        Fact::OfferContested { offer, .. } => {
            named(offer, "zegt dit antwoord niet te hebben gegeven", "says that it never gave this answer")
        }
        other => tell_place(other),
    }
}

fn named(offer: &OfferRef, nl: &str, en: &str) -> Sentence {
    say!("{location} {nl}.", "{location} {en}.", location = offer.location, nl = nl, en = en)
}

fn by_telephone(spoken_with: Option<&Role>) -> (alloc::string::String, alloc::string::String) {
    let Some(role) = spoken_with else { return Default::default() };
    let Sentence { nl, en } =
        say!(" (telefonisch, gesproken met {role})", " (by telephone, spoken with {role})", role = role);
    (nl, en)
}

fn accepted(offer: &OfferRef, from: Timestamp, spoken_with: Option<&Role>) -> Sentence {
    let (by_nl, by_en) = by_telephone(spoken_with);
    say!(
        "{location} zegt een plek toe vanaf {from}{by_nl}.",
        "{location} promises a place from {from}{by_en}.",
        location = offer.location,
        from = from,
        by_nl = by_nl,
        by_en = by_en,
    )
}

#[expect(clippy::wildcard_enum_match_arm, reason = "a new fact is told by its type until it has a sentence")]
fn tell_place(fact: &Fact) -> Sentence {
    match fact {
        Fact::HoldGranted { place, until, .. } => say!(
            "Gereserveerd bij {location} tot {until}.",
            "Kept at {location} until {until}.",
            location = place.location,
            until = until,
        ),
        Fact::HoldExtended { place, until, .. } => say!(
            "Reservering bij {location} verlengd tot {until}.",
            "Hold at {location} extended until {until}.",
            location = place.location,
            until = until,
        ),
        Fact::HoldReleased { place, .. } => at(place, "Reservering losgelaten", "Hold released"),
        Fact::HoldLapsed { place, .. } => at(place, "Reservering verlopen", "Hold lapsed"),
        Fact::HoldOverdue { place, .. } => at(
            place,
            "Reservering over tijd, aankomst was afgesproken",
            "Hold overdue, an arrival was agreed",
        ),
        Fact::StayAdmitted { place, .. } => at(place, "Opgenomen", "Admitted"),
        Fact::StayDischarged { place, destination, .. } => say!(
            "Ontslagen bij {location}, naar: {destination}.",
            "Discharged from {location}, to: {destination}.",
            location = place.location,
            destination = destination,
        ),
        Fact::StayMoved { to, .. } => say!(
            "Verplaatst naar {location}, bed {bed}.",
            "Moved to {location}, bed {bed}.",
            location = to.location,
            bed = to.bed,
        ),
        other => tell_stay(other),
    }
}

fn at(place: &Place, nl: &str, en: &str) -> Sentence {
    say!("{nl}: {location}.", "{en}: {location}.", nl = nl, en = en, location = place.location)
}

#[expect(clippy::wildcard_enum_match_arm, reason = "a new fact is told by its type until it has a sentence")]
fn tell_stay(fact: &Fact) -> Sentence {
    match fact {
        Fact::StayMoveCancelled { .. } => say!("Verplaatsing teruggedraaid.", "The move was cancelled."),
        Fact::StayAdmissionCancelled { .. } => say!("Opname teruggedraaid.", "The admission was cancelled."),
        Fact::StayDischargeCancelled { .. } => say!("Ontslag teruggedraaid.", "The discharge was cancelled."),
        Fact::StayDischargePlanned { expected_at: Some(at), .. } => {
            say!("Ontslag gepland: {at}.", "Discharge planned: {at}.", at = at)
        }
        Fact::StayDischargePlanned { expected_at: None, .. } | Fact::StayDischargePlanWithdrawn { .. } => {
            say!("Geplande ontslagdag vervalt.", "The planned day of discharge does not hold.")
        }
        Fact::StayWaitingFor { what: WaitingFor::Nothing, .. } => {
            say!("Wacht niet meer.", "Does not wait any more.")
        }
        Fact::StayWaitingFor { what, since, .. } => say!(
            "Kan weg en wacht op {what}, sinds {since}.",
            "Could leave and waits for {what}, since {since}.",
            what = what,
            since = since,
        ),
        Fact::StayPlanSet { items, .. } => {
            let count = items.len();
            say!("Plan voor thuis: {count} punten.", "Plan for going home: {count} items.", count = count)
        }
        Fact::StayTriageReviewed { outcome, .. } => {
            say!("Opnieuw gewogen: {outcome}.", "Weighed again: {outcome}.", outcome = outcome)
        }
        Fact::StayFundingSwitched { funding, .. } => {
            say!("Bekostiging gewijzigd: {funding}.", "Somebody else pays: {funding}.", funding = funding)
        }
        other => {
            let kind = other.kind();
            say!("{kind}.", "{kind}.", kind = kind)
        }
    }
}
