//! Who gets which chat.

mod assignment;
mod distribution;
mod handover;
