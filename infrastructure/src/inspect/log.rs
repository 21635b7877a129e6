//! The schema, the log and the read models.

use application::ports::{Clock, LogHead};

use super::{Finding, clocks, unknown, with_causes};
use crate::backup::find_unfinished;
use crate::database::{Database, DatabaseError, MigrateError};
use crate::event_log::{Damage, evidence_after, read_head};
use crate::subscription::{CheckpointLock, MOST_BEHIND, SubscriberId, TableState, mending_command};

pub(super) async fn inspect(
    database: &Database,
    projectors: &[SubscriberId],
    clock: &dyn Clock,
    findings: &mut Vec<Finding>,
) {
    let (finding, is_usable) = schema(database).await;
    findings.push(finding);
    if !is_usable {
        return;
    }
    match find_unfinished(database).await {
        Ok(None) => {}
        Ok(Some(_)) => {
            let found = "a restore is under way, or has broken off";
            findings.push(Finding::failed("log", found, "run `livechatlog restore FILE` to its end"));
            return;
        }
        Err(error) => return findings.push(unknown("log", &error)),
    }
    match read_head(database).await {
        Ok(head) => {
            findings.push(end(database, &head).await);
            findings.extend(clocks::of_log(head.recorded_at, clock.now()));
            findings.extend(read_models(database, projectors, &head).await);
        }
        Err(error) => findings.push(unknown("log", &error)),
    }
}

/// Whether the schema is one that can be read on.
async fn schema(database: &Database) -> (Finding, bool) {
    const SUBJECT: &str = "schema";
    match database.pending_migrations().await {
        Ok(pending) if pending.is_empty() => (Finding::ok(SUBJECT, "that of this version"), true),
        Ok(pending) if Database::is_new(&pending) => {
            (Finding::ok(SUBJECT, "the database is empty: the first start makes it"), false)
        }
        Ok(pending) => {
            let found = format!("older than this version: {} missing", pending.join(", "));
            (Finding::warning(SUBJECT, found, "the next start brings it up to date, or `livechatlog migrate`"), false)
        }
        Err(error @ MigrateError::Newer { .. }) => {
            (Finding::failed(SUBJECT, error.to_string(), "install the newer version of livechatlog"), false)
        }
        Err(error @ MigrateError::Foreign { .. }) => {
            let advice = "name a database of its own in DATABASE_URL; where an import has broken off, empty the database \
                          and import all of it again. Nothing was changed";
            (Finding::failed(SUBJECT, error.to_string(), advice), false)
        }
        Err(error @ (MigrateError::Incomplete { .. } | MigrateError::Headless)) => {
            let advice = "empty the database and import the whole dump again, or restore a backup into a new database";
            (Finding::failed(SUBJECT, error.to_string(), advice), false)
        }
        Err(MigrateError::Database(error)) => (unknown(SUBJECT, &error), false),
        Err(error) => {
            let advice = "this database was not set up by a release of livechatlog: restore a backup into a new one";
            (Finding::failed(SUBJECT, with_causes(&error), advice), false)
        }
    }
}

/// The last event must be the one that the head names. The rest of the chain is `audit verify`'s.
async fn end(database: &Database, head: &LogHead) -> Finding {
    let LogHead { position, chain_hash, epoch, .. } = *head;
    let found = format!("ends at position {position}, epoch {epoch}");
    if position == 0 {
        return Finding::ok("log", format!("empty, epoch {epoch}"));
    }
    let advice = "run `livechatlog audit verify`; if it finds the log broken, restore the newest backup";
    match evidence_after(database, position - 1, position).await.map(|events| events.into_iter().next()) {
        Ok(Some(Ok(last))) if last.header.position == position && last.header.chain_hash == chain_hash => {
            Finding::ok("log", format!("{found}; `livechatlog audit verify` proves all of it"))
        }
        Ok(Some(Err(broken))) if broken.damage != Damage::End => Finding::failed("log", broken.to_string(), advice),
        Ok(_) => Finding::failed("log", format!("{found}, but its last event is another one"), advice),
        Err(error) => unknown("log", &error),
    }
}

async fn read_models(database: &Database, projectors: &[SubscriberId], head: &LogHead) -> Vec<Finding> {
    let names: Vec<_> = projectors.iter().map(|(name, _)| *name).collect();
    match CheckpointLock::look(database, &names).await {
        Ok(states) => {
            let mut wrong = vec![];
            for (id, state) in projectors.iter().zip(states) {
                match is_foreign(database, state).await {
                    Ok(true) => wrong.extend(state.map(|state| foreign(id.0, state))),
                    Ok(false) => wrong.extend(read_model(id, state, head)),
                    Err(error) => return vec![unknown("read models", &error)],
                }
            }
            if wrong.is_empty() { vec![Finding::ok("read models", "up to date, or nearly")] } else { wrong }
        }
        Err(error) => vec![unknown("read models", &error)],
    }
}

/// Whether the log does not have the place where a read model stands.
async fn is_foreign(database: &Database, state: Option<TableState>) -> Result<bool, DatabaseError> {
    match state {
        Some(state) => Ok(!state.checkpoint.is_in_log(database).await?),
        None => Ok(false),
    }
}

fn foreign(name: &str, state: TableState) -> Finding {
    let position = state.checkpoint.position;
    let found = format!("{name} belongs to another history: its checkpoint at position {position} is not in the log");
    Finding::failed("read models", found, format!("run `{}`, which fills it from the log", mending_command(name)))
}

/// What is to be said about a read model, if anything.
fn read_model((name, version): &SubscriberId, state: Option<TableState>, head: &LogHead) -> Option<Finding> {
    const SUBJECT: &str = "read models";
    let Some(state) = state else {
        let found = format!("{name} was never filled");
        return (head.position > 0)
            .then(|| Finding::warning(SUBJECT, found, "start the server: it fills them by itself"));
    };
    if state.version > *version {
        let found = format!("{name} is of the newer version {}", state.version);
        return Some(Finding::failed(SUBJECT, found, "install the newer version of livechatlog"));
    }
    if state.is_outdated || state.version < *version {
        let found = format!("{name} is of an earlier version");
        let advice = format!("the running server rebuilds it, or `{}`", mending_command(name));
        return Some(Finding::warning(SUBJECT, found, advice));
    }
    let behind = head.position - state.checkpoint.position;
    (behind > MOST_BEHIND).then(|| {
        let advice = "start the server, which catches up; if one runs, /readyz says why it does not";
        Finding::warning(SUBJECT, format!("{name} is {behind} events behind"), advice)
    })
}
