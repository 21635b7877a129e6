use domain::ids::{ConversationId, EntityId};
use infrastructure::database::Database;
use infrastructure::sql_args;

use super::list::List;
use super::{ConversationCounts, ConversationFilter, ConversationOrder, ConversationRow, ConversationView, counts};
use crate::queue_places::{Queues, places};
use crate::rows::ViewRow;
use crate::{Page, PageRequest, QueryError};

/// Reads conversations.
#[derive(Clone, Debug)]
pub struct ConversationQueries {
    database: Database,
}

impl ConversationQueries {
    /// Over this database.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
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
        let Some(list) = List::prepare(&self.database, filter, order, after).await? else {
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

    /// Tells the places of those that wait.
    async fn fill_places(&self, views: &mut [ConversationView]) -> Result<(), QueryError> {
        let waiting: Vec<_> = views.iter().map(|view| Some((view.group_id, view.queue_arrival?))).collect();
        for (view, place) in views.iter_mut().zip(places(&self.database, Queues::Conversations, &waiting).await?) {
            view.queue_position = place;
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
