//! The schema, the log and the read models.

use application::ports::LogHead;

use super::{Finding, unknown, with_causes};
use crate::backup::find_unfinished;
use crate::database::{Database, MigrateError};
use crate::event_log::{Damage, evidence_after, read_head};
use crate::subscription::{Hold, MOST_BEHIND, ProjectorId, Standing};

pub(super) async fn inspect(database: &Database, projectors: &[ProjectorId], findings: &mut Vec<Finding>) {
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
        Ok(pending) if matches!(database.has_table("log_head").await, Ok(false)) => {
            drop(pending);
            (Finding::ok(SUBJECT, "the database is empty: the first start makes it"), false)
        }
        Ok(pending) => {
            let found = format!("older than this version: {} missing", pending.join(", "));
            (Finding::warning(SUBJECT, found, "the next start brings it up to date, or `livechatlog migrate`"), false)
        }
        Err(error @ MigrateError::Newer { .. }) => {
            (Finding::failed(SUBJECT, error.to_string(), "install the newer version of livechatlog"), false)
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

async fn read_models(database: &Database, projectors: &[ProjectorId], head: &LogHead) -> Vec<Finding> {
    let names: Vec<_> = projectors.iter().map(|(name, _)| *name).collect();
    match Hold::look(database, &names).await {
        Ok(standings) => {
            let wrong = projectors.iter().zip(standings).filter_map(|(id, standing)| read_model(id, standing, head));
            let wrong: Vec<_> = wrong.collect();
            if wrong.is_empty() { vec![Finding::ok("read models", "up to date, or nearly")] } else { wrong }
        }
        Err(error) => vec![unknown("read models", &error)],
    }
}

/// What is to be said about a read model, if anything.
fn read_model((name, version): &ProjectorId, standing: Option<Standing>, head: &LogHead) -> Option<Finding> {
    const SUBJECT: &str = "read models";
    let Some(standing) = standing else {
        let found = format!("{name} was never filled");
        return (head.position > 0)
            .then(|| Finding::warning(SUBJECT, found, "start the server: it fills them by itself"));
    };
    if standing.checkpoint.epoch != head.epoch || standing.checkpoint.position > head.position {
        let advice = "the log was exchanged beneath its read models: restore the backup into a new database with \
                      `livechatlog restore`, which builds them anew";
        return Some(Finding::failed(SUBJECT, format!("{name} belongs to another history"), advice));
    }
    if standing.version > *version {
        let found = format!("{name} is of the newer version {}", standing.version);
        return Some(Finding::failed(SUBJECT, found, "install the newer version of livechatlog"));
    }
    if standing.is_outdated || standing.version < *version {
        let found = format!("{name} is of an earlier version");
        return Some(Finding::warning(SUBJECT, found, "the running server rebuilds it, or `livechatlog replay`"));
    }
    let behind = head.position - standing.checkpoint.position;
    (behind > MOST_BEHIND).then(|| {
        let advice = "start the server, which catches up; if one runs, /readyz says why it does not";
        Finding::warning(SUBJECT, format!("{name} is {behind} events behind"), advice)
    })
}
