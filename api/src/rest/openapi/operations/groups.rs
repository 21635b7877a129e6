use crate::service::rows::Page;
use crate::service::rows::agents::GroupView;
use serde_json::json;

use crate::rest::openapi::examples;
use crate::rest::openapi::operation::Doc;

pub(super) fn docs() -> Vec<Doc> {
    vec![
        Doc::get("/v1/groups", "listGroups", "List groups").ok::<Page<GroupView>>(),
        Doc::post("/v1/groups", "createGroup", "Create a group").created::<GroupView>().example(json!({
            "name": "Sales", "description": "Questions before the purchase", "routingStrategy": "least_loaded",
        })),
        Doc::get("/v1/groups/{id}", "readGroup", "Get a group").ok::<GroupView>(),
        Doc::patch("/v1/groups/{id}", "changeGroup", "Change a group")
            .about("A new routing strategy applies from the next chat on. Exactly one group is the default; to replace it, make another group the default.")
            .changed::<GroupView>()
            .refuses(409, &["default_group"])
            .example(json!({ "routingStrategy": "sticky" })),
        Doc::delete("/v1/groups/{id}", "deleteGroup", "Delete a group")
            .about("Its waiting chats move to the default group, which cannot be deleted itself.")
            .changed::<GroupView>()
            .refuses(409, &["default_group"]),
        Doc::post("/v1/groups/{id}/restore", "restoreGroup", "Restore a deleted group").changed::<GroupView>(),
        Doc::post("/v1/groups/{id}/agents", "addGroupAgents", "Add agents to a group")
            .about("Adds all agents or none: if an agent does not exist, the answer names them.")
            .changed::<GroupView>()
            .example(json!({ "agentIds": [examples::ID] })),
        Doc::delete("/v1/groups/{id}/agents/{agentId}", "removeGroupAgent", "Remove an agent from a group")
            .about("The group's chats that the agent serves return to its queue.")
            .changed::<GroupView>(),
    ]
}
