//! Charts made by the server: an SVG with axes and words, and the same numbers as a table and as CSV.
//!
//! Whole numbers in, text out; the same chart on every machine. Colours and patterns are in the stylesheet, and the pattern
//! alone tells the series apart. Not here: what is counted (`figures`).

use std::fmt::Write as _;

/// The width of a chart, in units of its own.
const WIDTH: u64 = 640;
/// The height of one with upright bars or lines.
const HEIGHT: u64 = 220;
/// Room for the numbers beside the axis.
const LEFT: u64 = 44;
const RIGHT: u64 = 22;
const TOP: u64 = 12;
/// Room for the words below the axis.
const BOTTOM: u64 = 26;
/// Lines across, above the axis.
const LINES: u64 = 4;
/// Words below the axis stand at least this far apart.
const WORD_WIDTH: u64 = 52;
/// One lying bar with its word.
const BAR_HEIGHT: u64 = 24;
/// Room for the word of a lying bar.
const BAR_LEFT: u64 = 210;
/// Room for the number behind the longest bar.
const BAR_RIGHT: u64 = 52;
/// Series with a look of their own; the stylesheet has a class for each.
pub(crate) const SERIES_MAX: usize = 6;

/// One row of numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Series {
    /// What people call it.
    pub(crate) name: String,
    /// One for each label.
    pub(crate) values: Vec<u64>,
}

/// How it is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Upright bars, the series on top of each other.
    Stacked,
    /// A line for each series.
    Lines,
    /// Lying bars, of the first series.
    Lying,
}

/// A chart with its numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chart {
    /// Its name in addresses and ids: lower-case letters.
    pub(crate) id: &'static str,
    /// What it shows.
    pub(crate) title: String,
    /// What it comes to, in a sentence.
    pub(crate) about: String,
    /// What the labels are.
    pub(crate) first: String,
    pub(crate) kind: Kind,
    /// One for each number, as in the file.
    pub(crate) labels: Vec<String>,
    /// The same as the table of the page has them; empty if the labels can be read as they are.
    pub(crate) spoken: Vec<String>,
    /// The same, short, for the axis; empty if the labels are short enough.
    pub(crate) short: Vec<String>,
    /// At most [`SERIES_MAX`].
    pub(crate) series: Vec<Series>,
    /// What the sum of the series is called, if it means something.
    pub(crate) total: Option<String>,
}

impl Chart {
    /// Nothing was counted.
    pub(crate) fn is_empty(&self) -> bool {
        self.series.iter().all(|series| series.values.iter().all(|value| *value == 0))
    }

    /// The heads of its table.
    pub(crate) fn heads(&self) -> Vec<&str> {
        let series = self.series.iter().map(|series| series.name.as_str());
        let total = if self.series.len() > 1 { self.total.as_deref() } else { None };
        core::iter::once(self.first.as_str()).chain(series).chain(total).collect()
    }

    /// The rows of its table: the label and the numbers.
    pub(crate) fn rows(&self) -> Vec<(&str, Vec<u64>)> {
        self.rows_of(if self.spoken.is_empty() { &self.labels } else { &self.spoken })
    }

    fn rows_of<'a>(&self, labels: &'a [String]) -> Vec<(&'a str, Vec<u64>)> {
        let with_total = self.series.len() > 1 && self.total.is_some();
        let row = |index: usize| {
            let mut numbers: Vec<u64> = self.series.iter().map(|series| at(&series.values, index)).collect();
            if with_total {
                numbers.push(numbers.iter().sum());
            }
            numbers
        };
        labels.iter().enumerate().map(|(index, label)| (label.as_str(), row(index))).collect()
    }

    /// The table as CSV (RFC 4180), with the heads as its first line.
    pub(crate) fn csv(&self) -> String {
        let mut text = String::new();
        let heads: Vec<String> = self.heads().into_iter().map(cell).collect();
        let _ = write!(text, "{}\r\n", heads.join(","));
        for (label, numbers) in self.rows_of(&self.labels) {
            text.push_str(&cell(label));
            for number in numbers {
                let _ = write!(text, ",{number}");
            }
            text.push_str("\r\n");
        }
        text
    }

    /// What each series looks like, with its name; nothing to tell apart if there is one.
    pub(crate) fn keys(&self) -> Vec<(String, &str)> {
        if self.series.len() < 2 || self.kind == Kind::Lying {
            return Vec::new();
        }
        let look = |index: usize| match self.kind {
            Kind::Lines => format!(r#"<path class="ch-l ch-l{index}" d="M0 7H26"/>"#),
            Kind::Stacked | Kind::Lying => {
                format!(r#"<rect width="26" height="14" {}/>"#, self.fill(index))
            }
        };
        let key = |(index, series): (usize, &'_ Series)| {
            format!(
                r#"<svg class="ch-key" viewBox="0 0 26 14" width="26" height="14" aria-hidden="true" data-name="{}">{}</svg>"#,
                escaped(&series.name),
                look(index)
            )
        };
        self.series.iter().enumerate().map(|pair| (key(pair), pair.1.name.as_str())).collect()
    }

    /// The picture.
    pub(crate) fn svg(&self) -> String {
        let rows = u64::try_from(self.labels.len()).unwrap_or(u64::MAX);
        let height = match self.kind {
            Kind::Stacked | Kind::Lines => HEIGHT,
            Kind::Lying => rows.saturating_mul(BAR_HEIGHT).saturating_add(8),
        };
        let id = self.id;
        let mut svg = format!(
            r#"<svg class="chart-svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="{id}-t {id}-d"><title id="{id}-t">{}</title><desc id="{id}-d">{}</desc>"#,
            escaped(&self.title),
            escaped(&self.about)
        );
        svg.push_str(&self.patterns());
        match self.kind {
            Kind::Stacked => {
                let top = ceiling(self.sums().into_iter().max().unwrap_or(0));
                svg.push_str(&self.axes(top));
                svg.push_str(&self.bars(top));
            }
            Kind::Lines => {
                let all = self.series.iter().flat_map(|series| series.values.iter().copied());
                let top = ceiling(all.max().unwrap_or(0));
                svg.push_str(&self.axes(top));
                svg.push_str(&self.lines(top));
            }
            Kind::Lying => svg.push_str(&self.lying()),
        }
        svg.push_str("</svg>");
        svg
    }

    fn sums(&self) -> Vec<u64> {
        let sum = |index| self.series.iter().map(|series| at(&series.values, index)).sum();
        (0..self.labels.len()).map(sum).collect()
    }

    /// How a series is filled: every second one has a pattern, so that colour is not what tells them apart.
    fn fill(&self, index: usize) -> String {
        if index.is_multiple_of(2) {
            format!(r#"class="ch-f{index}""#)
        } else {
            format!(r#"fill="url(#{}-p{index})""#, self.id)
        }
    }

    fn patterns(&self) -> String {
        if self.kind != Kind::Stacked || self.series.len() < 2 {
            return String::new();
        }
        let strokes = ["M0 6L6 0", "M0 3H6", "M0 0L6 6M0 6L6 0"];
        let mut text = String::from("<defs>");
        let patterned = (0..self.series.len().min(SERIES_MAX)).filter(|index| !index.is_multiple_of(2));
        for (index, stroke) in patterned.zip(strokes) {
            let _ = write!(
                text,
                r#"<pattern id="{}-p{index}" width="6" height="6" patternUnits="userSpaceOnUse"><rect class="ch-f{index}" width="6" height="6"/><path class="ch-h" d="{stroke}"/></pattern>"#,
                self.id
            );
        }
        text.push_str("</defs>");
        text
    }

    /// The lines across with their numbers, and the words below.
    fn axes(&self, top: u64) -> String {
        let mut text = String::new();
        let step = top.div_ceil(LINES).max(1);
        let mut value = 0;
        while value <= top {
            let y = y_of(value, top);
            let _ = write!(
                text,
                r#"<path class="ch-g" d="M{LEFT} {y}H{}"/><text class="ch-t ch-e" x="{}" y="{}">{value}</text>"#,
                WIDTH - RIGHT,
                LEFT - 6,
                y.saturating_add(4)
            );
            value = value.saturating_add(step);
        }
        let words = if self.short.is_empty() { &self.labels } else { &self.short };
        let count = u64::try_from(words.len()).unwrap_or(u64::MAX).max(1);
        let every = count.saturating_mul(WORD_WIDTH).div_ceil(WIDTH - LEFT - RIGHT).max(1);
        for (index, word) in (0_u64..).zip(words) {
            // Counted from the last one, which is the newest.
            if !count.saturating_sub(index).saturating_sub(1).is_multiple_of(every) {
                continue;
            }
            let x = x_of(index, count).midpoint(x_of(index.saturating_add(1), count));
            let _ = write!(
                text,
                r#"<text class="ch-t ch-m" x="{x}" y="{}">{}</text>"#,
                HEIGHT - 8,
                escaped(word)
            );
        }
        text
    }

    fn bars(&self, top: u64) -> String {
        let count = u64::try_from(self.labels.len()).unwrap_or(u64::MAX);
        let mut below = vec![0_u64; self.labels.len()];
        let mut text = String::new();
        for (number, series) in self.series.iter().take(SERIES_MAX).enumerate() {
            let mut path = String::new();
            for ((index, value), base) in (0_u64..).zip(&series.values).zip(&mut below) {
                if *value == 0 {
                    continue;
                }
                let (low, high) = (y_of(*base, top), y_of(base.saturating_add(*value), top));
                let (left, right) = (x_of(index, count), x_of(index.saturating_add(1), count));
                let gap = (right.saturating_sub(left) / 6).clamp(1, 6);
                let width = right.saturating_sub(left).saturating_sub(gap).max(1);
                let x = left.saturating_add(gap / 2);
                // What was counted is seen, however little it is beside the rest.
                let tall = low.saturating_sub(high).max(1);
                let _ = write!(path, "M{x} {low}v-{tall}h{width}v{tall}z");
                *base = base.saturating_add(*value);
            }
            if !path.is_empty() {
                let _ = write!(text, r#"<path {} d="{path}"/>"#, self.fill(number));
            }
        }
        text
    }

    fn lines(&self, top: u64) -> String {
        let count = u64::try_from(self.labels.len()).unwrap_or(u64::MAX);
        let mut text = String::new();
        for (number, series) in self.series.iter().take(SERIES_MAX).enumerate() {
            let mut path = String::new();
            for (index, value) in (0_u64..).zip(&series.values) {
                let x = x_of(index, count).midpoint(x_of(index.saturating_add(1), count));
                let _ = write!(path, "{}{x} {}", if index == 0 { 'M' } else { 'L' }, y_of(*value, top));
            }
            let _ = write!(text, r#"<path class="ch-l ch-l{number}" d="{path}"/>"#);
        }
        text
    }

    fn lying(&self) -> String {
        let values = self.series.first().map_or(&[][..], |series| &series.values);
        let longest = values.iter().copied().max().unwrap_or(0).max(1);
        let room = WIDTH - BAR_LEFT - BAR_RIGHT;
        let mut text = String::new();
        for ((index, value), label) in (0_u64..).zip(values).zip(&self.labels) {
            let y = index.saturating_mul(BAR_HEIGHT).saturating_add(4);
            let width = value.saturating_mul(room) / longest;
            let _ = write!(
                text,
                r#"<text class="ch-t ch-e" x="{}" y="{line}">{}</text><rect class="ch-f0" x="{BAR_LEFT}" y="{y}" width="{width}" height="{}"/><text class="ch-t" x="{}" y="{line}">{value}</text>"#,
                BAR_LEFT - 8,
                escaped(label),
                BAR_HEIGHT - 6,
                BAR_LEFT.saturating_add(width).saturating_add(6),
                line = y.saturating_add(14),
            );
        }
        text
    }
}

fn at(values: &[u64], index: usize) -> u64 {
    values.get(index).copied().unwrap_or(0)
}

fn x_of(index: u64, count: u64) -> u64 {
    let room = WIDTH - LEFT - RIGHT;
    LEFT.saturating_add(index.saturating_mul(room).checked_div(count).unwrap_or(0))
}

fn y_of(value: u64, top: u64) -> u64 {
    let room = HEIGHT - TOP - BOTTOM;
    let up = value.saturating_mul(room).checked_div(top).unwrap_or(0).min(room);
    (HEIGHT - BOTTOM).saturating_sub(up)
}

/// The top of an axis: a number that four lines divide well, and not below the largest value.
fn ceiling(largest: u64) -> u64 {
    let mut unit = 1_u64;
    loop {
        for step in [1, 2, 5] {
            let top = unit.saturating_mul(step).saturating_mul(LINES);
            if top >= largest {
                return top;
            }
        }
        unit = unit.saturating_mul(10);
    }
}

/// Text fit for an element or an attribute.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// A cell of a CSV file. What a spreadsheet would take for a formula gets an apostrophe before it (OWASP CSV Injection).
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(kind: Kind, series: &[(&str, &[u64])]) -> Chart {
        let length = series.first().map_or(0, |(_, values)| values.len());
        Chart {
            id: "proef",
            title: "In & <uit>".to_owned(),
            about: "\"samen\" 6".to_owned(),
            first: "dag".to_owned(),
            kind,
            labels: (1..=length).map(|day| format!("2026-03-{day:02}")).collect(),
            spoken: Vec::new(),
            short: Vec::new(),
            series: series
                .iter()
                .map(|(name, values)| Series { name: (*name).to_owned(), values: values.to_vec() })
                .collect(),
            total: Some("samen".to_owned()),
        }
    }

    #[test]
    fn a_chart_says_what_it_shows_and_no_name_breaks_out_of_it() {
        for kind in [Kind::Stacked, Kind::Lines, Kind::Lying] {
            let mut bad = chart(kind, &[("<script>alert(1)</script>", &[1, 2]), ("\" onload=\"x", &[3, 0])]);
            bad.labels = vec!["</text><script>".to_owned(), "'&".to_owned()];
            let svg = bad.svg();
            assert!(svg.contains(r#"role="img" aria-labelledby="proef-t proef-d""#), "{svg}");
            assert!(svg.contains("<title id=\"proef-t\">In &amp; &lt;uit&gt;</title>"), "{svg}");
            assert!(svg.contains("&quot;samen&quot; 6"));
            assert!(!svg.contains("<script") && !svg.contains("style="), "{svg}");
            assert!(bad.keys().iter().all(|(key, _)| !key.contains("<script") && !key.contains("\" onload")));
        }
    }

    #[test]
    fn bars_stand_on_each_other_and_reach_the_line_of_their_sum() {
        let svg = chart(Kind::Stacked, &[("a", &[4]), ("b", &[4])]).svg();
        // The axis ends at 8: the first bar is as high as the second, which stands on it.
        let room = HEIGHT - TOP - BOTTOM;
        let (low, middle) = (HEIGHT - BOTTOM, HEIGHT - BOTTOM - room / 2);
        assert!(svg.contains(&format!(" {low}v-{}", room / 2)), "{svg}");
        assert!(svg.contains(&format!(" {middle}v-{}", room / 2)), "{svg}");
        assert!(svg.contains("url(#proef-p1)"), "the second has a pattern: {svg}");
    }

    #[test]
    fn an_axis_ends_at_a_round_number_that_is_not_below_the_largest() {
        let tops = [0, 1, 4, 5, 9, 41, 81, 201, 12_345].map(ceiling);
        assert_eq!(tops, [4, 4, 4, 8, 20, 80, 200, 400, 20_000]);
    }

    #[test]
    fn a_longest_lying_bar_leaves_room_for_its_number_and_nothing_is_drawn_beyond_the_edge() {
        let svg = chart(Kind::Lying, &[("n", &[0, u64::MAX / WIDTH, 7])]).svg();
        assert!(svg.contains(&format!(r#"width="{}""#, WIDTH - BAR_LEFT - BAR_RIGHT)), "{svg}");
    }

    #[test]
    fn the_file_has_the_numbers_of_the_table_and_no_formula() {
        let mut bad = chart(Kind::Stacked, &[("=1+1", &[1, 2]), ("een, \"twee\"", &[3, 4])]);
        bad.labels = vec!["@SUM(A1)".to_owned(), "-2".to_owned()];
        assert_eq!(bad.csv(), "dag,'=1+1,\"een, \"\"twee\"\"\",samen\r\n'@SUM(A1),1,3,4\r\n'-2,2,4,6\r\n");
        assert_eq!(bad.rows(), [("@SUM(A1)", vec![1, 3, 4]), ("-2", vec![2, 4, 6])]);
        // A table for people has days as people say them; a file has dates.
        let mut dated = chart(Kind::Lying, &[("n", &[7])]);
        dated.spoken = vec!["zondag 1 mrt".to_owned()];
        assert_eq!(dated.rows(), [("zondag 1 mrt", vec![7])]);
        assert_eq!(dated.csv(), "dag,n\r\n2026-03-01,7\r\n");
    }

    #[test]
    fn lines_have_a_point_for_each_number() {
        let svg = chart(Kind::Lines, &[("a", &[0, 8, 4]), ("b", &[1, 1, 1])]).svg();
        let path = svg.split(r#"class="ch-l ch-l0" d=""#).nth(1).unwrap().split('"').next().unwrap();
        assert_eq!(path.matches('L').count(), 2);
        assert!(path.starts_with('M') && path.contains(&format!(" {TOP}L")), "{path}");
    }
}
