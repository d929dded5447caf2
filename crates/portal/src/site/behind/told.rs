//! One event behind a number, as a line: where it is in the log, when, who said it, and what.
//!
//! Nothing of the person is in it: where somebody went, and from which referral somebody came, stays out. Not here: the
//! event itself (`event`).

use domain::access::Action;
use domain::desk::State as DeskState;
use domain::{Fact, Recorded};
use network::Network;
use views::CareCode;

use crate::site::event;
use crate::site::house::window;
use crate::site::lookback::{is_late, looks_back};
use crate::site::visit::Visit;
use crate::site::words::teller;
use crate::text;

/// An event on the page.
pub(super) struct Told {
    pub(super) position: u64,
    /// It can be looked at.
    pub(super) open: bool,
    /// When it was recorded, and when it happened if that is another time.
    pub(super) when: String,
    pub(super) happened: Option<String>,
    pub(super) source: String,
    pub(super) text: String,
}

/// Tells events to whoever looks.
pub(super) struct Teller<'a> {
    pub(super) state: &'a DeskState,
    pub(super) visit: &'a Visit,
    pub(super) registry: &'a Network,
    pub(super) code: CareCode,
}

impl Teller<'_> {
    pub(super) fn tell(&self, recorded: &Recorded) -> Told {
        let (now, lang) = (self.visit.now, self.visit.lang);
        let event = &recorded.event;
        let happened = is_late(event.occurred_at, recorded.recorded_at)
            .then(|| text::clock(event.occurred_at, now, lang));
        Told {
            position: recorded.position,
            open: self.may_open(recorded),
            when: text::clock(recorded.recorded_at, now, lang),
            happened,
            source: teller(self.registry, &event.source, lang),
            text: self.says(&event.fact),
        }
    }

    /// Whether the page of the event is shown to whoever looks: asked as that page asks it.
    fn may_open(&self, recorded: &Recorded) -> bool {
        let back = self.visit.signed.as_ref().is_some_and(|signed| looks_back(&signed.principal));
        let event = &recorded.event;
        let about = || event::subject(self.state, Some(&event.region), event.fact.referral(), self.visit.now);
        back && about().is_some_and(|subject| self.visit.may(Action::Timeline, &subject))
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "what has no values is said by its type")]
    fn says(&self, fact: &Fact) -> String {
        let (lang, now) = (self.visit.lang, self.visit.now);
        let clock = |at: &domain::Timestamp| text::clock(*at, now, lang);
        let says = |key: &str, values: &[(&str, &str)]| lang.tf(&format!("said-{key}"), values);
        match fact {
            Fact::BedClosed { reason, .. } => {
                says("closed", &[("reason", &lang.code("closed", reason.code()))])
            }
            Fact::AdmissionsStopped { ward, reason, .. } => {
                let reason = lang.code("stop", reason.code());
                match ward {
                    Some(ward) => {
                        says("stopped-ward", &[("ward", &text::shown(ward.as_str())), ("reason", &reason)])
                    }
                    None => says("stopped", &[("reason", &reason)]),
                }
            }
            Fact::WindowsSet { windows, .. } if windows.is_empty() => lang.t("said-never").to_owned(),
            Fact::WindowsSet { windows, .. } => {
                let lines: Vec<String> = windows.iter().map(|one| window(lang, one)).collect();
                says("windows", &[("windows", &lines.join("; "))])
            }
            Fact::IntakeLimitSet { care_type, period, max, .. } => {
                let what = care_type.as_ref().map_or(lang.t("all-types"), |code| lang.care_type(code.code()));
                let period = lang.code("period", period.code()).to_lowercase();
                says("limit", &[("max", &max.to_string()), ("period", &period), ("care", what)])
            }
            Fact::CountsReported { counts, .. } => {
                let own = counts.iter().find(|count| CareCode::from(&count.care_type) == self.code);
                own.map_or_else(String::new, |count| {
                    let number = |count: i64| count.to_string();
                    let (all, taken, free) =
                        (number(count.physical), number(count.occupied), number(count.offerable));
                    says("counts", &[("physical", &all), ("occupied", &taken), ("offerable", &free)])
                })
            }
            Fact::HoldGranted { until, .. } => says("held", &[("until", &clock(until))]),
            Fact::HoldExtended { until, .. } => says("held-on", &[("until", &clock(until))]),
            Fact::StayMoved { from, to, .. } => {
                says("moved", &[("from", from.bed.as_str()), ("to", to.bed.as_str())])
            }
            Fact::StayWaitingFor { what, since, .. } => {
                says("waits", &[("what", &lang.code("waits", what.code())), ("since", &clock(since))])
            }
            Fact::StayDischarged { ready: true, .. } => lang.t("said-left-ready").to_owned(),
            other => lang.code("said", &other.kind().replace('.', "-")),
        }
    }
}
