use std::sync::Arc;

use application::ports::LogEvent;
use infrastructure::database::{Database, Transaction};
use infrastructure::subscription::{ProjectError, Projector};

use super::Desk;
use crate::rebuild::all_view_tables;
use crate::view_projectors;

/// How far a projection came.
pub(crate) type Projected = Result<(), ProjectError>;

/// Projects all that happened at the desk, with all projectors, in pages of these sizes that come round again.
pub(crate) async fn project(desk: &Desk, database: &Database, sizes: &[usize]) -> Projected {
    let mut projectors = view_projectors();
    projectors.push(desk.router(database).1);
    project_with(&projectors, database, &desk.log.events(), sizes).await
}

pub(crate) async fn project_with(
    projectors: &[Arc<dyn Projector>],
    database: &Database,
    mut events: &[Arc<LogEvent>],
    sizes: &[usize],
) -> Projected {
    load(projectors, database).await?;
    for size in sizes.iter().cycle() {
        if events.is_empty() {
            break;
        }
        let (page, rest) = events.split_at((*size).min(events.len()));
        events = rest;
        // As the service does, but with any number of events: what a failure means is told by the statements one by one.
        match project_page(projectors, page, database.begin_batched_view().await?).await {
            Err(ProjectError::Database(_)) => {
                load(projectors, database).await?;
                project_page(projectors, page, database.begin_view().await?).await?;
            }
            outcome => outcome?,
        }
    }
    Ok(())
}

async fn load(projectors: &[Arc<dyn Projector>], database: &Database) -> Projected {
    for projector in projectors {
        projector.load(database).await?;
    }
    Ok(())
}

async fn project_page(projectors: &[Arc<dyn Projector>], page: &[Arc<LogEvent>], mut tx: Transaction) -> Projected {
    for projector in projectors {
        let handled: Vec<_> = page.iter().filter(|event| projector.handles(&event.event)).cloned().collect();
        projector.project(&handled, &mut tx).await?;
    }
    Ok(tx.commit().await?)
}

/// Takes all rows out of all views.
pub(crate) async fn clear(database: &Database) {
    for table in all_view_tables() {
        database.execute(&format!("DELETE FROM {}", table.name), vec![]).await.unwrap();
    }
}
