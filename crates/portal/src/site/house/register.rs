//! A new location: the form on `/locaties`, for whoever may register one.
//!
//! Not here: of which region a location is (`api::scope`), the locations there are (`list`).

use domain::access::{Action, Role, Whose};
use domain::desk::State as DeskState;
use domain::{LocationId, RegionId};
use network::Network;

use super::setup::SiteForm;
use crate::api::scope::Subject;
use crate::site::visit::Visit;
use crate::text;

/// A region in which whoever looks may register a location.
pub(super) struct Register {
    pub(super) region: String,
    pub(super) name: String,
    /// Which ones it can be; none if any of the region can.
    pub(super) ids: Vec<String>,
    pub(super) form: SiteForm,
}

/// Where whoever looks may register one: a desk in its region, a house those that it speaks for and that take no part yet.
pub(super) fn of(state: &DeskState, network: &Network, visit: &Visit) -> Vec<Register> {
    let region = |region: &network::Region| {
        let ids = may(state, visit, &region.code)?;
        Some(Register {
            region: region.code.to_string(),
            name: text::shown(region.name.as_str()),
            ids: ids.iter().map(ToString::to_string).collect(),
            form: SiteForm::empty(visit.lang),
        })
    };
    network.regions().filter_map(region).collect()
}

/// Which ones whoever looks may register in this region: none named for any of it; `None` for nobody's.
fn may(state: &DeskState, visit: &Visit, region: &RegionId) -> Option<Vec<LocationId>> {
    let signed = visit.signed.as_ref()?;
    let may = |location: &LocationId| {
        let subject = Subject::region(state, region, visit.now).at(state, location);
        visit.may(Action::Report, &subject)
    };
    match &signed.principal.role {
        Role::LocationStaff { locations: Whose::These(these), .. } => {
            let new =
                these.iter().filter(|location| state.board.profile(location).is_none() && may(location));
            let new: Vec<LocationId> = new.cloned().collect();
            (!new.is_empty()).then_some(new)
        }
        Role::LocationStaff { locations: Whose::Any, .. } => {
            // One that nobody knows is of the region it is spoken of in.
            let any: LocationId = format!("{region}-").parse().ok()?;
            may(&any).then(Vec::new)
        }
        Role::DeskOperator { .. }
        | Role::Centre { .. }
        | Role::WardDevice { .. }
        | Role::Referrer { .. }
        | Role::Auditor { .. }
        | Role::Admin => visit.may_in(state, Action::Report, region).then(Vec::new),
    }
}
