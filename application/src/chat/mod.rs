//! The desk: chats from their start to their end.

mod access;
mod assign_agent;
mod bulk;
mod close_abandoned;
mod close_chat;
mod if_unchanged;
mod mark_read;
mod parties;
mod relieve_agent;
mod relocate_chat;
mod reopen_chat;
mod return_chats;
mod send_message;
mod start_chat;
mod tag_chat;
mod transfer_chat;

pub use access::{
    ReadRight, ensure_conversation_readable, ensure_readable, ensure_thread_readable, groups_still_of, may_read_all,
    participant, reading,
};
pub use assign_agent::{AssignAgent, Chooser};
pub use bulk::{BulkChange, BulkPart};
pub use close_abandoned::CloseAbandoned;
pub use close_chat::CloseChat;
pub(crate) use close_chat::end_chat;
pub use if_unchanged::IfUnchanged;
pub use mark_read::{MarkRead, ReadReceipt};
pub use parties::Parties;
pub(crate) use relieve_agent::RelieveAgent;
pub(crate) use relocate_chat::RelocateChat;
pub use reopen_chat::ReopenChat;
pub(crate) use return_chats::{RETURNED_AT_ONCE, return_chat_to_queue, return_chats_to_queue};
pub use send_message::{MessageReceipt, SendMessage};
pub use start_chat::{ChatReceipt, StartChat};
pub use tag_chat::TagChat;
pub use transfer_chat::TransferChat;
