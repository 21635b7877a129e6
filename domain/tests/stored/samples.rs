//! Every event with all that is optional, and without.

use std::collections::BTreeSet;

use cqrs_es::DomainEvent;
use domain::agent::{AgentEvent, AgentStatus, ChatLimit, EmailClaimEvent, Role, StatusCause};
use domain::aggregate::AggregateType;
use domain::conversation::{Assignment, ConversationEvent, Handover, Participant, QueueReason, VisitorCard};
use domain::event::AnyEvent;
use domain::group::GroupEvent;
use domain::ids::{AgentId, ConversationId, EntityId, EventId, GroupId, TagId, ThreadId, VisitorId};
use domain::routing::{Candidate, RoutingDecision, RoutingStrategy, Verdict};
use domain::tag::{TagEvent, TagNameClaimEvent};
use domain::text::{AvatarUrl, ClientEventId, Color, EmailAddress, MessageText, Metadata, Name, Note, PhoneNumber};
use domain::thread::{GroupChangeReason, JoinCause, LeaveReason, ThreadEvent};
use domain::time::Timestamp;
use domain::visitor::{ErasedPayload, VisitorDetails, VisitorEvent};
use domain::workspace::WorkspaceEvent;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

const AT: Timestamp = Timestamp::from_micros(1_700_000_000_123_456);
const ANNA: AgentId = AgentId::new(Uuid::from_u128(0xA1));
const BERT: AgentId = AgentId::new(Uuid::from_u128(0xA2));
const VERA: VisitorId = VisitorId::new(Uuid::from_u128(0xB1));
const CHAT: ConversationId = ConversationId::new(Uuid::from_u128(0xC1));
const THREAD: ThreadId = ThreadId::new(Uuid::from_u128(0xD1));
const PREVIOUS: ThreadId = ThreadId::new(Uuid::from_u128(0xD0));
const SALES: GroupId = GroupId::new(Uuid::from_u128(0xE1));
const VIP: TagId = TagId::new(Uuid::from_u128(0xF1));

/// An event, and how it is stored.
pub struct Sample {
    pub kind: AggregateType,
    /// What is special about it.
    pub case: &'static str,
    pub event: AnyEvent,
    pub version: String,
    pub payload: Value,
}

/// All samples, in a fixed order.
pub fn samples() -> Vec<Sample> {
    let mut samples = vec![];
    add(&mut samples, AggregateType::Conversation, AnyEvent::Conversation, conversation());
    add(&mut samples, AggregateType::Thread, AnyEvent::Thread, thread());
    add(&mut samples, AggregateType::Agent, AnyEvent::Agent, agent());
    add(&mut samples, AggregateType::Visitor, AnyEvent::Visitor, visitor());
    add(&mut samples, AggregateType::Group, AnyEvent::Group, group());
    add(&mut samples, AggregateType::Tag, AnyEvent::Tag, tag());
    add(&mut samples, AggregateType::EmailClaim, AnyEvent::EmailClaim, email_claim());
    add(&mut samples, AggregateType::TagNameClaim, AnyEvent::TagNameClaim, tag_name_claim());
    add(&mut samples, AggregateType::Workspace, AnyEvent::Workspace, workspace());
    samples
}

fn add<E: DomainEvent + Serialize>(
    samples: &mut Vec<Sample>,
    kind: AggregateType,
    any: fn(E) -> AnyEvent,
    cases: Vec<(&'static str, E)>,
) {
    samples.extend(cases.into_iter().map(|(case, event)| Sample {
        kind,
        case,
        version: event.event_version(),
        payload: serde_json::to_value(&event).expect("events are JSON"),
        event: any(event),
    }));
}

fn name(text: &str) -> Name {
    Name::parse(text).expect("a fine name")
}

fn note(text: &str) -> Note {
    Note::parse(text).expect("a fine note")
}

fn email() -> EmailAddress {
    EmailAddress::parse("Vera@Example.com").expect("a fine address")
}

fn phone() -> PhoneNumber {
    PhoneNumber::parse("+44 20 7946 0000").expect("a fine number")
}

fn assigned(previous_agent_id: Option<AgentId>, assignment: Assignment) -> ConversationEvent {
    ConversationEvent::AgentAssigned { agent_id: ANNA, previous_agent_id, thread_id: THREAD, assignment, at: AT }
}

fn routed(strategy: RoutingStrategy, verdicts: &[Verdict]) -> Assignment {
    let candidate = |verdict: &Verdict| Candidate {
        agent_id: ANNA,
        verdict: *verdict,
        active_chats: 2,
        chat_limit: 6,
        gave_back: false,
    };
    let candidates = verdicts.iter().map(candidate).collect();
    Assignment::Routed { decision: RoutingDecision { strategy, candidates, omitted_candidates: 3, attempt: 2 } }
}

fn conversation() -> Vec<(&'static str, ConversationEvent)> {
    let all_verdicts = [
        Verdict::Chosen,
        Verdict::NotPreferred,
        Verdict::Offline,
        Verdict::Away,
        Verdict::NotAccepting,
        Verdict::AtLimit,
    ];
    let full = VisitorCard { id: VERA, name: Some(name("Vera")), email: Some(email()), phone: Some(phone()) };
    let bare = VisitorCard { id: VERA, name: None, email: None, phone: None };
    let started = |visitor, last_agent_id| ConversationEvent::ChatStarted {
        visitor,
        group_id: SALES,
        thread_id: THREAD,
        last_agent_id,
        at: AT,
    };
    let manual = |reason, over_limit| Assignment::Manual { by: BERT, reason, over_limit };
    let returned = |previous_agent_id, reason, handover| ConversationEvent::ChatReturnedToQueue {
        group_id: SALES,
        previous_agent_id,
        reason,
        handover,
        at: AT,
    };
    let handover = |reason| Some(Handover { by: BERT, reason });
    let closed = |by, notes, agent_id| ConversationEvent::ChatClosed {
        by,
        reason: name("solved"),
        notes,
        agent_id,
        thread_id: THREAD,
        at: AT,
    };
    let reopened = |last_agent_id| ConversationEvent::ChatReopened {
        by: Participant::Visitor(VERA),
        thread_id: THREAD,
        previous_thread_id: PREVIOUS,
        group_id: SALES,
        last_agent_id,
        at: AT,
    };
    vec![
        ("full", started(full.clone(), Some(BERT))),
        ("bare", started(bare.clone(), None)),
        ("routed, least loaded, every verdict", assigned(None, routed(RoutingStrategy::LeastLoaded, &all_verdicts))),
        ("routed, round robin", assigned(None, routed(RoutingStrategy::RoundRobin, &[Verdict::Chosen]))),
        ("routed, sticky", assigned(None, routed(RoutingStrategy::Sticky, &[Verdict::Chosen]))),
        ("manual, full", assigned(Some(BERT), manual(Some(note("knows\nthe case")), true))),
        ("manual, bare", assigned(None, manual(None, false))),
        ("full, agent offline", returned(Some(ANNA), QueueReason::AgentOffline, None)),
        ("agent deleted", returned(Some(ANNA), QueueReason::AgentDeleted, None)),
        ("agent left group", returned(Some(ANNA), QueueReason::AgentLeftGroup, None)),
        ("bare, transferred", returned(None, QueueReason::Transferred, None)),
        ("transferred by somebody", returned(None, QueueReason::Transferred, handover(None))),
        ("group deleted", returned(None, QueueReason::GroupDeleted, None)),
        (
            "transferred for a reason",
            returned(Some(ANNA), QueueReason::Transferred, handover(Some(note("asks for a refund")))),
        ),
        ("full", closed(Participant::Agent(ANNA), Some(note("ask again in May")), Some(ANNA))),
        ("bare", closed(Participant::Visitor(VERA), None, None)),
        ("full", reopened(Some(ANNA))),
        ("bare", reopened(None)),
        ("only form", ConversationEvent::ChatTagged { tag_id: VIP, by: ANNA, at: AT }),
        ("only form", ConversationEvent::ChatUntagged { tag_id: VIP, by: ANNA, at: AT }),
        ("full", ConversationEvent::VisitorCardChanged { visitor: full, at: AT }),
        ("bare", ConversationEvent::VisitorCardChanged { visitor: bare, at: AT }),
    ]
}

fn thread() -> Vec<(&'static str, ThreadEvent)> {
    let started = |previous_thread_id| ThreadEvent::ThreadStarted {
        conversation_id: CHAT,
        visitor_id: VERA,
        previous_thread_id,
        at: AT,
    };
    let sent = |author, client_event_id, metadata| ThreadEvent::MessageSent {
        conversation_id: CHAT,
        message_id: EventId::from_uuid(Uuid::from_u128(0x51)),
        author,
        text: MessageText::parse("Grüß dich,\n\"Anna\" 👋").expect("a fine text"),
        client_event_id,
        metadata,
        at: AT,
    };
    let joined = |cause| ThreadEvent::AgentJoined { agent_id: ANNA, cause, at: AT };
    let left = |reason| ThreadEvent::AgentLeft { agent_id: ANNA, reason, at: AT };
    let moved = |reason| {
        let previous_group_id = GroupId::new(Uuid::from_u128(0xE0));
        ThreadEvent::GroupChanged { group_id: SALES, previous_group_id, reason, at: AT }
    };
    let read = |reader, unread| ThreadEvent::MessagesRead { conversation_id: CHAT, reader, up_to: 42, unread, at: AT };
    let client_event_id = Some(ClientEventId::parse("m-1").expect("a fine id"));
    let metadata = json!({"page": "/prices", "scroll": 0.5, "seen": [1, null, true]});
    let metadata = Some(Metadata::parse(&metadata.to_string()).expect("an object"));
    vec![
        ("full", started(Some(PREVIOUS))),
        ("bare", started(None)),
        ("full", sent(Participant::Agent(ANNA), client_event_id, metadata)),
        ("bare", sent(Participant::Visitor(VERA), None, None)),
        ("bare", joined(None)),
        ("routed", joined(Some(JoinCause::Routed))),
        ("taken", joined(Some(JoinCause::Taken))),
        ("assigned", joined(Some(JoinCause::Assigned))),
        ("handed over", joined(Some(JoinCause::Transferred))),
        ("reassigned", left(LeaveReason::Reassigned)),
        ("transferred", left(LeaveReason::Transferred)),
        ("agent offline", left(LeaveReason::AgentOffline)),
        ("agent deleted", left(LeaveReason::AgentDeleted)),
        ("agent left group", left(LeaveReason::AgentLeftGroup)),
        ("transferred", moved(GroupChangeReason::Transferred)),
        ("group deleted", moved(GroupChangeReason::GroupDeleted)),
        ("by visitor", ThreadEvent::ThreadClosed { by: Participant::Visitor(VERA), at: AT }),
        ("by agent", ThreadEvent::ThreadClosed { by: Participant::Agent(ANNA), at: AT }),
        ("by visitor", read(Participant::Visitor(VERA), 0)),
        ("by agent", read(Participant::Agent(ANNA), 3)),
    ]
}

fn agent() -> Vec<(&'static str, AgentEvent)> {
    let avatar = || Some(AvatarUrl::parse("https://example.com/anna.png").expect("a fine address"));
    let registered = |avatar, role, status, accepting_chats, chats| AgentEvent::AgentRegistered {
        name: name("Anna"),
        email: email(),
        avatar,
        role,
        status,
        accepting_chats,
        chat_limit: ChatLimit::new(chats).expect("within 1 to 20"),
        at: AT,
    };
    let status = |status, cause| AgentEvent::StatusChanged { status, cause, at: AT };
    let profile = |avatar| AgentEvent::ProfileChanged { name: name("Ann"), avatar, at: AT };
    let role = |role| AgentEvent::RoleChanged { role, at: AT };
    let taken = |over_limit| AgentEvent::SlotTaken { conversation_id: CHAT, over_limit, at: AT };
    vec![
        ("full", registered(avatar(), Role::Admin, AgentStatus::Online, true, 20)),
        ("bare", registered(None, Role::Agent, AgentStatus::Offline, false, 1)),
        ("set by somebody", status(AgentStatus::Online, StatusCause::SetBy { id: BERT })),
        ("away", status(AgentStatus::Away, StatusCause::SetBy { id: ANNA })),
        ("lease expired", status(AgentStatus::Offline, StatusCause::LeaseExpired)),
        ("lease renewed", status(AgentStatus::Online, StatusCause::LeaseRenewed)),
        ("only form", AgentEvent::ChatsAccepted { at: AT }),
        ("only form", AgentEvent::ChatsDeclined { at: AT }),
        ("only form", AgentEvent::LimitChanged { chat_limit: ChatLimit::default(), at: AT }),
        ("full", profile(avatar())),
        ("bare", profile(None)),
        ("only form", AgentEvent::EmailChanged { email: email(), at: AT }),
        ("agent", role(Role::Agent)),
        ("supervisor", role(Role::Supervisor)),
        ("admin", role(Role::Admin)),
        ("only form", AgentEvent::PasswordChanged { at: AT }),
        ("within the limit", taken(false)),
        ("over the limit", taken(true)),
        ("only form", AgentEvent::SlotFreed { conversation_id: CHAT, at: AT }),
        ("only form", AgentEvent::AgentDeleted { at: AT }),
        ("only form", AgentEvent::AgentRestored { at: AT }),
    ]
}

fn visitor() -> Vec<(&'static str, VisitorEvent)> {
    let full = || VisitorDetails { name: Some(name("Vera")), email: Some(email()), phone: Some(phone()) };
    let ended = |last_agent_id| VisitorEvent::ChatEnded { conversation_id: CHAT, last_agent_id, at: AT };
    let erased = |payloads, conversation_ids| VisitorEvent::PersonalDataErased { payloads, conversation_ids, at: AT };
    let reintroduced = |details, shown_in| VisitorEvent::VisitorReintroduced { details, shown_in, at: AT };
    vec![
        ("full", VisitorEvent::VisitorRegistered { details: full(), at: AT }),
        ("bare", VisitorEvent::VisitorRegistered { details: VisitorDetails::default(), at: AT }),
        ("full", reintroduced(full(), None)),
        ("bare", reintroduced(VisitorDetails::default(), None)),
        ("in an open chat", reintroduced(full(), Some(CHAT))),
        ("only form", VisitorEvent::VisitorShown { conversation_id: CHAT, at: AT }),
        ("only form", VisitorEvent::ChatOpened { conversation_id: CHAT, at: AT }),
        ("full", ended(Some(ANNA))),
        ("bare", ended(None)),
        ("full", erased(vec![ErasedPayload { position: 7, digest: "ab".repeat(32) }], vec![CHAT])),
        ("bare", erased(vec![], vec![])),
    ]
}

fn group() -> Vec<(&'static str, GroupEvent)> {
    let created =
        |description, strategy| GroupEvent::GroupCreated { name: name("Sales"), description, strategy, at: AT };
    let described = |description| GroupEvent::GroupDescribed { name: name("Sales"), description, at: AT };
    let strategy = |strategy| GroupEvent::StrategyChanged { strategy, at: AT };
    vec![
        ("full", created(Some(note("Answers before the sale")), RoutingStrategy::Sticky)),
        ("bare", created(None, RoutingStrategy::LeastLoaded)),
        ("full", described(Some(note("Answers before the sale")))),
        ("bare", described(None)),
        ("round robin", strategy(RoutingStrategy::RoundRobin)),
        ("least loaded", strategy(RoutingStrategy::LeastLoaded)),
        ("sticky", strategy(RoutingStrategy::Sticky)),
        ("in stable order", GroupEvent::AgentsAdded { agent_ids: BTreeSet::from([BERT, ANNA]), at: AT }),
        ("only form", GroupEvent::AgentRemoved { agent_id: ANNA, at: AT }),
        ("only form", GroupEvent::GroupDeleted { at: AT }),
        ("only form", GroupEvent::GroupRestored { at: AT }),
    ]
}

fn tag() -> Vec<(&'static str, TagEvent)> {
    let color = || Some(Color::parse("#ff00Aa").expect("a fine colour"));
    vec![
        ("full", TagEvent::TagCreated { name: name("VIP"), color: color(), at: AT }),
        ("bare", TagEvent::TagCreated { name: name("VIP"), color: None, at: AT }),
        ("full", TagEvent::TagRestyled { name: name("Gold"), color: color(), at: AT }),
        ("bare", TagEvent::TagRestyled { name: name("Gold"), color: None, at: AT }),
        ("only form", TagEvent::TagDeleted { at: AT }),
        ("only form", TagEvent::TagRestored { at: AT }),
    ]
}

fn tag_name_claim() -> Vec<(&'static str, TagNameClaimEvent)> {
    vec![
        ("only form", TagNameClaimEvent::TagNameClaimed { tag_id: VIP, at: AT }),
        ("only form", TagNameClaimEvent::TagNameReleased { tag_id: VIP, at: AT }),
    ]
}

fn email_claim() -> Vec<(&'static str, EmailClaimEvent)> {
    vec![
        ("only form", EmailClaimEvent::EmailClaimed { agent_id: ANNA, at: AT }),
        ("only form", EmailClaimEvent::EmailReleased { agent_id: ANNA, at: AT }),
    ]
}

fn workspace() -> Vec<(&'static str, WorkspaceEvent)> {
    vec![
        ("only form", WorkspaceEvent::DefaultGroupChosen { group_id: SALES, at: AT }),
        ("only form", WorkspaceEvent::AdminAppointed { agent_id: ANNA, at: AT }),
        ("only form", WorkspaceEvent::AdminDismissed { agent_id: ANNA, at: AT }),
    ]
}
