//! The desk's pages: what needs it now, a referral from the first call to the end, the referrals there are.

mod asked;
mod by_rule;
pub(crate) mod list;
pub(crate) mod new;
pub(crate) mod past;
pub(crate) mod referral;
mod stayed;
pub(crate) mod worklist;
