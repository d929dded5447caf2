//! The network of the page tests: one source of each kind in zk01, a desk and a house in zk02.

use ::network::Network;

/// Id, name, kind and region of each source.
const SOURCES: [(&str, &str, &str, &str); 7] = [
    ("urn:test:desk", "loket-zk01", "desk", "zk01"),
    ("urn:test:other-desk", "loket-zk02", "desk", "zk02"),
    ("urn:test:location", "zk01-de-linde", "location", "zk01"),
    ("urn:test:second", "zk01-de-beuk", "location", "zk01"),
    ("urn:test:third", "zk02-de-eik", "location", "zk02"),
    ("urn:test:referrer", "huisarts", "referrer", "zk01"),
    ("urn:test:centre", "midden", "centre", "zk01"),
];

/// The network that the accounts of the tests belong to.
pub(crate) fn network() -> Network {
    with(&SOURCES)
}

/// The same after everybody went to zk02.
pub(crate) fn moved() -> Network {
    with(&SOURCES.map(|(id, name, kind, _)| (id, name, kind, "zk02")))
}

fn with(sources: &[(&str, &str, &str, &str)]) -> Network {
    let regions = [("zk01", "Groningen"), ("zk02", "Friesland")].map(|(code, name)| {
        format!(
            "[[region]]\ncode = \"{code}\"\nname = \"{name}\"\ntile = {{ column = {}, row = 1 }}\ndesk = {{ name = \"Loket {name}\", phone = \"088 000 00 0{}\", hours = \"dag en nacht\" }}\n",
            u8::from(code.ends_with('2')) + 1,
            u8::from(code.ends_with('2')) + 1,
        )
    });
    let sources = sources.iter().map(|(id, name, kind, region)| {
        format!("[[source]]\nid = \"{id}\"\nname = \"{name}\"\nkind = \"{kind}\"\nregion = \"{region}\"\n")
    });
    let centre = "[[centre]]\ncode = \"midden\"\nname = \"Centrum Noord\"\nregions = [\"zk01\"]\n\
                  [[alert]]\ncentre = \"midden\"\nkind = \"offerable-below\"\ncare_type = \"ELV_LC\"\nbelow = 2\n".to_owned();
    let text: String = regions.into_iter().chain([centre]).chain(sources).collect();
    Network::from_toml("network.toml", &text).unwrap()
}
