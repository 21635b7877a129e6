use application::ports::EventLog as _;

use super::*;
use crate::event_log::testing::{append, start, stream};
use crate::event_log::{Broken, Damage};
use crate::testing::{Fresh, fresh_databases};

/// Logs of six events: two of one stream, then three of another, then one more.
async fn logs() -> Vec<Fresh> {
    let all = fresh_databases().await;
    for fresh in &all {
        let log = start(&fresh.database).await;
        log.append(append(&[(stream(1), 0, 2), (stream(2), 0, 3)])).await.unwrap();
        let mut last = append(&[(stream(1), 2, 1)]);
        last.actor = "agent:\"Zoë\", the 1st".into();
        log.append(last).await.unwrap();
    }
    all
}

fn key() -> (tempfile::TempDir, AuditKey) {
    let folder = tempfile::tempdir().unwrap();
    let key = AuditKey::of_folder(folder.path()).unwrap();
    (folder, key)
}

async fn export_of(fresh: &Fresh, format: Format, range: ExportRange, filter: &AuditFilter) -> Vec<u8> {
    let mut out = vec![];
    export(&fresh.database, (range, filter), (format, &key().1), &mut out, |_, _| {}).await.unwrap();
    out
}

async fn whole(fresh: &Fresh, format: Format) -> Vec<u8> {
    export_of(fresh, format, ExportRange::default(), &AuditFilter::default()).await
}

fn verify(export: &[u8]) -> Result<VerifiedExport, FileError> {
    verify_file(export, |_| {})
}

fn lines(export: &[u8]) -> Vec<String> {
    String::from_utf8(export.to_vec()).unwrap().lines().map(|line| format!("{line}\n")).collect()
}

fn verify_lines(lines: &[String]) -> Result<VerifiedExport, FileError> {
    verify(lines.concat().as_bytes())
}

fn broken_at(outcome: Result<VerifiedExport, FileError>) -> (i64, Damage) {
    match outcome {
        Err(FileError::Broken(Broken { position, damage })) => (position, damage),
        other => panic!("{other:?}"),
    }
}

const BOTH: [(Format, usize); 2] = [(Format::Ndjson, 1), (Format::Csv, 2)];

#[tokio::test]
async fn export_is_proved_without_the_database() {
    for fresh in logs().await {
        for (format, opening) in BOTH {
            let export = whole(&fresh, format).await;
            let verified = verify(&export).unwrap();
            assert_eq!((verified.from, verified.to, verified.events, verified.filtered), (1, 6, 6, false));
            assert_eq!(lines(&export).len(), opening + 6 + 1);
        }
    }
}

#[tokio::test]
async fn empty_log_is_exported_too() {
    for fresh in fresh_databases().await {
        for (format, _) in BOTH {
            assert_eq!(verify(&whole(&fresh, format).await).unwrap().events, 0);
        }
    }
}

#[tokio::test]
async fn every_changed_byte_of_an_event_is_found() {
    let fresh = logs().await.remove(0);
    for (format, opening) in BOTH {
        let export = lines(&whole(&fresh, format).await);
        let others = (0..opening).chain([opening + 6]);
        for (number, at) in others.flat_map(|number| (0..export[number].len()).map(move |at| (number, at))) {
            let mut changed = export.clone();
            let other = if export[number].as_bytes()[at] == b'7' { "8" } else { "7" };
            changed[number].replace_range(at..=at, other);
            assert!(verify_lines(&changed).is_err(), "{}", changed[number]);
        }
        for (number, line) in export.iter().enumerate().skip(opening).take(6) {
            let position = i64::try_from(number - opening + 1).unwrap();
            for at in (0..line.len() - 1).filter(|at| line.is_char_boundary(*at) && line.is_char_boundary(at + 1)) {
                let mut changed = export.clone();
                let other = if line.as_bytes()[at] == b'7' { "8" } else { "7" };
                changed[number].replace_range(at..=at, other);
                let found = verify_lines(&changed);
                let place = match &found {
                    Err(FileError::Broken(broken)) => broken.position,
                    // Where only the form changes, as from one space to another, the signature of the file finds it.
                    Err(FileError::Head { .. }) => position,
                    other => panic!("{other:?}: {}", changed[number]),
                };
                assert_eq!(place, position, "{}", changed[number]);
            }
        }
    }
}

#[tokio::test]
async fn swapped_dropped_doubled_and_added_lines_are_found() {
    let fresh = logs().await.remove(0);
    for (format, opening) in BOTH {
        let export = lines(&whole(&fresh, format).await);
        let changed = |change: &dyn Fn(&mut Vec<String>)| {
            let mut lines = export.clone();
            change(&mut lines);
            verify_lines(&lines)
        };
        assert_eq!(broken_at(changed(&|lines| lines.swap(opening + 1, opening + 2))), (2, Damage::Missing));
        assert_eq!(broken_at(changed(&|lines| drop(lines.remove(opening + 3)))), (4, Damage::Missing));
        assert_eq!(
            broken_at(changed(&|lines| lines.insert(opening + 3, lines[opening + 2].clone()))),
            (4, Damage::Missing)
        );
        assert_eq!(
            broken_at(changed(&|lines| lines.insert(opening + 2, "nonsense\n".into()))),
            (3, Damage::Unreadable)
        );
        assert!(matches!(changed(&|lines| drop(lines.remove(opening + 5))), Err(FileError::Head { position: 5 })));
        assert!(matches!(changed(&|lines| lines.push(lines[opening + 5].clone())), Err(FileError::AfterTheHead)));
        assert!(matches!(changed(&|lines| drop(lines.pop())), Err(FileError::NoHead { position: 6 })));
        assert!(matches!(changed(&|lines| lines[opening + 4].truncate(40)), Err(FileError::Broken(_))));
    }
}

#[tokio::test]
async fn export_that_was_cut_off_says_how_far_it_is_proved() {
    let fresh = logs().await.remove(0);
    let export = whole(&fresh, Format::Ndjson).await;
    for length in 0..export.len() - 1 {
        assert!(verify(&export[..length]).is_err(), "{length}");
    }
    let half_a_line = lines(&export)[..4].concat().len() + 20;
    assert!(matches!(verify(&export[..half_a_line]), Err(FileError::NoHead { position: 3 })));
}

#[tokio::test]
async fn head_counts_only_with_its_signature() {
    let fresh = logs().await.remove(0);
    let export = lines(&whole(&fresh, Format::Ndjson).await);
    let changed = |from: &str, to: &str| {
        let mut lines = export.clone();
        let head = lines.last_mut().unwrap();
        assert!(head.contains(from), "{head}");
        *head = head.replacen(from, to, 1);
        verify_lines(&lines)
    };
    assert!(matches!(changed(r#""to":6"#, r#""to":7"#), Err(FileError::Signature)));
    assert!(matches!(changed(r#""signature":""#, r#""signature":"00"#), Err(FileError::Signature)));
    let signer = verify_lines(&export).unwrap().signer.to_string();
    assert!(matches!(changed(&signer, &key().1.public_key().to_string()), Err(FileError::Signature)));
}

#[tokio::test]
async fn key_is_made_once() {
    let folder = tempfile::tempdir().unwrap();
    let first = AuditKey::of_folder(folder.path()).unwrap().public_key();
    assert_eq!(AuditKey::of_folder(folder.path()).unwrap().public_key(), first);
    assert_eq!(first.to_string().parse::<PublicKey>().unwrap(), first);
    std::fs::write(folder.path().join(AuditKey::FILE), "nonsense").unwrap();
    assert!(matches!(AuditKey::of_folder(folder.path()), Err(KeyError::Malformed { .. })));
}

#[tokio::test]
async fn export_goes_on_where_another_has_ended() {
    for fresh in logs().await {
        let range = |from: &str, to: &str| ExportRange { from: from.parse().ok(), to: to.parse().ok() };
        let first = verify(&export_of(&fresh, Format::Ndjson, range("", "4"), &AuditFilter::default()).await).unwrap();
        assert_eq!((first.from, first.to, first.events), (1, 4, 4));
        let exported = export_of(&fresh, Format::Csv, range("5", ""), &AuditFilter::default()).await;
        assert!(lines(&exported)[1].contains(&hex::encode(first.chain_hash)), "the opening names the hash before it");
        let second = verify(&exported).unwrap();
        assert_eq!((second.from, second.to, second.events), (5, 6, 2));
        let nothing = verify(&export_of(&fresh, Format::Ndjson, range("7", ""), &AuditFilter::default()).await);
        assert_eq!(nothing.unwrap().events, 0);
        let mut out = vec![];
        let beyond = (range("9", ""), &AuditFilter::default());
        let refused = export(&fresh.database, beyond, (Format::Csv, &key().1), &mut out, |_, _| {}).await;
        assert!(matches!(refused, Err(ExportError::BeyondTheEnd { from: 9, end: 6 })));
    }
}

#[tokio::test]
async fn times_are_positions_too() {
    for fresh in logs().await {
        let log = start(&fresh.database).await;
        let recorded = log.read_after(0, 10).await.unwrap();
        let moment = |index: usize| Some(Moment::Time(recorded[index].header.recorded_at));
        // The first five have one time: they were appended together.
        assert_eq!(positions_between(&fresh.database, moment(0), moment(0), 6).await.unwrap(), (1, 5));
        assert_eq!(positions_between(&fresh.database, moment(5), None, 6).await.unwrap(), (6, 6));
        let past = Some(Moment::Time("2020-01-01T00:00:00Z".parse().unwrap()));
        assert_eq!(positions_between(&fresh.database, past, past, 6).await.unwrap(), (1, 0));
    }
}

#[tokio::test]
async fn selection_is_proved_as_far_as_it_can_be() {
    for fresh in logs().await {
        for (format, opening) in BOTH {
            let filter = AuditFilter {
                aggregate: Some("tag:00000000-0000-0000-0000-000000000001".parse().unwrap()),
                ..Default::default()
            };
            let export = export_of(&fresh, format, ExportRange::default(), &filter).await;
            let verified = verify(&export).unwrap();
            assert_eq!((verified.events, verified.to, verified.filtered), (3, 6, true));
            let mut dropped = lines(&export);
            dropped.remove(opening + 1);
            assert!(verify_lines(&dropped).is_err());
            let mut swapped = lines(&export);
            swapped.swap(opening, opening + 2);
            assert!(verify_lines(&swapped).is_err());
            let filter = AuditFilter { actor: Some("nobody".into()), ..Default::default() };
            let nothing = verify(&export_of(&fresh, format, ExportRange::default(), &filter).await).unwrap();
            assert_eq!((nothing.events, nothing.to), (0, 6));
        }
    }
}

#[tokio::test]
async fn broken_log_is_not_signed() {
    for fresh in logs().await {
        let sql = "UPDATE events SET actor = 'x' WHERE position = 4";
        fresh.database.execute(sql, vec![]).await.unwrap();
        let mut out = vec![];
        let all = (ExportRange::default(), &AuditFilter::default());
        let outcome = export(&fresh.database, all, (Format::Ndjson, &key().1), &mut out, |_, _| {}).await;
        assert!(matches!(outcome, Err(ExportError::Broken(Broken { position: 4, damage: Damage::Chain }))));
        assert!(matches!(verify(&out), Err(FileError::NoHead { position: 3 })));
    }
}

#[tokio::test]
async fn pages_go_through_the_log_in_both_directions() {
    for fresh in logs().await {
        let queries = AuditQueries::new(fresh.database.clone());
        for (newest_first, expected) in [(true, vec![6, 5, 4, 3, 2, 1]), (false, vec![1, 2, 3, 4, 5, 6])] {
            let mut request = AuditPageRequest {
                filter: AuditFilter::default(),
                from: None,
                to: None,
                newest_first,
                after: None,
                limit: 4,
            };
            let mut seen = vec![];
            loop {
                let page = queries.page(&request).await.unwrap();
                seen.extend(page.records.iter().map(|record| record.position));
                request.after = page.next;
                if page.next.is_none() {
                    break;
                }
            }
            assert_eq!(seen, expected);
            request.after = None;
            for (filter, expected) in [
                (AuditFilter { actor: Some("system:test".into()), ..Default::default() }, 4),
                (AuditFilter { actor: Some("nobody".into()), ..Default::default() }, 0),
                (AuditFilter { event_type: Some("TagDeleted".into()), ..Default::default() }, 4),
                (AuditFilter { actor: Some("System:Test".into()), ..Default::default() }, 0),
                (AuditFilter { actor: Some("system:test ".into()), ..Default::default() }, 0),
                (AuditFilter { actor: Some("système:test".into()), ..Default::default() }, 0),
                (AuditFilter { event_type: Some("tagdeleted".into()), ..Default::default() }, 0),
                (AuditFilter { event_type: Some("TagDéleted".into()), ..Default::default() }, 0),
                (
                    AuditFilter {
                        aggregate: Some("tag:00000000-0000-0000-0000-000000000002".parse().unwrap()),
                        ..Default::default()
                    },
                    3,
                ),
                (AuditFilter { aggregate: Some("thread".parse().unwrap()), ..Default::default() }, 0),
            ] {
                let page = queries.page(&AuditPageRequest { filter, ..request.clone() }).await.unwrap();
                assert_eq!(page.records.len(), expected);
            }
        }
    }
}

#[tokio::test]
async fn nothing_hides_in_the_line_of_the_head() {
    let fresh = logs().await.remove(0);
    let export = lines(&whole(&fresh, Format::Csv).await);
    let forged = export[3].trim_end();
    for (from, to) in [("\n", format!("\r{forged}\n")), (",,", ",forged,".to_owned()), ("\n", "\r\n".to_owned())] {
        let mut changed = export.clone();
        let head = changed.last_mut().unwrap();
        assert!(head.contains(from));
        *head = head.replacen(from, &to, 1);
        assert!(matches!(verify_lines(&changed), Err(FileError::Head { position: 6 })), "{}", changed[8]);
    }
}

#[tokio::test]
async fn what_verification_finds_is_not_signed_either() {
    let changes = [
        "UPDATE events SET payload = '{}', salt = NULL WHERE position = 6",
        "UPDATE log_head SET chain_hash = payload_digest FROM events WHERE events.position = 1",
        // Out of the range of the times that are asked for.
        "UPDATE events SET recorded_us = recorded_us + 999000000 WHERE position = 6",
    ];
    for sql in changes {
        let fresh = logs().await.remove(0);
        let now = fresh.database.fetch_optional("SELECT recorded_us FROM log_head", vec![]).await.unwrap().unwrap();
        let now = domain::time::Timestamp::from_micros(now.int("recorded_us").unwrap());
        fresh.database.execute(sql, vec![]).await.unwrap();
        let range = ExportRange { from: None, to: Some(Moment::Time(now)) };
        let all = (range, &AuditFilter::default());
        let outcome = export(&fresh.database, all, (Format::Ndjson, &key().1), &mut vec![], |_, _| {}).await;
        assert!(matches!(outcome, Err(ExportError::Broken(_))), "{sql}: {outcome:?}");
    }
}
