//! Stories by URL: `agents/change.rs` for `PATCH /v1/agents/{id}`.

mod agents;
mod audit;
mod auth;
mod conversations;
mod groups;
mod queue;
mod stream;
mod tags;
mod threads;
mod visitors;
mod widget;
