//! Values in rows of MySQL.

use sqlx::mysql::MySqlRow;
use sqlx::{Decode, MySql, Row as _, Type, TypeInfo, ValueRef};

use super::{missing, wrong};
use crate::database::error::RowError;

/// An integer; `None` for `NULL`.
pub(super) fn int(row: &MySqlRow, column: &str) -> Result<Option<i64>, RowError> {
    let value = row.try_get_raw(column).map_err(|_| missing(column))?;
    if value.is_null() {
        return Ok(None);
    }
    let info = value.type_info().into_owned();
    // SUM() gives DECIMAL, whose value is text in both protocols.
    if info.name() == "DECIMAL" {
        let text = <&[u8] as Decode<MySql>>::decode(value).ok().and_then(|bytes| std::str::from_utf8(bytes).ok());
        let number = text.and_then(|text| text.parse().ok());
        return number.map(Some).ok_or_else(|| wrong(column, info.name(), "an integer"));
    }
    let integer = <i64 as Type<MySql>>::compatible(&info) || <u64 as Type<MySql>>::compatible(&info);
    let number = if integer { <i64 as Decode<MySql>>::decode(value).ok() } else { None };
    number.map(Some).ok_or_else(|| wrong(column, info.name(), "an integer"))
}

/// The bytes of a text or binary column, whatever its collation: sqlx takes `_bin` texts for binary and MariaDB's JSON
/// is one of them.
pub(super) fn slice<'r>(row: &'r MySqlRow, column: &str, expected: &'static str) -> Result<Option<&'r [u8]>, RowError> {
    let value = row.try_get_raw(column).map_err(|_| missing(column))?;
    if value.is_null() {
        return Ok(None);
    }
    let info = value.type_info().into_owned();
    let stringlike = <[u8] as Type<MySql>>::compatible(&info) || info.name() == "JSON";
    let bytes = if stringlike { <&[u8] as Decode<MySql>>::decode(value).ok() } else { None };
    bytes.map(Some).ok_or_else(|| wrong(column, info.name(), expected))
}

/// The bytes of the first column, whatever it is called.
pub(super) fn first(row: &MySqlRow) -> Option<&[u8]> {
    row.try_get_raw(0).ok().and_then(|value| <&[u8] as Decode<MySql>>::decode(value).ok())
}
