//! The stay that a referral came to, on its page: the way there, and taking back an admission that was a slip.
//!
//! Not here: the page of the stay (`house::stay`), what the house offers beside its beds (`house::beds`).

use domain::access::Action;
use domain::desk::{End, Referral, State};

use crate::api::scope::Subject;
use crate::site::house::beds::is_own_and_recent;
use crate::site::visit::Visit;

/// The stay, for whoever may see it.
pub(super) struct Stayed {
    pub(super) id: String,
    /// Whoever looks said within this shift that it began, and may say that it did not.
    pub(super) not_come: bool,
}

/// The stay of a referral that ended with an admission.
pub(super) fn stayed(state: &State, referral: &Referral, visit: &Visit) -> Option<Stayed> {
    let Some(End::Admitted(id)) = &referral.end else { return None };
    let stay = state.stays.get(id)?;
    let subject = Subject::stay(state, *id, visit.now)?;
    visit.may(Action::Stay, &subject).then(|| Stayed {
        id: id.to_string(),
        not_come: stay.closed_at.is_none()
            && is_own_and_recent(stay, visit)
            && visit.may(Action::CancelAdmission, &subject),
    })
}
