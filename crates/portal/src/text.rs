//! Text made fit for a page: names others gave, telephone links, times in the Netherlands, ages.
//!
//! Escaping for HTML is the template engine's; what is here keeps a name from breaking the layout or the reading
//! direction around it. A name is shown inside `<bdi>`.

use std::fmt::Write as _;

use domain::{Label, Timestamp, is_seen, is_unfit};
use jiff::tz::TimeZone;

use crate::words::Lang;

/// Characters of a name that are shown. More would push the numbers off a telephone's screen.
const NAME_CHARS_MAX: usize = 80;
/// Combining marks in a row that are shown. Real writing needs two or three; more only paints over the neighbours.
const COMBINING_MAX: usize = 3;

/// The clock of the Netherlands.
pub(crate) static AMSTERDAM: TimeZone = jiff::tz::get!("Europe/Amsterdam");

/// A name that somebody gave, fit to be shown: controls and direction marks become `�`, stacks of combining marks
/// are thinned, and what is longer than 80 characters is cut, with `…` as the sign of it. A name of which nothing can be seen is `�`.
pub(crate) fn shown(name: &str) -> String {
    if !name.is_empty() && !is_seen(name) {
        return '\u{FFFD}'.into();
    }
    let mut text = String::with_capacity(name.len().min(NAME_CHARS_MAX * 4));
    let (mut marks, mut chars) = (0, 0);
    for character in name.chars() {
        marks = if is_combining(character) { marks + 1 } else { 0 };
        if marks > COMBINING_MAX {
            continue;
        }
        if chars == NAME_CHARS_MAX {
            text.push('…');
            break;
        }
        chars += 1;
        text.push(if is_unfit(character) { '\u{FFFD}' } else { character });
    }
    text
}

/// What a location is called, fit to be shown; its id where nothing of the name can be seen.
pub(crate) fn called(name: &Label, id: &impl ToString) -> String {
    if is_seen(name.as_str()) { shown(name.as_str()) } else { id.to_string() }
}

/// The blocks of Unicode that hold only combining marks.
fn is_combining(character: char) -> bool {
    matches!(character,
        '\u{0300}'..='\u{036F}' | '\u{0483}'..='\u{0489}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}'
        | '\u{20D0}'..='\u{20FF}' | '\u{FE00}'..='\u{FE0F}' | '\u{FE20}'..='\u{FE2F}')
}

/// What a form gives back as it was written, also where that is not fit to be shown: escaped, for the value of a field.
pub(crate) fn kept(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if is_unfit(character) || matches!(character, '&' | '<' | '>' | '"' | '\'') {
            let _ = write!(escaped, "&#{};", u32::from(character));
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// The target of a telephone link: the digits, with the `+` in front if there is one; `None` without any digit.
pub(crate) fn tel(number: &str) -> Option<String> {
    let digits: String = number.replace("(0)", "").chars().filter(char::is_ascii_digit).take(20).collect();
    let plus = if number.trim_start().starts_with('+') { "+" } else { "" };
    (!digits.is_empty()).then(|| format!("tel:{plus}{digits}"))
}

/// A moment in the Netherlands: `14:03`, or `21 nov 14:03` when that is another day than `now`.
pub(crate) fn clock(at: Timestamp, now: Timestamp, lang: Lang) -> String {
    let (Some(at), Some(now)) = (zoned(at), zoned(now)) else { return String::from("?") };
    let time = format!("{:02}:{:02}", at.hour(), at.minute());
    if at.date() == now.date() {
        return time;
    }
    let year = if at.year() == now.year() { String::new() } else { format!(" {}", at.year()) };
    format!("{} {}{year} {time}", at.day(), lang.month(at.month()))
}

/// The same with seconds: the moment the page stands at.
pub(crate) fn clock_seconds(at: Timestamp, now: Timestamp, lang: Lang) -> String {
    match zoned(at) {
        Some(moment) => format!("{}:{:02}", clock(at, now, lang), moment.second()),
        None => String::from("?"),
    }
}

/// A moment in the Netherlands with its day and year, as it is read on paper that lies about: `21 nov 2026 14:03:20`.
pub(crate) fn dated(at: Timestamp, lang: Lang) -> String {
    let said = |at: jiff::Zoned| {
        let time = at.strftime("%H:%M:%S").to_string();
        format!("{} {} {} {time}", at.day(), lang.month(at.month()), at.year())
    };
    zoned(at).map_or_else(|| String::from("?"), said)
}

/// The next time that the clock in the Netherlands says this hour.
pub(crate) fn next_hour(now: Timestamp, hour: i8) -> Timestamp {
    let next = || {
        let zoned = zoned(now)?;
        let today = zoned.date().at(hour, 0, 0, 0).to_zoned(AMSTERDAM.clone()).ok()?;
        let next = if today > zoned {
            today
        } else {
            zoned.date().tomorrow().ok()?.at(hour, 0, 0, 0).to_zoned(AMSTERDAM.clone()).ok()?
        };
        Some(Timestamp::from_micros(next.timestamp().as_microsecond()))
    };
    next().unwrap_or(now)
}

/// The last moment of a day at which most houses still take somebody in.
const EVENING_HOUR: i8 = 20;

/// The next evening, and the key of what it is called: this evening, or tomorrow's once it is evening.
pub(crate) fn evening(now: Timestamp) -> (&'static str, Timestamp) {
    let at = next_hour(now, EVENING_HOUR);
    let same_day = zoned(at).map(|at| at.date()) == zoned(now).map(|now| now.date());
    (if same_day { "ahead-tonight" } else { "ahead-tomorrow" }, at)
}

/// A moment in the Netherlands as a field of a form has it: `2026-03-02T14:03`.
pub(crate) fn local(at: Timestamp) -> String {
    zoned(at).map_or_else(String::new, |at| at.strftime("%Y-%m-%dT%H:%M").to_string())
}

fn zoned(at: Timestamp) -> Option<jiff::Zoned> {
    let at = jiff::Timestamp::from_microsecond(at.as_micros()).ok()?;
    Some(at.to_zoned(AMSTERDAM.clone()))
}

/// How long ago, in one unit: `zojuist`, `12 min`, `3 u`, `2 d`. What lies ahead is `zojuist`: clocks differ.
/// The script says the same thing in the same words.
pub(crate) fn age(at: Timestamp, now: Timestamp, lang: Lang) -> String {
    let minutes = now.as_micros().saturating_sub(at.as_micros()) / 60_000_000;
    match minutes {
        ..1 => lang.t("just-now").to_owned(),
        1..120 => format!("{minutes} min"),
        120..2_880 => format!("{} {}", minutes / 60, lang.t("hour-unit")),
        _ => format!("{} {}", minutes / 1_440, lang.t("day-unit")),
    }
}

/// A length of time, in microseconds: `15 min`, `1 u 59 min`, `3 d`; the script counts in the same words.
pub(crate) fn span(micros: i64, lang: Lang) -> String {
    let minutes = micros / 60_000_000;
    match minutes {
        ..60 => format!("{minutes} min"),
        60..2_880 if minutes % 60 == 0 => format!("{} {}", minutes / 60, lang.t("hour-unit")),
        60..2_880 => format!("{} {} {} min", minutes / 60, lang.t("hour-unit"), minutes % 60),
        _ => format!("{} {}", minutes / 1_440, lang.t("day-unit")),
    }
}

/// Whether the word of a location is so old that it should be asked for again.
pub(crate) fn is_stale(at: Timestamp, now: Timestamp) -> bool {
    now.as_micros().saturating_sub(at.as_micros()) > STALE_AFTER_MICROS
}

/// A location that said nothing for a day is asked whether its word still holds.
pub(crate) const STALE_AFTER_MICROS: i64 = 24 * 3_600 * 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_hundred_thousand_combining_marks_become_three() {
        let zalgo: String = core::iter::once('e').chain(core::iter::repeat_n('\u{0301}', 100_000)).collect();
        assert_eq!(shown(&zalgo), "e\u{0301}\u{0301}\u{0301}");
    }

    #[test]
    fn a_long_name_is_cut_at_eighty_characters() {
        let cut = shown(&"é".repeat(500));
        assert_eq!(cut.chars().count(), 81);
        assert!(cut.ends_with("é…"));
        assert_eq!(shown(&"é".repeat(80)), "é".repeat(80));
    }

    #[test]
    fn marks_that_turn_the_reading_direction_and_nul_are_made_visible() {
        assert_eq!(shown("De\u{202E}Linde\u{0}\u{200F}"), "De�Linde��");
    }

    #[test]
    fn a_location_whose_name_nobody_can_see_is_called_by_its_id() {
        let called = |name: &str| called(&Label::try_from(name).unwrap(), &"zk23-de-linde");
        assert_eq!(
            (called("\u{3164}\u{200B}"), called("De Linde")),
            ("zk23-de-linde".into(), "De Linde".into())
        );
        assert_eq!(shown("\u{2800}"), "�");
    }

    #[test]
    fn what_a_form_gives_back_is_what_was_written_and_breaks_out_of_nothing() {
        assert_eq!(kept("De\u{202E}\"Linde\" & <b>"), "De&#8238;&#34;Linde&#34; &#38; &#60;b&#62;");
    }

    #[test]
    fn times_are_those_of_the_netherlands_in_summer_and_winter() {
        let now = at("2026-07-01T20:00:00Z");
        assert_eq!(clock(at("2026-07-01T12:03:00Z"), now, Lang::Nl), "14:03");
        assert_eq!(clock(at("2026-03-02T12:03:00Z"), now, Lang::Nl), "2 mrt 13:03");
        assert_eq!(clock(at("2025-12-31T23:30:00Z"), now, Lang::En), "1 Jan 00:30");
        assert_eq!(clock(at("2025-12-31T22:30:00Z"), now, Lang::En), "31 Dec 2025 23:30");
        assert_eq!(clock_seconds(at("2026-07-01T12:03:09Z"), now, Lang::Nl), "14:03:09");
        assert_eq!(dated(at("2025-12-31T23:30:09Z"), Lang::Nl), "1 jan 2026 00:30:09");
    }

    #[test]
    fn the_next_evening_is_today_s_or_tomorrow_s_also_when_the_clock_changes() {
        let next = |text| next_hour(at(text), 20).to_string();
        assert_eq!(next("2026-07-01T12:00:00Z"), "2026-07-01T18:00:00.000Z");
        assert_eq!(next("2026-07-01T18:00:00Z"), "2026-07-02T18:00:00.000Z");
        assert_eq!(next("2026-10-24T19:00:00Z"), "2026-10-25T19:00:00.000Z", "winter has begun by then");
        assert_eq!(local(at("2026-10-25T01:30:00Z")), "2026-10-25T02:30");
    }

    #[test]
    fn once_it_is_evening_the_next_one_is_tomorrow_s() {
        let (key, time) = evening(at("2026-11-22T18:59:00Z"));
        assert_eq!((key, time), ("ahead-tonight", at("2026-11-22T19:00:00Z")));
        let (key, time) = evening(at("2026-11-22T20:42:00Z"));
        assert_eq!((key, time), ("ahead-tomorrow", at("2026-11-23T19:00:00Z")));
        assert_eq!(evening(at("2026-11-22T23:30:00Z")).0, "ahead-tonight", "after midnight");
    }

    #[test]
    fn an_age_is_said_in_one_unit() {
        let now = at("2026-03-05T12:00:00Z");
        let cases = [
            ("2026-03-05T12:00:30Z", "zojuist"),
            ("2026-03-05T11:59:30Z", "zojuist"),
            ("2026-03-05T11:01:00Z", "59 min"),
            ("2026-03-05T10:00:00Z", "2 u"),
            ("2026-03-03T12:00:00Z", "2 d"),
        ];
        for (moment, said) in cases {
            assert_eq!(age(at(moment), now, Lang::Nl), said, "{moment}");
        }
    }

    #[test]
    fn a_telephone_link_holds_digits_only() {
        assert_eq!(tel("+31 (0)88-123 45 67").as_deref(), Some("tel:+31881234567"));
        assert_eq!(tel("javascript:alert(1)").as_deref(), Some("tel:1"));
        assert_eq!(tel("onbekend"), None);
    }
}
