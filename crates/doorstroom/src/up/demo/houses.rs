//! What the houses of the demo are called and which numbers they have, where the reference data has only ids.
//!
//! All of it is made up. A number of a subscriber never begins with 0 in the Netherlands: these ring nobody.

use std::collections::BTreeMap;

use domain::{Event, Fact, Label, LocationId, LocationProfile, NameError, RegionId};
use network::{Kind, Network};

/// The area code of a town in each region of the default network, and the first two digits of postcodes there.
const AREAS: [(&str, &str, &[u32]); 31] = [
    ("zk01", "020", &[11, 21]),
    ("zk02", "020", &[10]),
    ("zk03", "055", &[73, 81]),
    ("zk04", "026", &[68, 69, 67, 70]),
    ("zk06", "0592", &[94, 79, 78]),
    ("zk07", "036", &[13, 82, 83]),
    ("zk08", "058", &[89, 84, 85, 86, 91, 92]),
    ("zk09", "050", &[97, 96, 95, 99, 98]),
    ("zk10", "070", &[25, 22, 27]),
    ("zk11", "023", &[20, 19, 21]),
    ("zk12", "013", &[50, 51]),
    ("zk13", "0182", &[28, 24]),
    ("zk14", "0570", &[74, 72]),
    ("zk16", "024", &[65, 66]),
    ("zk17", "077", &[59, 60, 58]),
    ("zk18", "072", &[18, 17, 16]),
    ("zk19", "073", &[52, 53, 54]),
    ("zk20", "010", &[30, 29, 31]),
    ("zk21", "035", &[12, 14]),
    ("zk22", "053", &[75, 76]),
    ("zk23", "030", &[35, 34, 36, 37, 38]),
    ("zk24", "078", &[33, 42]),
    ("zk25", "076", &[48, 47, 46, 49]),
    ("zk26", "075", &[15, 14]),
    ("zk27", "0118", &[43, 44, 45]),
    ("zk28", "071", &[23, 24, 22]),
    ("zk29", "0181", &[32]),
    ("zk30", "040", &[56, 55, 57]),
    ("zk31", "043", &[62, 61, 63, 64]),
    ("zk32", "038", &[80, 77, 81]),
    ("zk33", "015", &[26, 31]),
];

/// The houses of a network, each with its place in the list of its region.
#[derive(Debug)]
pub(super) struct Houses(BTreeMap<LocationId, (RegionId, usize)>);

impl Houses {
    pub(super) fn of(network: &Network) -> Self {
        let houses = network.sources().filter(|source| source.kind == Kind::Location);
        let mut of_region: BTreeMap<&RegionId, Vec<LocationId>> = BTreeMap::new();
        for house in houses {
            if let Ok(location) = LocationId::try_from(house.name.as_str()) {
                of_region.entry(&house.region).or_default().push(location);
            }
        }
        let mut all = BTreeMap::new();
        for (region, mut houses) in of_region {
            houses.sort();
            all.extend(houses.into_iter().zip(1..).map(|(house, at)| (house, (region.clone(), at))));
        }
        Self(all)
    }

    /// An event that says what a house is, with the name and the numbers that people would know it by; any other is none.
    pub(super) fn called(&self, mut event: Event) -> Result<Option<Event>, NameError> {
        if let Fact::LocationRegistered(profile) | Fact::LocationChanged(profile) = &mut event.fact {
            self.call(profile)?;
            return Ok(Some(event));
        }
        Ok(None)
    }

    fn call(&self, profile: &mut LocationProfile) -> Result<(), NameError> {
        let Some((region, at)) = self.0.get(&profile.location) else { return Ok(()) };
        let name = name(profile.location.as_str(), region);
        profile.provider = Label::try_from(format!("Stichting Voorbeeldzorg {name}").as_str())?;
        profile.name = Label::try_from(name.as_str())?;
        let number =
            |at: usize| number(region, at).map(|number| Label::try_from(number.as_str())).transpose();
        profile.postcode4 = postcode(region, *at).map(|code| Label::try_from(code.as_str())).transpose()?;
        profile.phone = number(at.saturating_mul(2))?;
        profile.phone_night = number(at.saturating_mul(2).saturating_add(1))?;
        Ok(())
    }
}

/// `zk23-de-linde` is De Linde.
fn name(location: &str, region: &RegionId) -> String {
    let bare = location.strip_prefix(region.as_str()).unwrap_or(location);
    let words = bare.split('-').filter(|word| !word.is_empty()).map(|word| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    });
    words.collect::<Vec<_>>().join(" ")
}

/// A number of nobody: `030-000 23 02`.
fn number(region: &RegionId, at: usize) -> Option<String> {
    let (code, area, _) = AREAS.iter().find(|(code, ..)| *code == region.as_str())?;
    let (digits, zeros) = (code.trim_start_matches("zk"), if area.len() == 3 { "000" } else { "00" });
    Some(format!("{area}-{zeros} {digits} {at:02}"))
}

/// A postcode of the region, another for each house: its areas in turn.
fn postcode(region: &RegionId, at: usize) -> Option<String> {
    let (.., areas) = AREAS.iter().find(|(code, ..)| *code == region.as_str())?;
    let area = areas.iter().cycle().nth(at)?;
    Some(format!("{area}{:02}", at % 100))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_house_of_the_demo_has_a_name_that_is_no_id_a_postcode_and_numbers_of_nobody_that_no_other_has() {
        let houses = Houses::of(&super::super::network().unwrap());
        let mut owners: BTreeMap<Label, LocationId> = BTreeMap::new();
        for event in super::super::reference().unwrap() {
            let Some(event) = houses.called(event.decode().unwrap().event).unwrap() else { continue };
            let (Fact::LocationRegistered(profile) | Fact::LocationChanged(profile)) = event.fact else {
                continue;
            };
            let (name, provider) = (profile.name.as_str(), profile.provider.as_str());
            assert!(!name.contains('-') && !name.to_lowercase().contains("zk"), "{name}");
            assert!(
                name.starts_with(char::is_uppercase) && provider.contains("Voorbeeld"),
                "{name}: {provider}"
            );
            let postcode = profile.postcode4.unwrap();
            let of_region = |area: &u32| postcode.as_str().starts_with(&area.to_string());
            let (.., areas) =
                AREAS.iter().find(|(code, ..)| profile.location.as_str().starts_with(code)).unwrap();
            assert!(postcode.as_str().len() == 4 && areas.iter().any(of_region), "{postcode}");
            for phone in [profile.phone.unwrap(), profile.phone_night.unwrap()] {
                let (area, number) = phone.as_str().split_once('-').unwrap();
                let digits = number.chars().filter(char::is_ascii_digit).count();
                assert!(area.len() + digits == 10 && number.starts_with("00"), "{phone}");
                let owner = owners.entry(phone).or_insert_with(|| profile.location.clone());
                assert_eq!(*owner, profile.location);
            }
        }
        assert_eq!(owners.len(), 620, "310 houses, each with one for the day and one for the night");
    }

    #[test]
    fn a_house_is_called_what_people_would_call_it() {
        let region: RegionId = "zk23".parse().unwrap();
        assert_eq!(name("zk23-de-linde", &region), "De Linde");
        assert_eq!(name("zk23-sint-jozef", &region), "Sint Jozef");
        assert_eq!(number(&region, 2).as_deref(), Some("030-000 23 02"));
        assert_eq!(postcode(&region, 2).as_deref(), Some("3602"));
        assert_eq!(number(&"zk06".parse().unwrap(), 3).as_deref(), Some("0592-00 06 03"));
    }
}
