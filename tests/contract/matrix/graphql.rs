//! The calls through GraphQL.

use api::service::Action;
use harness::{ADMIN_EMAIL, PASSWORD, Reply};
use serde_json::{Value, json};

use super::case::Case;
use super::rows::{Call, DONE};

/// The outcome of a call through GraphQL; none of an action that this door leaves out.
pub async fn over_graphql(case: &Case<'_>) -> Option<String> {
    let document = match case.call {
        Call::Of(action) => document_of(case, action)?,
        Call::SendToThread => message(&json!({ "threadId": case.chat.thread_id })),
        Call::SendToConversation => message(&json!({ "conversationId": case.chat.conversation_id })),
        Call::TakeChat => assignment(case, case.own_id),
        Call::GiveChat => assignment(case, case.assigned_id),
    };
    let reply = case.client.post("/graphql", &json!({ "query": document })).await.expect(200);
    Some(outcome(&reply))
}

fn outcome(reply: &Reply) -> String {
    let errors = reply.body["errors"].as_array().map_or(&[][..], Vec::as_slice);
    match errors {
        [] => DONE.to_owned(),
        [error] => error["extensions"]["code"].as_str().unwrap_or("?").to_owned(),
        _ => format!("{errors:?}"),
    }
}

/// A value as GraphQL writes it: names of fields stand without quotation marks.
fn literal(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members: Vec<_> = members.iter().map(|(name, value)| format!("{name}: {}", literal(value))).collect();
            format!("{{{}}}", members.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

fn arguments(value: &Value) -> String {
    let text = literal(value);
    text[1..text.len() - 1].to_owned()
}

fn mutation(field: &str, input: &Value, selection: &str) -> String {
    match arguments(input) {
        none if none.is_empty() => format!("mutation {{ {field} {{ {selection} }} }}"),
        arguments => format!("mutation {{ {field}({arguments}) {{ {selection} }} }}"),
    }
}

fn query(field: &str, input: &Value, selection: &str) -> String {
    mutation(field, input, selection).replacen("mutation", "query", 1)
}

fn message(to: &Value) -> String {
    mutation("sendMessage", &json!({ "input": { "to": to, "content": "x" } }), "message { id position authorType }")
}

fn assignment(case: &Case<'_>, agent_id: &str) -> String {
    let input = json!({ "id": case.chat.conversation_id, "agentId": agent_id });
    mutation("assignConversation", &input, "conversation { id }")
}

#[expect(clippy::too_many_lines, reason = "one line for each action")]
fn document_of(case: &Case<'_>, action: Action) -> Option<String> {
    let (things, chat) = (case.things, &case.chat.conversation_id);
    let (newcomer, group, tag) = (&things.newcomer.id, &things.group_id, &things.tag_id);
    let member = json!({ "groupId": group, "agentIds": [newcomer] });
    let nodes = "nodes { id } pageInfo { hasNextPage endCursor }";
    Some(match action {
        Action::LogIn => {
            let credentials = json!({ "email": ADMIN_EMAIL, "password": PASSWORD });
            mutation("logIn", &credentials, "accessToken refreshToken expiresIn agent { id name role }")
        }
        Action::RenewSession => mutation("renewSession", &json!({ "refreshToken": case.refresh_token }), "accessToken"),
        Action::LogOut => mutation("logOut", &json!({}), "done"),
        Action::ChangePassword => {
            mutation("changePassword", &json!({ "currentPassword": PASSWORD, "newPassword": PASSWORD }), "done")
        }
        Action::ResetPassword => {
            mutation("resetAgentPassword", &json!({ "id": newcomer, "newPassword": PASSWORD }), "done")
        }
        Action::ReadSelf => query("me", &json!({}), "id name email role status version"),
        Action::ListAgents => query("agents", &json!({}), nodes),
        Action::RegisterAgent => {
            let input = json!({ "name": "Hired", "email": case.email(), "password": PASSWORD });
            mutation("registerAgent", &json!({ "input": input }), "agent { id role } position repeated")
        }
        Action::ReadAgent => query("agent", &json!({ "id": case.assigned_id }), "id groupIds createdAt"),
        Action::ChangeAgent => {
            let input = json!({ "id": case.assigned_id, "name": case.name() });
            mutation("changeAgent", &json!({ "input": input }), "agent { name }")
        }
        Action::DeleteAgent => mutation("deleteAgent", &json!({ "id": newcomer }), "agent { deleted }"),
        Action::RestoreAgent => mutation("restoreAgent", &json!({ "id": newcomer }), "agent { deleted }"),
        Action::ReadAgentStats => {
            let selection = "asOf chats { today last7Days } availability { available freeSlots }";
            query("agentStats", &json!({ "id": case.assigned_id }), selection)
        }
        Action::SendHeartbeat => mutation("sendHeartbeat", &json!({}), "heartbeat { leaseEndsAt graceSeconds }"),
        Action::SetStatus => format!(
            "mutation {{ setAgentStatus(input: {{ id: \"{}\", status: AWAY }}) {{ agent {{ status }} }} }}",
            case.assigned_id
        ),
        Action::ListGroups => query("groups", &json!({}), nodes),
        Action::CreateGroup => mutation("createGroup", &json!({ "input": { "name": case.name() } }), "group { id }"),
        Action::ReadGroup => query("group", &json!({ "id": group }), "id name routingStrategy agentIds"),
        Action::ChangeGroup => {
            mutation("changeGroup", &json!({ "input": { "id": group, "name": case.name() } }), "group { name }")
        }
        Action::DeleteGroup => mutation("deleteGroup", &json!({ "id": group }), "group { deleted }"),
        Action::RestoreGroup => mutation("restoreGroup", &json!({ "id": group }), "group { deleted }"),
        Action::AddMembers => mutation("addGroupMembers", &member, "group { agentIds }"),
        Action::RemoveMember => {
            mutation("removeGroupMember", &json!({ "groupId": group, "agentId": newcomer }), "group { agentIds }")
        }
        Action::ListTags => query("tags", &json!({}), nodes),
        Action::CreateTag => mutation("createTag", &json!({ "input": { "name": case.name() } }), "tag { id color }"),
        Action::ReadTag => query("tag", &json!({ "id": tag }), "id name color version"),
        Action::ChangeTag => {
            mutation("changeTag", &json!({ "input": { "id": tag, "name": case.name() } }), "tag { name }")
        }
        Action::DeleteTag => mutation("deleteTag", &json!({ "id": tag }), "tag { deleted }"),
        Action::RestoreTag => mutation("restoreTag", &json!({ "id": tag }), "tag { deleted }"),
        Action::StartChat => {
            let selection = "session { sessionToken conversationId status queuePosition } position";
            mutation("startChat", &json!({ "input": { "initialMessage": "Hello" } }), selection)
        }
        Action::RenewVisitor => {
            mutation("renewVisitorSession", &json!({ "sessionToken": case.chat.client.token() }), "expiresIn visitorId")
        }
        Action::SendMessage => message(&json!({ "conversationId": chat })),
        Action::SignalTyping => {
            format!("mutation {{ signalTyping(conversationId: \"{chat}\", state: STARTED) {{ done }} }}")
        }
        Action::MarkRead => {
            let mark = json!({ "threadId": case.chat.thread_id, "upTo": "1000000" });
            mutation("markRead", &mark, "progress { upTo } position")
        }
        Action::ReadEvents => {
            let selection = "edges { cursor node { id type systemType content metadata createdAt } }";
            query("threadEvents", &json!({ "threadId": case.chat.thread_id }), selection)
        }
        Action::ListConversations => {
            let selection = "nodes { id status unread seenUpTo { type position } visitor { id name } assignedAgent { name } tags { name color } }";
            query("conversations", &json!({}), selection)
        }
        Action::CountConversations => query("conversationCounts", &json!({}), "pending active closed total"),
        Action::ChangeConversations => {
            let input = json!({ "conversationIds": [chat], "action": { "untag": tag } });
            mutation("changeConversations", &json!({ "input": input }), "succeeded failed results { position }")
        }
        Action::ReadConversation => query("conversation", &json!({ "id": chat }), "id status tags { name }"),
        Action::AssignChat => assignment(case, case.own_id),
        Action::TransferChat => {
            let input = json!({ "id": chat, "to": { "groupId": group } });
            mutation("transferConversation", &input, "conversation { groupId }")
        }
        Action::CloseChat => {
            let input = json!({ "input": { "id": chat, "reason": "done" } });
            mutation("closeConversation", &input, "conversation { status closedAt }")
        }
        Action::ReopenChat => mutation("reopenConversation", &json!({ "id": chat }), "conversation { status }"),
        Action::TagChat => {
            mutation("tagConversation", &json!({ "id": chat, "tagId": tag }), "conversation { tags { name } }")
        }
        Action::UntagChat => {
            mutation("untagConversation", &json!({ "id": chat, "tagId": tag }), "conversation { tags { name } }")
        }
        Action::ListAssignments => {
            let reason = "__typename ... on ManualAssignment { assignedBy overLimit } ... on Closing { closingReason }";
            let selection = format!("nodes {{ version agentName at assignment {{ {reason} }} }}");
            query("assignments", &json!({ "conversationId": chat }), &selection)
        }
        Action::ListQueue => query("queue", &json!({}), "nodes { conversationId queuePosition waitingSince }"),
        Action::ReadQueueStats => query("queueStats", &json!({}), "groupId waiting longestWaitSeconds"),
        Action::ErasePersonalData => {
            mutation("eraseVisitor", &json!({ "visitorId": case.chat.id }), "erasure { payloads readModels }")
        }
        Action::ReadAudit => query("auditEvents", &json!({}), "nodes { position type actor payload hash }"),
        Action::FollowStream
        | Action::IssueTicket
        | Action::ExportPersonalData
        | Action::CheckHealth
        | Action::ReadMetrics
        | Action::ReadDocs => return None,
    })
}
