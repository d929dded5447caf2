//! What of a network one user needs to take part, and no more.
//!
//! Not here: the user's key (`keyring`).

use std::collections::{BTreeMap, BTreeSet};

use domain::RegionId;

use crate::{Network, Party, Source, User, user};

impl Network {
    /// What this user has to know of the network: a source itself with its region and the locations the file names in
    /// it, a centre itself with its regions and their locations, one of the node's own everything. It is a network by
    /// itself: written to a file it passes the checks.
    #[must_use]
    pub fn for_user(&self, user: &User<'_>) -> Self {
        let mut part = match user.party {
            Party::Service(_) => return self.clone(),
            Party::Source(source) => {
                let mut part = self.of_regions(&BTreeSet::from([&source.region]));
                let named = BTreeMap::from([(source.name.clone(), source.id.clone())]);
                part.names.insert(source.region.clone(), named);
                // What it needs on the bus; its tokens are nobody's business there.
                let own = Source { tokens: Vec::new(), ..source.clone() };
                part.sources.insert(source.id.clone(), own);
                part
            }
            Party::Centre(centre) => {
                let mut part = self.of_regions(&centre.regions.iter().collect());
                for region in part.regions.values_mut() {
                    region.centres.push(centre.code.clone());
                }
                part.centres.insert(centre.code.clone(), centre.clone());
                part
            }
        };
        part.services = user::without_keys(&part);
        part
    }

    /// These regions with their locations, and nobody who sends or listens.
    fn of_regions(&self, wanted: &BTreeSet<&RegionId>) -> Self {
        let mut regions = self.regions.clone();
        regions.retain(|code, _| wanted.contains(code));
        for region in regions.values_mut() {
            region.centres.clear();
        }
        let mut locations = self.locations.clone();
        locations.retain(|_, location| wanted.contains(&location.region));
        Self {
            regions,
            centres: BTreeMap::new(),
            locations,
            sources: BTreeMap::new(),
            names: BTreeMap::new(),
            services: BTreeMap::new(),
        }
    }
}
