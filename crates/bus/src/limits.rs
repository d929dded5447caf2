//! How much everything on the bus may keep: of each stream, and with that of each account and of the server.
//!
//! Not here: making the streams (`provisioner`), writing the limits down (`server`).

use network::{Account, Centre, Network};

use crate::outward::Window;
use crate::provision::MailboxLimits;

/// The bucket of the whole country takes a few MiB; what needs more is a mistake, and should not eat the broker.
pub(crate) const BUCKET_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// The same for a centre, for each of its regions.
const BUCKET_BYTES_OF_REGION_MAX: u64 = 16 * 1024 * 1024;
/// Enough for any head, and for the last one of each node.
pub(crate) const HEAD_BYTES_MAX: u64 = 1024 * 1024;
/// What a centre is told at once: some thousands of alerts.
pub(crate) const ACUTE_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// How much the streams keep, and how many times each is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Copies of every stream, each on another server: 1, or 3 in a cluster.
    pub replicas: u8,
    /// Of each mailbox.
    pub mailbox: MailboxLimits,
    /// Of each stream of recorded events.
    pub window: Window,
}

impl Default for Limits {
    /// One copy, and the defaults of both.
    fn default() -> Self {
        Self { replicas: 1, mailbox: MailboxLimits::default(), window: Window::default() }
    }
}

/// What the broker sets aside for an account, in bytes over all copies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) memory: u64,
    pub(crate) disk: u64,
    pub(crate) streams: usize,
}

impl Limits {
    /// What this account needs.
    pub(crate) fn room(&self, network: &Network, account: &Account) -> Room {
        let (memory, disk, streams) = match account {
            Account::Region(_) => (0, u64::try_from(self.mailbox.bytes).unwrap_or_default(), 1),
            Account::Core => {
                let (regions, centres) = (network.regions().len(), network.centres().len().saturating_add(1));
                let memory = BUCKET_BYTES_MAX
                    .saturating_add(times(self.window.bytes.into(), regions))
                    .saturating_add(HEAD_BYTES_MAX)
                    .saturating_add(times(ACUTE_BYTES_MAX, centres));
                (memory, 0, regions.saturating_add(centres).saturating_add(2))
            }
            Account::Centre(code) => {
                let regions = network.centre(code).map_or(0, |centre| centre.regions.len());
                let memory = times(BUCKET_BYTES_OF_REGION_MAX, regions)
                    .saturating_add(times(self.window.bytes.into(), regions))
                    .saturating_add(HEAD_BYTES_MAX)
                    .saturating_add(ACUTE_BYTES_MAX);
                (memory, 0, regions.saturating_add(3))
            }
            Account::System => (0, 0, 0),
        };
        let copies = usize::from(self.replicas);
        Room { memory: times(memory, copies), disk: times(disk, copies), streams }
    }
}

/// How much the bucket of a centre may keep, in bytes.
pub(crate) fn bucket_of(centre: &Centre) -> u64 {
    times(BUCKET_BYTES_OF_REGION_MAX, centre.regions.len())
}

pub(crate) fn times(bytes: u64, count: usize) -> u64 {
    bytes.saturating_mul(u64::try_from(count).unwrap_or(u64::MAX))
}
