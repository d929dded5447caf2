//! Who asks: the token of a request, and what its holder is.
//!
//! Not here: what that may do (`domain::access`), what is kept of a token (`network`).

use std::collections::BTreeSet;

use axum::http::{HeaderMap, HeaderName, header};
use domain::access::{About, Action, Denied, Principal, Role, Whose, allowed, ever, purposes_of};
use domain::desk::Actor;
use domain::{Label, LocationId, SourceId};
use network::{Kind, Locations, Network, Source, TokenHash};

use super::problem::Problem;
use crate::server::Portal;

/// In whose name the operator of the node acts: the URN of a source.
pub(crate) const AS: HeaderName = HeaderName::from_static("doorstroom-as");
/// In whose name the operator acts when no source is named: nobody's whose care it is.
const OPERATOR: &str = "urn:doorstroom:operator";

/// Who asks.
///
/// # Errors
/// [`Problem::Unknown`] without a valid token, or when the operator names a source that is not there.
pub(crate) fn caller(portal: &Portal, headers: &HeaderMap) -> Result<Principal, Problem> {
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = shown.and_then(|text| text.strip_prefix("Bearer ")).ok_or(Problem::Unknown)?.trim();
    let network = portal.app.registry.borrow();
    let is_operator = portal.app.operator.is_some_and(|operator| operator.matches(&TokenHash::of(token)));
    if is_operator {
        let named = headers.get(AS).map(|value| value.to_str().ok().and_then(|text| text.parse().ok()));
        return match named {
            None => Ok(Principal { source: operator()?, role: Role::Admin }),
            Some(source) => {
                let source: SourceId = source.ok_or(Problem::BadParameter("doorstroom-as"))?;
                principal(&network, network.source(&source).ok_or(Problem::BadParameter("doorstroom-as"))?)
            }
        };
    }
    let holder = network.holder(token, (portal.app.now)()).ok_or(Problem::Unknown)?;
    principal(&network, holder)
}

fn operator() -> Result<SourceId, Problem> {
    OPERATOR.parse().map_err(|_| Problem::Unknown)
}

/// What a source is.
///
/// # Errors
/// Nobody works with it.
pub(crate) fn principal(network: &Network, source: &Source) -> Result<Principal, Problem> {
    let region = source.region.clone();
    let role = match source.kind {
        Kind::Desk => Role::DeskOperator { region },
        Kind::Location => {
            let locations = match &source.locations {
                Locations::Any => Whose::Any,
                Locations::These(these) => Whose::These(these.clone()),
            };
            Role::LocationStaff { region, locations }
        }
        Kind::Referrer => Role::Referrer { region },
        Kind::Centre => {
            let known = network.centres().find(|centre| centre.code.as_str() == source.name.as_str());
            let regions = known
                .map_or_else(|| BTreeSet::from([region]), |centre| centre.regions.iter().cloned().collect());
            let centre: Label = source.name.as_str().parse().map_err(|_| Problem::Denied(Denied::Role))?;
            Role::Centre { centre, regions }
        }
        // A node's own source reports what lapsed; nobody works with it.
        Kind::Node => return Err(Problem::Denied(Denied::Role)),
    };
    Ok(Principal { source: source.id.clone(), role })
}

/// Lets nobody pass whose role may never do this, before anything is looked up: what exists is not theirs to learn.
///
/// # Errors
/// The role may not.
pub(crate) fn check_role(principal: &Principal, action: Action) -> Result<(), Problem> {
    if ever(&principal.role, action) { Ok(()) } else { Err(Problem::Denied(Denied::Role)) }
}

/// Lets the principal do this about this, for any purpose its role has; writes down an attempt at what is another's.
///
/// # Errors
/// It may not.
pub(crate) fn check(principal: &Principal, action: Action, about: &About) -> Result<(), Problem> {
    let answers =
        purposes_of(&principal.role).iter().map(|purpose| allowed(principal, action, about, *purpose));
    let mut denied = Denied::Role;
    for answer in answers {
        match answer {
            Ok(()) => return Ok(()),
            // Of several, the one that came closest.
            Err(Denied::Foreign) => denied = Denied::Foreign,
            Err(Denied::Role | Denied::Purpose) => {}
        }
    }
    if denied == Denied::Foreign {
        tracing::warn!(
            source = %principal.source, action = action.code(), region = about.region.as_ref().map(ToString::to_string),
            "an attempt at what is another's"
        );
    }
    Err(denied.into())
}

/// Whether the principal may do this about this, for any purpose its role has.
pub(crate) fn permits(principal: &Principal, action: Action, about: &About) -> bool {
    purposes_of(&principal.role).iter().any(|purpose| allowed(principal, action, about, *purpose).is_ok())
}

/// As whom a principal acts on what is of `location`, if it is about one.
///
/// # Errors
/// Nobody acts in this role.
pub(crate) fn actor(principal: &Principal, location: Option<&LocationId>) -> Result<Actor, Problem> {
    match (&principal.role, location) {
        (Role::DeskOperator { region }, _) => Ok(Actor::Desk(region.clone())),
        (Role::Centre { centre, .. }, _) => Ok(Actor::Centre(centre.clone())),
        (Role::LocationStaff { .. } | Role::WardDevice { .. }, Some(location)) => {
            Ok(Actor::Location(location.clone()))
        }
        (Role::Referrer { .. }, _) => Ok(Actor::Referrer),
        (Role::LocationStaff { .. } | Role::WardDevice { .. }, None)
        | (Role::Auditor { .. } | Role::Admin, _) => Err(Problem::Denied(Denied::Role)),
    }
}
