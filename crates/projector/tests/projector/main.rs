//! A view over a real log: catch-up and live, snapshots, rebuild, as of a position.
#![expect(clippy::unwrap_used, reason = "test code")]

mod support;

use std::fs;
use std::sync::Arc;

use domain::{Recorded, Timestamp};
use projector::{Changed, Config, Handle, ProjectorError, Task};
use serde::{Deserialize, Serialize};
use support::Node;
use views::{Availability, View};

#[tokio::test(flavor = "multi_thread")]
async fn a_view_catches_up_and_goes_on_live_without_a_gap() {
    let node = Node::new();
    let lines = support::region_day();
    node.append(&lines[..400]).await;
    let (view, task) = node.start(u64::MAX);
    let mut changes = view.changes();
    for chunk in lines[400..].chunks(37) {
        node.append(chunk).await;
    }
    assert!(view.wait_for(node.head()).await);
    assert!(view.standing().borrow().live);
    assert_eq!(view.read(Availability::clone), projector::as_of(&node.reader(), u64::MAX).unwrap());
    // What was announced is complete: whoever starts at a position and follows the changes misses none.
    let mut announced: Vec<Arc<Changed<Availability>>> = Vec::new();
    while announced.last().is_none_or(|last| last.position < node.head()) {
        announced.push(changes.recv().await.unwrap());
    }
    assert!(announced.is_sorted_by(|one, next| one.position < next.position));
    let rows: Vec<_> = announced.iter().flat_map(|changed| &changed.changes).collect();
    let from = projector::as_of::<Availability>(&node.reader(), 400).unwrap();
    view.read(|board| {
        for row in board.rows().filter(|row| from.row(&row.key()).as_ref() != Some(row)) {
            assert!(rows.contains(&&row.key()), "{row:?}");
        }
    });
    task.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_and_what_came_after_equals_a_rebuild_from_zero() {
    let node = Node::new();
    let lines = support::region_day();
    for (until, every) in [(300, 100), (301, 1_000), (700, 1), (lines.len(), 50)] {
        let from = usize::try_from(node.head()).unwrap();
        node.append(&lines[from..until]).await;
        let (view, task) = node.start(every);
        assert!(view.standing().borrow().position > 0 || from == 0, "it starts from its snapshot");
        assert!(view.wait_for(node.head()).await);
        assert_eq!(view.read(Availability::clone), projector::as_of(&node.reader(), u64::MAX).unwrap());
        task.shutdown().await;
    }
    assert!(!node.aside().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_keeps_a_snapshot_and_the_next_start_reads_nothing_again() {
    let node = Node::new();
    node.append(&support::region_day()).await;
    node.run_to_head().await;
    let (view, task) = node.start(u64::MAX);
    let standing = *view.standing().borrow();
    assert_eq!((standing.position, standing.live), (node.head(), true));
    assert_eq!(view.read(Availability::clone), projector::as_of(&node.reader(), u64::MAX).unwrap());
    task.shutdown().await;
    assert!(!view.wait_for(node.head() + 1).await, "a stopped view says so");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_as_of_a_position_is_the_view_that_stood_there() {
    let node = Node::new();
    let lines = support::region_day();
    node.append(&lines).await;
    let boards = support::region_day_boards();
    for board in boards {
        let after_events = board["after_events"].as_u64().unwrap();
        let view: Availability = projector::as_of(&node.reader(), after_events).unwrap();
        assert_eq!(view.position(), after_events);
        assert_eq!(view.contradictions(), board["contradictions"].as_u64().unwrap());
        assert_eq!(view.rows().count(), board["rows"].as_array().unwrap().len());
    }
    let nothing: Availability = projector::as_of(&node.reader(), 0).unwrap();
    assert_eq!(nothing, Availability::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_of_another_log_are_moved_aside() {
    let (one, other) = (Node::new(), Node::new());
    let lines = support::region_day();
    one.append(&lines).await;
    one.run_to_head().await;
    // The same events, recorded at other moments: as many positions, another history.
    other.append(&lines).await;
    support::copy(&one.snapshots(), &other.snapshots());
    rebuilds(&other, "of another log").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_that_lead_the_log_are_moved_aside() {
    let (one, other) = (Node::new(), Node::new());
    let lines = support::region_day();
    one.append(&lines).await;
    one.run_to_head().await;
    other.append(&lines[..10]).await;
    support::copy(&one.snapshots(), &other.snapshots());
    rebuilds(&other, "leading").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_snapshots_are_moved_aside() {
    let node = Node::new();
    node.append(&support::region_day()).await;
    node.run_to_head().await;
    for file in support::files(&node.snapshots()) {
        fs::write(&file, b"these are not the bytes that were written").unwrap();
    }
    rebuilds(&node, "damaged").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_of_another_version_of_the_view_are_moved_aside() {
    let node = Node::new();
    node.append(&support::region_day()).await;
    for (version, starts_at) in [(1, 0), (1, node.head()), (2, 0)] {
        let config = Config { snapshots: node.snapshots(), snapshot_every: 10 };
        let position = match version {
            1 => counted(projector::start::<Counter<1>>(node.reader(), config).unwrap(), node.head()).await,
            _ => counted(projector::start::<Counter<2>>(node.reader(), config).unwrap(), node.head()).await,
        };
        assert_eq!(position, starts_at, "version {version}");
    }
    assert!(node.aside().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_in_use_are_not_touched() {
    let node = Node::new();
    node.append(&support::region_day()).await;
    let (view, task) = node.start(1);
    assert!(view.wait_for(node.head()).await);
    let config = Config { snapshots: node.snapshots(), snapshot_every: 1 };
    let second = projector::start::<Availability>(node.reader(), config);
    assert!(matches!(second, Err(ProjectorError::InUse { .. })));
    assert!(!node.aside().exists());
    task.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_are_no_event_or_not_readable_move_the_position_and_are_counted() {
    let node = Node::new();
    let lines = support::region_day();
    node.append(&lines[..10]).await;
    node.append_raw(contracts::QUARANTINED_KIND, b"whatever came").await;
    node.append_raw("nl.doorstroom.bed.freed.v1", b"{\"not\":\"readable\"}").await;
    let (view, task) = node.start(u64::MAX);
    assert!(view.wait_for(12).await);
    assert_eq!(view.read(Availability::position), 12);
    assert_eq!((view.undecodable(), view.failure()), (1, None));
    task.shutdown().await;
    // The count is part of the snapshot.
    let (view, task) = node.start(u64::MAX);
    node.append(&lines[10..]).await;
    assert!(view.wait_for(node.head()).await);
    assert_eq!(view.undecodable(), 1);
    let rows = |view: &Availability| view.rows().map(|row| (row.key(), row.counts())).collect::<Vec<_>>();
    let other = Node::new();
    other.append(&lines).await;
    let whole: Availability = projector::as_of(&other.reader(), u64::MAX).unwrap();
    assert_eq!(view.read(rows), rows(&whole));
    task.shutdown().await;
}

/// The view is right, starts from zero, and what was odd is kept aside; the next start uses the new snapshot.
async fn rebuilds(node: &Node, what: &str) {
    let (view, task) = node.start(u64::MAX);
    assert!(node.aside().exists(), "{what}");
    assert!(view.wait_for(node.head()).await);
    assert_eq!(view.read(Availability::clone), projector::as_of(&node.reader(), u64::MAX).unwrap(), "{what}");
    task.shutdown().await;
    let (view, task) = node.start(u64::MAX);
    assert_eq!(view.standing().borrow().position, node.head(), "{what}");
    task.shutdown().await;
}

/// Counts events, in a given version.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
struct Counter<const V: u32>(u64);

impl<const V: u32> View for Counter<V> {
    const NAME: &'static str = "counter";
    const VERSION: u32 = V;
    type Change = ();
    fn project(&mut self, _: &Recorded, _: &mut Vec<()>) {
        self.0 += 1;
    }
    fn pass(&mut self, _: u64, _: Timestamp) {}
}

/// Where it started; and that it counted every event once.
async fn counted<const V: u32>((view, task): (Handle<Counter<V>>, Task), head: u64) -> u64 {
    let started_at = view.read(|counter| counter.0);
    assert!(view.wait_for(head).await);
    assert_eq!(view.read(|counter| counter.0), head);
    task.shutdown().await;
    started_at
}
