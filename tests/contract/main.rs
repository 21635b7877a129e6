//! What must not change without somebody deciding it.

mod layout;
