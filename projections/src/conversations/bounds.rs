use crate::{queue_positions, search};

/// Up to where something is looked at before another way is taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ListBounds {
    /// A list in which more entries than these lie ahead is compared with others by how far these reach.
    pub(crate) look_ahead: u32,
    pub(crate) words: search::WordBounds,
    pub(crate) queue: queue_positions::PositionBounds,
}

impl Default for ListBounds {
    fn default() -> Self {
        Self { look_ahead: 63, words: search::WordBounds::default(), queue: queue_positions::PositionBounds::default() }
    }
}

#[cfg(test)]
impl ListBounds {
    /// Bounds that a handful of conversations crosses.
    pub(crate) const SMALL: Self =
        Self { look_ahead: 3, words: search::WordBounds::SMALL, queue: queue_positions::PositionBounds::SMALL };
}
