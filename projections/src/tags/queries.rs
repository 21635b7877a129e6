use application::ports::Sequence;
use domain::ids::{EntityId, TagId};
use infrastructure::database::Database;
use infrastructure::sql_args;
use serde::Serialize;

use super::TagRow;
use crate::cursor;
use crate::rows::{ViewRow, select_by_id};
use crate::{Deleted, Page, PageRequest, QueryError};

const LIST: &str = "tags";

/// A tag for conversations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Tag"))]
#[serde(rename_all = "camelCase")]
pub struct TagView {
    /// A UUID, assigned at the creation.
    pub id: TagId,
    /// The tag's name; unique among tags that are not deleted, regardless of case.
    pub name: String,
    /// The tag's colour as #RRGGBB.
    pub color: Option<String>,
    /// The version for If-Match.
    pub version: Sequence,
    /// True if the tag is deleted; absent otherwise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
}

impl From<TagRow> for TagView {
    fn from(row: TagRow) -> Self {
        Self { id: row.id, name: row.name, color: row.color, version: row.version, deleted: row.deleted }
    }
}

/// Reads tags.
#[derive(Clone, Debug)]
pub struct TagQueries {
    database: Database,
}

impl TagQueries {
    /// Over this database.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    /// A tag.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn find_tag(&self, id: TagId, deleted: Deleted) -> Result<Option<TagView>, QueryError> {
        const SQL: &str = "SELECT * FROM tags WHERE id = ? AND deleted <= ?";
        let row = self.database.fetch_optional(SQL, sql_args![id.uuid(), deleted == Deleted::Shown]).await?;
        Ok(row.map(|row| TagRow::read(&row)).transpose()?.map(TagView::from))
    }

    /// The tags with these ids, deleted or not, in no order.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn find_tags(&self, ids: &[TagId]) -> Result<Vec<TagView>, QueryError> {
        let rows = select_by_id(&self.database, TagRow::TABLE, ids).await?;
        rows.iter().map(|row| Ok(TagRow::read(row)?.into())).collect()
    }

    /// The tags, in the order of their creation.
    ///
    /// # Errors
    /// When the cursor is not one of this list, or the database does not answer.
    pub async fn list_tags(&self, deleted: Deleted, request: &PageRequest) -> Result<Page<TagView>, QueryError> {
        const SQL: &str =
            "SELECT * FROM tags WHERE created_position > ? AND deleted <= ? ORDER BY created_position LIMIT ?";
        let after = cursor::decode(LIST, request.cursor.as_deref())?.unwrap_or(0);
        let args = sql_args![after, deleted == Deleted::Shown, i64::from(request.limit) + 1];
        let rows = self.database.fetch_all(SQL, args).await?;
        let tags = rows.iter().map(TagRow::read).collect::<Result<Vec<_>, _>>()?;
        let page = Page::cut(tags, request.limit, |last| cursor::encode(LIST, last.created_position));
        Ok(page.map(TagView::from))
    }
}
