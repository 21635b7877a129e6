use serde_json::json;

use crate::openapi::operation::Doc;
use crate::openapi::schemas::{Group, Page};

pub(super) fn docs() -> Vec<Doc> {
    vec![
        Doc::get("/v1/groups", "listGroups", "List the groups").ok::<Page<Group>>(),
        Doc::post("/v1/groups", "createGroup", "Create a group").created::<Group>().example(json!({
            "name": "Sales", "description": "Questions before the purchase", "routingStrategy": "least_loaded",
        })),
        Doc::get("/v1/groups/{id}", "readGroup", "Read a group").ok::<Group>(),
        Doc::patch("/v1/groups/{id}", "changeGroup", "Change a group")
            .about("Another routing strategy holds from the next chat on. Exactly one group is the default: it stays so until another is made the default.")
            .changed::<Group>()
            .refuses(409, &["default_group"])
            .example(json!({ "routingStrategy": "sticky" })),
        Doc::delete("/v1/groups/{id}", "deleteGroup", "Delete a group")
            .about("Its waiting chats move to the default group, which itself cannot be deleted.")
            .changed::<Group>()
            .refuses(409, &["default_group"]),
        Doc::post("/v1/groups/{id}/restore", "restoreGroup", "Restore a deleted group").changed::<Group>(),
        Doc::post("/v1/groups/{id}/agents", "addGroupAgents", "Add agents to a group")
            .about("All or none: an agent who does not exist is named, and nobody is added.")
            .changed::<Group>()
            .example(json!({ "agentIds": ["01890000-0000-7000-8000-000000000001"] })),
        Doc::delete("/v1/groups/{id}/agents/{agentId}", "removeGroupAgent", "Take an agent out of a group")
            .about("The chats of the group that they serve return to its queue.")
            .changed::<Group>(),
    ]
}
