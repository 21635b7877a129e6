//! The calls through REST.

use api::service::Action;
use harness::{ADMIN_EMAIL, Events, PASSWORD, Reply};
use reqwest::Method;
use serde_json::{Value, json};

use super::case::Case;
use super::rows::{Call, DONE, NO_RIGHT, NO_TOKEN};

/// The outcome of a call over HTTP.
pub async fn over_http(case: &Case<'_>) -> String {
    match case.call {
        Call::Of(Action::FollowStream) => follow(case).await,
        Call::Of(action) => outcome(&of(case, action).await),
        Call::SendToThread => {
            outcome(&post(case, &format!("/v1/threads/{}/events", case.chat.thread_id), says()).await)
        }
        Call::SendToConversation => outcome(&on_chat(case, "/events", says()).await),
        Call::TakeChat => outcome(&on_chat(case, "/assign", json!({ "agentId": case.own_id })).await),
        Call::GiveChat => outcome(&on_chat(case, "/assign", json!({ "agentId": case.assigned_id })).await),
    }
}

fn says() -> Value {
    json!({ "content": "x" })
}

/// Events have no end, so the status must do.
async fn follow(case: &Case<'_>) -> String {
    let status = Events::follow(case.client.base(), case.client.token().unwrap_or_default(), None).await.status();
    let outcome = match status {
        200 => DONE,
        401 => NO_TOKEN,
        403 => NO_RIGHT,
        _ => "?",
    };
    outcome.to_owned()
}

async fn post(case: &Case<'_>, path: &str, body: Value) -> Reply {
    case.client.request(Method::POST, path, Some(&body)).await
}

async fn on_chat(case: &Case<'_>, path: &str, body: Value) -> Reply {
    post(case, &format!("/v1/conversations/{}{path}", case.chat.conversation_id), body).await
}

async fn of(case: &Case<'_>, action: Action) -> Reply {
    let (client, things) = (case.client, case.things);
    let chat = format!("/v1/conversations/{}", case.chat.conversation_id);
    let (agent, newcomer) = (format!("/v1/agents/{}", case.assigned_id), format!("/v1/agents/{}", things.newcomer.id));
    let (group, tag) = (format!("/v1/groups/{}", things.group_id), format!("/v1/tags/{}", things.tag_id));
    let (personal_data, name) =
        (format!("/v1/visitors/{}/personal-data", case.chat.id), json!({ "name": case.name() }));
    match action {
        Action::LogIn => post(case, "/v1/auth/login", json!({ "email": ADMIN_EMAIL, "password": PASSWORD })).await,
        Action::RenewSession => post(case, "/v1/auth/refresh", json!({ "refresh_token": case.refresh_token })).await,
        Action::LogOut => post(case, "/v1/auth/logout", json!({})).await,
        Action::ChangePassword => {
            let change = json!({ "currentPassword": PASSWORD, "newPassword": PASSWORD });
            post(case, "/v1/auth/password", change).await
        }
        Action::ResetPassword => client.put(&format!("{newcomer}/password"), &json!({ "newPassword": PASSWORD })).await,
        Action::ReadSelf => client.get("/v1/auth/me").await,
        Action::ListAgents => client.get("/v1/agents").await,
        Action::RegisterAgent => {
            let hired = json!({ "name": "Hired", "email": case.email(), "password": PASSWORD });
            post(case, "/v1/agents", hired).await
        }
        Action::ReadAgent => client.get(&agent).await,
        Action::ChangeAgent => client.patch(&agent, &name).await,
        Action::DeleteAgent => client.delete(&newcomer).await,
        Action::RestoreAgent => post(case, &format!("{newcomer}/restore"), json!({})).await,
        Action::ReadAgentStats => client.get(&format!("{agent}/stats")).await,
        Action::SendHeartbeat => post(case, "/v1/agents/me/heartbeat", json!({})).await,
        Action::SetStatus => client.put(&format!("{agent}/status"), &json!({ "status": "away" })).await,
        Action::ListGroups => client.get("/v1/groups").await,
        Action::CreateGroup => post(case, "/v1/groups", name).await,
        Action::ReadGroup => client.get(&group).await,
        Action::ChangeGroup => client.patch(&group, &name).await,
        Action::DeleteGroup => client.delete(&group).await,
        Action::RestoreGroup => post(case, &format!("{group}/restore"), json!({})).await,
        Action::AddMembers => post(case, &format!("{group}/agents"), json!({ "agentIds": [things.newcomer.id] })).await,
        Action::RemoveMember => client.delete(&format!("{group}/agents/{}", things.newcomer.id)).await,
        Action::ListTags => client.get("/v1/tags").await,
        Action::CreateTag => post(case, "/v1/tags", name).await,
        Action::ReadTag => client.get(&tag).await,
        Action::ChangeTag => client.patch(&tag, &name).await,
        Action::DeleteTag => client.delete(&tag).await,
        Action::RestoreTag => post(case, &format!("{tag}/restore"), json!({})).await,
        Action::StartChat => post(case, "/v1/widget/session", json!({ "initialMessage": "Hello" })).await,
        Action::RenewVisitor => {
            let token = json!({ "sessionToken": case.chat.client.token() });
            post(case, "/v1/widget/session/renew", token).await
        }
        Action::SendMessage => on_chat(case, "/events", says()).await,
        Action::ReadEvents => client.get(&format!("/v1/threads/{}/events", case.chat.thread_id)).await,
        Action::MarkRead => {
            post(case, &format!("/v1/threads/{}/read", case.chat.thread_id), json!({ "upTo": 1_000_000 })).await
        }
        Action::SignalTyping => on_chat(case, "/typing", json!({ "state": "started" })).await,
        Action::IssueTicket => post(case, "/v1/stream/tickets", json!({})).await,
        Action::ListConversations => client.get("/v1/conversations").await,
        Action::CountConversations => client.get("/v1/conversations/counts").await,
        Action::ChangeConversations => {
            let bulk = json!({ "conversationIds": [case.chat.conversation_id], "untag": { "tagId": things.tag_id } });
            post(case, "/v1/conversations/bulk", bulk).await
        }
        Action::ReadConversation => client.get(&chat).await,
        Action::AssignChat => on_chat(case, "/assign", json!({ "agentId": case.own_id })).await,
        Action::TransferChat => on_chat(case, "/transfer", json!({ "groupId": things.group_id })).await,
        Action::CloseChat => on_chat(case, "/close", json!({ "reason": "done" })).await,
        Action::ReopenChat => on_chat(case, "/reopen", json!({})).await,
        Action::TagChat => on_chat(case, "/tags", json!({ "tagId": things.tag_id })).await,
        Action::UntagChat => client.delete(&format!("{chat}/tags/{}", things.tag_id)).await,
        Action::ListAssignments => client.get(&format!("{chat}/assignments")).await,
        Action::ListQueue => client.get("/v1/queue").await,
        Action::ReadQueueStats => client.get("/v1/queue/stats").await,
        Action::FollowStream => client.get("/v1/stream").await,
        Action::ExportPersonalData => client.get(&personal_data).await,
        Action::ErasePersonalData => client.delete(&personal_data).await,
        Action::ReadAudit => client.get("/v1/audit").await,
        Action::CheckHealth => client.get("/livez").await,
        Action::ReadMetrics => client.get("/metrics").await,
        Action::ReadDocs => client.get("/openapi.json").await,
    }
}

fn outcome(reply: &Reply) -> String {
    if reply.status < 300 { DONE.to_owned() } else { reply.body["code"].as_str().unwrap_or("?").to_owned() }
}
