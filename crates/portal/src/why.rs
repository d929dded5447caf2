//! What a contradiction means, in a sentence for the desk that has to solve it.
//!
//! Not here: when one arises (`views`).

use views::ContradictionKind as Kind;

use crate::words::Lang;

/// The meaning of a contradiction.
pub(crate) fn sentence(why: Kind, lang: Lang) -> &'static str {
    match lang {
        Lang::Nl => dutch(why),
        Lang::En => english(why),
    }
}

fn dutch(why: Kind) -> &'static str {
    match why {
        Kind::Late => "Kwam te laat: deze bron had over dit bed al iets nieuwers gezegd.",
        Kind::UnknownLocation => "Gaat over een locatie die zich nog niet heeft aangemeld.",
        Kind::UnknownBed => "Gaat over een bed dat wij niet kennen.",
        Kind::NeverReported => "Van deze zorgsoort heeft de locatie nog nooit aantallen opgegeven.",
        Kind::StayNotOpen => "Gaat over een verblijf dat wij niet kennen of dat al beëindigd is.",
        Kind::StayNotClosed => "Draait een ontslag terug, maar het verblijf was niet beëindigd.",
        Kind::CancelledTooLate => "Draait een ontslag terug van meer dan dertig dagen geleden.",
        Kind::BedAtReportingLocation => "Noemt een bed, maar deze locatie geeft alleen aantallen op.",
        Kind::CountsBesideBeds => "Geeft aantallen op, maar deze locatie houdt haar bedden per bed bij.",
        Kind::CountsOutOfRange => "Geeft een aantal op dat niet kan.",
        Kind::CountsExceedPhysical => {
            "Bezet, gereserveerd en beschikbaar zijn samen meer dan het aantal bedden."
        }
        Kind::BedAddedTwice => "Voegt een bed toe dat er al was.",
        Kind::RemovedOccupied => "Haalt een bed weg waar nog iemand in lag. Waar is deze cliënt?",
        Kind::RemovedHeld => "Haalt een bed weg dat gereserveerd was. Voor wie was het?",
        Kind::FreedOccupied => "Meldt een bed vrij waar volgens ons nog iemand in lag.",
        Kind::NothingToCorrect => {
            "Corrigeert een bericht dat niet het laatste over dit bed was, of niet van deze bron."
        }
        Kind::HoldOnTakenBed => "Reserveert een bed dat al bezet of voor een ander gereserveerd was.",
        Kind::NoHoldToExtend => "Verlengt een reservering die er niet (meer) is.",
        Kind::NothingOfferable => "Gebruikt een plek terwijl er volgens de opgave geen meer was.",
        Kind::StayElsewhere => "De cliënt lag volgens ons nog op een andere plek.",
        Kind::BedOccupied => "In dit bed lag volgens ons al iemand anders.",
        Kind::HeldForAnother => "Dit bed was gereserveerd voor een andere aanmelding.",
        Kind::DischargedElsewhere => "Ontslag uit een ander bed dan waar de cliënt volgens ons lag.",
        Kind::PlaceTaken => "Het ontslag is teruggedraaid, maar de oude plek is niet meer vrij.",
    }
}

fn english(why: Kind) -> &'static str {
    match why {
        Kind::Late => "Came too late: this source had already said something newer about this bed.",
        Kind::UnknownLocation => "Is about a location that has not registered yet.",
        Kind::UnknownBed => "Is about a bed we do not know.",
        Kind::NeverReported => "The location never reported counts of this care type.",
        Kind::StayNotOpen => "Is about a stay we do not know or that has ended.",
        Kind::StayNotClosed => "Cancels a discharge, but the stay had not ended.",
        Kind::CancelledTooLate => "Cancels a discharge of more than thirty days ago.",
        Kind::BedAtReportingLocation => "Names a bed, but this location reports counts only.",
        Kind::CountsBesideBeds => "Reports counts, but this location keeps its beds one by one.",
        Kind::CountsOutOfRange => "Reports a number that is not possible.",
        Kind::CountsExceedPhysical => "Occupied, reserved and available together are more than the beds.",
        Kind::BedAddedTwice => "Adds a bed that was there already.",
        Kind::RemovedOccupied => "Removes a bed that somebody was in. Where is this client?",
        Kind::RemovedHeld => "Removes a bed that was reserved. For whom was it?",
        Kind::FreedOccupied => "Frees a bed that somebody was in, as far as we knew.",
        Kind::NothingToCorrect => {
            "Corrects a message that was not the last about this bed, or not of this source."
        }
        Kind::HoldOnTakenBed => "Reserves a bed that was occupied or reserved for another.",
        Kind::NoHoldToExtend => "Extends a reservation that is not there (any more).",
        Kind::NothingOfferable => "Uses a place where none was left by the location's own count.",
        Kind::StayElsewhere => "The client was in another place, as far as we knew.",
        Kind::BedOccupied => "Somebody else was in this bed, as far as we knew.",
        Kind::HeldForAnother => "This bed was reserved for another referral.",
        Kind::DischargedElsewhere => {
            "A discharge from another bed than the client was in, as far as we knew."
        }
        Kind::PlaceTaken => "The discharge was cancelled, but the old place is not free any more.",
    }
}
