//! The documentation of each endpoint beyond the types of its handler.

mod agents;
mod auth;
mod conversations;
mod groups;
mod service;
mod tags;
mod visitors;

use super::operation::Doc;

/// A chapter of the document: its name, its description, and its endpoints.
pub type Chapter = (&'static str, &'static str, Vec<Doc>);

/// All chapters, in reading order.
pub fn chapters() -> Vec<Chapter> {
    vec![
        ("Log-in", "Agents' sessions.", auth::docs()),
        ("Visitors", "The endpoints for the chat widget.", visitors::docs()),
        ("Conversations", "The desk: chats, their agents, and the queue.", conversations::docs()),
        ("Agents", "The team.", agents::docs()),
        ("Groups", "Groups of agents, and how their chats are routed.", groups::docs()),
        ("Tags", "Labels for conversations.", tags::docs()),
        ("Service", "Health, metrics, the audit log, and this document.", service::docs()),
    ]
}
