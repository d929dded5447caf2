### Regiobeeld van een coördinatiecentrum.

centre-ask = Een bed voor deze patiënt, nu
centre-area = Postcode (2 cijfers is genoeg)
centre-area-title = Twee tot vier cijfers, of een hele postcode zoals 1234 AB
centre-area-read = Afstanden gerekend vanuit postcodegebied { $area }..
centre-urgency = Hoe dringend
centre-needs = Wat moet er zijn
centre-find = Zoek een bed
centre-area-wrong = Dat is geen postcode: typ 2 tot 4 cijfers, van 10 tot 99 vooraan, of een hele zoals 1234 AB. De afstand is nu niet meegeteld.
centre-answer = Wie kan
centre-can =
    { $count ->
        [one] Eén locatie kan nu
       *[other] { $count } locaties kunnen nu
    }
centre-nobody = Geen enkele locatie in uw regio's kan dit nu. Kijk hieronder wie dichtbij is en waarom niet, of bel een loket.
centre-nobody-near = Geen enkele locatie in uw regio's kan dit nu. Bel een loket.
centre-how-far = afstand onbekend: geen postcode van deze locatie
centre-not-asked-far = typ een postcode voor de afstand
centre-free = { $count } vrij
centre-free-of = neemt er nu { $count } op, { $free } vrij
centre-score = Waarom hier ({ $score } van 100)
centre-more = En nog { $count }.
centre-cannot = Dichtbij en kan niet ({ $count })
centre-not-listed = { $count } andere locaties geven deze zorg niet, of liggen verder weg.
centre-alarms = Meldingen
centre-quiet = Er is nu niets waarvoor u gewaarschuwd wilt worden.
centre-no-rules = Voor dit centrum zijn nog geen meldingen ingesteld. De beheerder zet ze in het netwerkbestand.
centre-since = sinds { $at }
centre-offerable-below = { $care }: { $count } vrij, minder dan { $below }
centre-crisis-unplaced =
    { $count ->
        [one] Eén crisisaanmelding langer dan { $minutes } minuten zonder plek
       *[other] { $count } crisisaanmeldingen langer dan { $minutes } minuten zonder plek
    }
centre-location-silent = { $name }: { $hours } uur niets gehoord
centre-region-silent = Van geen enkele locatie iets gehoord in { $hours } uur
centre-crises = Crisisaanmeldingen
centre-open = open
centre-placeless = zonder plek
centre-promised = waarvan toegezegd
centre-placeless-hint = Zonder plek: er is nog niets gereserveerd. Toegezegd: een locatie zei ja, het loket laat nog kiezen.
centre-regions = Regio's
centre-paper = Bellijst: wie heeft een bed
centre-paper-hint = Druk deze pagina af: op papier staan alleen de meldingen en deze lijst, met de tijd. Voor als alles uitligt.
centre-location = Locatie
centre-free-beds = Vrije bedden
centre-also = { $count } ook inzetbaar
centre-none-free = Nergens in uw regio's kan nu iemand worden opgenomen.
centre-admits = Kan nu opnemen
centre-admits-later = Heeft een bed vrij, maar neemt nu niet op
centre-from = vanaf { $at }
