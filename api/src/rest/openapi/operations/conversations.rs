use crate::service::rows::Page;
use crate::service::rows::conversations::ConversationCounts;
use crate::service::rows::routing::QueuedChat;
use serde_json::json;

use crate::rest::bulk::BulkResults;
use crate::rest::openapi::examples;
use crate::rest::openapi::operation::Doc;
use crate::rest::queue::Stats;
use crate::service::reading::{AssignmentView, NamedConversation};

pub(super) fn docs() -> Vec<Doc> {
    let mut docs = desk();
    docs.extend(queue());
    docs
}

fn desk() -> Vec<Doc> {
    vec![
        Doc::get("/v1/conversations", "listConversations", "List conversations")
            .about("Agents see the conversations that they serve or served last, and those of their groups. Supervisors see all conversations.")
            .ok::<Page<NamedConversation>>(),
        Doc::get("/v1/conversations/counts", "countConversations", "Count conversations by status")
            .about("Counts the conversations that the caller may see.")
            .ok::<ConversationCounts>(),
        Doc::post("/v1/conversations/bulk", "changeConversations", "Change many conversations at once")
            .about("Takes exactly one action, and applies it to each conversation like a call of its own, with the same rights. A refused change does not stop the others: the answer is 200, and its body has the result of each. Repeated with the same key, the request changes the remaining conversations and none twice.")
            .changed::<BulkResults>()
            .example(json!({
                "conversationIds": [examples::ID], "close": { "reason": "answered", "notes": "Sent the link to the manual." },
            })),
        Doc::get("/v1/conversations/{id}", "readConversation", "Get a conversation").ok::<NamedConversation>(),
        Doc::post("/v1/conversations/{id}/assign", "assignConversation", "Assign a conversation to an agent")
            .about("Agents of the group may assign a waiting chat to themselves. Supervisors may assign any chat to any agent, even above the agent's limit, which is recorded.")
            .changed::<NamedConversation>()
            .refuses(409, &["chat_closed", "already_assigned", "agent_at_capacity", "agent_not_available"])
            .example(json!({ "agentId": examples::ID, "reason": "Knows the customer" })),
        Doc::post("/v1/conversations/{id}/transfer", "transferConversation", "Transfer a conversation")
            .about("Transfers it to an agent, or to the end of a group's queue: takes exactly one of `agentId` and `groupId`.")
            .changed::<NamedConversation>()
            .refuses(409, &["chat_closed", "already_assigned", "agent_at_capacity", "agent_not_available"])
            .example(json!({ "groupId": examples::ID, "reason": "A question about the bill" })),
        Doc::post("/v1/conversations/{id}/typing", "signalTyping", "Show that you are writing")
            .about("For clients without a WebSocket: the others in the conversation see it on the live stream for ten seconds, or until the message comes. Nothing is stored. A visitor's `draft` is shown to agents only, and only if the installation allows it (`SNEAK_PEEK`).")
            .refuses(403, &["forbidden"])
            .refuses(409, &["chat_closed"])
            .example(json!({ "state": "started" })),
        Doc::post("/v1/conversations/{id}/close", "closeConversation", "Close a conversation")
            .about(
                "An agent who closes it again with the same reason and notes changes nothing; with others the request is \
                 refused. Visitors may close their own conversations, without notes, and repeatedly.",
            )
            .changed::<NamedConversation>()
            .refuses(403, &["forbidden"])
            .refuses(409, &["chat_closed"])
            .example(json!({ "reason": "answered", "notes": "Sent the link to the manual." })),
        Doc::post("/v1/conversations/{id}/reopen", "reopenConversation", "Reopen a conversation")
            .about("Continues in a new thread, which links to the previous one. A conversation has at most 100 threads; then a visitor begins a new one. If the visitor has another open conversation, the refusal names it (`openConversationId`).")
            .changed::<NamedConversation>()
            .refuses(403, &["forbidden"])
            .refuses(409, &["chat_open", "too_many_threads", "visitor_has_open_chat", "visitor_erased"])
            .refuses(429, &["too_many_open_chats"]),
        Doc::post("/v1/conversations/{id}/tags", "tagConversation", "Add a tag to a conversation")
            .changed::<NamedConversation>()
            .example(json!({ "tagId": examples::ID })),
        Doc::delete("/v1/conversations/{id}/tags/{tagId}", "untagConversation", "Remove a tag from a conversation")
            .changed::<NamedConversation>(),
        Doc::get("/v1/conversations/{id}/assignments", "listAssignments", "List assignments")
            .about(
                "Each routing decision with its strategy, its candidates, and why the others were not chosen; each return \
                 to a queue with its cause; and each end with its reason and the agent's notes, which visitors never see.",
            )
            .ok::<Page<AssignmentView>>(),
    ]
}

fn queue() -> Vec<Doc> {
    vec![
        Doc::get("/v1/queue", "listQueue", "List waiting chats").about("In order of arrival.").ok::<Page<QueuedChat>>(),
        Doc::get("/v1/queue/stats", "queueStats", "Count waiting chats").ok::<Stats>(),
    ]
}
