use std::sync::Arc;

use application::ports::LogEvent;
use infrastructure::database::{Database, Transaction};
use infrastructure::subscription::{HandleError, Subscriber};

use super::Desk;
use crate::catalog::{all_subscribers, all_view_tables};

/// How far a projection came.
pub(crate) type Projected = Result<(), HandleError>;

/// Projects all that happened at the desk, with all subscribers, in pages of these sizes that come round again.
pub(crate) async fn project(desk: &Desk, database: &Database, sizes: &[usize]) -> Projected {
    project_with(&all_subscribers(Arc::default()), database, &desk.log.events(), sizes).await
}

pub(crate) async fn project_with(
    subscribers: &[Arc<dyn Subscriber>],
    database: &Database,
    mut events: &[Arc<LogEvent>],
    sizes: &[usize],
) -> Projected {
    load(subscribers, database).await?;
    for size in sizes.iter().cycle() {
        if events.is_empty() {
            break;
        }
        let (page, rest) = events.split_at((*size).min(events.len()));
        events = rest;
        // As the service does, but with any number of events: the statements one by one say what a failure means.
        match project_page(subscribers, page, database.begin_batched_view().await?).await {
            Err(HandleError::Database(_)) => {
                load(subscribers, database).await?;
                project_page(subscribers, page, database.begin_view().await?).await?;
            }
            outcome => outcome?,
        }
    }
    Ok(())
}

async fn load(subscribers: &[Arc<dyn Subscriber>], database: &Database) -> Projected {
    for subscriber in subscribers {
        subscriber.load(database).await?;
    }
    Ok(())
}

async fn project_page(subscribers: &[Arc<dyn Subscriber>], page: &[Arc<LogEvent>], mut tx: Transaction) -> Projected {
    for subscriber in subscribers {
        let handled: Vec<_> = page.iter().filter(|event| subscriber.handles(&event.event)).cloned().collect();
        subscriber.handle(&handled, &mut tx).await?;
    }
    Ok(tx.commit().await?)
}

/// Takes all rows out of all views.
pub(crate) async fn clear(database: &Database) {
    for table in all_view_tables() {
        database.execute(&format!("DELETE FROM {}", table.name), vec![]).await.unwrap();
    }
}
