//! One markdown table.
#![expect(clippy::print_stdout, reason = "this is what the program is for")]

/// A line of the table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    /// What was measured.
    pub(crate) what: String,
    /// What was measured beside it, and what that gave.
    pub(crate) beside: Option<(String, String)>,
    /// What the log gave.
    pub(crate) measured: String,
    /// Against what was measured beside it.
    pub(crate) ratio: Option<f64>,
    /// What it must give.
    pub(crate) must: String,
    /// What would be good.
    pub(crate) stretch: String,
    /// Whether it does either.
    pub(crate) met: Option<(bool, bool)>,
    /// What the peer gave, and how many times that the log gave.
    pub(crate) peer: Option<(String, f64)>,
}

/// Prints its head before its first row.
#[derive(Debug, Default)]
pub(crate) struct Table {
    begun: bool,
}

impl Table {
    /// Prints a row, as soon as it is known.
    pub(crate) fn row(&mut self, row: &Row) {
        if !self.begun {
            println!("| what | beside it | the log | ratio | must | stretch | met | UmaDB 0.7.8 |");
            println!("|---|---|---|---|---|---|---|---|");
            self.begun = true;
        }
        let beside = row.beside.as_ref().map_or("–".into(), |(what, found)| format!("{what}: {found}"));
        let ratio = row.ratio.map_or("–".into(), |ratio| format!("{ratio:.2} ×"));
        let met = match row.met {
            Some((_, true)) => "stretch",
            Some((true, false)) => "must",
            Some((false, false)) => "**no**",
            None => "–",
        };
        let peer = row.peer.as_ref().map_or("–".into(), |(found, times)| format!("{found} ({times:.1} ×)"));
        let Row { what, measured, must, stretch, .. } = row;
        println!("| {what} | {beside} | {measured} | {ratio} | {must} | {stretch} | {met} | {peer} |");
    }
}

impl Table {
    /// Prints what should be small.
    pub(crate) fn aim(&mut self, what: &str, found: f64, unit: &str, (must, stretch): (f64, f64)) {
        self.row(&Row {
            what: what.into(),
            measured: format!("{found:.3} {unit}"),
            must: format!("≤ {must} {unit}"),
            stretch: format!("≤ {stretch} {unit}"),
            met: Some((found <= must, found <= stretch)),
            ..Row::default()
        });
    }

    /// Prints a rate that should be high.
    pub(crate) fn aim_rate(
        &mut self,
        what: &str,
        found: f64,
        (must, stretch): (f64, f64),
        peer: Option<f64>,
    ) {
        self.row(&Row {
            what: what.into(),
            measured: rate(found),
            must: format!("≥ {}", rate(must)),
            stretch: format!("≥ {}", rate(stretch)),
            met: Some((found >= must, found >= stretch)),
            peer: peer.map(|peer| (rate(peer), found / peer)),
            ..Row::default()
        });
    }
}

/// The middle one.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// So many in a second.
pub(crate) fn rate(value: f64) -> String {
    let whole = format!("{value:.0}");
    let mut out = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out + "/s"
}

/// A time.
pub(crate) fn millis(value: f64) -> String {
    if value < 10.0 { format!("{value:.2} ms") } else { format!("{value:.0} ms") }
}

/// A count to calculate with; exact up to 2^53.
#[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "no count here is near 2^53")]
pub(crate) fn as_f64(count: u64) -> f64 {
    count as f64
}
