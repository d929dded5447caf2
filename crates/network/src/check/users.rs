//! Keys, the node's own users, and what a centre is told of.

use std::collections::BTreeSet;
use std::ops::Range;

use domain::{CareType, RegionId, Timestamp};
use toml::Spanned;

use super::{known_region, parsed};
use crate::Network;
use crate::alert::{AlertRule, HOURS_MAX, MINUTES_MAX};
use crate::error::Problem;
use crate::file::{self, AlertKind, ServiceRole};
use crate::key::{KEYS_MAX, PublicKey, UserKey};
use crate::party::CentreId;
use crate::token::{TOKENS_MAX, Token, TokenHash};
use crate::user::{Account, Role};

/// The keys and tokens seen so far: each belongs to one user of the whole network, so that it says who it is.
#[derive(Debug, Default)]
pub(super) struct Keys {
    keys: BTreeSet<PublicKey>,
    tokens: BTreeSet<TokenHash>,
}

impl Keys {
    pub(super) fn checked(&mut self, keys: &[file::UserKey]) -> Result<Vec<UserKey>, Problem> {
        if let Some(first_too_many) = keys.get(KEYS_MAX) {
            let text =
                format_args!("more than {KEYS_MAX} keys of one user; remove those that ended long ago");
            return Err(Problem::new(first_too_many.key.span(), text));
        }
        keys.iter().map(|key| self.one(key)).collect()
    }

    fn one(&mut self, of_file: &file::UserKey) -> Result<UserKey, Problem> {
        let at = of_file.key.span();
        // The text is not repeated: somebody may have put a seed here.
        let key: PublicKey =
            of_file.key.get_ref().parse().map_err(|error| Problem::new(at.clone(), error))?;
        if !self.keys.insert(key.clone()) {
            let text = format_args!(
                "`{key}` is there already and a key is of one user; make another key for one of the two"
            );
            return Err(Problem::new(at, text));
        }
        let until = of_file.until.as_ref().map(parsed::<Timestamp>).transpose()?;
        Ok(UserKey { key, until })
    }

    pub(super) fn checked_tokens(&mut self, tokens: &[file::Token]) -> Result<Vec<Token>, Problem> {
        if let Some(first_too_many) = tokens.get(TOKENS_MAX) {
            let text =
                format_args!("more than {TOKENS_MAX} tokens of one source; remove those that ended long ago");
            return Err(Problem::new(first_too_many.sha256.span(), text));
        }
        tokens.iter().map(|token| self.one_token(token)).collect()
    }

    fn one_token(&mut self, of_file: &file::Token) -> Result<Token, Problem> {
        let at = of_file.sha256.span();
        // The text is not repeated: somebody may have put the token itself here.
        let hash: TokenHash =
            of_file.sha256.get_ref().parse().map_err(|error| Problem::new(at.clone(), error))?;
        if !self.tokens.insert(hash) {
            let text = format_args!(
                "`{}` is there already and a token is of one source; make another for one of the two",
                hash.id()
            );
            return Err(Problem::new(at, text));
        }
        let until = of_file.until.as_ref().map(parsed::<Timestamp>).transpose()?;
        Ok(Token { hash, from: parsed(&of_file.from)?, until })
    }
}

pub(super) fn add_service(
    network: &mut Network,
    seen: &mut BTreeSet<Role>,
    keys: &mut Keys,
    service: &file::Service,
) -> Result<(), Problem> {
    let at = service.role.span();
    let role = role_of(network, service)?;
    if !seen.insert(role.clone()) {
        let text = format_args!(
            "`{}` of {} is there already; put the keys of both in one [[service]]",
            role.user(),
            role.account()
        );
        return Err(Problem::new(at, text));
    }
    let keys = keys.checked(&service.keys)?;
    if let Some(service) = network.services.get_mut(&role) {
        service.keys = keys;
    }
    Ok(())
}

fn role_of(network: &Network, service: &file::Service) -> Result<Role, Problem> {
    let at = service.role.span();
    let region = service.region.as_ref().map(|named| known_region(network, named)).transpose()?;
    let centre = service.centre.as_ref().map(|named| known_centre(network, named)).transpose()?;
    match (service.role.get_ref(), region, centre) {
        (ServiceRole::Recorder, Some(region), None) => Ok(Role::Recorder(region)),
        (ServiceRole::Recorder, _, _) => {
            Err(Problem::new(at, "a recorder is of one region and of no centre; name its `region` only"))
        }
        (ServiceRole::Leaf, Some(region), None) if has_leaf(network, &region) => Ok(Role::Leaf(region)),
        (ServiceRole::Leaf, _, _) => {
            Err(Problem::new(at, "a leaf is of one region that has `leaf = true`; name that `region` only"))
        }
        (ServiceRole::Provisioner, Some(region), None) => Ok(Role::Provisioner(Account::Region(region))),
        (ServiceRole::Provisioner, None, Some(centre)) => Ok(Role::Provisioner(Account::Centre(centre))),
        (ServiceRole::Provisioner, None, None) => Ok(Role::Provisioner(Account::Core)),
        (ServiceRole::Provisioner, Some(_), Some(_)) => {
            Err(Problem::new(at, "a provisioner is of one account; name its `region` or its `centre`"))
        }
        (ServiceRole::Gateway, None, None) => Ok(Role::Gateway),
        (ServiceRole::Operator, None, None) => Ok(Role::Operator),
        (ServiceRole::Monitor, None, None) => Ok(Role::Monitor),
        (ServiceRole::Gateway | ServiceRole::Operator | ServiceRole::Monitor, _, _) => Err(Problem::new(
            at,
            "there is one of these for the whole network; remove its `region` and `centre`",
        )),
    }
}

fn has_leaf(network: &Network, region: &RegionId) -> bool {
    network.regions.get(region).is_some_and(|region| region.leaf)
}

pub(super) fn add_alert(network: &mut Network, alert: &file::Alert) -> Result<(), Problem> {
    let at = alert.kind.span();
    let code = known_centre(network, &alert.centre)?;
    let rule = rule_of(alert)?;
    let Some(centre) = network.centres.get_mut(&code) else {
        return Ok(());
    };
    if centre.alerts.contains(&rule) {
        return Err(Problem::new(
            at,
            format_args!("`{code}` has this very rule already; remove one of the two"),
        ));
    }
    centre.alerts.push(rule);
    Ok(())
}

fn rule_of(alert: &file::Alert) -> Result<AlertRule, Problem> {
    let rule = match alert.kind.get_ref() {
        AlertKind::OfferableBelow => AlertRule::OfferableBelow {
            care_type: care_type(needed(alert, alert.care_type.as_ref(), "care_type")?)?,
            below: within(needed(alert, alert.below.as_ref(), "below")?, u32::MAX)?,
        },
        AlertKind::CrisisUnplaced => AlertRule::CrisisUnplaced {
            minutes: within(needed(alert, alert.minutes.as_ref(), "minutes")?, MINUTES_MAX)?,
        },
        AlertKind::Silent => AlertRule::Silent {
            hours: within(needed(alert, alert.hours.as_ref(), "hours")?, HOURS_MAX)?,
            of: *needed(alert, alert.of.as_ref(), "of")?.get_ref(),
        },
    };
    let belongs: &[&str] = match rule {
        AlertRule::OfferableBelow { .. } => &["care_type", "below"],
        AlertRule::CrisisUnplaced { .. } => &["minutes"],
        AlertRule::Silent { .. } => &["hours", "of"],
    };
    let given: [(&str, Option<Range<usize>>); 5] = [
        ("care_type", alert.care_type.as_ref().map(Spanned::span)),
        ("below", alert.below.as_ref().map(Spanned::span)),
        ("minutes", alert.minutes.as_ref().map(Spanned::span)),
        ("hours", alert.hours.as_ref().map(Spanned::span)),
        ("of", alert.of.as_ref().map(Spanned::span)),
    ];
    for (key, at) in given {
        if let Some(at) = at
            && !belongs.contains(&key)
        {
            return Err(Problem::new(at, format_args!("a rule `{}` has no `{key}`; remove it", rule.kind())));
        }
    }
    Ok(rule)
}

fn needed<'a, T>(
    alert: &file::Alert,
    value: Option<&'a Spanned<T>>,
    key: &str,
) -> Result<&'a Spanned<T>, Problem> {
    value.ok_or_else(|| {
        Problem::new(alert.kind.span(), format_args!("a rule of this kind needs `{key}`; add it"))
    })
}

fn care_type(code: &Spanned<String>) -> Result<CareType, Problem> {
    let care_type = CareType::from(&**code.get_ref());
    if let CareType::Other(unknown) = &care_type {
        let known = CareType::KNOWN.join(", ");
        return Err(Problem::new(
            code.span(),
            format_args!("`{unknown}` is not a care type; give one of {known}"),
        ));
    }
    Ok(care_type)
}

fn within(value: &Spanned<u32>, max: u32) -> Result<u32, Problem> {
    let number = *value.get_ref();
    if (1..=max).contains(&number) {
        Ok(number)
    } else {
        Err(Problem::new(value.span(), format_args!("{number} is not from 1 to {max}; correct the value")))
    }
}

fn known_centre(network: &Network, named: &Spanned<String>) -> Result<CentreId, Problem> {
    let code: CentreId = parsed(named)?;
    if network.centres.contains_key(&code) {
        Ok(code)
    } else {
        let text = format_args!("there is no [[centre]] with code `{code}`; add it or correct the code");
        Err(Problem::new(named.span(), text))
    }
}
