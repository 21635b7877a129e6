//! Where the two databases differ.

/// The dialect of SQL that a database speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// MySQL and MariaDB.
    Mysql,
    Sqlite,
}

impl Dialect {
    /// The database's own time in microseconds since the Unix epoch, as an SQL expression.
    #[must_use]
    pub const fn now_micros(self) -> &'static str {
        match self {
            Self::Mysql => "CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED)",
            Self::Sqlite => "CAST(unixepoch('subsec') * 1000000 AS INTEGER)",
        }
    }

    /// Begins a write transaction.
    #[must_use]
    pub const fn begin(self) -> &'static str {
        match self {
            Self::Mysql => "BEGIN",
            Self::Sqlite => "BEGIN IMMEDIATE",
        }
    }

    /// Ends a `SELECT` that must wait for and then keep out other writers of the row. A write transaction of SQLite
    /// does so by itself.
    #[must_use]
    pub const fn for_update(self) -> &'static str {
        match self {
            Self::Mysql => " FOR UPDATE",
            Self::Sqlite => "",
        }
    }

    /// Joins the next table row by row in the order that is written, where the optimizer would guess another one.
    #[must_use]
    pub const fn join_in_order(self) -> &'static str {
        match self {
            Self::Mysql => "STRAIGHT_JOIN",
            Self::Sqlite => "CROSS JOIN",
        }
    }

    /// After a table's name: reads it along this index, if there is one, where the optimizer would use less of it.
    #[must_use]
    pub fn along(self, index: Option<&str>) -> String {
        match (self, index) {
            (Self::Mysql, Some(index)) => format!(" FORCE INDEX ({index})"),
            (Self::Mysql, None) | (Self::Sqlite, _) => String::new(),
        }
    }

    /// Begins an insert that leaves out rows whose key is there already.
    #[must_use]
    pub const fn insert_new(self) -> &'static str {
        match self {
            Self::Mysql => "INSERT IGNORE",
            Self::Sqlite => "INSERT OR IGNORE",
        }
    }

    /// Comes after a column of any letters that is to be compared letter by letter: MySQL's collation takes some for the
    /// same. Columns of ASCII have none for it.
    #[must_use]
    pub const fn exact_collation(self) -> &'static str {
        match self {
            Self::Mysql => " COLLATE utf8mb4_bin",
            Self::Sqlite => "",
        }
    }
}
