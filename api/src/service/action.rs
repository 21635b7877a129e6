use super::Access;

/// Everything that a caller can ask of the service, through whichever door. Rights and rate limits hang on the action, so
/// that a new door cannot forget them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Log in with address and password.
    LogIn,
    /// Exchange a refresh token for new tokens.
    RenewSession,
    /// End the session of the token.
    LogOut,
    /// Change the own password.
    ChangePassword,
    /// Sets the password of another agent, who cannot log in any more.
    ResetPassword,
    /// Read the agent of the token.
    ReadSelf,
    ListAgents,
    RegisterAgent,
    ReadAgent,
    ChangeAgent,
    DeleteAgent,
    /// Restore a deleted agent.
    RestoreAgent,
    /// Read the figures of an agent.
    ReadAgentStats,
    /// Report that an agent's client is alive.
    SendHeartbeat,
    /// Set an agent's status.
    SetStatus,
    ListGroups,
    CreateGroup,
    ReadGroup,
    ChangeGroup,
    DeleteGroup,
    /// Restore a deleted group.
    RestoreGroup,
    /// Add agents to a group.
    AddMembers,
    /// Remove an agent from a group.
    RemoveMember,
    ListTags,
    CreateTag,
    ReadTag,
    ChangeTag,
    DeleteTag,
    /// Restore a deleted tag.
    RestoreTag,
    /// Begin a visitor's session with a chat.
    StartChat,
    /// Give a visitor whose token is valid a new one, without a message.
    RenewVisitor,
    SendMessage,
    /// Read the events of a thread.
    ReadEvents,
    /// Mark messages of a thread as read.
    MarkRead,
    /// Show that one is writing a message.
    SignalTyping,
    ListConversations,
    CountConversations,
    /// Change many conversations at once.
    ChangeConversations,
    ReadConversation,
    /// Assign a conversation to an agent.
    AssignChat,
    /// Hand a conversation to a colleague or another group.
    TransferChat,
    /// Close a conversation.
    CloseChat,
    /// Reopen a conversation.
    ReopenChat,
    /// Put a tag on a conversation.
    TagChat,
    /// Remove a tag from a conversation.
    UntagChat,
    /// List the assignments of a conversation.
    ListAssignments,
    /// List the waiting chats.
    ListQueue,
    /// Read the figures of the queue.
    ReadQueueStats,
    /// Follow the live stream.
    FollowStream,
    /// Get a ticket for the live stream.
    IssueTicket,
    /// Export the personal data of a visitor.
    ExportPersonalData,
    /// Erase the personal data of a visitor.
    ErasePersonalData,
    /// Read the event log.
    ReadAudit,
    /// Check whether the service is alive and ready.
    CheckHealth,
    /// Read the figures of this process.
    ReadMetrics,
    /// Read the documentation of the API.
    ReadDocs,
}

impl Action {
    /// The callers that may take the action.
    #[must_use]
    pub const fn access(self) -> Access {
        match self {
            Self::LogIn
            | Self::RenewSession
            | Self::StartChat
            | Self::RenewVisitor
            | Self::CheckHealth
            | Self::ReadDocs => Access::Public,
            Self::SendMessage
            | Self::ReadEvents
            | Self::MarkRead
            | Self::SignalTyping
            | Self::ReadConversation
            | Self::CloseChat
            | Self::ReopenChat
            | Self::FollowStream
            | Self::IssueTicket => Access::Participant,
            Self::LogOut
            | Self::ChangePassword
            | Self::ReadSelf
            | Self::ListAgents
            | Self::ReadAgent
            | Self::ChangeAgent
            | Self::ReadAgentStats
            | Self::SendHeartbeat
            | Self::SetStatus
            | Self::ListGroups
            | Self::ReadGroup
            | Self::ListTags
            | Self::ReadTag
            | Self::ListConversations
            | Self::CountConversations
            | Self::ChangeConversations
            | Self::AssignChat
            | Self::TransferChat
            | Self::TagChat
            | Self::UntagChat
            | Self::ListAssignments => Access::Agent,
            Self::CreateGroup
            | Self::ChangeGroup
            | Self::DeleteGroup
            | Self::RestoreGroup
            | Self::AddMembers
            | Self::RemoveMember
            | Self::CreateTag
            | Self::ChangeTag
            | Self::DeleteTag
            | Self::RestoreTag
            | Self::ListQueue
            | Self::ReadQueueStats => Access::Supervisor,
            Self::RegisterAgent
            | Self::ResetPassword
            | Self::DeleteAgent
            | Self::RestoreAgent
            | Self::ExportPersonalData
            | Self::ErasePersonalData
            | Self::ReadAudit => Access::Admin,
            Self::ReadMetrics => Access::Monitor,
        }
    }
}
