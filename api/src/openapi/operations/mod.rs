//! What the document says of each endpoint beyond the types of its handler.

mod agents;
mod auth;
mod conversations;
mod groups;
mod service;
mod tags;
mod visitors;

use super::operation::Doc;

/// A chapter of the document: its name, what it is about, and its endpoints.
pub type Chapter = (&'static str, &'static str, Vec<Doc>);

/// All chapters, in the order in which people read them.
pub fn chapters() -> Vec<Chapter> {
    vec![
        ("Log-in", "Sessions of agents.", auth::docs()),
        ("Visitors", "What the chat widget calls.", visitors::docs()),
        ("Conversations", "The desk: chats, who serves them, and the queue.", conversations::docs()),
        ("Agents", "The team.", agents::docs()),
        ("Groups", "Who serves which chats, and how they are shared out.", groups::docs()),
        ("Tags", "Labels for conversations.", tags::docs()),
        ("Service", "Health, and this document.", service::docs()),
    ]
}
