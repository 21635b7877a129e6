use std::sync::Arc;

use application::ports::LogEvent;
use async_trait::async_trait;
use domain::event::AnyEvent;
use infrastructure::database::Transaction;
use infrastructure::subscription::{HandleError, Subscriber, View, names};

use super::TagRow;
use crate::rows::{Rows, ViewRow, aggregate_ids};

/// Fills `tags`.
#[derive(Clone, Copy, Debug, Default)]
pub struct TagsProjector;

#[async_trait]
impl Subscriber for TagsProjector {
    fn name(&self) -> &'static str {
        names::TAGS
    }

    fn version(&self) -> i64 {
        1
    }

    fn handles(&self, event: &AnyEvent) -> bool {
        matches!(event, AnyEvent::Tag(_))
    }

    async fn handle(&self, events: &[Arc<LogEvent>], tx: &mut Transaction) -> Result<(), HandleError> {
        let of_tags = events.iter().map(AsRef::as_ref).filter(|event| self.handles(&event.event));
        let mut rows: Rows<TagRow> = Rows::load(tx, aggregate_ids(of_tags)).await?;
        for event in events {
            let AnyEvent::Tag(change) = &event.event else { continue };
            match TagRow::created(&event.header, change) {
                Some(row) => rows.create(event, row)?,
                None => rows.change(event)?.apply(&event.header, change),
            }
        }
        Ok(rows.save(tx).await?)
    }
}

impl View for TagsProjector {
    fn tables(&self) -> &'static [&'static str] {
        &[TagRow::TABLE.name]
    }
}
