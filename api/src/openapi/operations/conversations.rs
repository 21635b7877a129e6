use serde_json::json;

use crate::openapi::operation::Doc;
use crate::openapi::schemas::{
    BulkResults, Conversation, ConversationAssignment, ConversationCounts, List, Page, QueueStats, QueuedChat,
};

const SOME_ID: &str = "01890000-0000-7000-8000-000000000001";

pub(super) fn docs() -> Vec<Doc> {
    let mut docs = desk();
    docs.extend(queue());
    docs
}

fn desk() -> Vec<Doc> {
    vec![
        Doc::get("/v1/conversations", "listConversations", "List conversations")
            .about("Agents see those that they serve or served last, and those of their groups; supervisors see all.")
            .ok::<Page<Conversation>>(),
        Doc::get("/v1/conversations/counts", "countConversations", "Count the conversations by status")
            .about("Those that the caller may see.")
            .ok::<ConversationCounts>(),
        Doc::post("/v1/conversations/bulk", "changeConversations", "Change many conversations at once")
            .about("Exactly one of the actions, on each of the conversations as its own call would do it and under the same rights. One that is refused does not stop the others: the answer is 200, and its body tells what came of each. Repeated with the same key, it does what was left and nothing twice.")
            .changed::<BulkResults>()
            .example(json!({
                "conversationIds": [SOME_ID], "close": { "reason": "answered", "notes": "Sent the link to the manual." },
            })),
        Doc::get("/v1/conversations/{id}", "readConversation", "Read a conversation").ok::<Conversation>(),
        Doc::post("/v1/conversations/{id}/assign", "assignConversation", "Assign a conversation to an agent")
            .about("Agents of the group may take a waiting chat themselves; supervisors give any chat to anybody, also over the limit, which is recorded.")
            .changed::<Conversation>()
            .refuses(409, &["chat_closed", "already_assigned", "agent_at_capacity", "agent_not_available"])
            .example(json!({ "agentId": SOME_ID, "reason": "Knows the customer" })),
        Doc::post("/v1/conversations/{id}/transfer", "transferConversation", "Hand a conversation over")
            .about("To an agent, or to the end of a group's queue: exactly one of `agentId` and `groupId`.")
            .changed::<Conversation>()
            .refuses(409, &["chat_closed", "already_assigned", "agent_at_capacity", "agent_not_available"])
            .example(json!({ "groupId": SOME_ID, "reason": "A question about the bill" })),
        Doc::post("/v1/conversations/{id}/close", "closeConversation", "Close a conversation")
            .about(
                "An agent who closes it again with the same words changes nothing; with other words it is refused. Visitors \
                 may close their own, without notes, and again.",
            )
            .changed::<Conversation>()
            .refuses(403, &["forbidden"])
            .refuses(409, &["chat_closed"])
            .example(json!({ "reason": "answered", "notes": "Sent the link to the manual." })),
        Doc::post("/v1/conversations/{id}/reopen", "reopenConversation", "Go on with a closed conversation")
            .about("In a new thread, linked to the last one.")
            .changed::<Conversation>()
            .refuses(403, &["forbidden"])
            .refuses(409, &["chat_open", "visitor_has_open_chat", "visitor_erased"]),
        Doc::post("/v1/conversations/{id}/tags", "tagConversation", "Put a tag on a conversation")
            .changed::<Conversation>()
            .example(json!({ "tagId": SOME_ID })),
        Doc::delete("/v1/conversations/{id}/tags/{tagId}", "untagConversation", "Take a tag off a conversation")
            .changed::<Conversation>(),
        Doc::get("/v1/conversations/{id}/assignments", "listAssignments", "Who was chosen, by whom, and why")
            .about(
                "Each routing decision with its strategy, its candidates, and why the others were not taken; and why the \
                 chat went back to a queue in between; and each end with its reason and the agent's notes, which visitors \
                 never see.",
            )
            .ok::<Page<ConversationAssignment>>(),
    ]
}

fn queue() -> Vec<Doc> {
    vec![
        Doc::get("/v1/queue", "listQueue", "List the waiting chats")
            .about("First come, first served.")
            .ok::<Page<QueuedChat>>(),
        Doc::get("/v1/queue/stats", "queueStats", "Count the waiting chats").ok::<List<QueueStats>>(),
    ]
}
