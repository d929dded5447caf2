//! How far apart two areas are, from a small table of ours.
//!
//! One point for each area of two postcode digits: its largest or most central town, as any map shows it, rounded to 0.05
//! degree (3 to 6 km). That is public geography and no list of somebody's; it says nothing of where a person lives, and is
//! good enough to tell near from far. Not here: what distance is worth (`score`).

/// The first area of the table.
const FIRST_AREA: usize = 10;

/// North and east, in hundredths of a degree, of the areas 10 to 99.
const CENTRES: [(i64, i64); 90] = [
    (5235, 490), // 10 Amsterdam
    (5230, 485), // 11 Amstelveen
    (5220, 520), // 12 Hilversum
    (5235, 520), // 13 Almere
    (5250, 495), // 14 Purmerend
    (5245, 485), // 15 Zaandam
    (5265, 505), // 16 Hoorn
    (5265, 485), // 17 Heerhugowaard
    (5265, 475), // 18 Alkmaar
    (5250, 465), // 19 Beverwijk
    (5240, 465), // 20 Haarlem
    (5230, 470), // 21 Hoofddorp
    (5215, 440), // 22 Wassenaar
    (5215, 450), // 23 Leiden
    (5215, 465), // 24 Alphen aan den Rijn
    (5210, 430), // 25 Den Haag
    (5200, 435), // 26 Delft
    (5205, 450), // 27 Zoetermeer
    (5200, 470), // 28 Gouda
    (5195, 460), // 29 Capelle aan den IJssel
    (5190, 450), // 30 Rotterdam
    (5190, 440), // 31 Schiedam
    (5185, 435), // 32 Spijkenisse
    (5180, 465), // 33 Dordrecht
    (5205, 510), // 34 Nieuwegein
    (5210, 510), // 35 Utrecht
    (5215, 505), // 36 Maarssen
    (5210, 525), // 37 Zeist
    (5215, 540), // 38 Amersfoort
    (5205, 555), // 39 Veenendaal
    (5190, 545), // 40 Tiel
    (5195, 525), // 41 Culemborg
    (5185, 495), // 42 Gorinchem
    (5150, 360), // 43 Middelburg
    (5150, 390), // 44 Goes
    (5135, 385), // 45 Terneuzen
    (5150, 430), // 46 Bergen op Zoom
    (5155, 445), // 47 Roosendaal
    (5160, 480), // 48 Breda
    (5165, 485), // 49 Oosterhout
    (5155, 510), // 50 Tilburg
    (5170, 505), // 51 Waalwijk
    (5170, 530), // 52 's-Hertogenbosch
    (5175, 550), // 53 Oss
    (5165, 560), // 54 Uden
    (5140, 540), // 55 Veldhoven
    (5145, 550), // 56 Eindhoven
    (5150, 565), // 57 Helmond
    (5155, 595), // 58 Venray
    (5135, 615), // 59 Venlo
    (5120, 600), // 60 Roermond
    (5100, 585), // 61 Sittard
    (5085, 570), // 62 Maastricht
    (5090, 605), // 63 Landgraaf
    (5090, 600), // 64 Heerlen
    (5185, 585), // 65 Nijmegen
    (5180, 575), // 66 Wijchen
    (5205, 565), // 67 Ede
    (5200, 590), // 68 Arnhem
    (5195, 605), // 69 Zevenaar
    (5195, 630), // 70 Doetinchem
    (5195, 670), // 71 Winterswijk
    (5215, 620), // 72 Zutphen
    (5220, 595), // 73 Apeldoorn
    (5225, 615), // 74 Deventer
    (5220, 690), // 75 Enschede
    (5235, 665), // 76 Almelo
    (5255, 660), // 77 Hardenberg
    (5280, 690), // 78 Emmen
    (5270, 650), // 79 Hoogeveen
    (5250, 610), // 80 Zwolle
    (5240, 630), // 81 Raalte
    (5250, 545), // 82 Lelystad
    (5270, 575), // 83 Emmeloord
    (5295, 590), // 84 Heerenveen
    (5295, 580), // 85 Joure
    (5305, 565), // 86 Sneek
    (5305, 555), // 87 Bolsward
    (5320, 555), // 88 Franeker
    (5320, 580), // 89 Leeuwarden
    (5325, 575), // 90 Stiens
    (5335, 600), // 91 Dokkum
    (5310, 610), // 92 Drachten
    (5315, 645), // 93 Roden
    (5300, 655), // 94 Assen
    (5300, 695), // 95 Stadskanaal
    (5315, 675), // 96 Hoogezand
    (5320, 655), // 97 Groningen
    (5325, 640), // 98 Zuidhorn
    (5330, 685), // 99 Appingedam
];

/// Metres of a hundredth of a degree to the north.
const METRES_NORTH: i64 = 1_112;
/// The cosine of 52 degrees, in thousandths: so much less is a degree to the east.
const COSINE_AT_52: i64 = 616;
/// By so much that gets less for each degree further north, in hundred-thousandths.
const COSINE_SLOPE: i64 = 1_375;
/// Two places of one area, or of areas with the same town, are this far apart.
const WITHIN_AREA_METRES: i64 = 6_000;
/// A road is longer than the line as the crow flies, in percent.
const ROAD_PERCENT: i64 = 130;
/// What is driven in an hour, door to door, in metres.
const METRES_PER_HOUR: i64 = 60_000;
/// To leave and to arrive takes this long, in minutes.
const START_MINUTES: i64 = 5;

/// The minutes by car from one area to another, about; `None` if one of them is no area of two digits from 10 on.
#[must_use]
pub(crate) fn minutes(from: &str, to: &str) -> Option<u32> {
    let metres = metres(centre(from)?, centre(to)?).max(WITHIN_AREA_METRES);
    let road = metres.saturating_mul(ROAD_PERCENT).div_euclid(100);
    let driven = road.saturating_mul(60).div_euclid(METRES_PER_HOUR);
    u32::try_from(driven.saturating_add(START_MINUTES)).ok()
}

fn centre(area: &str) -> Option<(i64, i64)> {
    let number: usize = area.get(..2)?.parse().ok()?;
    CENTRES.get(number.checked_sub(FIRST_AREA)?).copied()
}

/// As the crow flies. The Netherlands are small: on a flat map with the cosine of the latitude between them no way is wrong
/// by a hundredth (see the test against the great circle).
fn metres((north, east): (i64, i64), (other_north, other_east): (i64, i64)) -> i64 {
    let halfway = north.saturating_add(other_north).div_euclid(2).saturating_sub(5_200);
    let cosine = COSINE_AT_52.saturating_sub(halfway.saturating_mul(COSINE_SLOPE).div_euclid(10_000));
    let up = north.saturating_sub(other_north).saturating_mul(METRES_NORTH);
    let across = east.saturating_sub(other_east).saturating_mul(METRES_NORTH).saturating_mul(cosine);
    let across = across.div_euclid(1_000);
    let square = up.saturating_mul(up).saturating_add(across.saturating_mul(across));
    square.checked_isqrt().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_is_as_long_as_the_great_circle_within_a_hundredth() {
        let radians =
            |hundredths: i64| f64::from(i32::try_from(hundredths).unwrap()) / 100.0_f64.to_degrees();
        for one in CENTRES {
            for other in CENTRES {
                let (lat, lon, lat2, lon2) =
                    (radians(one.0), radians(one.1), radians(other.0), radians(other.1));
                let a = ((lat - lat2) / 2.0).sin().powi(2)
                    + lat.cos() * lat2.cos() * ((lon - lon2) / 2.0).sin().powi(2);
                let circle = 2.0 * a.sqrt().asin() * 6_371_000.0;
                let flat = f64::from(i32::try_from(metres(one, other)).unwrap());
                assert!((circle - flat).abs() <= circle * 0.01 + 1.0, "{one:?} {other:?}: {circle} {flat}");
            }
        }
    }

    #[test]
    fn near_is_near_and_far_is_far() {
        assert_eq!(minutes("35", "35"), Some(12), "within Utrecht");
        let (neighbour, far) = (minutes("35", "38").unwrap(), minutes("62", "97").unwrap());
        assert!((25..40).contains(&neighbour), "Utrecht to Amersfoort: {neighbour}");
        assert!((320..400).contains(&far), "Maastricht to Groningen: {far}");
        assert_eq!(minutes("3511", "38"), minutes("35", "38"), "four digits are as good");
        for odd in ["", "3", "09", "x1", "é1"] {
            assert_eq!(minutes(odd, "35"), None, "{odd}");
        }
    }
}
