//! All that is known of a visitor, as one JSON document that is written while it is read.

mod export;
mod facts;

pub use export::{Export, Reader};
