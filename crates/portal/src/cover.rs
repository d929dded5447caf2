//! Who stands in for a desk that handed its duty over, and the number to ring: on every page that says whom to ring.
//!
//! Not here: handing it over (`domain::desk`), the desk's own number (the network file).

use domain::desk::State as DeskState;
use domain::{RegionId, Timestamp};
use network::Network;

use crate::text;
use crate::words::Lang;

/// Who stands in for a desk that handed its duty over.
pub(crate) struct Cover {
    pub(crate) name: String,
    /// The number to ring; a centre has none here.
    pub(crate) phone: Option<String>,
    pub(crate) until: String,
}

impl Cover {
    /// Who stands in for the desk of this region now; `None` for its own people.
    pub(crate) fn of(
        network: &Network,
        state: &DeskState,
        region: &RegionId,
        now: Timestamp,
        lang: Lang,
    ) -> Option<Self> {
        let duty = state.deputy(region, now)?;
        let desk = duty.to.as_str().parse().ok().and_then(|code| network.region(&code));
        let centre = duty.to.as_str().parse().ok().and_then(|code| network.centre(&code));
        let name = desk.map(|region| region.desk.name.as_str()).or(centre.map(|centre| centre.name.as_str()));
        Some(Self {
            name: text::shown(name.unwrap_or(duty.to.as_str())),
            phone: desk.map(|region| text::shown(region.desk.phone.as_str())),
            until: text::clock(duty.until, now, lang),
        })
    }

    pub(crate) fn tel(&self) -> Option<String> {
        self.phone.as_deref().and_then(text::tel)
    }
}

#[cfg(test)]
mod tests {
    use domain::desk::{Duty, RuleBook};

    use super::*;

    const NETWORK: &str = "\
        [[region]]\ncode = \"zk01\"\nname = \"Hier\"\ndesk = { name = \"Loket Hier\", phone = \"0101234567\", hours = \"overdag\" }\n\
        [[region]]\ncode = \"zk02\"\nname = \"Daar\"\ndesk = { name = \"Loket Daar\", phone = \"0107654321\", hours = \"altijd\" }\n\
        [[centre]]\ncode = \"midden\"\nname = \"Acute zorg Midden\"\nregions = [\"zk01\"]\n";

    #[test]
    fn who_stands_in_is_named_with_the_number_to_ring_until_the_duty_comes_back() {
        let network = Network::from_toml("network.toml", NETWORK).unwrap();
        let here: RegionId = "zk01".parse().unwrap();
        let until: Timestamp = "2026-03-02T08:00:00Z".parse().unwrap();
        let before = until.saturating_add_micros(-1);
        let mut state = DeskState::new(RuleBook::default());
        let cover = |state: &DeskState, at| Cover::of(&network, state, &here, at, Lang::Nl);
        assert!(cover(&state, before).is_none());
        for (to, name, tel) in
            [("zk02", "Loket Daar", Some("tel:0107654321")), ("midden", "Acute zorg Midden", None)]
        {
            let duty = Duty { to: to.parse().unwrap(), until, mandate: vec!["all".parse().unwrap()] };
            state.duties.insert(here.clone(), duty);
            let found = cover(&state, before).unwrap();
            assert_eq!((found.name.as_str(), found.tel().as_deref()), (name, tel));
            assert!(cover(&state, until).is_none(), "over");
        }
    }
}
