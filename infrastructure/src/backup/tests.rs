use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use application::ports::{AppendError, EventLog as _, Position, ReadError, StreamId};
use domain::aggregate::AggregateType;
use domain::ids::AgentId;
use domain::time::Timestamp;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use uuid::Uuid;

use super::format::{FORMAT, Hashing, Line, TRAILER};
use super::*;
use crate::audit::{AuditRecord, HexHash};
use crate::auth::SqlCredentialStore;
use crate::database::Database;
use crate::event_log::chain::{FixedFields, GENESIS, chain_hash};
use crate::event_log::testing::{append, repeatable, start, stream};
use crate::event_log::{Broken, Damage, Evidence, evidence_after, read_head, verify_chain};
use crate::testing::{Fresh, fresh_databases, fresh_sqlite};

const VIEWS: [&str; 1] = ["tags"];

/// Texts that one of the two databases might not keep.
const PAYLOAD: &str = r#"{"type":"TagDeleted","at":"2024-01-02T03:04:05.000006Z","x":"Ünï 🦀 \\ ' \" \u0000  \u001f"}"#;

async fn fill(database: &Database) {
    use application::ports::CredentialStore as _;
    let log = start(database).await;
    let mut odd = append(&[(stream(1), 0, 2)]);
    odd.streams[0].events[0].payload = PAYLOAD.into();
    odd.actor = "visitor:Ünï 🦀".into();
    log.append(odd).await.unwrap();
    log.append(repeatable(&[(stream(2), 0, 3)])).await.unwrap();
    let store = SqlCredentialStore::new(database.clone());
    for id in 0..3 {
        let hash = format!("$argon2id$v=19$m=19456,t=2,p=1$salt{id}$hash");
        store.save_hash(AgentId::new(Uuid::from_u128(id)), &hash, Timestamp::from_micros(7)).await.unwrap();
    }
}

async fn take(database: &Database) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("backup");
    backup(database, fs::File::create(&path).unwrap(), |_, _| {}).await.unwrap();
    (folder, path)
}

async fn restore(database: &Database, path: &Path) -> Result<Restored, RestoreError> {
    let file = BackupFile::open(path)?;
    let restore = Restore::begin(database, &VIEWS, &file).await?;
    let restored = restore.fill(&file, |_, _| {}).await?;
    restore.finish().await?;
    Ok(restored)
}

async fn events(database: &Database) -> Vec<Evidence> {
    let end = read_head(database).await.unwrap().position;
    if end == 0 {
        return vec![];
    }
    evidence_after(database, 0, end).await.unwrap().into_iter().collect::<Result<_, _>>().unwrap()
}

async fn rows(database: &Database) -> Vec<KeptRow> {
    let mut all = vec![];
    for table in &KEPT {
        let rows = database.fetch_all(&table.select(1_000), crate::sql_args![""]).await.unwrap();
        all.extend(rows.iter().map(|row| table.read(row).unwrap()));
    }
    all
}

#[tokio::test]
async fn backup_of_each_kind_is_restored_into_each_kind() {
    for source in fresh_databases().await {
        fill(&source.database).await;
        let (_folder, path) = take(&source.database).await;
        let head = read_head(&source.database).await.unwrap();
        for target in fresh_databases().await {
            let restored = restore(&target.database, &path).await.unwrap();
            assert_eq!(events(&target.database).await, events(&source.database).await);
            let kept = rows(&target.database).await;
            assert_eq!(kept.len(), 4);
            assert_eq!(kept, rows(&source.database).await);
            let verified = verify_chain(&target.database, |_| {}).await.unwrap();
            assert_eq!((verified.position, verified.chain_hash), (head.position, head.chain_hash));
            assert_ne!(verified.epoch, head.epoch);
            assert_eq!(verified.epoch, restored.epoch);
            assert_eq!(find_unfinished(&target.database).await.unwrap(), None);
            let log = start(&target.database).await;
            assert_eq!(log.append(append(&[(stream(1), 2, 1)])).await.unwrap().first_position, 6, "it goes on");
            let again = restore(&target.database, &path).await.unwrap_err();
            assert!(matches!(again, RestoreError::NotEmpty { .. }), "{again:?}");
            assert_eq!(read_head(&target.database).await.unwrap().position, 6, "and nothing was touched");
        }
    }
}

#[tokio::test]
async fn empty_log_is_backed_up_and_restored() {
    for source in fresh_databases().await {
        let (_folder, path) = take(&source.database).await;
        assert_eq!(BackupFile::open(&path).unwrap().check(|_, _| {}).unwrap().opening.position, 0);
        let target = fresh_sqlite().await;
        restore(&target.database, &path).await.unwrap();
        assert_eq!(start(&target.database).await.append(append(&[(stream(1), 0, 1)])).await.unwrap().first_position, 1);
    }
}

#[tokio::test]
async fn database_with_passwords_but_no_events_is_not_empty() {
    use application::ports::CredentialStore as _;
    let source = fresh_sqlite().await;
    let (_folder, path) = take(&source.database).await;
    for target in fresh_databases().await {
        let store = SqlCredentialStore::new(target.database.clone());
        store.save_hash(AgentId::new(Uuid::from_u128(1)), "x", Timestamp::from_micros(1)).await.unwrap();
        assert!(matches!(restore(&target.database, &path).await, Err(RestoreError::NotEmpty { .. })));
        assert_eq!(rows(&target.database).await.len(), 1);
    }
}

async fn erase(database: &Database) {
    let mut erasure = append(&[(StreamId { kind: AggregateType::Visitor, id: Uuid::from_u128(9) }, 0, 1)]);
    let event = &mut erasure.streams[0].events[0];
    event.event_type = "PersonalDataErased".into();
    let digest = hex::encode(Sha256::digest("{}"));
    event.payload = format!(r#"{{"payloads":[{{"position":3,"digest":"{digest}"}}]}}"#);
    start(database).await.append(erasure).await.unwrap();
}

#[tokio::test]
async fn erased_payloads_stay_erased_and_vouched_for() {
    for source in fresh_databases().await {
        fill(&source.database).await;
        let taken_away = "UPDATE events SET payload = '{}', salt = NULL WHERE position = 3";
        source.database.execute(taken_away, vec![]).await.unwrap();
        let refused = backup(&source.database, vec![], |_, _| {}).await.unwrap_err();
        let unvouched = Broken { position: 3, damage: Damage::Unvouched };
        assert!(matches!(refused, WriteError::Broken(broken) if broken == unvouched), "{refused:?}");
        erase(&source.database).await;
        let (_folder, path) = take(&source.database).await;
        for target in fresh_databases().await {
            assert_eq!(restore(&target.database, &path).await.unwrap().backup.erased, 1);
            assert_eq!(verify_chain(&target.database, |_| {}).await.unwrap().erased, 1);
            assert_eq!(events(&target.database).await, events(&source.database).await);
        }
    }
}

#[tokio::test]
async fn broken_log_is_not_backed_up() {
    for (change, position) in [
        ("UPDATE events SET payload = '[]' WHERE position = 2", 2),
        ("DELETE FROM events WHERE position = 5", 5),
        ("UPDATE log_head SET position = 4", 5),
    ] {
        for source in fresh_databases().await {
            fill(&source.database).await;
            source.database.execute(change, vec![]).await.unwrap();
            match backup(&source.database, vec![], |_, _| {}).await {
                Err(WriteError::Broken(broken)) => assert_eq!(broken.position, position, "{change}"),
                other => panic!("{change}: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn every_changed_missing_or_additional_byte_is_found() {
    let source = fresh_sqlite().await;
    fill(&source.database).await;
    let (folder, path) = take(&source.database).await;
    let whole = fs::read(&path).unwrap();
    let changed = folder.path().join("changed");
    let is_found = |bytes: &[u8]| {
        fs::write(&changed, bytes).unwrap();
        BackupFile::open(&changed).is_err()
    };
    assert!(!is_found(&whole));
    for place in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[place] ^= 1 << (place % 8);
        assert!(is_found(&flipped), "byte {place}");
        assert!(is_found(&whole[..place]), "cut off at {place}");
    }
    for more in [vec![0], whole.clone(), whole[whole.len() - TRAILER..].to_vec()] {
        assert!(is_found(&[whole.clone(), more].concat()));
    }
    fs::write(&changed, "a text").unwrap();
    assert!(matches!(BackupFile::open(&changed), Err(BackupError::NoBackup)));
    assert!(matches!(BackupFile::open(&folder.path().join("nothing")), Err(BackupError::Read(_))));
}

/// The backup with other lines and a checksum that fits them.
fn forged(path: &Path, change: impl FnOnce(&mut Vec<String>)) -> PathBuf {
    let mut text = String::new();
    std::io::Read::read_to_string(&mut MultiGzDecoder::new(fs::File::open(path).unwrap()), &mut text).unwrap();
    let mut lines: Vec<_> = text.lines().map(|line| format!("{line}\n")).collect();
    change(&mut lines);
    let forged = path.with_extension("forged");
    let out = Hashing::new(fs::File::create(&forged).unwrap());
    let mut zip = GzEncoder::new(out, Compression::fast());
    zip.write_all(lines.concat().as_bytes()).unwrap();
    zip.finish().unwrap().close().unwrap();
    forged
}

#[tokio::test]
async fn checksum_that_was_made_anew_hides_nothing() {
    let source = fresh_sqlite().await;
    fill(&source.database).await;
    let (_folder, path) = take(&source.database).await;
    let first = 1 + rows(&source.database).await.len();
    let untouched = BackupFile::open(&forged(&path, |_| {})).unwrap();
    assert_eq!(untouched.check(|_, _| {}).unwrap().rows, 4);
    type Change<'a> = &'a dyn Fn(&mut Vec<String>);
    let changes: [(&str, Change<'_>); 13] = [
        ("a row twice", &|lines| lines.insert(2, lines[1].clone())),
        ("two rows", &|lines| lines.swap(1, 2)),
        ("two rows with one key", &|lines| {
            let twin = lines[1].replace("$hash", "$twin");
            lines.insert(2, twin);
        }),
        ("a row after the events", &|lines| {
            let row = lines.remove(first - 1);
            lines.insert(lines.len() - 1, row);
        }),
        ("a long row", &|lines| lines[1] = lines[1].replace("$hash", &"x".repeat(1 << 16))),
        ("a word of an event", &|lines| lines[first + 1] = lines[first + 1].replace("TagDeleted", "TagRestored")),
        ("two events", &|lines| lines.swap(first, first + 1)),
        ("an event less", &|lines| drop(lines.remove(first + 2))),
        ("the last event less", &|lines| drop(lines.remove(first + 4))),
        ("an event twice", &|lines| lines.insert(first, lines[first].clone())),
        ("a row less", &|lines| drop(lines.remove(1))),
        ("something after the end", &|lines| lines.push(lines[1].clone())),
        ("no end", &|lines| drop(lines.pop())),
    ];
    for (what, change) in changes {
        let forged = forged(&path, change);
        let file = BackupFile::open(&forged).unwrap();
        assert!(file.check(|_, _| {}).is_err(), "{what}");
        let target = fresh_sqlite().await;
        assert!(restore(&target.database, &forged).await.is_err(), "{what}");
        assert!(find_unfinished(&target.database).await.unwrap().is_some(), "no server starts on it");
    }
}

/// Gives an event the id of the first one, and computes everything again that proves the log.
fn give_the_id_of_the_first_event(lines: &mut [String], position: Position) {
    let (mut first, mut hash) = (None, GENESIS);
    for line in lines.iter_mut() {
        let Ok(Line::Event(record)) = serde_json::from_str(line) else { continue };
        let Evidence { mut header, payload, metadata, salt, payload_digest } = record.evidence().unwrap();
        let id = *first.get_or_insert(header.event_id);
        if header.position == position {
            header.event_id = id;
        }
        let (fixed, recorded_us) = (FixedFields::of(&header, &metadata), header.recorded_at.as_micros());
        hash = chain_hash(&hash, header.position, &fixed, recorded_us, &payload_digest);
        header.chain_hash = hash;
        let record = AuditRecord::new(Evidence { header, payload, metadata, salt, payload_digest }).unwrap();
        *line = format!("{}\n", serde_json::to_string(&Line::Event(Box::new(record))).unwrap());
    }
    let mut opening: Opening = serde_json::from_str(&lines[0]).unwrap();
    opening.hash = HexHash(hash);
    lines[0] = format!("{}\n", serde_json::to_string(&opening).unwrap());
}

#[tokio::test]
async fn event_id_that_comes_twice_is_refused_by_its_position() {
    let source = fresh_sqlite().await;
    fill(&source.database).await;
    let (_folder, path) = take(&source.database).await;
    // The first event itself: the computed proof is a good one.
    let good = forged(&path, |lines| give_the_id_of_the_first_event(lines, 1));
    BackupFile::open(&good).unwrap().check(|_, _| {}).unwrap();
    for position in [2, 4, 5] {
        let forged = forged(&path, |lines| give_the_id_of_the_first_event(lines, position));
        let checked = BackupFile::open(&forged).unwrap().check(|_, _| {});
        assert!(matches!(checked, Err(BackupError::RepeatedEvent { position: at }) if at == position), "{checked:?}");
        let target = fresh_sqlite().await;
        let restored = restore(&target.database, &forged).await;
        let repeated = matches!(restored, Err(RestoreError::Backup(BackupError::RepeatedEvent { position: at })) if at == position);
        assert!(repeated, "{restored:?}");
    }
}

#[tokio::test]
async fn backup_of_a_later_version_is_refused() {
    let source = fresh_sqlite().await;
    let (_folder, path) = take(&source.database).await;
    let format = |number: u32| format!(r#""livechatlogBackup":{number}"#);
    let later = forged(&path, |lines| lines[0] = lines[0].replace(&format(FORMAT), &format(FORMAT + 1)));
    assert!(matches!(BackupFile::open(&later), Err(BackupError::LaterFormat { format }) if format == FORMAT + 1));
    let schema = format!(r#""schema":{}"#, Database::known_schema());
    let later = forged(&path, |lines| lines[0] = lines[0].replace(&schema, r#""schema":9999"#));
    assert!(matches!(BackupFile::open(&later), Err(BackupError::Later { .. })));
    let other = forged(&path, |lines| lines[0] = "{}\n".into());
    assert!(matches!(BackupFile::open(&other), Err(BackupError::NoBackup)));
}

#[tokio::test]
async fn restore_that_broke_off_is_begun_anew() {
    let source = fresh_sqlite().await;
    fill(&source.database).await;
    let (_folder, path) = take(&source.database).await;
    let file = BackupFile::open(&path).unwrap();
    for target in fresh_databases().await {
        let begun = Restore::begin(&target.database, &VIEWS, &file).await.unwrap();
        let first = find_unfinished(&target.database).await.unwrap().unwrap();
        begun.fill(&file, |_, _| {}).await.unwrap();
        assert_eq!(find_unfinished(&target.database).await.unwrap(), Some(first), "the read models are missing");
        drop(begun);
        let restored = restore(&target.database, &path).await.unwrap();
        assert_ne!(restored.epoch, first.epoch);
        assert_eq!(events(&target.database).await, events(&source.database).await);
        let row = target.database.fetch_all("SELECT from_epoch, finished_us FROM restores", vec![]).await.unwrap();
        assert_eq!((row.len(), row[0].uuid("from_epoch").unwrap()), (1, file.opening().epoch));
    }
}

#[tokio::test]
async fn of_two_restores_one_is_disturbed() {
    let source = fresh_sqlite().await;
    fill(&source.database).await;
    let (_folder, path) = take(&source.database).await;
    let file = BackupFile::open(&path).unwrap();
    // On MySQL the lock of the first would keep the second out, while its connection lasts.
    let target = fresh_sqlite().await;
    let first = Restore::begin(&target.database, &VIEWS, &file).await.unwrap();
    let second = Restore::begin(&target.database, &VIEWS, &file).await.unwrap();
    assert!(matches!(first.fill(&file, |_, _| {}).await, Err(RestoreError::Disturbed)));
    second.fill(&file, |_, _| {}).await.unwrap();
    second.finish().await.unwrap();
    assert_eq!(events(&target.database).await, events(&source.database).await);
}

/// A node that was there before the restore must neither write to the new history nor read it.
async fn is_left_behind(fresh: &Fresh, path: &Path, has_appended: bool) {
    let log = start(&fresh.database).await;
    if has_appended {
        log.append(append(&[(stream(7), 0, 1)])).await.unwrap();
        for sql in ["DELETE FROM events", "UPDATE log_head SET position = 0, recorded_us = 0"] {
            fresh.database.execute(sql, vec![]).await.unwrap();
        }
    }
    restore(&fresh.database, path).await.unwrap();
    let head = read_head(&fresh.database).await.unwrap();
    let refused = log.append(append(&[(stream(8), 0, 1)])).await;
    assert!(matches!(refused, Err(AppendError::Unavailable { .. })), "{refused:?}");
    assert_eq!(read_head(&fresh.database).await.unwrap(), head);
    for read in [log.head().await.err(), log.read_after(0, 10).await.err()] {
        assert!(matches!(read, Some(ReadError::HistoryForked { .. })), "{read:?}");
    }
}

#[tokio::test]
async fn node_of_the_old_history_gets_nothing_of_the_new_one() {
    let source = fresh_sqlite().await;
    fill(&source.database).await;
    let (_folder, path) = take(&source.database).await;
    for has_appended in [false, true] {
        for fresh in fresh_databases().await {
            is_left_behind(&fresh, &path, has_appended).await;
        }
    }
}

#[tokio::test]
async fn node_that_only_reads_notices_a_new_history() {
    let source = fresh_sqlite().await;
    fill(&source.database).await;
    let (_folder, path) = take(&source.database).await;
    for fresh in fresh_databases().await {
        let log = start(&fresh.database).await;
        restore(&fresh.database, &path).await.unwrap();
        assert!(matches!(log.head().await, Err(ReadError::HistoryForked { .. })));
        assert!(matches!(log.read_after(0, 10).await, Err(ReadError::HistoryForked { .. })));
    }
}

#[tokio::test]
async fn progress_is_told_up_to_the_end() {
    let source = fresh_sqlite().await;
    fill(&source.database).await;
    let mut seen: Vec<(Position, Position)> = vec![];
    let (summary, _) = backup(&source.database, vec![], |at, of| seen.push((at, of))).await.unwrap();
    assert_eq!((seen.last(), summary.rows), (Some(&(5, 5)), 4));
}

/// An input that begins with these bytes and never ends; it counts what was taken.
struct Endless<'a> {
    beginning: &'a [u8],
    taken: &'a mut u64,
}

impl std::io::Read for Endless<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let known = std::io::Read::read(&mut self.beginning, buffer)?;
        buffer[known..].fill(0);
        *self.taken += buffer.len() as u64;
        Ok(buffer.len())
    }
}

#[tokio::test]
async fn input_without_an_end_is_not_kept_unless_it_begins_like_a_backup() {
    let folder = tempfile::tempdir().unwrap();
    let other = zipped(&[b"{\"another\":1}\n".to_vec()]);
    for beginning in [&b""[..], b"a text", &[0x1f, 0x8b, 8, 0], &other] {
        let mut taken = 0;
        let input = Endless { beginning, taken: &mut taken };
        assert!(matches!(BackupFile::spool(input, folder.path()), Err(BackupError::NoBackup)));
        assert!(taken <= 1 << 20, "{taken}");
    }
}

/// A compressed text with a checksum that fits it.
fn zipped(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut zip = GzEncoder::new(Hashing::new(vec![]), Compression::fast());
    for part in parts {
        zip.write_all(part).unwrap();
    }
    zip.finish().unwrap().close().unwrap()
}

#[tokio::test]
async fn long_lines_are_refused_before_they_are_whole() {
    let source = fresh_sqlite().await;
    fill(&source.database).await;
    let (_folder, path) = take(&source.database).await;
    let huge = forged(&path, |lines| lines[5] = format!("{}\n", " ".repeat(9 << 20)));
    let refused = BackupFile::open(&huge).unwrap().check(|_, _| {}).unwrap_err();
    assert!(matches!(refused, BackupError::Line { line: 6 }), "{refused:?}");
    let huge = forged(&path, |lines| lines[0] = format!("{}\n", " ".repeat(1 << 17)));
    assert!(matches!(BackupFile::open(&huge), Err(BackupError::NoBackup)));
}
