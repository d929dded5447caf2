//! What an auditor is promised, on real logs in real folders: the reference day of one region, and logs that are
//! wrong in one way each.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod support;

use audit::{Audit, AuditError, Filter, Moment, Phase};
use contracts::{ContentHash, Received};
use eventlog::{Batch, EventLog, Options, SEGMENT_BYTES_MIN};
use serde_json::Value;

use support::{DAY, EVERY_MICROS, FIRST_MICROS, Log, record_of};

fn replayed(audit: &Audit, filter: &Filter) -> Vec<Value> {
    let mut out = Vec::new();
    let written = audit.replay(filter, &mut out).unwrap();
    let lines: Vec<Value> = out.split(|b| *b == b'\n').filter(|l| !l.is_empty()).map(json).collect();
    assert_eq!(u64::try_from(lines.len()).unwrap(), written);
    lines
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

#[tokio::test]
async fn a_sound_log_verifies_and_every_record_is_counted() {
    let log = Log::of_the_day().await;
    let audit = log.audit();
    let (mut files, mut events) = (0, 0);
    let report = audit
        .verify(&mut |at| match at.phase {
            Phase::Log => files = at.position,
            Phase::Events => events = at.position,
        })
        .unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    let all = u64::try_from(DAY.lines().count()).unwrap();
    assert_eq!((report.position, report.records, report.events), (all, all, all));
    assert_eq!((files, events), (all, all), "progress reaches the end");
    assert_eq!(report.types.values().sum::<u64>(), all);
    assert_eq!(report.types["nl.doorstroom.location.registered.v1"], 9);
}

#[tokio::test]
async fn an_empty_log_is_sound() {
    let log = Log::new(Vec::new()).await;
    let audit = log.audit();
    let report = audit.verify(&mut |_| {}).unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!(report.records, 0);
    let as_of = audit.as_of(Moment::Head).unwrap();
    assert_eq!((as_of.position, as_of.board().rows.len()), (0, 0));
    assert!(replayed(&audit, &Filter::default()).is_empty());
}

#[tokio::test]
async fn a_record_that_does_not_say_what_its_stored_bytes_say_is_found() {
    let right = || record_of(DAY.lines().next().unwrap());
    let mut wrong = vec![right(), right(), right(), right(), right()];
    wrong[0].key.0[0] ^= 1;
    wrong[1].key.0[0] ^= 2;
    wrong[1].kind = "nl.doorstroom.bed.freed.v1".into();
    wrong[2].key.0[0] ^= 3;
    wrong[2].source = "urn:someone:else".into();
    wrong[3].key.0[0] ^= 4;
    wrong[3].occurred_at += 1;
    wrong[4].key.0[0] ^= 5;
    wrong[4].tags.pop();
    let log = Log::new(wrong).await;
    let report = log.audit().verify(&mut |_| {}).unwrap();
    let found = |position: u64| {
        let of = report.findings.iter().filter(|finding| finding.position == Some(position));
        of.map(|finding| finding.what.as_str()).collect::<Vec<_>>().join("; ")
    };
    for (position, what) in [
        (1, "source and id make"),
        (2, "has type"),
        (3, "has source"),
        (4, "has occurred-at"),
        (5, "has tags"),
    ] {
        assert!(found(position).contains(what), "{position}: {}", found(position));
    }
    assert_eq!(report.findings_total, 9, "each has a wrong key, four something else: {:?}", report.findings);
}

#[tokio::test]
async fn stored_bytes_that_are_no_event_are_found() {
    let mut record = record_of(DAY.lines().next().unwrap());
    record.bytes = r#"{"specversion":"1.0"}"#.into();
    let log = Log::new(vec![record]).await;
    let report = log.audit().verify(&mut |_| {}).unwrap();
    assert_eq!((report.findings_total, report.events), (1, 0));
    assert!(report.findings[0].what.contains("do not decode"), "{:?}", report.findings);
}

#[tokio::test]
async fn a_byte_changed_on_disk_is_found() {
    let log = Log::of_the_day().await;
    log.change_a_byte_of(DAY.lines().nth(400).unwrap());
    let report = log.audit().verify(&mut |_| {}).unwrap();
    assert!(!report.is_sound());
    let place = report.findings[0].place.as_deref().unwrap();
    assert!(place.contains("00000000000000000001.seg at byte"), "{place}");
    assert_eq!(report.position, 400, "what comes before it is still verified");
    assert_eq!(report.events, 400);
}

#[tokio::test]
async fn what_is_replayed_is_what_was_sent_byte_for_byte() {
    let log = Log::of_the_day().await;
    let mut out = Vec::new();
    log.audit().replay(&Filter::default(), &mut out).unwrap();
    let out = String::from_utf8(out).unwrap();
    for (position, (line, sent)) in (1..).zip(out.lines().zip(DAY.lines())) {
        assert!(line.ends_with(&format!(",\"event\":{sent}}}")), "{line}");
        let value = json(line.as_bytes());
        assert_eq!(value["position"], position);
        assert_eq!(value["hash"], ContentHash::of(sent.as_bytes()).to_string());
        assert_eq!(value["content_type"], "application/cloudevents+json");
    }
    assert_eq!(out.lines().count(), DAY.lines().count());
}

#[tokio::test]
async fn what_can_not_stand_in_a_line_is_replayed_as_base64() {
    use base64::Engine as _;
    let event = Received::structured(DAY.lines().next().unwrap().into()).decode().unwrap().event;
    let (headers, body) = contracts::encode_binary(&event);
    let binary = Received::binary(headers.iter().map(|(name, value)| (&**name, &**value)), &body);
    let log = Log::new(vec![support::record(&binary)]).await;
    let line = &replayed(&log.audit(), &Filter::default())[0];
    assert!(line.get("event").is_none());
    let bytes =
        base64::engine::general_purpose::STANDARD.decode(line["bytes_base64"].as_str().unwrap()).unwrap();
    assert_eq!(bytes, **binary.bytes());
    assert_eq!(line["hash"], binary.content_hash().to_string());
}

#[tokio::test]
async fn a_filter_gives_exactly_the_records_that_pass_it() {
    let log = Log::of_the_day().await;
    let audit = log.audit();
    let everything = replayed(&audit, &Filter::default());
    let same = |filter: &Filter, passes: &dyn Fn(&Value) -> bool| {
        let wanted: Vec<_> = everything.iter().filter(|line| passes(line)).cloned().collect();
        assert!(!wanted.is_empty() && wanted.len() < everything.len(), "the filter tells something apart");
        assert_eq!(replayed(&audit, filter), wanted);
    };
    let location = Some("zk01-de-linde".parse().unwrap());
    let by_location = |line: &Value| line["event"]["data"]["location"] == "zk01-de-linde";
    let types = vec!["bed.freed".to_owned(), "bed.vacated".to_owned()];
    let by_type = |line: &Value| {
        ["nl.doorstroom.bed.freed.v1", "nl.doorstroom.bed.vacated.v1"]
            .contains(&line["type"].as_str().unwrap())
    };
    let source = Some("urn:nld:kvknr:76849911:systeem:ecd".parse().unwrap());
    let by_source = |line: &Value| line["event"]["source"] == "urn:nld:kvknr:76849911:systeem:ecd";
    let tags = vec!["bed:zk01-de-linde/1".to_owned()];
    let by_bed = |line: &Value| by_location(line) && line["event"]["data"]["bed"] == "1";
    let by_position = |line: &Value| (101..=200).contains(&line["position"].as_u64().unwrap());
    let everywhere = Filter::default();
    same(&Filter { types: types.clone(), ..everywhere.clone() }, &by_type);
    same(&Filter { source, ..everywhere.clone() }, &by_source);
    same(&Filter { tags, ..everywhere.clone() }, &by_bed);
    same(&Filter { after: 100, until: Some(200), ..everywhere.clone() }, &by_position);
    same(&Filter { location, types, ..everywhere.clone() }, &|line| by_location(line) && by_type(line));
    let region = Some("zk01".parse().unwrap());
    assert_eq!(replayed(&audit, &Filter { region, ..everywhere.clone() }), everything);
    let region = Some("zk02".parse().unwrap());
    assert!(replayed(&audit, &Filter { region, ..everywhere }).is_empty());
}

#[tokio::test]
async fn a_span_of_time_includes_both_its_ends() {
    let log = Log::of_the_day().await;
    let at = |position: i64| domain::Timestamp::from_micros(FIRST_MICROS + (position - 1) * EVERY_MICROS);
    let filter = Filter { from: Some(at(10)), to: Some(at(12)), ..Filter::default() };
    let positions: Vec<_> =
        replayed(&log.audit(), &filter).iter().map(|line| line["position"].clone()).collect();
    assert_eq!(positions, [10, 11, 12]);
}

#[tokio::test]
async fn the_board_as_of_a_position_is_the_reference_board() {
    let log = Log::of_the_day().await;
    let audit = log.audit();
    let boards = json(include_bytes!("../../../tests/data/region-day.boards.json"));
    for wanted in boards.as_array().unwrap() {
        let position = wanted["after_events"].as_u64().unwrap();
        let board = audit.as_of(Moment::Position(position)).unwrap().board();
        assert_eq!((board.position, &board.contradictions.into()), (position, &wanted["contradictions"]));
        let mut rows = serde_json::to_value(&board).unwrap()["rows"].take();
        for row in rows.as_array_mut().unwrap() {
            row.as_object_mut().unwrap().retain(|name, _| wanted["rows"][0].get(name).is_some());
        }
        assert_eq!(rows, wanted["rows"], "after {position} events");
    }
}

#[tokio::test]
async fn the_board_as_of_a_time_is_that_of_the_last_position_recorded_by_then() {
    let log = Log::of_the_day().await;
    let between = domain::Timestamp::from_micros(FIRST_MICROS + 102 * EVERY_MICROS - 1);
    let as_of = log.audit().as_of(Moment::Time(between)).unwrap();
    assert_eq!(as_of.position, 102);
    assert_eq!(as_of.recorded_at.as_micros(), FIRST_MICROS + 101 * EVERY_MICROS);
}

#[tokio::test]
async fn a_position_beyond_the_head_is_refused() {
    let log = Log::of_the_day().await;
    let error = log.audit().as_of(Moment::Position(1_000_000)).unwrap_err();
    assert!(matches!(error, AuditError::BeyondHead { position: 1_000_000, .. }), "{error}");
}

#[test]
fn a_folder_without_a_log_is_an_error_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let error = Audit::open(&dir.path().join("log")).unwrap_err().to_string();
    assert!(error.contains(&dir.path().display().to_string()), "{error}");
    assert!(std::fs::read_dir(dir.path()).unwrap().next().is_none(), "an audit makes nothing");
}

#[tokio::test]
async fn a_damaged_log_is_mended_with_a_copy_of_it() {
    let log = Log::of_the_day().await;
    let elsewhere = tempfile::tempdir().unwrap();
    let all = u64::try_from(DAY.lines().count()).unwrap();
    let copied = log.audit().backup(elsewhere.path(), &mut |_| {}).unwrap();
    assert_eq!((copied.position, copied.copied), (all, 1));
    log.change_a_byte_of(DAY.lines().nth(40).unwrap());
    assert!(!log.audit().verify(&mut |_| {}).unwrap().is_sound());
    assert!(matches!(log.audit().backup(elsewhere.path(), &mut |_| {}), Err(AuditError::Backup(_))));
    let mended = audit::repair(log.path(), elsewhere.path(), &mut |_| {}).unwrap();
    assert_eq!((mended.position, mended.repaired.len(), mended.unrepaired.len()), (all, 1, 0));
    assert!(log.audit().verify(&mut |_| {}).unwrap().is_sound());
    let other = Log::new(vec![record_of(DAY.lines().next().unwrap())]).await;
    let refused = audit::repair(other.path(), elsewhere.path(), &mut |_| {});
    assert!(matches!(refused, Err(AuditError::Repair(_))), "{refused:?}");
}

#[tokio::test]
async fn an_archived_log_is_verified_and_replayed_as_before() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { segment_bytes: SEGMENT_BYTES_MIN, ..Options::default() };
    let (log, _) = EventLog::open(dir.path(), options).unwrap();
    for line in DAY.lines() {
        log.append(Batch::from(record_of(line))).await.unwrap();
    }
    log.close().await;
    let before = replayed(&Audit::open(dir.path()).unwrap(), &Filter::default());
    let done = audit::archive(dir.path(), u64::MAX, None, &mut |_| {}).unwrap();
    assert!(done.archived.len() > 1 && done.without_index.is_empty(), "{done:?}");
    let again = audit::archive(dir.path(), u64::MAX, None, &mut |_| {}).unwrap();
    assert_eq!((again.archived.len(), again.kept), (0, u64::try_from(done.archived.len()).unwrap()));
    let audit = Audit::open(dir.path()).unwrap();
    assert_eq!(replayed(&audit, &Filter::default()), before);
    assert!(audit.verify(&mut |_| {}).unwrap().is_sound());
}
