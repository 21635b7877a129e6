//! The table: which caller gets which outcome from which call.

use api::service::Action;

/// The callers, in the order of the table's columns. The colleague is in the chat's group; the outsider is in none.
pub const CALLERS: [&str; 8] =
    ["nobody", "stranger", "visitor", "outsider", "colleague", "assigned", "supervisor", "admin"];

/// Outcomes: done, and the codes of refusals.
pub const DONE: &str = "";
pub const NO_TOKEN: &str = "unauthorized";
pub const NO_RIGHT: &str = "forbidden";
const HIDDEN: &str = "not_found";
const TAKEN: &str = "already_assigned";

/// A call of one door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// The only call of its action, on things that the caller's right does not depend on.
    Of(Action),
    SendToThread,
    SendToConversation,
    TakeChat,
    GiveChat,
}

impl Call {
    pub const fn action(self) -> Action {
        match self {
            Self::Of(action) => action,
            Self::SendToThread | Self::SendToConversation => Action::SendMessage,
            Self::TakeChat | Self::GiveChat => Action::AssignChat,
        }
    }

    /// Whether the chat is of no use for another such call once it was done.
    pub const fn uses_up_the_chat(self) -> bool {
        use Action::{AssignChat, CloseChat, ErasePersonalData, ReopenChat, TransferChat};
        matches!(self.action(), AssignChat | CloseChat | ErasePersonalData | ReopenChat | TransferChat)
    }
}

/// The chat on which a call is made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// None: one chat is enough for all such calls.
    Nothing,
    Served,
    Ended,
}

pub type Row = (Call, On, [&'static str; 8]);

const EVERYBODY: [&str; 8] = [DONE; 8];
const PARTICIPANTS: [&str; 8] = [NO_TOKEN, DONE, DONE, DONE, DONE, DONE, DONE, DONE];
const AGENTS: [&str; 8] = [NO_TOKEN, NO_RIGHT, NO_RIGHT, DONE, DONE, DONE, DONE, DONE];
const SUPERVISORS: [&str; 8] = [NO_TOKEN, NO_RIGHT, NO_RIGHT, NO_RIGHT, NO_RIGHT, NO_RIGHT, DONE, DONE];
const ADMINS: [&str; 8] = [NO_TOKEN, NO_RIGHT, NO_RIGHT, NO_RIGHT, NO_RIGHT, NO_RIGHT, NO_RIGHT, DONE];

pub fn rows() -> Vec<Row> {
    [of_everybody(), of_agents(), of_groups_and_tags(), of_chats(), of_admins()].concat()
}

fn each<const N: usize>(actions: [Action; N], on: On, expected: [&'static str; 8]) -> Vec<Row> {
    actions.map(|action| (Call::Of(action), on, expected)).to_vec()
}

fn of_everybody() -> Vec<Row> {
    use Action::{CheckHealth, FollowStream, IssueTicket, LogIn, ReadDocs, RenewSession, RenewVisitor, StartChat};
    let public = [LogIn, RenewSession, StartChat, RenewVisitor, CheckHealth, ReadDocs];
    [each(public, On::Nothing, EVERYBODY), each([FollowStream, IssueTicket], On::Nothing, PARTICIPANTS)].concat()
}

fn of_agents() -> Vec<Row> {
    use Action::{
        ChangeAgent, ChangePassword, ListAgents, LogOut, ReadAgent, ReadAgentStats, ReadSelf, SendHeartbeat, SetStatus,
    };
    let of = |supervisor| [NO_TOKEN, NO_RIGHT, NO_RIGHT, NO_RIGHT, NO_RIGHT, DONE, supervisor, DONE];
    [
        each([LogOut, ChangePassword, ReadSelf, ListAgents, ReadAgent, SendHeartbeat], On::Nothing, AGENTS),
        // Of the assigned agent.
        each([SetStatus, ReadAgentStats], On::Nothing, of(DONE)),
        each([ChangeAgent], On::Nothing, of(NO_RIGHT)),
    ]
    .concat()
}

fn of_groups_and_tags() -> Vec<Row> {
    use Action::{
        AddMembers, ChangeGroup, ChangeTag, CreateGroup, CreateTag, DeleteGroup, DeleteTag, ListGroups, ListTags,
        ReadGroup, ReadTag, RemoveMember, RestoreGroup, RestoreTag,
    };
    let kept = [
        CreateGroup,
        ChangeGroup,
        DeleteGroup,
        RestoreGroup,
        AddMembers,
        RemoveMember,
        CreateTag,
        ChangeTag,
        DeleteTag,
        RestoreTag,
    ];
    [each([ListGroups, ReadGroup, ListTags, ReadTag], On::Nothing, AGENTS), each(kept, On::Nothing, SUPERVISORS)]
        .concat()
}

fn of_chats() -> Vec<Row> {
    use Action::{
        ChangeConversations, CloseChat, CountConversations, ListAssignments, ListConversations, ListQueue, MarkRead,
        ReadConversation, ReadEvents, ReadQueueStats, ReopenChat, SignalTyping, TagChat, TransferChat, UntagChat,
    };
    let readers = [NO_TOKEN, HIDDEN, DONE, HIDDEN, DONE, DONE, DONE, DONE];
    let authors = [NO_TOKEN, HIDDEN, DONE, HIDDEN, NO_RIGHT, DONE, NO_RIGHT, NO_RIGHT];
    let enders = [NO_TOKEN, HIDDEN, DONE, HIDDEN, NO_RIGHT, DONE, DONE, DONE];
    let servers = [NO_TOKEN, NO_RIGHT, NO_RIGHT, HIDDEN, NO_RIGHT, DONE, DONE, DONE];
    [
        each([ListConversations, CountConversations, ChangeConversations], On::Nothing, AGENTS),
        each([ListQueue, ReadQueueStats], On::Nothing, SUPERVISORS),
        each([ReadConversation, ReadEvents], On::Served, readers),
        each([MarkRead, SignalTyping], On::Served, authors),
        each([ListAssignments], On::Served, [NO_TOKEN, NO_RIGHT, NO_RIGHT, HIDDEN, DONE, DONE, DONE, DONE]),
        vec![
            (Call::SendToThread, On::Served, authors),
            (Call::SendToConversation, On::Served, authors),
            // A colleague may take what nobody has, but takes nothing away.
            (Call::TakeChat, On::Served, [NO_TOKEN, NO_RIGHT, NO_RIGHT, HIDDEN, TAKEN, DONE, DONE, DONE]),
            (Call::GiveChat, On::Served, servers),
        ],
        each([TransferChat, TagChat, UntagChat], On::Served, servers),
        each([CloseChat], On::Served, enders),
        each([ReopenChat], On::Ended, enders),
    ]
    .concat()
}

fn of_admins() -> Vec<Row> {
    use Action::{
        DeleteAgent, ErasePersonalData, ExportPersonalData, ReadAudit, ReadMetrics, RegisterAgent, ResetPassword,
        RestoreAgent,
    };
    let on_people = [RegisterAgent, ResetPassword, DeleteAgent, RestoreAgent, ReadAudit, ReadMetrics];
    [each(on_people, On::Nothing, ADMINS), each([ExportPersonalData, ErasePersonalData], On::Ended, ADMINS)].concat()
}
