//! The store that an older build left behind.

use std::fs::File;
use std::io::{Read as _, copy};
use std::path::Path;

use application::ports::EventLog as _;
use flate2::read::GzDecoder;

use crate::database::{Database, DatabaseOptions};
use crate::event_log::testing::{append, start, stream};
use crate::event_log::verify_chain;

/// A server with SQLite 3.46.0 made them and was killed after six events, most of which are in the write-ahead log.
const FILE: &[u8] = include_bytes!("fixtures/sqlite-3.46.0.db.gz");
const WRITE_AHEAD_LOG: &[u8] = include_bytes!("fixtures/sqlite-3.46.0.db-wal.gz");

fn unpack(packed: &[u8], to: &Path) {
    copy(&mut GzDecoder::new(packed), &mut File::create(to).unwrap()).unwrap();
}

#[tokio::test]
async fn store_of_sqlite_3_46_is_whole_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log.db");
    unpack(FILE, &file);
    unpack(WRITE_AHEAD_LOG, &folder.path().join("log.db-wal"));
    let mut version = [0; 4];
    let mut header = GzDecoder::new(FILE).take(100);
    let mut bytes = vec![];
    header.read_to_end(&mut bytes).unwrap();
    version.copy_from_slice(&bytes[96..]);
    assert_eq!(u32::from_be_bytes(version), 3_046_000, "the version that wrote the file");

    let url = format!("sqlite:{}", file.display());
    let database = Database::connect(&url, DatabaseOptions::default()).await.unwrap();
    assert_eq!(verify_chain(&database, |_| {}).await.unwrap().position, 6);
    database.migrate().await.unwrap();
    let log = start(&database).await;
    log.append(append(&[(stream(1), 0, 1)])).await.unwrap();
    assert_eq!(verify_chain(&database, |_| {}).await.unwrap().position, 7);
    let check = database.fetch_all("SELECT integrity_check AS value FROM pragma_integrity_check()", vec![]).await;
    assert_eq!(check.unwrap()[0].text("value").unwrap(), "ok");
}
