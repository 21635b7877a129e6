use domain::ids::{ConversationId, EntityId};
use infrastructure::database::Database;
use infrastructure::sql_args;

use super::counts::scope_of_group;
use super::list::{List, Wanted};
use super::{
    ConversationCounts, ConversationFilter, ConversationOrder, ConversationRow, ConversationView, ListBounds, counts,
};
use crate::queue_positions::{QueuePositions, Queues};
use crate::rows::{ViewRow, select_by_id};
use crate::{Page, PageRequest, QueryError};

/// Reads conversations.
#[derive(Clone, Debug)]
pub struct ConversationQueries {
    database: Database,
    bounds: ListBounds,
}

impl ConversationQueries {
    /// Over this database.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self { database, bounds: ListBounds::default() }
    }

    pub(super) const fn database(&self) -> &Database {
        &self.database
    }

    /// With other bounds than those that suit a large store.
    #[cfg(test)]
    pub(crate) fn bounded(self, bounds: ListBounds) -> Self {
        Self { bounds, ..self }
    }

    /// A conversation.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn find_conversation(&self, id: ConversationId) -> Result<Option<ConversationView>, QueryError> {
        const SQL: &str = "SELECT * FROM conversations WHERE id = ?";
        let Some(row) = self.database.fetch_optional(SQL, sql_args![id.uuid()]).await? else { return Ok(None) };
        let mut found = [ConversationView::from(ConversationRow::read(&row)?)];
        self.fill_places(&mut found).await?;
        let [view] = found;
        Ok(Some(view))
    }

    /// The conversations with these ids, as far as there are any, in no order.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn find_conversations(&self, ids: &[ConversationId]) -> Result<Vec<ConversationView>, QueryError> {
        let rows = select_by_id(&self.database, ConversationRow::TABLE, ids).await?;
        let views = rows.iter().map(|row| Ok(ConversationRow::read(row)?.into()));
        let mut views = views.collect::<Result<Vec<ConversationView>, QueryError>>()?;
        self.fill_places(&mut views).await?;
        Ok(views)
    }

    /// The conversations that the filter lets through.
    ///
    /// # Errors
    /// When the cursor is not one of this list in this order, or the database does not answer.
    pub async fn list_conversations(
        &self,
        filter: &ConversationFilter,
        order: ConversationOrder,
        request: &PageRequest,
    ) -> Result<Page<ConversationView>, QueryError> {
        let after = order.decode(filter, request)?;
        let Some(list) = List::prepare(&self.database, self.bounds, Wanted { filter, order, after }).await? else {
            return Ok(Page { data: vec![], next_cursor: None });
        };
        let (sql, args) = list.statement(request.limit);
        let rows = self.database.fetch_all(&sql, args).await?;
        let views = rows.iter().map(|row| Ok(ConversationRow::read(row)?.into()));
        let views = views.collect::<Result<Vec<ConversationView>, QueryError>>()?;
        let mut page = Page::cut(views, request.limit, |last| order.encode(filter, last));
        self.fill_places(&mut page.data).await?;
        Ok(page)
    }

    /// Looks up the queue positions of those that wait.
    async fn fill_places(&self, views: &mut [ConversationView]) -> Result<(), QueryError> {
        let waiting: Vec<_> = views.iter().map(|view| Some((view.group_id, view.queue_arrival?))).collect();
        let queues = Queues::Conversations(scope_of_group);
        let positions = QueuePositions { database: &self.database, queues, bounds: self.bounds.queue };
        for (view, position) in views.iter_mut().zip(positions.find(&waiting).await?) {
            view.queue_position = position;
        }
        Ok(())
    }

    /// How many conversations stand where, of those that the filter's agent, group and visibility let through.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn count_conversations(&self, filter: &ConversationFilter) -> Result<ConversationCounts, QueryError> {
        counts::read(&self.database, filter).await
    }
}
