//! The names of all events. A new variant does not compile here before it is named, and a name needs a sample.

use domain::agent::{AgentEvent, EmailClaimEvent};
use domain::aggregate::AggregateType;
use domain::conversation::ConversationEvent;
use domain::event::AnyEvent;
use domain::group::GroupEvent;
use domain::tag::{TagEvent, TagNameClaimEvent};
use domain::thread::ThreadEvent;
use domain::visitor::VisitorEvent;
use domain::workspace::WorkspaceEvent;

macro_rules! names {
    ($($kind:ident: $event:ident { $($variant:ident),+ $(,)? })+) => {
        /// The name of the event's variant.
        pub fn name(event: &AnyEvent) -> &'static str {
            match event {
                $(AnyEvent::$kind(event) => match event {
                    $($event::$variant { .. } => stringify!($variant),)+
                },)+
            }
        }

        /// The names of all variants.
        pub const fn all(kind: AggregateType) -> &'static [&'static str] {
            match kind {
                $(AggregateType::$kind => &[$(stringify!($variant)),+],)+
            }
        }
    };
}

names! {
    Conversation: ConversationEvent {
        ChatStarted,
        AgentAssigned,
        ChatReturnedToQueue,
        ChatClosed,
        ChatReopened,
        ChatTagged,
        ChatUntagged,
        VisitorCardChanged,
    }
    Thread: ThreadEvent {
        ThreadStarted,
        MessageSent,
        AgentJoined,
        AgentLeft,
        GroupChanged,
        ThreadClosed,
        MessagesRead,
    }
    Agent: AgentEvent {
        AgentRegistered,
        StatusChanged,
        ChatsAccepted,
        ChatsDeclined,
        LimitChanged,
        ProfileChanged,
        EmailChanged,
        RoleChanged,
        PasswordChanged,
        SlotTaken,
        SlotFreed,
        AgentDeleted,
        AgentRestored,
    }
    Visitor: VisitorEvent { VisitorRegistered, VisitorReintroduced, VisitorShown, ChatOpened, ChatEnded, PersonalDataErased }
    Group: GroupEvent {
        GroupCreated,
        GroupDescribed,
        StrategyChanged,
        AgentsAdded,
        AgentRemoved,
        GroupDeleted,
        GroupRestored,
    }
    Tag: TagEvent { TagCreated, TagRestyled, TagDeleted, TagRestored }
    EmailClaim: EmailClaimEvent { EmailClaimed, EmailReleased }
    TagNameClaim: TagNameClaimEvent { TagNameClaimed, TagNameReleased }
    Workspace: WorkspaceEvent { DefaultGroupChosen, AdminAppointed, AdminDismissed }
}
