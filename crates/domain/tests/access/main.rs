//! Who may do what: every role × every action, over its own, over what it was asked for or stands in for, and over
//! another's, for every purpose. `table.txt` beside this file is what is expected, written for people to read.
#![expect(clippy::unwrap_used, reason = "test code: what cannot be unwrapped is the failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use domain::access::{
    About, Action, AuditorKind, Denied, Principal, Purpose, Role, Whose, allowed, ever, purposes_of,
};
use domain::desk::Act;
use domain::{BedProfile, BedRef, ClosedReason, Fact, Label, LocationId, Period, RegionId, SourceId};

const EXPECTED: &str = include_str!("table.txt");

fn region(code: &str) -> RegionId {
    code.parse().unwrap()
}

fn regions(code: &str) -> BTreeSet<RegionId> {
    BTreeSet::from([region(code)])
}

fn locations(id: &str) -> BTreeSet<LocationId> {
    BTreeSet::from([id.parse().unwrap()])
}

fn label(text: &str) -> Label {
    text.parse().unwrap()
}

const ME: &str = "urn:nld:kvknr:00000001:systeem:ik";

/// Every role, called as its column is; all of zk23, zk23-de-linde or the centre midden-nl.
fn roles() -> Vec<(&'static str, Role)> {
    let auditor = |kind| Role::Auditor { kind, regions: regions("zk23"), locations: BTreeSet::new() };
    vec![
        ("desk", Role::DeskOperator { region: region("zk23") }),
        (
            "location",
            Role::LocationStaff {
                region: region("zk23"),
                locations: Whose::These(locations("zk23-de-linde")),
            },
        ),
        (
            "device",
            Role::WardDevice { region: region("zk23"), locations: Whose::These(locations("zk23-de-linde")) },
        ),
        ("referrer", Role::Referrer { region: region("zk23") }),
        ("centre", Role::Centre { centre: label("midden-nl"), regions: regions("zk23") }),
        ("quality", auditor(AuditorKind::Quality)),
        (
            "provider",
            Role::Auditor {
                kind: AuditorKind::Provider,
                regions: BTreeSet::new(),
                locations: locations("zk23-de-linde"),
            },
        ),
        ("insurer", auditor(AuditorKind::Insurer)),
        ("supervisor", auditor(AuditorKind::Supervisor)),
        ("privacy", auditor(AuditorKind::Privacy)),
        ("admin", Role::Admin),
    ]
}

fn principal(role: &Role) -> Principal {
    Principal { source: ME.parse().unwrap(), role: role.clone() }
}

/// Its own: of its region, at its location, made by it.
fn own() -> About {
    About {
        region: Some(region("zk23")),
        locations: BTreeMap::from([("zk23-de-linde".parse().unwrap(), region("zk23"))]),
        made_by: Some(ME.parse().unwrap()),
        ..About::default()
    }
}

fn foreign() -> About {
    let other: SourceId = "urn:nld:kvknr:00000002:systeem:ander".parse().unwrap();
    About {
        region: Some(region("zk99")),
        locations: BTreeMap::from([("zk99-de-eik".parse().unwrap(), region("zk99"))]),
        made_by: Some(other),
        ..About::default()
    }
}

/// Another region's, whose desk handed its duty to the desk of zk23 or the centre midden-nl.
fn stood_in_for(role: &Role) -> About {
    let deputy = if matches!(role, Role::Centre { .. }) { "midden-nl" } else { "zk23" };
    About { deputy: Some(label(deputy)), ..foreign() }
}

/// Another region's, and the desk of zk23 was asked to take it.
fn asked_for() -> About {
    About { asked: Some(region("zk23")), ..foreign() }
}

/// Another region's, and a desk was asked to take it that handed its duty to the desk of zk23 or the centre midden-nl.
fn asked_for_in_its_stead(role: &Role) -> About {
    let asked_deputy = stood_in_for(role).deputy;
    About { asked: Some(region("zk98")), asked_deputy, ..foreign() }
}

/// Over what a role may do something, in words: `-` for nothing, `all` for everything.
fn cell(role: &Role, action: Action) -> String {
    let who = principal(role);
    let may =
        |about: &About| Purpose::ALL.iter().any(|purpose| allowed(&who, action, about, *purpose).is_ok());
    let situations = [
        ("own", own()),
        ("asked", asked_for()),
        ("duty", stood_in_for(role)),
        ("stead", asked_for_in_its_stead(role)),
        ("foreign", foreign()),
    ];
    let over: Vec<&str> =
        situations.iter().filter(|(_, about)| may(about)).map(|(situation, _)| *situation).collect();
    match over.as_slice() {
        [] => {
            assert!(!ever(role, action));
            "-".to_owned()
        }
        [_, _, _, _, _] => "all".to_owned(),
        some => some.join("+"),
    }
}

fn table() -> String {
    let roles = roles();
    let mut text = format!("{:18}", "action");
    for (name, _) in &roles {
        write!(text, "{name:22}").unwrap();
    }
    let mut lines = vec![text.trim_end().to_owned()];
    for action in Action::ALL {
        let mut line = format!("{:18}", action.code());
        for (_, role) in &roles {
            write!(line, "{:22}", cell(role, *action)).unwrap();
        }
        lines.push(line.trim_end().to_owned());
    }
    lines.join("\n") + "\n"
}

#[test]
fn every_role_may_do_what_the_table_says_over_its_own_and_another_s_and_nothing_else() {
    let expected: String =
        EXPECTED.lines().filter(|line| !line.starts_with('#')).flat_map(|line| [line, "\n"]).collect();
    let found = table();
    assert_eq!(expected, found, "the code says:\n{found}");
}

#[test]
fn a_purpose_that_the_role_does_not_have_opens_nothing() {
    for (name, role) in roles() {
        let who = principal(&role);
        for purpose in Purpose::ALL {
            let has = match name {
                "desk" | "location" | "device" | "referrer" => *purpose == Purpose::Care,
                "centre" => matches!(purpose, Purpose::Care | Purpose::Coordination),
                "admin" => *purpose == Purpose::Operation,
                _auditor => *purpose == Purpose::Audit,
            };
            assert_eq!(purposes_of(&role).contains(purpose), has, "{name} {purpose:?}");
            for action in Action::ALL {
                for about in
                    [own(), foreign(), stood_in_for(&role), asked_for(), asked_for_in_its_stead(&role)]
                {
                    let answer = allowed(&who, *action, &about, *purpose);
                    assert_eq!(answer == Err(Denied::Purpose), !has, "{name} {action:?} {purpose:?}");
                }
            }
        }
    }
}

#[test]
fn a_centre_coordinates_in_its_own_name_and_does_a_desk_s_work_only_where_it_stands_in() {
    let (_, role) = roles().into_iter().find(|(name, _)| *name == "centre").unwrap();
    let who = principal(&role);
    let on_duty = stood_in_for(&role);
    assert_eq!(allowed(&who, Action::SendOffers, &on_duty, Purpose::Care), Ok(()));
    assert_eq!(allowed(&who, Action::SendOffers, &on_duty, Purpose::Coordination), Err(Denied::Role));
    assert_eq!(allowed(&who, Action::SendOffers, &own(), Purpose::Care), Err(Denied::Foreign));
    assert_eq!(allowed(&who, Action::Matching, &own(), Purpose::Coordination), Ok(()));
    assert_eq!(allowed(&who, Action::SwitchRuleSet, &on_duty, Purpose::Care), Err(Denied::Role));
}

#[test]
fn what_is_of_two_locations_is_for_who_works_at_both() {
    let both: BTreeSet<LocationId> =
        [locations("zk23-de-linde"), locations("zk23-de-beuk")].into_iter().flatten().collect();
    let of_zk23 = both.iter().map(|location| (location.clone(), region("zk23"))).collect();
    let about = About { locations: of_zk23, ..own() };
    let staff = |locations| {
        let role = Role::LocationStaff { region: region("zk23"), locations };
        allowed(&principal(&role), Action::Move, &about, Purpose::Care)
    };
    assert_eq!(staff(Whose::These(locations("zk23-de-linde"))), Err(Denied::Foreign));
    assert_eq!(staff(Whose::These(both)), Ok(()));
    assert_eq!(staff(Whose::Any), Ok(()));
    let role = Role::LocationStaff { region: region("zk99"), locations: Whose::Any };
    assert_eq!(allowed(&principal(&role), Action::Move, &about, Purpose::Care), Err(Denied::Foreign));
}

#[test]
fn what_is_of_nobody_is_nobody_s() {
    for (name, role) in roles() {
        for action in Action::ALL {
            let may = |purpose: &Purpose| allowed(&principal(&role), *action, &About::default(), *purpose);
            let answer = purposes_of(&role).iter().any(|purpose| may(purpose).is_ok());
            let open = matches!(action, Action::Regions | Action::Board | Action::Locations)
                || (name == "desk" && matches!(action, Action::Admittable | Action::WhyStopped));
            assert_eq!(answer, open, "{name} {action:?}");
        }
    }
}

#[test]
fn a_device_says_how_beds_are_and_nothing_else_of_its_location() {
    let location: LocationId = "zk23-de-linde".parse().unwrap();
    let bed = BedRef { location: location.clone(), bed: "12".parse().unwrap() };
    let (_, device) = roles().into_iter().find(|(name, _)| *name == "device").unwrap();
    let may = |fact: Fact| {
        let action = Action::of(&Act::Report { fact });
        allowed(&principal(&device), action, &own(), Purpose::Care)
    };
    let bare = BedProfile {
        bed: bed.clone(),
        care_types: None,
        ward: None,
        room: None,
        features: None,
        reserve: Some(true),
    };
    let moved = BedProfile { ward: Some(label("Zuid")), ..bare.clone() };
    let made = BedProfile { care_types: Some(vec!["GRZ".into()]), ..bare.clone() };
    for fact in [
        Fact::BedFreed(bed.clone()),
        Fact::BedVacated(bed.clone()),
        Fact::BedContaminated(bed.clone()),
        Fact::BedOpened(bed.clone()),
        Fact::BedStaffed(bed.clone()),
        Fact::BedUnstaffed(bed.clone()),
        Fact::BedClosed { bed: bed.clone(), reason: ClosedReason::Infection, review_at: None },
        Fact::BedChanged(bare),
        Fact::LocationConfirmed { location: location.clone() },
        Fact::CountsReported { location: location.clone(), counts: Vec::new() },
    ] {
        assert_eq!(may(fact.clone()), Ok(()), "{}", fact.kind());
    }
    for fact in [
        Fact::LocationWithdrawn { location: location.clone() },
        Fact::IntakeLimitSet { location: location.clone(), care_type: None, period: Period::Day, max: 0 },
        Fact::WindowsSet { location: location.clone(), windows: Vec::new() },
        Fact::AdmissionsResumed { location, ward: None },
        Fact::BedRemoved(bed),
        Fact::BedChanged(moved),
        Fact::BedAdded(made),
    ] {
        assert_eq!(may(fact.clone()), Err(Denied::Role), "{}", fact.kind());
    }
}

#[test]
fn an_act_is_found_under_its_name_and_a_refusal_has_a_code_and_two_sentences() {
    assert_eq!(Action::of(&Act::TakeBackDuty), Action::TakeBackDuty);
    let codes: BTreeSet<&str> = Action::ALL.iter().map(|action| action.code()).collect();
    assert_eq!(codes.len(), Action::ALL.len());
    for denied in [Denied::Role, Denied::Purpose, Denied::Foreign] {
        assert!(denied.code().starts_with("not-your"));
        assert_ne!(denied.nl(), denied.en());
    }
}
