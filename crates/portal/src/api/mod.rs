//! The HTTP API of the desk under `/api/v1`: an act for everything that can be wanted, a question for everything that
//! can be seen, events as they are recorded; described by `/api/v1/openapi.json`. And what machines ask of any node: the
//! board as JSON, health, metrics (`open`).
//!
//! Everything comes in at the edge: a token becomes a principal (`who`), a body an act of the domain (`acts`), and one
//! function says whether that principal may (`domain::access`). Not here: pages, the rules, the views.
//!
//! Invariant: what is another's looks like what does not exist (test: `fault_67_ids_of_another_region_look_like_ids_of_nothing`).

pub(crate) mod acting;
pub(crate) mod acts;
mod events;
pub(crate) mod open;
pub(crate) mod problem;
pub(crate) mod questions;
pub(crate) mod request;
pub(crate) mod router;
pub(crate) mod scope;
mod times;
pub(crate) mod upto;
pub(crate) mod value;
pub(crate) mod who;

use std::sync::Arc;

use axum::Router;

pub(crate) use request::WAITING_MAX;
use router::Api;

use crate::server::Portal;

/// Every address of the API, and that of its description.
pub(crate) fn router() -> Router<Arc<Portal>> {
    events::register(questions::register(acts::register(Api::new()))).finish()
}
