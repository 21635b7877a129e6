use serde::Serialize;

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "PageOf{T}"))]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// The items, in the order of the list.
    pub data: Vec<T>,
    /// The `cursor` of the next page; null on the last one.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// A page of at most `limit` items. The query must ask for one more, which shows whether another page follows.
    pub(crate) fn cut(mut data: Vec<T>, limit: u32, cursor: impl FnOnce(&T) -> String) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = data.len() > limit;
        data.truncate(limit);
        let next_cursor = if has_more { data.last().map(cursor) } else { None };
        Self { data, next_cursor }
    }

    /// The page with each item replaced.
    pub(crate) fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { data: self.data.into_iter().map(change).collect(), next_cursor: self.next_cursor }
    }
}

/// The part of a list to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// The `nextCursor` of the previous page; the first page if absent.
    pub cursor: Option<String>,
    /// The most items; at least 1.
    pub limit: u32,
}

impl PageRequest {
    /// The beginning of a list.
    #[must_use]
    pub const fn first(limit: u32) -> Self {
        Self { cursor: None, limit }
    }
}

/// Whether a query includes deleted items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Deleted {
    /// Leaves them out.
    #[default]
    Hidden,
    /// Includes them.
    Shown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_has_a_cursor_only_when_more_follows() {
        let more = Page::cut(vec![1, 2, 3], 2, i32::to_string);
        assert_eq!((more.data, more.next_cursor.as_deref()), (vec![1, 2], Some("2")));
        let last = Page::cut(vec![1, 2], 2, i32::to_string);
        assert_eq!((last.data, last.next_cursor), (vec![1, 2], None));
    }
}
