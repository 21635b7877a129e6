//! The table of fields: each field of the roots with the action that it stands for. A field that is not in it is refused.

use crate::service::Action::{self, *};

/// Fields of the query, the mutation and the subscription with their actions.
pub const FIELDS: &[(&str, Action)] = &[
    ("me", ReadSelf),
    ("agents", ListAgents),
    ("agent", ReadAgent),
    ("agentStats", ReadAgentStats),
    ("groups", ListGroups),
    ("group", ReadGroup),
    ("tags", ListTags),
    ("tag", ReadTag),
    ("conversations", ListConversations),
    ("conversationCounts", CountConversations),
    ("conversation", ReadConversation),
    ("threadEvents", ReadEvents),
    ("assignments", ListAssignments),
    ("queue", ListQueue),
    ("queueStats", ReadQueueStats),
    ("auditEvents", ReadAudit),
    ("logIn", LogIn),
    ("renewSession", RenewSession),
    ("logOut", LogOut),
    ("changePassword", ChangePassword),
    ("registerAgent", RegisterAgent),
    ("changeAgent", ChangeAgent),
    ("deleteAgent", DeleteAgent),
    ("restoreAgent", RestoreAgent),
    ("setAgentStatus", SetStatus),
    ("resetAgentPassword", ResetPassword),
    ("sendHeartbeat", SendHeartbeat),
    ("createGroup", CreateGroup),
    ("changeGroup", ChangeGroup),
    ("deleteGroup", DeleteGroup),
    ("restoreGroup", RestoreGroup),
    ("addGroupMembers", AddMembers),
    ("removeGroupMember", RemoveMember),
    ("createTag", CreateTag),
    ("changeTag", ChangeTag),
    ("deleteTag", DeleteTag),
    ("restoreTag", RestoreTag),
    ("startChat", StartChat),
    ("renewVisitorSession", RenewVisitor),
    ("sendMessage", SendMessage),
    ("markRead", MarkRead),
    ("signalTyping", SignalTyping),
    ("changeConversations", ChangeConversations),
    ("assignConversation", AssignChat),
    ("transferConversation", TransferChat),
    ("closeConversation", CloseChat),
    ("reopenConversation", ReopenChat),
    ("tagConversation", TagChat),
    ("untagConversation", UntagChat),
    ("eraseVisitor", ErasePersonalData),
];

/// Actions that have no field, with the reasons.
pub const LEFT_OUT: &[(Action, &str)] = &[
    (FollowStream, "the live stream is a door of its own"),
    (IssueTicket, "tickets open the live stream, and nothing else"),
    (ExportPersonalData, "the document has no bound, and GraphQL cannot send an answer piece by piece"),
    (CheckHealth, "probes of load balancers speak plain HTTP"),
    (ReadMetrics, "Prometheus reads its own format"),
    (ReadDocs, "the documentation of this door is the schema"),
];

/// The action of a field of the roots.
pub(super) fn action_of(field: &str) -> Option<Action> {
    FIELDS.iter().find(|(name, _)| *name == field).map(|(_, action)| *action)
}
