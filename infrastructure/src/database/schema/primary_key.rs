//! The keys by which rows are compared and deleted.

use crate::database::{Database, DatabaseError, Dialect};
use crate::sql_args;

/// The columns that identify a row of a table, in the order of the key.
pub type PrimaryKey = Vec<String>;

impl Database {
    /// The primary key of a table; SQLite's own row number where it has none.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn primary_key(&self, table: &str) -> Result<PrimaryKey, DatabaseError> {
        let sql = match self.dialect() {
            Dialect::Mysql => {
                "SELECT column_name AS name FROM information_schema.statistics WHERE table_schema = DATABASE() \
                 AND table_name = ? AND index_name = 'PRIMARY' ORDER BY seq_in_index"
            }
            Dialect::Sqlite => "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk",
        };
        let rows = self.fetch_all(sql, sql_args![table]).await?;
        let mut key = rows.iter().map(|row| row.text("name")).collect::<Result<Vec<_>, _>>()?;
        if key.is_empty() && self.dialect() == Dialect::Sqlite {
            key.push("rowid".to_owned());
        }
        Ok(key)
    }
}
