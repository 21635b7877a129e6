use serde_json::json;

use crate::openapi::operation::Doc;
use crate::openapi::schemas::{Agent, AgentStats, Heartbeat, Page};

pub(super) fn docs() -> Vec<Doc> {
    vec![
        Doc::get("/v1/agents", "listAgents", "List the agents").ok::<Page<Agent>>(),
        Doc::post("/v1/agents", "createAgent", "Create an agent")
            .about("The agent is in the default group from the beginning.")
            .created::<Agent>()
            .refuses(409, &["email_taken"])
            .example(json!({
                "name": "Anna", "email": "anna@example.com", "password": "correct horse battery staple",
                "role": "agent", "status": "online", "maxConcurrentChats": 6,
            })),
        Doc::get("/v1/agents/{id}", "readAgent", "Read an agent").ok::<Agent>(),
        Doc::patch("/v1/agents/{id}", "changeAgent", "Change an agent")
            .about("Agents may change their own name, avatar, status and acceptingChats; admins everything of everybody. The last admin stays one.")
            .changed::<Agent>()
            .refuses(409, &["email_taken", "last_admin"])
            .example(json!({ "name": "Anna B.", "maxConcurrentChats": 4 })),
        Doc::delete("/v1/agents/{id}", "deleteAgent", "Delete an agent")
            .about("Their chats return to the queue in their original order. The last admin cannot be deleted.")
            .changed::<Agent>()
            .refuses(409, &["last_admin"]),
        Doc::post("/v1/agents/{id}/restore", "restoreAgent", "Restore a deleted agent")
            .changed::<Agent>()
            .refuses(409, &["email_taken"]),
        Doc::put("/v1/agents/{id}/status", "setAgentStatus", "Go online, away or offline")
            .about("For oneself, or for others by supervisors. Whoever goes offline hands their chats back to the queue.")
            .changed::<Agent>()
            .example(json!({ "status": "online", "acceptingChats": true })),
        Doc::post("/v1/agents/me/heartbeat", "sendHeartbeat", "Tell that one's client is there")
            .about("About every 15 seconds. Who stops is made away when the lease and the grace have passed, and comes back with the next one.")
            .changed::<Heartbeat>()
            .without_key(),
        Doc::get("/v1/agents/{id}/stats", "readAgentStats", "What an agent did in the last 30 days")
            .about("For the agent themselves, and for supervisors. Days are UTC days. A chat counts for each agent who joined it.")
            .ok::<AgentStats>(),
    ]
}
