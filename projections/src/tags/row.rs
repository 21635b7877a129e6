use application::ports::{EventHeader, Position, Sequence};
use domain::ids::{EntityId, TagId};
use domain::tag::TagEvent;
use infrastructure::database::{Row, RowError, SqlValue};
use infrastructure::sql_args;
use uuid::Uuid;

use crate::rows::ViewRow;
use crate::table::ViewTable;

/// The stored form of a [`TagView`](super::TagView).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TagRow {
    pub(crate) id: TagId,
    pub(crate) name: String,
    pub(crate) color: Option<String>,
    pub(crate) deleted: bool,
    pub(crate) version: Sequence,
    pub(crate) created_position: Position,
}

impl TagRow {
    /// The row of a new tag; none if the event is not a creation.
    pub(crate) fn created(header: &EventHeader, event: &TagEvent) -> Option<Self> {
        let TagEvent::TagCreated { name, color, .. } = event else { return None };
        Some(Self {
            id: TagId::from_uuid(header.aggregate_id),
            name: name.as_str().to_owned(),
            color: color.as_ref().map(|color| color.as_str().to_owned()),
            deleted: false,
            version: header.sequence,
            created_position: header.position,
        })
    }

    /// What an event, other than the creation, makes of the row.
    pub(crate) fn apply(&mut self, header: &EventHeader, event: &TagEvent) {
        self.version = header.sequence;
        match event {
            TagEvent::TagCreated { .. } => {}
            TagEvent::TagRestyled { name, color, .. } => {
                self.name = name.as_str().to_owned();
                self.color = color.as_ref().map(|color| color.as_str().to_owned());
            }
            TagEvent::TagDeleted { .. } => self.deleted = true,
            TagEvent::TagRestored { .. } => self.deleted = false,
        }
    }
}

impl ViewRow for TagRow {
    const TABLE: ViewTable =
        ViewTable { name: "tags", columns: &["id", "name", "color", "deleted", "version", "created_position"] };

    fn id(&self) -> Uuid {
        self.id.uuid()
    }

    fn read(row: &Row) -> Result<Self, RowError> {
        Ok(Self {
            id: TagId::from_uuid(row.uuid("id")?),
            name: row.text("name")?,
            color: row.opt_text("color")?,
            deleted: row.bool("deleted")?,
            version: row.int("version")?,
            created_position: row.int("created_position")?,
        })
    }

    fn values(&self) -> Vec<SqlValue> {
        sql_args![self.id.uuid(), &self.name, self.color.clone(), self.deleted, self.version, self.created_position,]
    }
}
