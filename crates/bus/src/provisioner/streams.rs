//! The settings of the core's streams and of their copies. Those of the mailboxes are in `provision`.

use async_nats::jetstream::stream::{Config, DiscardPolicy, External, Source, StorageType, SubjectTransform};
use domain::RegionId;
use network::{Centre, Network};
use std::time::Duration;

use crate::limits::{self, Limits};
use crate::mirrors;
use crate::outward::HEAD_STREAM;
use crate::subjects::{
    ACUTE_CORE, AVAILABILITY_BUCKET, AcuteSubject, HEAD, LogSubject, acute_stream, log_stream,
};

/// Values kept of each key, the most a bucket keeps: a watcher that lags behind by this many still sees every change.
const HISTORY: i64 = 64;
/// How long what was told at once is kept: a week, as recorded events are.
const ACUTE_AGE_MAX: Duration = Duration::from_hours(7 * 24);

/// Every stream of the core.
pub(super) fn of_core(network: &Network, limits: &Limits) -> Vec<Config> {
    let mut streams = vec![bucket(limits), head(limits), acute(ACUTE_CORE, limits)];
    streams.extend(network.centres().map(|centre| acute(centre.code.as_str(), limits)));
    streams.extend(network.regions().map(|region| log(&region.code, limits)));
    streams
}

/// The copies for a centre: as their origins, without subjects.
pub(super) fn of_centre(centre: &Centre, limits: &Limits) -> Vec<Config> {
    let origins = [head(limits), acute(centre.code.as_str(), limits)].into_iter();
    let origins = origins.chain(centre.regions.iter().map(|region| log(region, limits)));
    let mut copies: Vec<Config> = origins.map(|origin| copy(origin, centre, Vec::new())).collect();
    if !centre.regions.is_empty() {
        let same = |subject: String| SubjectTransform { source: subject.clone(), destination: subject };
        let bytes = i64::try_from(limits::bucket_of(centre)).unwrap_or(i64::MAX);
        let origin = Config { max_bytes: bytes, ..bucket(limits) };
        copies.push(copy(origin, centre, mirrors::rows_of(centre).into_iter().map(same).collect()));
    }
    copies
}

fn copy(origin: Config, centre: &Centre, subject_transforms: Vec<SubjectTransform>) -> Config {
    let external =
        External { api_prefix: mirrors::origin_api(), delivery_prefix: Some(mirrors::deliver(&centre.code)) };
    let source = Source {
        name: origin.name.clone(),
        external: Some(external),
        subject_transforms,
        ..Source::default()
    };
    Config { subjects: Vec::new(), mirror: Some(source), mirror_direct: true, ..origin }
}

/// In memory, because it is all in the log: what vanishes is published again.
fn derived(name: String, subject: String, bytes: u64, limits: &Limits) -> Config {
    Config {
        name,
        subjects: vec![subject],
        storage: StorageType::Memory,
        max_bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
        discard: DiscardPolicy::Old,
        num_replicas: usize::from(limits.replicas),
        allow_direct: true,
        ..Config::default()
    }
}

/// As every client expects the stream of a bucket to be.
fn bucket(limits: &Limits) -> Config {
    let subject = format!("$KV.{AVAILABILITY_BUCKET}.>");
    Config {
        description: Some("the latest row of each location and care type".to_owned()),
        max_messages_per_subject: HISTORY,
        discard: DiscardPolicy::New,
        allow_rollup: true,
        deny_delete: true,
        ..derived(mirrors::bucket_stream(), subject, limits::BUCKET_BYTES_MAX, limits)
    }
}

fn log(region: &RegionId, limits: &Limits) -> Config {
    Config {
        description: Some("recorded events; older ones are in the log".to_owned()),
        max_age: limits.window.age,
        ..derived(log_stream(region), LogSubject::all_of(region), limits.window.bytes.into(), limits)
    }
}

fn head(limits: &Limits) -> Config {
    Config {
        description: Some("the last head of the log".to_owned()),
        max_messages_per_subject: 1,
        ..derived(HEAD_STREAM.to_owned(), HEAD.to_owned(), limits::HEAD_BYTES_MAX, limits)
    }
}

fn acute(whom: &str, limits: &Limits) -> Config {
    Config {
        description: Some("what somebody has to know at once".to_owned()),
        max_age: ACUTE_AGE_MAX,
        ..derived(acute_stream(whom), AcuteSubject::all_of(whom), limits::ACUTE_BYTES_MAX, limits)
    }
}
