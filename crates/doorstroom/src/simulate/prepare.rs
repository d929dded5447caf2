//! `doorstroom simulate prepare`: a folder with all that a simulation needs beside a node: a network whose regions have a
//! desk, a system of its locations and one of its referrers; their tokens; the rules, with whom each region asks.
//!
//! Not here: the simulation (`simulator`).

use std::fs;
use std::path::{Path, PathBuf};

use domain::{RegionId, Timestamp};
use eventlog::{Clock as _, SystemClock};
use keyring::Secret;
use network::Network;
use network::edit::Draft;

use crate::failure::Failure;
use crate::out::Out;

/// Who acts in a region, with the kind of source it is.
const PARTIES: [(&str, &str); 3] = [("desk", "desk"), ("houses", "location"), ("referrer", "referrer")];

/// Arguments of `doorstroom simulate prepare`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder; it gets network.toml, rules.toml and tokens/
    dir: PathBuf,
    /// Of how many regions: the first of the shipped network
    #[arg(long, value_name = "N", default_value_t = 31, value_parser = clap::value_parser!(u16).range(1..))]
    regions: u16,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let known = Network::default_dutch()?;
    let of = known.regions().take(args.regions.into()).map(|region| region.code.clone());
    let regions: Vec<RegionId> = of.collect();
    let tokens = args.dir.join("tokens");
    fs::create_dir_all(&tokens).map_err(|error| unwritten(&tokens, error))?;
    let file = args.dir.join("network.toml");
    let mut text = known.to_toml();
    let mut secrets = Vec::new();
    for region in &regions {
        for (party, kind) in PARTIES {
            let secret = Secret::make()?;
            text.push_str(&source(region, (party, kind), &secret));
            secrets.push((tokens.join(format!("{party}-{region}.token")), secret));
        }
    }
    Draft::create(&file, &Network::from_toml(&file.display().to_string(), &text)?)?;
    for (path, secret) in secrets {
        secret.write(&path)?;
    }
    let rules = args.dir.join("rules.toml");
    fs::write(&rules, ladders(&regions)).map_err(|error| unwritten(&rules, error))?;
    let dir = args.dir.display();
    let mut out = Out::new();
    out.line(format_args!("{} regions have their tokens in {dir}; next:", regions.len()))?;
    out.line(format_args!(
        "doorstroom up --network {dir}/network.toml --rules {dir}/rules.toml --data {dir}/data --clock-factor 600"
    ))?;
    out.line(format_args!("doorstroom simulate run {dir} --factor 600 --hours 12"))?;
    out.flush()
}

fn unwritten(path: &Path, error: std::io::Error) -> Failure {
    Failure::new(format!("{} can not be written", path.display()), error)
}

/// One party of a region. One system speaks for all of its locations, as that of a large provider does.
fn source(region: &RegionId, (party, kind): (&str, &str), secret: &Secret) -> String {
    let locations = if party == "houses" { "locations = [\"*\"]\n" } else { "" };
    let (hash, from) = (secret.hash(), Timestamp::from_micros(SystemClock.now()));
    format!(
        "\n[[source]]\nid = \"urn:doorstroom:simulation:{party}-{region}\"\nname = \"{party}-{region}\"\nkind = \"{kind}\"\n\
         region = \"{region}\"\n{locations}tokens = [{{ sha256 = \"{hash}\", from = \"{from}\" }}]\n"
    )
}

/// Nothing found: the desk next door, then the one after it, then the insurer, then the authority.
fn ladders(regions: &[RegionId]) -> String {
    let one = |(number, region): (usize, &RegionId)| {
        let next = |steps: usize| regions.iter().cycle().nth(number + steps).filter(|door| *door != region);
        let mut doors: Vec<&RegionId> = [next(1), next(2)].into_iter().flatten().collect();
        doors.dedup();
        let mut rungs: Vec<String> = doors.iter().map(|door| format!("{{ desk = \"{door}\" }}")).collect();
        rungs.extend(["insurer", "nza"].map(|above| format!("{{ above = \"{above}\" }}")));
        format!("[region.{region}]\nladder = [{}]", rungs.join(", "))
    };
    let all: Vec<String> = regions.iter().enumerate().map(one).collect();
    all.join("\n") + "\n"
}
