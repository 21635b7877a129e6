use serde::Serialize;

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// The items, in the order of the list.
    pub data: Vec<T>,
    /// Where the next page begins; none when this is the last one.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Cuts items, of which one more than `limit` was asked for, to a page.
    pub(crate) fn cut(mut data: Vec<T>, limit: u32, cursor: impl FnOnce(&T) -> String) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = data.len() > limit;
        data.truncate(limit);
        let next_cursor = if has_more { data.last().map(cursor) } else { None };
        Self { data, next_cursor }
    }

    /// The same page of something else.
    pub(crate) fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { data: self.data.into_iter().map(change).collect(), next_cursor: self.next_cursor }
    }
}

/// Which part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// Where to begin: the `nextCursor` of the page before; the beginning when absent.
    pub cursor: Option<String>,
    /// The most items; at least 1.
    pub limit: u32,
}

impl PageRequest {
    /// The first page.
    #[must_use]
    pub const fn first(limit: u32) -> Self {
        Self { cursor: None, limit }
    }
}

/// Whether things that were deleted are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Deleted {
    /// As if they did not exist.
    #[default]
    Hidden,
    /// Like the others.
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
