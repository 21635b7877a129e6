//! The data folder, the secrets in it, and the disk below it.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use infrastructure::audit::AuditKey;
use infrastructure::database::Database;
use infrastructure::inspect::Finding;
use rustix::fs::{Access, access, statvfs};

use crate::config::{JWT_SECRET_FILE, METRICS_TOKEN_FILE, Settings};

/// With less free space, the operator is warned.
const LITTLE: u64 = 1 << 30;

/// With less free space, writes are about to fail.
const TOO_LITTLE: u64 = 100 << 20;

const OWN_IT: &str = "give the user that runs livechatlog read and write access";

pub(super) fn inspect(settings: &Settings) -> Vec<Finding> {
    let folder = &settings.data_dir;
    let mut findings = vec![usable(folder)];
    if folder.is_dir() {
        findings.extend(
            [JWT_SECRET_FILE, METRICS_TOKEN_FILE, AuditKey::FILE].iter().filter_map(|name| secret(&folder.join(name))),
        );
        findings.push(room("disk of the data folder", folder));
    }
    let database = Database::file(&settings.database_url);
    if let Some(other) = database.as_deref().and_then(Path::parent).map(or_here).filter(|other| *other != folder) {
        findings.extend(unusable(other));
        findings.extend(other.is_dir().then(|| room("disk of the database", other)));
    }
    findings
}

/// The parent of a bare file name is the current folder.
fn or_here(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}

/// The problem with the folder of a database outside the data folder, if any. The server does not create it.
fn unusable(folder: &Path) -> Option<Finding> {
    const SUBJECT: &str = "folder of the database";
    let shown = folder.display();
    if !folder.is_dir() {
        return Some(Finding::failed(
            SUBJECT,
            format!("{shown} is not a folder"),
            "create it, or correct DATABASE_URL",
        ));
    }
    let cause = access(folder, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK).err()?;
    Some(Finding::failed(SUBJECT, format!("{shown} is not writable: {cause}"), OWN_IT))
}

fn usable(folder: &Path) -> Finding {
    const SUBJECT: &str = "data folder";
    let shown = folder.display();
    let metadata = match fs::metadata(folder) {
        Ok(metadata) if metadata.is_dir() => metadata,
        Ok(_) => return Finding::failed(SUBJECT, format!("{shown} is not a folder"), "set DATA_DIR to a folder"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return match hindrance(folder) {
                Some(cause) => {
                    let found = format!("{shown} does not exist and cannot be created: {cause}");
                    Finding::failed(
                        SUBJECT,
                        found,
                        "create it for the user that runs livechatlog, or set DATA_DIR to another folder",
                    )
                }
                None => Finding::ok(SUBJECT, format!("{shown} does not exist yet: the first start creates it")),
            };
        }
        Err(error) => return Finding::failed(SUBJECT, format!("{shown} cannot be used: {error}"), OWN_IT),
    };
    if let Err(error) = access(folder, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK) {
        return Finding::failed(SUBJECT, format!("{shown} is not writable: {error}"), OWN_IT);
    }
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o022 != 0 {
        let advice = format!("chmod 700 {shown}: it contains secrets and messages");
        return Finding::warning(SUBJECT, format!("{shown} is writable by others (mode {mode:o})"), advice);
    }
    Finding::ok(SUBJECT, format!("{shown} is writable"))
}

/// Why a missing folder cannot be created, if so: its nearest existing ancestor must be a writable folder.
fn hindrance(folder: &Path) -> Option<String> {
    let there = folder.ancestors().map(or_here).find(|place| place.symlink_metadata().is_ok())?;
    let shown = there.display();
    if !there.is_dir() {
        return Some(format!("{shown} is not a folder, or is a broken link"));
    }
    let cause = access(there, Access::WRITE_OK | Access::EXEC_OK).err()?;
    Some(format!("{shown} is not writable: {cause}"))
}

/// The finding about a secret's file, if the file exists.
fn secret(path: &Path) -> Option<Finding> {
    const SUBJECT: &str = "secrets";
    let mode = fs::metadata(path).ok()?.permissions().mode() & 0o777;
    let shown = path.display();
    Some(if mode & 0o077 != 0 {
        let found = format!("{shown} is readable by others (mode {mode:o})");
        Finding::failed(SUBJECT, found, format!("chmod 600 {shown}, and replace it if others may have read it"))
    } else if access(path, Access::READ_OK).is_err() {
        Finding::failed(SUBJECT, format!("{shown} is not readable"), "make the user that runs livechatlog its owner")
    } else {
        Finding::ok(SUBJECT, format!("{shown} is readable only by its owner"))
    })
}

fn room(subject: &'static str, folder: &Path) -> Finding {
    let advice = "free some space: writes fail on a full disk";
    match statvfs(folder) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let found = format!("{:.1} GiB free", free as f64 / f64::from(1 << 30));
            match free {
                TOO_LITTLE.. if free >= LITTLE => Finding::ok(subject, found),
                TOO_LITTLE.. => Finding::warning(subject, found, advice),
                _ => Finding::failed(subject, found, advice),
            }
        }
        Err(error) => Finding::warning(subject, format!("unknown: {error}"), "check that the folder is accessible"),
    }
}
