//! What the pages show, taken from the view: plain data without words or markup, and the cells a live page needs.
//!
//! Not here: counting (`views`), texts (`words`), the feed to the browser (`live`).

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, Hash as _, Hasher as _, RandomState};
use std::sync::LazyLock;

use domain::{LocationId, RegionId, Timestamp};
use network::{Network, Region, Tile};
use views::{Availability, Basis, CareCode, Contradiction, Counts, LocationCard, Row, Stop};

use crate::text;
use crate::words::Lang;

/// From so many beds on there is enough to choose from: the tile says "some" instead of "few".
pub(crate) const SOME_FROM: u32 = 3;
/// Contradictions listed on a page. The rest is counted; whoever solves them starts with the newest.
const CONTRADICTIONS_SHOWN_MAX: usize = 20;
/// Columns and rows of the tile map; the stylesheet has a class for each.
pub(crate) const TILES_MAX: u8 = 16;

/// What a number of available beds means at a glance. Shown as colour and as a sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Level {
    /// No bed.
    Empty,
    /// One or two.
    Few,
    /// [`SOME_FROM`] or more.
    Some,
    /// Nobody said anything about this.
    Unknown,
}

impl Level {
    pub(crate) fn of(offerable: u32) -> Self {
        match offerable {
            0 => Self::Empty,
            1..SOME_FROM => Self::Few,
            SOME_FROM.. => Self::Some,
        }
    }

    /// Its number in cells; class `l0` to `l3` in the stylesheet.
    pub(crate) fn index(self) -> u32 {
        match self {
            Self::Empty => 0,
            Self::Few => 1,
            Self::Some => 2,
            Self::Unknown => 3,
        }
    }
}

/// One line of numbers: a care type of a region or of a location.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// What the script finds it by.
    pub(crate) key: String,
    pub(crate) care_type: CareCode,
    pub(crate) counts: Counts,
    /// The last event behind it.
    pub(crate) position: u64,
    pub(crate) reported: bool,
}

impl Line {
    pub(crate) fn of_row(row: &Row) -> Self {
        Self {
            key: row_key(&row.location, row.care_type),
            care_type: row.care_type,
            counts: row.counts(),
            position: row.position,
            reported: row.basis == Basis::Reported,
        }
    }

    pub(crate) fn level(&self) -> Level {
        Level::of(self.counts.offerable)
    }

    /// The numbers in the order of the columns.
    pub(crate) fn numbers(&self) -> [u32; 10] {
        let counts = &self.counts;
        [
            counts.offerable,
            counts.also_offerable,
            counts.held,
            counts.not_ready,
            counts.occupied,
            counts.waiting,
            counts.closed,
            counts.unstaffed,
            counts.reserve,
            counts.physical,
        ]
    }
}

/// What a line of a location is found by.
pub(crate) fn row_key(location: &LocationId, care_type: CareCode) -> String {
    format!("{location}/{care_type}")
}

/// What a line of a region is found by.
pub(crate) fn sum_key(care_type: CareCode) -> String {
    format!("={care_type}")
}

/// One location with its lines.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) phone: Option<String>,
    pub(crate) phone_night: Option<String>,
    pub(crate) stops: Vec<Stop>,
    pub(crate) last_word: Timestamp,
    pub(crate) source: String,
    pub(crate) lines: Vec<Line>,
}

impl Place {
    fn of_card(card: &LocationCard) -> Self {
        Self {
            id: card.location.to_string(),
            name: text::called(&card.name, &card.location),
            phone: card.phone.as_ref().map(|phone| text::shown(phone.as_str())),
            phone_night: card.phone_night.as_ref().map(|phone| text::shown(phone.as_str())),
            stops: card.stops.clone(),
            last_word: card.last_word.at,
            source: text::shown(card.last_word.source.as_str()),
            lines: Vec::new(),
        }
    }
}

/// The page of one region.
#[derive(Clone, Debug)]
pub(crate) struct RegionBoard {
    pub(crate) position: u64,
    pub(crate) recorded_at: Timestamp,
    /// Every care type the region has a row of.
    pub(crate) care_types: Vec<CareCode>,
    pub(crate) sums: Vec<Line>,
    pub(crate) places: Vec<Place>,
    pub(crate) contradictions: Vec<Contradiction>,
    /// How many the view keeps for this region.
    pub(crate) contradictions_kept: usize,
}

impl RegionBoard {
    /// The region in this view; of one care type only if one is chosen.
    pub(crate) fn of(view: &Availability, region: &RegionId, chosen: Option<CareCode>) -> Self {
        let wanted = |code: CareCode| chosen.is_none_or(|chosen| chosen == code);
        let sums = view.sums(region);
        let care_types = sums.iter().map(|sum| sum.care_type).collect();
        let lines = sums.into_iter().filter(|sum| wanted(sum.care_type)).map(|sum| Line {
            key: sum_key(sum.care_type),
            care_type: sum.care_type,
            counts: sum.counts,
            position: sum.position,
            reported: false,
        });
        let mut places: BTreeMap<_, _> =
            view.locations(region).map(|card| (card.location.clone(), Place::of_card(&card))).collect();
        for row in view.rows_of(region).filter(|row| wanted(row.care_type)) {
            if let Some(place) = places.get_mut(&row.location) {
                place.lines.push(Line::of_row(&row));
            }
        }
        let mut contradictions = view.contradiction_list().filter(|found| found.region == *region);
        let shown: Vec<_> = contradictions.by_ref().take(CONTRADICTIONS_SHOWN_MAX).cloned().collect();
        Self {
            position: view.position(),
            recorded_at: view.recorded_at(),
            care_types,
            sums: lines.collect(),
            places: places
                .into_values()
                .filter(|place| chosen.is_none() || !place.lines.is_empty())
                .collect(),
            contradictions_kept: shown.len().saturating_add(contradictions.count()),
            contradictions: shown,
        }
    }

    /// What a browser needs to bring this page up to date.
    pub(crate) fn cells(&self, now: Timestamp, lang: Lang) -> Cells {
        let lines = self.sums.iter().chain(self.places.iter().flat_map(|place| &place.lines));
        let rows = lines.map(|line| {
            let numbers = core::iter::once(line.level().index()).chain(line.numbers());
            (line.key.clone(), numbers.collect())
        });
        let words = self.places.iter().map(|place| {
            (place.id.clone(), (place.last_word.as_micros() / 1_000, text::clock(place.last_word, now, lang)))
        });
        Cells {
            position: self.position,
            recorded_at: self.recorded_at,
            structure: self.structure(),
            rows: rows.collect(),
            words: words.collect(),
        }
    }

    /// A token of everything that is on the page but not in a cell: when it differs, the page is fetched again. It is one for all readers,
    /// and what not all of them see is in it (why a house is stopped): so nobody can make it from a guess.
    fn structure(&self) -> String {
        static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        let mut hasher = KEY.build_hasher();
        for line in &self.sums {
            line.key.hash(&mut hasher);
        }
        for place in &self.places {
            (&place.id, &place.name, &place.phone, &place.phone_night).hash(&mut hasher);
            for Stop { ward, reason, since, review_at } in &place.stops {
                (ward, reason, since, review_at).hash(&mut hasher);
            }
            for line in &place.lines {
                line.key.hash(&mut hasher);
            }
        }
        let newest = self.contradictions.first().map(|found| found.position);
        (self.care_types.len(), newest, self.contradictions_kept).hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }
}

/// One region on the national map and in its table.
#[derive(Clone, Debug)]
pub(crate) struct RegionTile {
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) tile: Option<Tile>,
    pub(crate) level: Level,
    pub(crate) counts: Counts,
}

impl RegionTile {
    fn of(view: &Availability, region: &Region, chosen: Option<CareCode>) -> Self {
        let mut known = false;
        let mut counts = Counts::default();
        for sum in view.sums(&region.code) {
            if chosen.is_none_or(|chosen| chosen == sum.care_type) {
                known = true;
                counts = counts.plus(&sum.counts);
            }
        }
        Self {
            code: region.code.to_string(),
            name: text::shown(region.name.as_str()),
            tile: region.tile.filter(|tile| tile.column < TILES_MAX && tile.row < TILES_MAX),
            level: if known { Level::of(counts.offerable) } else { Level::Unknown },
            counts,
        }
    }

    /// The numbers of its table row, in the order of the columns.
    pub(crate) fn numbers(&self) -> [u32; 6] {
        let counts = &self.counts;
        [counts.offerable, counts.held, counts.not_ready, counts.occupied, counts.waiting, counts.physical]
    }
}

/// The national page.
#[derive(Clone, Debug)]
pub(crate) struct Overview {
    pub(crate) position: u64,
    pub(crate) recorded_at: Timestamp,
    pub(crate) tiles: Vec<RegionTile>,
    pub(crate) total: Counts,
}

impl Overview {
    /// Every region of the network; of one care type only if one is chosen.
    pub(crate) fn of(view: &Availability, network: &Network, chosen: Option<CareCode>) -> Self {
        let mut tiles: Vec<_> =
            network.regions().map(|region| RegionTile::of(view, region, chosen)).collect();
        tiles.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.code.cmp(&b.code)));
        let total = tiles.iter().fold(Counts::default(), |sum, tile| sum.plus(&tile.counts));
        Self { position: view.position(), recorded_at: view.recorded_at(), tiles, total }
    }

    /// What a browser needs to bring this page up to date. The regions come from the network file, which does not
    /// change while the node runs: the structure is constant.
    pub(crate) fn cells(&self) -> Cells {
        let mut rows = BTreeMap::new();
        for tile in &self.tiles {
            let level = tile.level.index();
            rows.insert(format!("*{}", tile.code), vec![level, tile.counts.offerable]);
            let numbers = core::iter::once(level).chain(tile.numbers()).collect();
            rows.insert(tile.code.clone(), numbers);
        }
        let level = Level::of(self.total.offerable).index();
        rows.insert(String::from("*"), vec![level, self.total.offerable]);
        Cells {
            position: self.position,
            recorded_at: self.recorded_at,
            structure: String::from("overview"),
            rows,
            words: BTreeMap::new(),
        }
    }
}

/// The changing parts of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cells {
    pub(crate) position: u64,
    pub(crate) recorded_at: Timestamp,
    /// Differs when the page has other rows or texts.
    pub(crate) structure: String,
    /// Per row its level and its numbers.
    pub(crate) rows: BTreeMap<String, Vec<u32>>,
    /// Per location when it was last heard of: milliseconds since 1970, and as text.
    pub(crate) words: BTreeMap<String, (i64, String)>,
}

impl Cells {
    /// What differs from `earlier`; `None` if a reader would see no difference.
    pub(crate) fn since(&self, earlier: &Self) -> Option<Self> {
        let changed = Self {
            rows: differing(&self.rows, &earlier.rows),
            words: differing(&self.words, &earlier.words),
            ..self.clone()
        };
        let same =
            changed.rows.is_empty() && changed.words.is_empty() && changed.structure == earlier.structure;
        (!same).then_some(changed)
    }
}

fn differing<V: Clone + PartialEq>(
    now: &BTreeMap<String, V>,
    earlier: &BTreeMap<String, V>,
) -> BTreeMap<String, V> {
    let differs = |(key, value): &(&String, &V)| earlier.get(*key) != Some(*value);
    now.iter().filter(differs).map(|(key, value)| (key.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(rows: &[(&str, u32)], structure: &str) -> Cells {
        Cells {
            position: 1,
            recorded_at: Timestamp::default(),
            structure: structure.to_owned(),
            rows: rows.iter().map(|(key, number)| ((*key).to_owned(), vec![*number])).collect(),
            words: BTreeMap::new(),
        }
    }

    #[test]
    fn only_what_changed_goes_to_the_browser() {
        let earlier = cells(&[("a", 1), ("b", 2)], "x");
        let changed = cells(&[("a", 1), ("b", 3)], "x").since(&earlier).unwrap();
        assert_eq!(changed.rows.keys().collect::<Vec<_>>(), ["b"]);
    }

    #[test]
    fn nothing_goes_to_the_browser_when_only_the_position_moved() {
        let earlier = cells(&[("a", 1)], "x");
        let later = Cells { position: 9, ..earlier.clone() };
        assert_eq!(later.since(&earlier), None);
    }

    #[test]
    fn a_row_that_vanished_is_told_by_the_structure() {
        let earlier = cells(&[("a", 1), ("b", 2)], "x");
        assert!(cells(&[("a", 1)], "y").since(&earlier).is_some());
    }

    #[test]
    fn no_few_and_some_beds_are_three_levels() {
        let levels = [0, 1, 2, 3, u32::MAX].map(|offerable| Level::of(offerable).index());
        assert_eq!(levels, [0, 1, 1, 2, 2]);
    }
}
