//! Defects that the simulation has to find. They are in what the code is given and what is taken from it, never in the
//! code itself.

use std::sync::Arc;

use application::ports::{AppendRequest, LogEvent};
use domain::agent::{AgentEvent, AgentStatus};
use domain::aggregate::AggregateType;
use domain::conversation::{Assignment, ConversationEvent};
use domain::event::AnyEvent;
use domain::ids::{AgentId, TagId};
use domain::routing::Verdict;
use domain::time::Timestamp;
use serde_json::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// The router does not learn that there is something to do.
    DropWakeUps,
    /// The router does not learn of freed slots.
    ForgetFreedSlots,
    /// The router does not learn that agents go away or decline chats.
    ForgetAbsence,
    /// The router waits for its sweep with what failed.
    ForgetRetries,
    /// Failed attempts are not stored.
    ForgetStoredAttempts,
    /// A router that starts forgets the waiting chats.
    ForgetTheQueue,
    /// The last chat in the queue is served first.
    ReverseTheQueue,
    /// Agents do not count their chats.
    SkipTheLimit,
    /// What a person chose is not seen.
    IgnoreHumans,
    /// An agent who goes offline keeps their chats.
    KeepChatsOffWork,
    /// The router's append reaches the chat and not the agent.
    HalveAppends,
    /// Nobody asks whether streams have moved on.
    SkipVersions,
    /// Commands that come again are carried out again.
    ForgetCommands,
    /// A decision leaves out the agents that it rejected.
    HideRejected,
    /// A decision says that an agent was offline who was not.
    Slander,
}

impl Mutation {
    pub const ALL: [Self; 15] = [
        Self::DropWakeUps,
        Self::ForgetFreedSlots,
        Self::ForgetAbsence,
        Self::ForgetRetries,
        Self::ForgetStoredAttempts,
        Self::ForgetTheQueue,
        Self::ReverseTheQueue,
        Self::SkipTheLimit,
        Self::IgnoreHumans,
        Self::KeepChatsOffWork,
        Self::HalveAppends,
        Self::SkipVersions,
        Self::ForgetCommands,
        Self::HideRejected,
        Self::Slander,
    ];

    /// What has to show it; other things may show it before.
    pub const fn symptom(self) -> &'static str {
        match self {
            Self::DropWakeUps | Self::ForgetFreedSlots | Self::ForgetRetries | Self::ForgetTheQueue => "waits in vain",
            Self::ForgetAbsence | Self::HideRejected | Self::Slander => "untrue decision",
            Self::ForgetStoredAttempts => "hurry",
            Self::ReverseTheQueue => "passed over",
            Self::SkipTheLimit => "within_limit",
            Self::IgnoreHumans => "humans_first",
            Self::KeepChatsOffWork => "off_work_keeps_nothing",
            Self::HalveAppends | Self::SkipVersions => "one_server",
            Self::ForgetCommands => "carried out twice",
        }
    }

    /// What the router is given of the log.
    pub fn feed(self, events: Vec<Arc<LogEvent>>) -> Vec<Arc<LogEvent>> {
        let mut fed = vec![];
        for event in events {
            let is_hidden = match (&event.event, self) {
                (AnyEvent::Agent(AgentEvent::SlotFreed { .. }), Self::ForgetFreedSlots) => true,
                (AnyEvent::Agent(AgentEvent::StatusChanged { status, .. }), Self::ForgetAbsence) => {
                    *status == AgentStatus::Away
                }
                (AnyEvent::Agent(AgentEvent::ChatsDeclined { .. }), Self::ForgetAbsence) => true,
                (AnyEvent::Conversation(event), Self::IgnoreHumans) => is_manual(event),
                _ => false,
            };
            if is_hidden {
                continue;
            }
            let is_chat = matches!(event.event, AnyEvent::Conversation(_));
            if self == Self::ReverseTheQueue && is_chat {
                let mut event = LogEvent::clone(&event);
                event.header.position = 1_000_000 - event.header.position;
                fed.push(Arc::new(event));
            } else {
                fed.push(event);
            }
        }
        fed
    }

    /// What aggregates see in the place of an event of theirs.
    pub fn disguise(self, event: &AnyEvent) -> Option<AnyEvent> {
        match event {
            AnyEvent::Agent(AgentEvent::SlotTaken { at, .. }) if self == Self::SkipTheLimit => {
                Some(AnyEvent::Agent(AgentEvent::PasswordChanged { at: *at }))
            }
            AnyEvent::Conversation(event) if self == Self::IgnoreHumans && is_manual(event) => {
                let (tag_id, by, at) = (TagId::default(), AgentId::default(), Timestamp::default());
                Some(AnyEvent::Conversation(ConversationEvent::ChatUntagged { tag_id, by, at }))
            }
            _ => None,
        }
    }

    /// What reaches the log.
    pub fn append(self, request: &mut AppendRequest) {
        match self {
            Self::KeepChatsOffWork => keep_chats_off_work(request),
            Self::HalveAppends if request.actor == "system:router" => {
                request.streams.retain(|append| append.stream.kind != AggregateType::Agent);
            }
            Self::HideRejected => change_decisions(request, |candidates| candidates.truncate(1)),
            Self::Slander => change_decisions(request, |candidates| {
                if let Some(candidate) = candidates.get_mut(1) {
                    candidate["verdict"] = serde_json::json!(Verdict::Offline);
                }
            }),
            _ => {}
        }
    }
}

fn is_manual(event: &ConversationEvent) -> bool {
    matches!(event, ConversationEvent::AgentAssigned { assignment: Assignment::Manual { .. }, .. })
}

fn keep_chats_off_work(request: &mut AppendRequest) {
    let leaves = |payload: &str| payload.contains("StatusChanged") && payload.contains("\"offline\"");
    let all = request.streams.iter().flat_map(|append| &append.events);
    if !all.into_iter().any(|event| leaves(&event.payload)) {
        return;
    }
    request.streams.retain(|append| append.stream.kind == AggregateType::Agent);
    for append in &mut request.streams {
        append.events.retain(|event| event.event_type != "SlotFreed");
    }
}

fn change_decisions(request: &mut AppendRequest, change: impl Fn(&mut Vec<Value>)) {
    for event in request.streams.iter_mut().flat_map(|append| &mut append.events) {
        if event.event_type != "AgentAssigned" {
            continue;
        }
        let mut payload: Value = serde_json::from_str(&event.payload).expect("events are JSON");
        if let Some(candidates) = payload.pointer_mut("/assignment/decision/candidates").and_then(Value::as_array_mut) {
            change(candidates);
            event.payload = payload.to_string();
        }
    }
}
