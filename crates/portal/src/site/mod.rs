//! The pages behind the door: who looks, what is around every page, and each page in a module of its own.
//!
//! A page is made of the same queries, and does the same acts, as the API; it asks the same function whether somebody may. Not
//! here: the public pages (`pages`), what keeps a page up to date (`follow`, `live`), what an act is (`api::acts`).

pub(crate) mod ahead;
mod alarms;
mod area;
mod behind;
mod centre;
mod chart;
pub(crate) mod desk;
pub(crate) mod door;
mod event;
mod figures;
mod filled;
mod flow;
pub(crate) mod follow;
pub(crate) mod forms;
mod hours;
pub(crate) mod house;
mod lookback;
mod markup;
pub(crate) mod notices;
mod receipts;
mod referrals;
mod refused;
pub(crate) mod sieve;
mod sure;
pub(crate) mod visit;
pub(crate) mod words;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::server::Portal;

/// Every page behind the door.
pub(crate) fn router() -> Router<Arc<Portal>> {
    Router::new()
        .route("/inloggen", get(door::page).post(door::sign_in))
        .route("/uitloggen", post(door::sign_out))
        .route("/thuis", get(door::home_page))
        .route("/meldingen", get(notices::page))
        .route("/meldingen/mail", post(notices::set_mail))
        .route("/meldingen/apparaat", post(notices::add_device))
        .route("/meldingen/apparaat/weg", post(notices::remove_device))
        .route("/r/{region}/werklijst", get(desk::worklist::page))
        .route("/r/{region}/aanmelding/nieuw", get(desk::new::page))
        .route("/r/{region}/aanmeldingen", get(desk::list::of_region))
        .route("/aanmeldingen", get(desk::list::own))
        .route("/aanmelding/{referral}", get(desk::referral::page))
        .route("/aanmelding/{referral}/wie", get(desk::past::who))
        .route("/aanmelding/{referral}/lijsten", get(desk::past::lists))
        .route("/locaties", get(house::list::page))
        .route("/l/{location}", get(house::page))
        .route("/l/{location}/inrichting", get(house::setup::page))
        .route("/l/{location}/cijfers/{care_type}", get(behind::page))
        .route("/verblijf/{stay}", get(house::stay::page))
        .route("/volgen/r/{region}", get(follow::region))
        .route("/volgen/l/{location}", get(follow::location))
        .route("/volgen/a/{referral}", get(follow::referral))
        .route("/volgen/c/{centre}", get(follow::centre))
        .route("/r/{region}/stroom", get(flow::page))
        .route("/r/{region}/stroom/{file}", get(flow::file))
        .route("/c/{centre}", get(centre::page))
        .route("/audit", get(lookback::page))
        .route("/audit/aanmeldingen", get(referrals::page))
        .route("/audit/log.vkey", get(event::key))
        .route("/audit/gebeurtenis/{position}", get(event::page))
        .route("/audit/gebeurtenis/{position}/bewijs", get(event::proof))
}
