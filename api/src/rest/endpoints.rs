//! The table of endpoints: each path and method with its action and its handler. The service decides who may take an
//! action, and how often.

use super::route::{self as on, Endpoint};
use super::{
    agent_stats, agents, assignments, audit, auth, bulk, conversation_lists, conversations, docs, groups, health,
    personal_data, presence, queue, scrape, stream, tags, threads, widget,
};
use crate::service::Action::*;

/// All endpoints.
#[must_use]
pub fn endpoints() -> Vec<Endpoint> {
    vec![
        on::post("/v1/auth/login", LogIn, auth::log_in),
        on::post("/v1/auth/refresh", RenewSession, auth::refresh),
        on::post("/v1/auth/logout", LogOut, auth::log_out),
        on::post("/v1/auth/password", ChangePassword, auth::change_password),
        on::get("/v1/auth/me", ReadSelf, auth::me),
        on::get("/v1/agents", ListAgents, agents::list),
        on::post("/v1/agents", RegisterAgent, agents::create),
        on::get("/v1/agents/{id}", ReadAgent, agents::read),
        on::patch("/v1/agents/{id}", ChangeAgent, agents::change),
        on::delete("/v1/agents/{id}", DeleteAgent, agents::delete),
        on::post("/v1/agents/{id}/restore", RestoreAgent, agents::restore),
        on::get("/v1/agents/{id}/stats", ReadAgentStats, agent_stats::read),
        on::post("/v1/agents/me/heartbeat", SendHeartbeat, presence::heartbeat),
        on::put("/v1/agents/{id}/status", SetStatus, agents::set_status),
        on::get("/v1/groups", ListGroups, groups::list),
        on::post("/v1/groups", CreateGroup, groups::create),
        on::get("/v1/groups/{id}", ReadGroup, groups::read),
        on::patch("/v1/groups/{id}", ChangeGroup, groups::change),
        on::delete("/v1/groups/{id}", DeleteGroup, groups::delete),
        on::post("/v1/groups/{id}/restore", RestoreGroup, groups::restore),
        on::post("/v1/groups/{id}/agents", AddMembers, groups::add_agents),
        on::delete("/v1/groups/{id}/agents/{agentId}", RemoveMember, groups::remove_agent),
        on::get("/v1/tags", ListTags, tags::list),
        on::post("/v1/tags", CreateTag, tags::create),
        on::get("/v1/tags/{id}", ReadTag, tags::read),
        on::patch("/v1/tags/{id}", ChangeTag, tags::change),
        on::delete("/v1/tags/{id}", DeleteTag, tags::delete),
        on::post("/v1/tags/{id}/restore", RestoreTag, tags::restore),
        on::post("/v1/widget/session", StartChat, widget::start_session),
        on::post("/v1/widget/session/renew", RenewVisitor, widget::renew_session),
        on::get("/v1/threads/{id}/events", ReadEvents, threads::list_events),
        on::post("/v1/threads/{id}/events", SendMessage, threads::send),
        on::get("/v1/conversations", ListConversations, conversation_lists::list),
        on::get("/v1/conversations/counts", CountConversations, conversation_lists::count),
        on::post("/v1/conversations/bulk", ChangeConversations, bulk::change),
        on::get("/v1/conversations/{id}", ReadConversation, conversations::read),
        on::post("/v1/conversations/{id}/events", SendMessage, threads::send_to_conversation),
        on::post("/v1/conversations/{id}/assign", AssignChat, conversations::assign),
        on::post("/v1/conversations/{id}/transfer", TransferChat, conversations::transfer),
        on::post("/v1/conversations/{id}/close", CloseChat, conversations::close),
        on::post("/v1/conversations/{id}/reopen", ReopenChat, conversations::reopen),
        on::post("/v1/conversations/{id}/tags", TagChat, conversations::add_tag),
        on::delete("/v1/conversations/{id}/tags/{tagId}", UntagChat, conversations::remove_tag),
        on::get("/v1/conversations/{id}/assignments", ListAssignments, assignments::list),
        on::get("/v1/queue", ListQueue, queue::list),
        on::get("/v1/queue/stats", ReadQueueStats, queue::stats),
        on::get("/v1/stream", FollowStream, stream::open),
        on::get("/v1/visitors/{id}/personal-data", ExportPersonalData, personal_data::export),
        on::delete("/v1/visitors/{id}/personal-data", ErasePersonalData, personal_data::erase),
        on::get("/v1/audit", ReadAudit, audit::list),
        on::get("/health", CheckHealth, health::health),
        on::get("/livez", CheckHealth, health::live),
        on::get("/readyz", CheckHealth, health::ready),
        on::get("/metrics", ReadMetrics, scrape::read),
        on::get("/openapi.json", ReadDocs, docs::openapi),
        on::get("/asyncapi.json", ReadDocs, stream::asyncapi),
        on::get("/docs", ReadDocs, docs::page),
        on::get("/docs/rapidoc-min.js", ReadDocs, docs::script),
    ]
}
