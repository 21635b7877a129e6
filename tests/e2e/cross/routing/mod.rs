//! The distribution of chats among agents.

mod assignment;
mod distribution;
mod handover;
