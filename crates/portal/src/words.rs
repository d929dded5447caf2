//! What a page says, in Dutch (the default) and English.
//!
//! Not here: names that people gave (`text`), numbers and their meaning (`board`).

use domain::CareType;

/// The language of a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lang {
    /// Dutch, the language of those who use it.
    #[default]
    Nl,
    /// English, by `?lang=en`.
    En,
}

impl Lang {
    /// The language asked for; what is not known is Dutch.
    pub(crate) fn asked(lang: Option<&str>) -> Self {
        if lang == Some("en") { Self::En } else { Self::Nl }
    }

    /// The tag for `lang=`.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::Nl => "nl",
            Self::En => "en",
        }
    }

    /// The other one.
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Nl => Self::En,
            Self::En => Self::Nl,
        }
    }

    /// What a page says in this language.
    pub(crate) fn words(self) -> &'static Words {
        match self {
            Self::Nl => &DUTCH,
            Self::En => &ENGLISH,
        }
    }

    /// The name of a care type, by its code.
    pub(crate) fn care_type(self, code: &str) -> &'static str {
        let (dutch, english) = match CareType::from(code) {
            CareType::ElvLc => ("ELV laag complex", "Primary care stay, low complexity"),
            CareType::ElvHc => ("ELV hoog complex", "Primary care stay, high complexity"),
            CareType::ElvPtz => ("ELV palliatief", "Primary care stay, palliative"),
            CareType::Grz => ("Geriatrische revalidatie", "Geriatric rehabilitation"),
            CareType::WlzCrisis => ("Wlz-crisisplek", "Long-term care, crisis"),
            CareType::WlzObs => ("Wlz-observatie", "Long-term care, observation"),
            CareType::Respijt => ("Respijtzorg", "Respite care"),
            CareType::WmoSpoed => ("Wmo-spoedopvang", "Social support, emergency"),
            CareType::Spoedbed => ("Spoedbed", "Emergency bed"),
            CareType::Gzsp => ("Zorg specifieke groepen", "Care for specific patients"),
            CareType::Wijkverpl => ("Wijkverpleging", "District nursing"),
            CareType::Ggz => ("Geestelijke gezondheidszorg", "Mental health care"),
            CareType::IbsRm => ("Gedwongen opname (Wzd)", "Compulsory admission (Wzd)"),
            CareType::Hospice => ("Hospice", "Hospice"),
            CareType::Other(_) => ("Andere zorgsoort", "Another care type"),
        };
        match self {
            Self::Nl => dutch,
            Self::En => english,
        }
    }

    /// The month of a date, 1 to 12, in three letters.
    pub(crate) fn month(self, month: i8) -> &'static str {
        let (dutch, english) = match month {
            1 => ("jan", "Jan"),
            2 => ("feb", "Feb"),
            3 => ("mrt", "Mar"),
            4 => ("apr", "Apr"),
            5 => ("mei", "May"),
            6 => ("jun", "Jun"),
            7 => ("jul", "Jul"),
            8 => ("aug", "Aug"),
            9 => ("sep", "Sep"),
            10 => ("okt", "Oct"),
            11 => ("nov", "Nov"),
            _ => ("dec", "Dec"),
        };
        match self {
            Self::Nl => dutch,
            Self::En => english,
        }
    }
}

/// The fixed texts of the pages.
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) skip: &'static str,
    pub(crate) menu: &'static str,
    pub(crate) desks: &'static str,
    pub(crate) desks_intro: &'static str,
    pub(crate) desk: &'static str,
    pub(crate) hours: &'static str,
    pub(crate) phone: &'static str,
    pub(crate) see_board: &'static str,
    pub(crate) overview: &'static str,
    pub(crate) overview_intro: &'static str,
    pub(crate) map: &'static str,
    pub(crate) legend: &'static str,
    pub(crate) level_some: &'static str,
    pub(crate) level_few: &'static str,
    pub(crate) level_none: &'static str,
    pub(crate) level_unknown: &'static str,
    pub(crate) country: &'static str,
    pub(crate) availability: &'static str,
    pub(crate) region: &'static str,
    pub(crate) per_care_type: &'static str,
    pub(crate) care_type: &'static str,
    pub(crate) all_types: &'static str,
    pub(crate) locations: &'static str,
    pub(crate) no_rows: &'static str,
    pub(crate) offerable: &'static str,
    pub(crate) also: &'static str,
    pub(crate) also_hint: &'static str,
    pub(crate) held: &'static str,
    pub(crate) not_ready: &'static str,
    pub(crate) occupied: &'static str,
    pub(crate) waiting: &'static str,
    pub(crate) waiting_hint: &'static str,
    pub(crate) closed: &'static str,
    pub(crate) unstaffed: &'static str,
    pub(crate) reserve: &'static str,
    pub(crate) reserve_hint: &'static str,
    pub(crate) total: &'static str,
    pub(crate) last_word: &'static str,
    pub(crate) stale: &'static str,
    pub(crate) stopped: &'static str,
    pub(crate) stopped_wards: &'static str,
    pub(crate) reported: &'static str,
    pub(crate) reported_hint: &'static str,
    pub(crate) day: &'static str,
    pub(crate) night: &'static str,
    pub(crate) no_phone: &'static str,
    pub(crate) contradictions: &'static str,
    pub(crate) contradictions_intro: &'static str,
    pub(crate) contradictions_none: &'static str,
    pub(crate) contradictions_more: &'static str,
    pub(crate) position: &'static str,
    pub(crate) bed: &'static str,
    pub(crate) as_of: &'static str,
    pub(crate) live: &'static str,
    pub(crate) catching_up: &'static str,
    pub(crate) silent: &'static str,
    pub(crate) trouble: &'static str,
    pub(crate) no_script: &'static str,
    pub(crate) other_language: &'static str,
    pub(crate) zone: &'static str,
    pub(crate) just_now: &'static str,
    pub(crate) hour_unit: &'static str,
    pub(crate) day_unit: &'static str,
    pub(crate) back: &'static str,
}

static DUTCH: Words = Words {
    skip: "Naar de inhoud",
    menu: "Hoofdmenu",
    desks: "Regioloketten",
    desks_intro: "Zoekt u voor iemand een tijdelijk bed, bel dan het loket van de regio. Het loket weegt mee, zoekt een plek en blijft het aanspreekpunt.",
    desk: "Loket",
    hours: "Bereikbaar",
    phone: "Telefoon",
    see_board: "Beschikbaarheid",
    overview: "Landelijk overzicht",
    overview_intro: "Bedden die nu aan te bieden zijn, per regio. Eén tegel per zorgkantoorregio, allemaal even groot.",
    map: "Tegelkaart van de regio's",
    legend: "Legenda",
    level_some: "drie of meer",
    level_few: "een of twee",
    level_none: "geen",
    level_unknown: "geen opgave",
    country: "Nederland",
    availability: "Beschikbaarheid",
    region: "Regio",
    per_care_type: "Per zorgsoort",
    care_type: "Zorgsoort",
    all_types: "Alle zorgsoorten",
    locations: "Locaties",
    no_rows: "Van deze keuze is in deze regio nog niets bekend. Bel het loket.",
    offerable: "nu beschikbaar",
    also: "ook inzetbaar",
    also_hint: "Beschikbare bedden van een andere zorgsoort die ook hiervoor kunnen",
    held: "gereserveerd",
    not_ready: "wordt schoongemaakt",
    occupied: "bezet",
    waiting: "waarvan wacht",
    waiting_hint: "Kan weg, maar wacht op een volgende plek of op zorg thuis",
    closed: "buiten gebruik",
    unstaffed: "geen personeel",
    reserve: "achter de hand",
    reserve_hint: "In overleg: bel de locatie",
    total: "bedden",
    last_word: "laatste woord",
    stale: "ouder dan een dag: bel om te vragen of dit nog klopt",
    stopped: "Opnamestop",
    stopped_wards: "Opnamestop op afdeling",
    reported: "opgave",
    reported_hint: "Aantallen zoals de locatie ze opgaf, niet per bed bijgehouden",
    day: "overdag",
    night: "'s nachts",
    no_phone: "geen nummer bekend: bel het loket",
    contradictions: "Tegenspraken",
    contradictions_intro: "Wat binnenkwam en niet paste bij wat wij dachten. Het bericht is vastgelegd; wie het weet, zet het recht met een nieuw bericht.",
    contradictions_none: "Geen tegenspraken in deze regio.",
    contradictions_more: "De nieuwste staan hier; in totaal in deze regio bewaard:",
    position: "positie",
    bed: "bed",
    as_of: "laatste bericht",
    live: "live",
    catching_up: "wordt bijgewerkt",
    silent: "Geen verbinding meer met de bedden. Dit was de stand van {t}; daarna kan er iets veranderd zijn. Bel om zeker te zijn.",
    trouble: "Er is een storing: nieuwe berichten worden nu niet verwerkt. Dit was de stand van {t}. Bel om zeker te zijn.",
    no_script: "Deze pagina ververst niet vanzelf: laad haar opnieuw voor de nieuwste stand.",
    other_language: "English",
    zone: "Alle tijden zijn Nederlandse tijd.",
    just_now: "zojuist",
    hour_unit: "u",
    day_unit: "d",
    back: "Naar het landelijk overzicht",
};

static ENGLISH: Words = Words {
    skip: "Skip to content",
    menu: "Main menu",
    desks: "Regional desks",
    desks_intro: "If you are looking for a temporary bed for somebody, ring the desk of the region. The desk weighs the need, finds a place and stays your contact.",
    desk: "Desk",
    hours: "Answers",
    phone: "Telephone",
    see_board: "Availability",
    overview: "National overview",
    overview_intro: "Beds that can be offered now, per region. One tile per care office region, all of one size.",
    map: "Tile map of the regions",
    legend: "Legend",
    level_some: "three or more",
    level_few: "one or two",
    level_none: "none",
    level_unknown: "nothing known",
    country: "The Netherlands",
    availability: "Availability",
    region: "Region",
    per_care_type: "Per care type",
    care_type: "Care type",
    all_types: "All care types",
    locations: "Locations",
    no_rows: "Nothing is known for this choice in this region yet. Ring the desk.",
    offerable: "available now",
    also: "also usable",
    also_hint: "Available beds of another care type that can be used for this one too",
    held: "reserved",
    not_ready: "being cleaned",
    occupied: "occupied",
    waiting: "of which waiting",
    waiting_hint: "Could leave, but waits for a next place or for care at home",
    closed: "closed",
    unstaffed: "no staff",
    reserve: "in reserve",
    reserve_hint: "To be asked for: ring the location",
    total: "beds",
    last_word: "last word",
    stale: "over a day old: ring to ask whether this still holds",
    stopped: "Admissions stopped",
    stopped_wards: "Admissions stopped on ward",
    reported: "reported",
    reported_hint: "Counts as the location reported them, not kept bed by bed",
    day: "by day",
    night: "at night",
    no_phone: "no number known: ring the desk",
    contradictions: "Contradictions",
    contradictions_intro: "What came in and did not fit what we believed. The message is recorded; whoever knows better sets it right with a new message.",
    contradictions_none: "No contradictions in this region.",
    contradictions_more: "The newest are shown; kept for this region in all:",
    position: "position",
    bed: "bed",
    as_of: "last message",
    live: "live",
    catching_up: "catching up",
    silent: "No connection to the beds any more. This is how it stood at {t}; it may have changed since. Ring to be sure.",
    trouble: "Something is out of order: new messages are not being processed. This is how it stood at {t}. Ring to be sure.",
    no_script: "This page does not refresh by itself: reload it for the latest.",
    other_language: "Nederlands",
    zone: "All times are Dutch time.",
    just_now: "just now",
    hour_unit: "h",
    day_unit: "d",
    back: "To the national overview",
};
