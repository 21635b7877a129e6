//! Rebuilding what an earlier version of the program has filled, while the service runs.

use std::time::Duration;

use infrastructure::subscription::{SubscriberId, find_manager, find_outdated};

use super::target::all_targets;
use super::{RebuildError, Rebuilt, Replay};

const LOOK: Duration = Duration::from_secs(1);

/// Rebuilds the tables that hold rows of an earlier version of their subscriber, as soon as every subscriber has taken its
/// tables over. Until then they are read, and written, as they are.
pub async fn rebuild_outdated(replay: Replay, subscribers: Vec<SubscriberId>) {
    let subscribers = known(subscribers);
    loop {
        replay.clock.sleep(LOOK).await;
        let outdated = match find_outdated(&replay.database, &subscribers).await {
            Ok(None) => continue,
            Ok(Some(outdated)) if outdated.is_empty() => return,
            Ok(Some(outdated)) => outdated,
            Err(error) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "outdated tables cannot be looked for");
                continue;
            }
        };
        tracing::info!(?outdated, "rebuilding tables of an earlier version");
        match rebuild(&replay, &outdated).await {
            Ok(rebuilt) => tracing::info!(tables = ?rebuilt.tables, position = rebuilt.position, "tables are rebuilt"),
            Err(error) if error.may_pass_from_the_beginning() => {
                tracing::debug!(error = &error as &dyn std::error::Error, "the rebuild is tried again");
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, ?outdated, "tables stay outdated");
                return;
            }
        }
    }
}

/// Views first; the turn of each process manager comes with a later look.
async fn rebuild(replay: &Replay, outdated: &[&'static str]) -> Result<Rebuilt, RebuildError> {
    let views: Vec<_> = outdated.iter().copied().filter(|name| find_manager(name).is_none()).collect();
    match outdated.iter().find_map(|name| find_manager(name)) {
        Some(manager) if views.is_empty() => replay.refold(manager, &()).await,
        _ => replay.run(&views, &()).await,
    }
}

/// Those of the subscribers whose tables a rebuild can fill: others must not keep the views from being rebuilt.
fn known(subscribers: Vec<SubscriberId>) -> Vec<SubscriberId> {
    let targets = all_targets();
    let (known, unknown): (Vec<_>, Vec<_>) =
        subscribers.into_iter().partition(|(name, _)| targets.iter().any(|target| target.name() == *name));
    if !unknown.is_empty() {
        tracing::debug!(?unknown, "subscribers without tables that can be rebuilt");
    }
    known
}
