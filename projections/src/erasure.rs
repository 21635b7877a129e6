//! What erasures of personal data mean for views.
//!
//! A rebuild reads the redacted payloads, a running projector may have read the original ones. The event of the erasure,
//! which comes after both, makes their rows the same.

use std::sync::Arc;

use application::ports::{LogEvent, Position};
use domain::event::AnyEvent;
use domain::ids::{ConversationId, EntityId};
use domain::visitor::{ErasedPayload, VisitorEvent};
use infrastructure::database::{DatabaseError, SqlValue, Transaction, placeholders};
use uuid::Uuid;

use crate::rows::id_args;
use crate::sql::chunks;

/// Whether an event is an erasure.
pub(crate) const fn is_erasure(event: &AnyEvent) -> bool {
    matches!(event, AnyEvent::Visitor(VisitorEvent::PersonalDataErased { .. }))
}

/// A part of a page: events, and the erasure that ends it, if one does.
pub(crate) type Part<'a> = (&'a [Arc<LogEvent>], Option<Erasure<'a>>);

/// The payloads and conversations that lost personal data.
#[derive(Clone, Copy)]
pub(crate) struct Erasure<'a> {
    payloads: &'a [ErasedPayload],
    conversation_ids: &'a [ConversationId],
}

/// Cuts a page after each erasure: what comes before must be written by then.
pub(crate) fn parts(events: &[Arc<LogEvent>]) -> impl Iterator<Item = Part<'_>> {
    events.split_inclusive(|event| is_erasure(&event.event)).map(|part| {
        if let Some((last, before)) = part.split_last()
            && let AnyEvent::Visitor(VisitorEvent::PersonalDataErased { payloads, conversation_ids, .. }) = &last.event
        {
            (before, Some(Erasure { payloads, conversation_ids }))
        } else {
            (part, None)
        }
    })
}

impl Erasure<'_> {
    fn positions(self) -> Vec<Position> {
        self.payloads.iter().map(|left| left.position).collect()
    }

    /// The conversations that lost personal data.
    pub(crate) fn conversations(self) -> Vec<Uuid> {
        self.conversation_ids.iter().copied().map(ConversationId::uuid).collect()
    }

    /// Runs `statement` with a list of its conversations, which `{}` stands for.
    pub(crate) async fn write_chats(self, tx: &mut Transaction, statement: &str) -> Result<(), DatabaseError> {
        write(tx, statement, &[], &id_args(&self.conversations())).await
    }

    /// Runs `statement` with the values of `args` and then a list of the positions of erased payloads, which `{}` stands
    /// for.
    pub(crate) async fn write(
        self,
        tx: &mut Transaction,
        statement: &str,
        args: Vec<SqlValue>,
    ) -> Result<(), DatabaseError> {
        let positions: Vec<_> = self.positions().into_iter().map(SqlValue::from).collect();
        write(tx, statement, &args, &positions).await
    }
}

async fn write(
    tx: &mut Transaction,
    statement: &str,
    args: &[SqlValue],
    keys: &[SqlValue],
) -> Result<(), DatabaseError> {
    for chunk in chunks(keys) {
        let sql = statement.replace("{}", &placeholders(chunk.len()));
        tx.enqueue(&sql, [args, chunk].concat()).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use application::visitors::Eraser;
    use domain::conversation::Participant;
    use domain::ids::VisitorId;
    use domain::visitor::VisitorDetails;
    use infrastructure::testing::fresh_databases;

    use super::*;
    use crate::catalog::all_subscribers;
    use crate::testing::{Desk, clear, compare, dump, name, project_with};

    async fn erase(desk: &Desk, id: VisitorId) {
        let context = desk.bus.context("system:test".to_owned(), Uuid::nil());
        let eraser = Eraser::new(desk.bus.clone(), desk.log.clone());
        eraser.erase(context, id, Participant::Visitor(id)).await.unwrap();
    }

    /// Two chats of somebody who says their name in the second and is erased there, one of somebody else, and one that begins
    /// afterwards. The events as they were first, and as they are read afterwards.
    async fn story() -> (Vec<Arc<LogEvent>>, Vec<Arc<LogEvent>>) {
        let desk = Desk::open().await;
        let (vera, other) = (desk.visitor(), desk.visitor());
        let nameless = VisitorDetails::default;
        let first = desk.begin(vera, nameless(), None, "Hello").await.unwrap().conversation_id;
        desk.assign(first, desk.agents[0]).await.unwrap();
        desk.start(other, None).await;
        desk.close(desk.supervisor(), first).await.unwrap();
        let second = desk.begin(vera, nameless(), None, "Hello").await.unwrap().conversation_id;
        desk.assign(second, desk.agents[1]).await.unwrap();
        let named = VisitorDetails { name: Some(name("Veronika")), ..nameless() };
        desk.begin(vera, named, None, "It is me again").await.unwrap();
        let mut as_they_were = desk.log.events();
        erase(&desk, vera).await;
        desk.chat().await;
        let afterwards = desk.log.events();
        as_they_were.extend_from_slice(&afterwards[as_they_were.len()..]);
        (as_they_were, afterwards)
    }

    #[tokio::test]
    async fn who_has_read_the_texts_ends_with_the_rows_of_a_rebuild() {
        let (as_they_were, afterwards) = story().await;
        let projectors = all_subscribers(Arc::default());
        for fresh in fresh_databases().await {
            let database = &fresh.database;
            project_with(&projectors, database, &afterwards, &[1_000]).await.unwrap();
            let rebuilt = dump(database).await.unwrap();
            let text = format!("{rebuilt:?}");
            assert!(text.contains(domain::visitor::ERASED) && !text.contains("Veronika"));
            assert_eq!(text.matches("vera@example.com").count(), 2, "only the visitor that was not erased is left");
            for sizes in [&[1_000][..], &[1], &[7, 3]] {
                clear(database).await;
                project_with(&projectors, database, &as_they_were, sizes).await.unwrap();
                assert_eq!(compare(&dump(database).await.unwrap(), &rebuilt), [], "in pages of {sizes:?}");
            }
        }
    }

    #[tokio::test]
    async fn page_is_cut_after_each_erasure() {
        let (events, _) = story().await;
        let cut: Vec<_> = parts(&events).map(|(before, erasure)| (before.len(), erasure.is_some())).collect();
        assert_eq!(cut.iter().map(|(before, is_cut)| before + usize::from(*is_cut)).sum::<usize>(), events.len());
        assert_eq!(cut.iter().filter(|(_, is_cut)| *is_cut).count(), 2, "that nothing more is taken, and one piece");
    }
}
