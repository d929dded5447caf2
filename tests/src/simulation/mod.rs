//! A simulated country on a real node that is killed again and again, and what its log says afterwards.
//!
//! Here: the network and its tokens, the node, the kills. Not here: who acts (the crate `simulator`), what has to hold
//! (`check`).

mod check;
mod identities;
mod outages;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use eventlog::{Clock as _, SystemClock};
use network::Network;
use serde_json::Value;
use tempfile::TempDir;

pub use check::{Checked, check};
pub use outages::Outage;

use crate::{Site, free_ports};

/// The simulation is looked at so often.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// A Monday at five in the morning, UTC: whenever the tests run, it is the same week that is simulated.
const BEGINS: i64 = 1_772_427_600_000_000;

/// A run.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// Of how many regions.
    pub regions: u32,
    /// How long people come, in simulated hours.
    pub hours: u32,
    /// How many times faster time goes.
    pub factor: u32,
    /// How many of a hundred of the locations and people of a region there are.
    pub load: u32,
    /// What is decided depends on it.
    pub seed: u64,
    /// The node is killed so often, in real time.
    pub kill_every: Duration,
    /// The node is killed so many times at most.
    pub kills_max: usize,
    /// The whole has to be over after this time.
    pub within: Duration,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// What the simulation measured.
    pub report: Value,
    /// What the log says.
    pub checked: Checked,
    /// When the node was killed, and when it was ready again.
    pub outages: Vec<Outage>,
    /// How long it took, starts and checks and all.
    pub took: Duration,
}

impl Outcome {
    /// Whether everything that has to hold does.
    #[must_use]
    pub fn holds(&self) -> bool {
        let is_none = |name: &str| self.report.get(name).and_then(Value::as_u64) == Some(0);
        self.checked.problems.is_empty()
            && ["double_placements", "not_ended", "unexpected_answers"].into_iter().all(is_none)
    }
}

/// Runs it, and reads the log afterwards.
///
/// # Panics
/// If the node does not start, or the simulation fails or is not over in time; with what it said.
#[must_use]
pub fn simulate(run: &Run) -> Outcome {
    // The first that needs the binary may build it: that is not of the run.
    let site = site(run);
    let began = Instant::now();
    let (mut outages, mut killed_at) = (Vec::new(), None);
    let mut simulation: Option<Simulation> = None;
    loop {
        let node = site.up();
        outages.extend(killed_at.take().map(|from| Outage { from, to: SystemClock.now() }));
        let acting = simulation.get_or_insert_with(|| Simulation::start(run, &site, node.http()));
        let lives_until = Instant::now() + run.kill_every;
        let last = outages.len() >= run.kills_max;
        while acting.goes_on() && (last || Instant::now() < lives_until) {
            assert!(began.elapsed() < run.within, "not over within {:?}:\n{}", run.within, acting.said());
            std::thread::sleep(LOOK_EVERY);
        }
        if acting.goes_on() {
            killed_at = Some(SystemClock.now());
            node.kill9();
        } else {
            assert!(node.sigterm().success(), "the node did not end well:\n{}", site.log());
            break;
        }
    }
    let report = simulation.unwrap().report();
    let checked = check(&site.data(), &rules_file(site.folder()), run.factor, &outages);
    Outcome { report, checked, outages, took: began.elapsed() }
}

/// A node with a network of so many regions, each with a desk, a system of its locations and one of its referrers.
fn site(run: &Run) -> Site {
    let prepared = TempDir::new().unwrap();
    let mut prepare = Command::new(crate::doorstroom());
    prepare.args(["simulate", "prepare"]).arg(prepared.path());
    prepare.args(["--regions", &run.regions.to_string()]);
    assert!(prepare.output().unwrap().status.success(), "the simulation was not prepared");
    let network = Network::read(&prepared.path().join("network.toml")).unwrap();
    let site = Site::new(&network).at(format!("127.0.0.1:{}", free_ports(1)));
    fs::rename(prepared.path().join("rules.toml"), rules_file(site.folder())).unwrap();
    fs::rename(prepared.path().join("tokens"), site.folder().join("tokens")).unwrap();
    begin(&site.data(), run.factor);
    let rules = rules_file(site.folder());
    site.with(&["--clock-factor", &run.factor.to_string(), "--rules", rules.to_str().unwrap()])
}

/// Lets the clock of the node show [`BEGINS`] now: the file says when it shows the same as the machine's.
fn begin(data: &Path, factor: u32) {
    let now = SystemClock.now();
    let origin = now + (now - BEGINS) / i64::from(factor - 1).max(1);
    fs::create_dir(data).unwrap();
    fs::write(data.join("clock.origin"), origin.to_string()).unwrap();
}

fn rules_file(folder: &Path) -> PathBuf {
    folder.join("rules.toml")
}

/// `doorstroom simulate run`, killed when dropped.
#[derive(Debug)]
struct Simulation {
    child: Child,
    said: PathBuf,
    told: PathBuf,
}

impl Simulation {
    fn start(run: &Run, site: &Site, node: &str) -> Self {
        let (said, told) = (site.folder().join("simulation.json"), site.folder().join("simulation.log"));
        let mut command = Command::new(crate::doorstroom());
        command.args(["simulate", "run"]).arg(site.folder()).args(["--json", "--node", node]);
        command.args(["--hours", &run.hours.to_string(), "--factor", &run.factor.to_string()]);
        command.args(["--load", &run.load.to_string(), "--seed", &run.seed.to_string()]);
        command
            .stdin(Stdio::null())
            .stdout(File::create(&said).unwrap())
            .stderr(File::create(&told).unwrap());
        Self { child: command.spawn().unwrap(), said, told }
    }

    fn goes_on(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.told).unwrap_or_default()
    }

    fn report(mut self) -> Value {
        let status = self.child.wait().unwrap();
        assert!(status.success(), "the simulation failed:\n{}", self.said());
        serde_json::from_str(&fs::read_to_string(&self.said).unwrap()).unwrap()
    }
}

impl Drop for Simulation {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to do.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
