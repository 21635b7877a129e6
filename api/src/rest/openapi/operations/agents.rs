use crate::service::rows::Page;
use crate::service::rows::agents::AgentView;
use serde_json::json;

use crate::rest::openapi::operation::Doc;
use crate::rest::presence::Beat;
use crate::service::AgentStats;

pub(super) fn docs() -> Vec<Doc> {
    vec![
        Doc::get("/v1/agents", "listAgents", "List agents").ok::<Page<AgentView>>(),
        Doc::post("/v1/agents", "createAgent", "Create an agent")
            .about("The agent joins the default group.")
            .created::<AgentView>()
            .refuses(409, &["email_taken"])
            .example(json!({
                "name": "Anna", "email": "anna@example.com", "password": "correct horse battery staple",
                "role": "agent", "status": "online", "maxConcurrentChats": 6,
            })),
        Doc::get("/v1/agents/{id}", "readAgent", "Get an agent").ok::<AgentView>(),
        Doc::patch("/v1/agents/{id}", "changeAgent", "Change an agent")
            .about("Agents may change their own name, avatar, status and acceptingChats. Admins may change every field of every agent. The last admin cannot lose the role.")
            .changed::<AgentView>()
            .refuses(409, &["email_taken", "last_admin"])
            .example(json!({ "name": "Anna B.", "maxConcurrentChats": 4 })),
        Doc::delete("/v1/agents/{id}", "deleteAgent", "Delete an agent")
            .about("Their chats return to the queue in their original order. The last admin cannot be deleted.")
            .changed::<AgentView>()
            .refuses(409, &["last_admin"]),
        Doc::post("/v1/agents/{id}/restore", "restoreAgent", "Restore a deleted agent")
            .changed::<AgentView>()
            .refuses(409, &["email_taken"]),
        Doc::put("/v1/agents/{id}/status", "setAgentStatus", "Set the status of an agent")
            .about("Agents set their own status, supervisors that of every agent. The chats of an agent who goes offline return to the queue.")
            .changed::<AgentView>()
            .example(json!({ "status": "online", "acceptingChats": true })),
        Doc::put("/v1/agents/{id}/password", "resetPassword", "Set the password of another agent")
            .about("Ends all sessions of the agent. Admins change their own password with the current one, by `POST /v1/auth/password`.")
            .example(json!({ "newPassword": "staple battery horse correct" })),
        Doc::post("/v1/agents/me/heartbeat", "sendHeartbeat", "Send a heartbeat")
            .about("Send one about every 15 seconds. An agent whose heartbeats stop becomes away when lease and grace have passed, and online again with the next heartbeat.")
            .changed::<Beat>()
            .without_key(),
        Doc::get("/v1/agents/{id}/stats", "readAgentStats", "Get an agent's statistics of the last 30 days")
            .about("Agents may read their own statistics, supervisors those of every agent. Days are UTC days. A chat counts for each agent who has joined it.")
            .ok::<AgentStats>(),
    ]
}
