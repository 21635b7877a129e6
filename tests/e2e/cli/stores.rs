//! Where commands find what is stored, and that they make nothing where nothing is.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use harness::{DatabaseKind, Process, Server, TestDatabase, each_database, program, run_on};
use infrastructure::database::{Database, DatabaseOptions};
use serde_json::{Value, json};

/// Commands on a store that is there.
const ON_A_STORE: [&[&str]; 11] = [
    &["backup", "FILE"],
    &["check", "--invariants"],
    &["audit", "export", "--output", "FILE"],
    &["audit", "verify"],
    &["audit", "key"],
    &["replay"],
    &["replay", "--verify"],
    &["migrate", "--check"],
    &["erase-visitor", "--yes", "018f0000-0000-7000-8000-000000000000"],
    &["admin", "create", "--email", "second@example.com"],
    &["admin", "reset-password", "--email", "nobody@example.com"],
];

/// Those of them that read the database alone; the data folder may be on another machine.
const WITHOUT_A_FOLDER: [&str; 5] = ["backup", "check", "replay", "migrate", "verify"];

/// A word in which FILE stands for this file.
fn put<'a>(words: &[&'a str], file: &'a str) -> Vec<&'a str> {
    words.iter().map(|word| if *word == "FILE" { file } else { word }).collect()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn count(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

/// A command with nothing but these settings, whatever its words are.
fn bare(words: &[&OsStr], settings: &[(&str, &OsStr)]) -> Command {
    let mut command = Command::new(program());
    command.args(words).env_clear().envs(settings.iter().copied());
    command
}

#[test]
fn mistyped_data_folder_is_told_and_nothing_is_made() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("file");
    let (file, mistyped) = (file.to_str().unwrap(), home.path().join("dat"));
    let (mistyped_itself, database) = (mistyped.to_str().unwrap(), TestDatabase::sqlite());
    for words in ON_A_STORE {
        let mut settings = vec![("DATA_DIR", mistyped_itself)];
        let words = put(words, file);
        // An empty setting is one that is not given.
        settings.push(("DATABASE_URL", ""));
        let output = run_on(&database, &words, &settings);
        assert_eq!(output.status.code(), Some(1), "{words:?}: {output:?}");
        assert!(said(&output).contains("there is no store"), "{words:?}: {output:?}");
        assert!(said(&output).contains(mistyped_itself), "{words:?}: {output:?}");
        assert_eq!(count(home.path()), 0, "{words:?}");
        assert_eq!(count(database.folder()), 0, "{words:?}");
    }
    let output = run_on(&database, &["backup", file], &[("DATABASE_URL", "sqlite::memory:")]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(said(&output).contains("DATABASE_URL must be sqlite:PATH"), "{output:?}");
    let nothing = home.path().join("nothing");
    let output = run_on(&database, &["restore", nothing.to_str().unwrap()], &[("DATA_DIR", mistyped_itself)]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!((count(home.path()), count(database.folder())), (0, 0), "a mistyped backup begins no store");
}

each_database!(empty_database_is_no_store);
async fn empty_database_is_no_store(database: TestDatabase) {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("file");
    for words in ON_A_STORE {
        let words = put(words, file.to_str().unwrap());
        if words.starts_with(&["audit", "key"]) && database.kind() == DatabaseKind::MySql {
            // It is asked for no more than the folder.
            continue;
        }
        let output = run_on(&database, &words, &[]);
        assert_eq!(output.status.code(), Some(1), "{words:?}: {output:?}");
        assert!(said(&output).contains("there is no store"), "{words:?}: {output:?}");
        assert_eq!((count(home.path()), count(database.folder())), (0, 0), "{words:?}");
    }
}

each_database!(tables_of_another_program_and_half_an_import_are_left_in_peace);
async fn tables_of_another_program_and_half_an_import_are_left_in_peace(database: TestDatabase) {
    let whole = TestDatabase::sqlite();
    let backup = whole.folder().join("backup");
    Server::start(&whole).await.stop().await;
    assert!(run_on(&whole, &["backup", backup.to_str().unwrap()], &[]).status.success());
    let foreign = Database::connect(database.url(), DatabaseOptions::default()).await.unwrap();
    for (table, columns) in [
        ("conversations", "id INT PRIMARY KEY, subject VARCHAR(100)"),
        ("Sessions", "id INT PRIMARY KEY, subject VARCHAR(100)"),
        ("schema_migrations", "version INT PRIMARY KEY, subject VARCHAR(100)"),
        ("restores", "id INT PRIMARY KEY, subject VARCHAR(100)"),
        ("log_head", "id INT PRIMARY KEY, subject VARCHAR(100)"),
        ("invoices", "id INT PRIMARY KEY, subject VARCHAR(100)"),
    ] {
        foreign.execute(&format!("CREATE TABLE {table} ({columns})"), vec![]).await.unwrap();
        foreign.execute(&format!("INSERT INTO {table} VALUES (1, 'invoice 4711')"), vec![]).await.unwrap();
        let commands: [&[&str]; 7] = [
            &["check"],
            &["migrate", "--check"],
            &["migrate"],
            &["serve"],
            &["demo"],
            &["restore", backup.to_str().unwrap()],
            &["backup", "x"],
        ];
        for words in commands {
            let output = run_on(&database, words, &[("PORT", "0")]);
            let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), said(&output));
            assert_eq!(output.status.code(), Some(1), "{words:?} with {table}: {told}");
            assert!(told.to_lowercase().contains(&table.to_lowercase()), "{words:?} with {table}: {told}");
        }
        let rows = foreign.fetch_all(&format!("SELECT subject FROM {table}"), vec![]).await.unwrap();
        assert_eq!(rows[0].text("subject").unwrap(), "invoice 4711", "{table}");
        foreign.execute(&format!("DROP TABLE {table}"), vec![]).await.unwrap();
    }
    foreign.close().await;
    Server::start(&database).await.stop().await;
    let half = Database::connect(database.url(), DatabaseOptions::default()).await.unwrap();
    half.execute("DROP TABLE tags", vec![]).await.unwrap();
    for words in [&["check"][..], &["migrate"], &["serve"]] {
        let output = run_on(&database, words, &[("PORT", "0")]);
        let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), said(&output));
        assert_eq!(output.status.code(), Some(1), "{words:?}: {told}");
        assert!(told.contains("tables that it was set up with: tags"), "{words:?}: {told}");
    }
    half.close().await;
}

each_database!(database_is_enough_for_those_who_read_it_alone);
async fn database_is_enough_for_those_who_read_it_alone(database: TestDatabase) {
    Server::start(&database).await.stop().await;
    let home = tempfile::tempdir().unwrap();
    let (nowhere, file) = (home.path().join("nowhere"), home.path().join("file"));
    for words in ON_A_STORE {
        let words = put(words, file.to_str().unwrap());
        let output = run_on(&database, &words, &[("DATA_DIR", nowhere.to_str().unwrap())]);
        let alone = words.iter().any(|word| WITHOUT_A_FOLDER.contains(word));
        let exists = words[0] != "erase-visitor" && !words.starts_with(&["admin", "reset-password"]);
        if alone || (database.kind() == DatabaseKind::MySql && words[0] != "audit") {
            assert_eq!(output.status.success(), exists, "{words:?}: {output:?}");
        } else {
            assert_eq!(output.status.code(), Some(1), "{words:?}: {output:?}");
            assert!(said(&output).contains("DATA_DIR: there is no folder"), "{words:?}: {output:?}");
        }
        assert!(!nowhere.exists(), "{words:?}");
        drop(fs::remove_file(&file));
    }
}

each_database!(backup_is_restored_from_standard_input);
async fn backup_is_restored_from_standard_input(database: TestDatabase) {
    let server = Server::start(&database).await;
    server.visitor("Hello").await;
    let backup = run_on(&database, &["backup", "-"], &[]);
    assert!(backup.status.success() && !backup.stdout.is_empty(), "{backup:?}");
    let home = tempfile::tempdir().unwrap();
    let fed = |words: &[&str], input: &[u8]| {
        let words: Vec<_> = words.iter().map(OsStr::new).collect();
        let folder = home.path().join("data");
        let mut command = bare(&words, &[("DATA_DIR", folder.as_os_str())]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // It may have seen enough before all is written.
        drop(child.stdin.take().unwrap().write_all(input));
        child.wait_with_output().unwrap()
    };
    let checked = fed(&["restore", "--check", "--json", "-"], &backup.stdout);
    let checked: Value = serde_json::from_slice(&checked.stdout).unwrap_or_else(|_| panic!("{checked:?}"));
    assert_eq!(checked["whole"], true, "{checked}");
    assert_eq!(count(home.path()), 0, "a check makes nothing");
    let half = fed(&["restore", "-"], &backup.stdout[..backup.stdout.len() / 2]);
    assert_eq!(half.status.code(), Some(1), "{half:?}");
    assert!(said(&half).starts_with("error: standard input: the backup does not end"), "{half:?}");
    assert_eq!(count(&home.path().join("data")), 0);
    let restored = fed(&["restore", "--json", "-"], &backup.stdout);
    assert!(restored.status.success(), "{restored:?}");
    let restored: Value = serde_json::from_slice(&restored.stdout).unwrap();
    assert_eq!((&restored["position"], &restored["hash"]), (&checked["position"], &checked["hash"]));
    let mut left: Vec<_> =
        fs::read_dir(home.path().join("data")).unwrap().map(|file| file.unwrap().file_name()).collect();
    left.sort();
    assert!(
        left.iter().all(|name| name.to_str().is_some_and(|name| name == "lock" || name.starts_with("livechatlog.db"))),
        "{left:?}"
    );
    assert!(fed(&["replay", "--verify"], &[]).status.success());
}

each_database!(backup_replaces_a_backup_and_nothing_else);
async fn backup_replaces_a_backup_and_nothing_else(database: TestDatabase) {
    Server::start(&database).await.stop().await;
    let home = tempfile::tempdir().unwrap();
    let [file, link, socket] = ["file", "link", "socket"].map(|name| home.path().join(name));
    let _listener = UnixListener::bind(&socket).unwrap();
    symlink(&file, &link).unwrap();
    let refused = |words: &[&str], place: &Path, why: &str| {
        let output = run_on(&database, &[words, &[place.to_str().unwrap()]].concat(), &[]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(said(&output).contains(why), "{output:?}");
    };
    let (new, forced) = (["backup"], ["backup", "--force"]);
    for words in [&new[..], &forced] {
        for place in [socket.as_path(), home.path()] {
            refused(words, place, "is not a regular file; `-` writes to standard output");
        }
        refused(words, &link, "is a link to a missing file");
    }
    fs::write(&file, "what was there").unwrap();
    refused(&new, &link, "exists: name another file, or pass --force");
    refused(&forced, &link, "is not a backup: --force replaces only backups and empty files");
    let beside = home.path().join("file-wal");
    refused(&new, &beside, "as a part of the database next to it");
    assert_eq!(fs::read(&file).unwrap(), b"what was there");
    fs::write(&file, "").unwrap();
    // An empty file, and then a backup.
    for _ in 0..2 {
        let output = run_on(&database, &["backup", "--force", link.to_str().unwrap()], &[]);
        assert!(output.status.success(), "{output:?}");
    }
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink() && fs::symlink_metadata(&file).unwrap().is_file());
    assert!(fs::symlink_metadata(&socket).unwrap().file_type().is_socket());
    let checked = run_on(&database, &["restore", "--check", file.to_str().unwrap()], &[]);
    assert!(checked.status.success(), "{checked:?}");
    assert_eq!(count(home.path()), 3, "nothing is left over");
}

each_database!(names_of_files_need_not_be_utf8);
async fn names_of_files_need_not_be_utf8(database: TestDatabase) {
    Server::start(&database).await.stop().await;
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join(OsStr::from_bytes(b"back\xffup"));
    let words = ["backup", "--json"].map(OsStr::new);
    let settings = [("DATABASE_URL", OsStr::new(database.url())), ("DATA_DIR", database.folder().as_os_str())];
    let output = bare(&words, &settings).arg(&file).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(told["file"].as_str().unwrap().ends_with("back\u{fffd}up"), "{told}");
    let checked = bare(&["restore", "--check"].map(OsStr::new), &[]).arg(&file).output().unwrap();
    assert!(checked.status.success(), "{checked:?}");
    let export =
        bare(&["audit", "export", "--output"].map(OsStr::new), &settings).arg(file.with_extension("x")).output();
    assert!(export.unwrap().status.success());
}

/// Their address would lead somewhere else.
#[test]
fn data_folder_whose_database_has_no_address_is_refused() {
    let home = tempfile::tempdir().unwrap();
    for name in [&b"what?"[..], b"da\xffta"] {
        let folder = home.path().join(OsStr::from_bytes(name));
        for words in [&["migrate"][..], &["audit", "verify"]] {
            let output = bare(&[], &[("DATA_DIR", folder.as_os_str())]).args(words).output().unwrap();
            assert_eq!(output.status.code(), Some(2), "{output:?}");
            assert!(said(&output).contains("DATA_DIR must be UTF-8 without question marks"), "{output:?}");
        }
    }
    assert_eq!(count(home.path()), 0);
}

#[tokio::test]
async fn parameters_of_an_sqlite_address_are_no_part_of_the_file() {
    let database = TestDatabase::sqlite();
    Server::start(&database).await.stop().await;
    let path = database.folder().join("livechatlog.db");
    let home = tempfile::tempdir().unwrap();
    for mode in ["ro", "rw", "rwc"] {
        let url = format!("sqlite://{}?mode={mode}", path.display());
        let file = home.path().join(mode);
        let settings = [("DATABASE_URL", url.as_str())];
        for words in
            [&["backup", file.to_str().unwrap()][..], &["audit", "verify"], &["migrate", "--check"], &["check"]]
        {
            let output = run_on(&database, words, &settings);
            assert!(output.status.success(), "{mode} {words:?}: {output:?}");
        }
        let other = home.path().join(format!("{mode}.db"));
        let restored = format!("sqlite:{}?mode={mode}", other.display());
        let settings = [("DATABASE_URL", restored.as_str())];
        let output = run_on(&database, &["restore", file.to_str().unwrap()], &settings);
        assert_eq!(output.status.success(), mode == "rwc", "{mode}: {output:?}");
        assert_eq!(other.exists(), mode == "rwc");
    }
    let url = format!("sqlite:{}?cache=shared", path.display());
    let output = run_on(&database, &["audit", "verify"], &[("DATABASE_URL", &url)]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let mut names: Vec<_> = fs::read_dir(database.folder()).unwrap().map(|file| file.unwrap().file_name()).collect();
    names.retain(|name| name.to_string_lossy().contains('?'));
    assert!(names.is_empty(), "{names:?}");
}

/// A pipe with a name can be read once, as process substitution makes them.
#[tokio::test]
async fn backup_is_restored_from_a_pipe() {
    let database = TestDatabase::sqlite();
    Server::start(&database).await.stop().await;
    let backup = run_on(&database, &["backup", "-"], &[]);
    let home = tempfile::tempdir().unwrap();
    let pipe = home.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let folder = home.path().join("data");
    let mut child =
        bare(&[OsStr::new("restore"), pipe.as_os_str()], &[("DATA_DIR", folder.as_os_str())]).spawn().unwrap();
    File::options().write(true).open(&pipe).unwrap().write_all(&backup.stdout).unwrap();
    assert!(child.wait().unwrap().success());
    let mut magic = [0; 15];
    File::open(folder.join("livechatlog.db")).unwrap().read_exact(&mut magic).unwrap();
    assert_eq!(&magic, b"SQLite format 3");
}

/// Chats in a process that is killed, so that its write-ahead log stays.
async fn chats_before_a_crash(database: &TestDatabase) {
    let mut process = Process::on(database).start().await;
    for number in 0..20 {
        process.client().visitor(json!({ "initialMessage": format!("chat {number}") })).await;
    }
    process.kill9();
}

async fn chats_before_a_stop(database: &TestDatabase) {
    let server = Server::start(database).await;
    for number in 0..20 {
        server.visitor(&format!("chat {number}")).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn write_ahead_log_of_another_file_is_not_put_into_this_one() {
    let (database, other) = (TestDatabase::sqlite(), TestDatabase::sqlite());
    let file = Database::file(database.url()).unwrap();
    chats_before_a_stop(&database).await;
    let older = std::fs::read(&file).unwrap();
    chats_before_a_stop(&database).await;
    chats_before_a_crash(&database).await;
    // Its own: the store goes on.
    let output = run_on(&database, &["check"], &[]);
    assert!(output.status.success(), "{output:?}");
    chats_before_a_crash(&database).await;
    let wal = file.with_extension("db-wal");
    assert!(wal.metadata().unwrap().len() > 0, "the log was left behind");
    chats_before_a_stop(&other).await;
    for put_there in [older, std::fs::read(Database::file(other.url()).unwrap()).unwrap()] {
        std::fs::write(&file, &put_there).unwrap();
        let left_behind = std::fs::read(&wal).unwrap();
        for words in [&["check"][..], &["migrate"], &["serve"]] {
            let output = run_on(&database, words, &[("PORT", "0")]);
            let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), said(&output));
            assert_eq!(output.status.code(), Some(1), "{words:?}: {told}");
            assert!(told.contains("is that of another file"), "{words:?}: {told}");
            assert!(std::fs::read(&file).unwrap() == put_there, "{words:?} has changed the file");
            assert!(std::fs::read(&wal).unwrap() == left_behind, "{words:?} has changed the log");
        }
    }
    for suffix in ["db-wal", "db-shm"] {
        let _ = std::fs::remove_file(file.with_extension(suffix));
    }
    let output = run_on(&database, &["check"], &[]);
    assert!(output.status.success(), "{output:?}");
}
