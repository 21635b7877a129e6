use domain::ids::{ConversationId, EntityId};
use infrastructure::database::Database;
use infrastructure::sql_args;

use super::{ConversationFilter, ConversationOrder, ConversationRow, ConversationView, list, queue_position};
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
        queue_position::fill(&self.database, &mut found).await?;
        let [view] = found;
        Ok(Some(view))
    }

    /// The conversations that the filter lets through, by the time of their start.
    ///
    /// # Errors
    /// When the cursor is not one of this list in this order, or the database does not answer.
    pub async fn list_conversations(
        &self,
        filter: &ConversationFilter,
        order: ConversationOrder,
        request: &PageRequest,
    ) -> Result<Page<ConversationView>, QueryError> {
        let after = order.decode(request)?;
        let (sql, args) = list::statement(filter, order, after, request.limit);
        let rows = self.database.fetch_all(&sql, args).await?;
        let views = rows.iter().map(|row| Ok(ConversationRow::read(row)?.into()));
        let views = views.collect::<Result<Vec<ConversationView>, QueryError>>()?;
        let mut page = Page::cut(views, request.limit, |last| order.encode(last.created_position));
        queue_position::fill(&self.database, &mut page.data).await?;
        Ok(page)
    }
}
