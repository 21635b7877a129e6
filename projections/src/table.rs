//! How a view names its tables.

/// A table that is filled from the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViewTable {
    /// The name in the schema.
    pub name: &'static str,
    /// The columns that follow from the log; a table may have others, which a rebuild takes over from the live rows.
    pub columns: &'static [&'static str],
}
