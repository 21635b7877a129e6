use crate::{queue_positions, search};

/// Up to where something is looked at before another way is taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// A list in which more entries than these lie ahead is compared with others by how far these reach.
    pub(crate) look_ahead: u32,
    pub(crate) words: search::Bounds,
    pub(crate) queue: queue_positions::Bounds,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { look_ahead: 63, words: search::Bounds::default(), queue: queue_positions::Bounds::default() }
    }
}

#[cfg(test)]
impl Bounds {
    /// Bounds that a handful of conversations crosses.
    pub(crate) const SMALL: Self =
        Self { look_ahead: 3, words: search::Bounds::SMALL, queue: queue_positions::Bounds::SMALL };
}
