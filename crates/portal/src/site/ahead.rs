//! What can be admitted in a region now, in the evening, and in one, two and three days, with who is planned to have left by then.
//!
//! Not here: what limits it (`domain::queries::admittable`).

use std::collections::BTreeMap;

use domain::access::Action;
use domain::desk::State;
use domain::queries::admittable;
use domain::{RegionId, Timestamp};
use views::CareCode;

use crate::server::Portal;
use crate::site::hours;
use crate::site::visit::Visit;
use crate::words::Lang;
use crate::{board, text};

const HOUR_MICROS: i64 = 3_600_000_000;

/// The table.
pub(crate) struct Ahead {
    /// The key of each moment, and when that is.
    pub(crate) moments: Vec<(&'static str, String)>,
    pub(crate) lines: Vec<Line>,
    /// What can be admitted now, by the key of a line of the board.
    now: BTreeMap<String, Possible>,
}

/// What can be admitted now of one line of the board.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Possible {
    pub(crate) count: u32,
    /// Why that is fewer than are free, and when there are more.
    pub(crate) why: Vec<String>,
}

impl Ahead {
    /// What can be admitted now of the line with this key.
    pub(crate) fn possible(&self, key: &str) -> Option<&Possible> {
        self.now.get(key)
    }
}

/// One care type.
pub(crate) struct Line {
    pub(crate) code: CareCode,
    pub(crate) care_type: &'static str,
    pub(crate) cells: Vec<Cell>,
}

/// One care type at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) admittable: u32,
    /// Who is planned to have left by then.
    pub(crate) expected: u32,
}

/// The table of a region; nothing for whoever may not ask.
pub(crate) fn of_region(
    portal: &Portal,
    visit: &Visit,
    region: &RegionId,
    chosen: Option<CareCode>,
) -> Option<Ahead> {
    let now = visit.now;
    let later = |hours: i64| now.saturating_add_micros(hours * HOUR_MICROS);
    let moments = [
        ("ahead-now", now),
        text::evening(now),
        ("ahead-24", later(24)),
        ("ahead-48", later(48)),
        ("ahead-72", later(72)),
    ];
    let (rows, possible) = portal.app.desk.state().read(|state| {
        let may = visit.may_in(state, Action::Admittable, region);
        may.then(|| {
            (rows(state, region, now, &moments.map(|(_, at)| at)), possible(state, region, now, visit.lang))
        })
    })?;
    let wanted = |code: CareCode| chosen.is_none_or(|chosen| chosen == code);
    let line = |(code, cells): (CareCode, Vec<Cell>)| Line {
        code,
        care_type: visit.lang.care_type(code.as_str()),
        cells,
    };
    Some(Ahead {
        moments: moments.map(|(key, at)| (key, text::clock(at, now, visit.lang))).into(),
        lines: rows.into_iter().filter(|(code, _)| wanted(*code)).map(line).collect(),
        now: possible,
    })
}

/// What can be admitted now, of each location and of the region.
fn possible(state: &State, region: &RegionId, now: Timestamp, lang: Lang) -> BTreeMap<String, Possible> {
    let mut found: BTreeMap<String, Possible> = BTreeMap::new();
    for row in admittable(state, region, now) {
        let sum = found.entry(board::sum_key(row.care_type)).or_default();
        sum.count = sum.count.saturating_add(row.admittable);
        let mut why = hours::why_less(lang, state.locations.get(&row.location), &row);
        why.extend(hours::opens(lang, state, region, &row, now));
        let key = board::row_key(&row.location, row.care_type);
        found.insert(key, Possible { count: row.admittable, why });
    }
    found
}

/// Each care type at each of these moments.
fn rows(
    state: &State,
    region: &RegionId,
    now: Timestamp,
    moments: &[Timestamp],
) -> BTreeMap<CareCode, Vec<Cell>> {
    let mut found: BTreeMap<CareCode, Vec<Cell>> = BTreeMap::new();
    let mut cell = |code: CareCode, index: usize, change: &dyn Fn(&mut Cell)| {
        let line = found.entry(code).or_insert_with(|| vec![Cell::default(); moments.len()]);
        if let Some(cell) = line.get_mut(index) {
            change(cell);
        }
    };
    for (index, at) in moments.iter().enumerate() {
        for row in admittable(state, region, *at) {
            cell(row.care_type, index, &|cell| {
                cell.admittable = cell.admittable.saturating_add(row.admittable);
            });
        }
        let leaves = |expected: &Timestamp| *expected > now && *expected <= *at;
        for stay in state.stays.values().filter(|stay| stay.region == *region && stay.closed_at.is_none()) {
            if stay.expected_at.as_ref().is_some_and(leaves) {
                let code = CareCode::from(stay.place.care_type.raw());
                cell(code, index, &|cell| {
                    cell.expected = cell.expected.saturating_add(1);
                });
            }
        }
    }
    found
}
