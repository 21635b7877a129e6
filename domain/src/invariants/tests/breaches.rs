//! Logs in which one thing is wrong.

use super::super::Rule;
use super::story::{
    Entry, STRATEGY, Story, agent, assigned, begins, chat, chosen, closed, deleted, freed, gives_back, group, joined,
    left, message, names, owns, registered, reopened, routed, started, status, tagged, taken, thread, visitor,
    workspace, writes,
};
use crate::agent::{AgentEvent, AgentStatus, Role};
use crate::conversation::{Assignment, ConversationEvent, Participant, QueueReason, VisitorCard};
use crate::event::AnyEvent;
use crate::fixtures::{
    ANNA, BERT, CARA, CHAT, NEXT_THREAD, OTHER_CHAT, SALES, SPAM, STRANGER, SUPPORT, THREAD, VERA, VIP, at, decision,
    name,
};
use crate::group::GroupEvent;
use crate::ids::{AgentId, EntityId, VisitorId};
use crate::routing::{Candidate, Verdict};
use crate::tag::TagEvent;
use crate::thread::{LeaveReason, ThreadEvent};
use crate::visitor::{VisitorDetails, VisitorEvent};
use crate::workspace::WorkspaceEvent;

pub struct Breach {
    pub rule: Rule,
    pub what: &'static str,
    pub story: Story,
}

fn breach(rule: Rule, what: &'static str, mut story: Story, then: impl FnOnce(&mut Story)) -> Breach {
    then(&mut story);
    Breach { rule, what, story }
}

fn append(rule: Rule, what: &'static str, story: Story, entries: Vec<Entry>) -> Breach {
    breach(rule, what, story, |story| story.append(entries))
}

pub fn all() -> Vec<Breach> {
    [of_the_log(), of_chats(), of_threads(), of_agents(), of_people(), of_teams(), of_the_router()]
        .into_iter()
        .flatten()
        .collect()
}

fn of_the_log() -> Vec<Breach> {
    vec![
        breach(Rule::Positions, "a hole", Story::of_a_day(), |story| story.last().position += 1),
        breach(Rule::Positions, "a position twice", Story::of_a_day(), |story| story.last().position -= 1),
        breach(Rule::Sequences, "a hole in a stream", Story::of_a_day(), |story| story.last().sequence += 1),
        breach(Rule::Time, "time goes back", Story::of_a_day(), |story| story.last().recorded_at = at(0)),
    ]
}

fn of_chats() -> Vec<Breach> {
    let by = Participant::Visitor(VERA);
    let again = ConversationEvent::ChatReopened {
        by,
        thread_id: NEXT_THREAD,
        previous_thread_id: NEXT_THREAD,
        group_id: SALES,
        last_agent_id: None,
        at: at(4),
    };
    let mut wrongly_reopened = reopened(CHAT, THREAD, NEXT_THREAD, SALES);
    wrongly_reopened[0] = chat(CHAT, again);
    vec![
        append(
            Rule::Beginnings,
            "a chat begins twice",
            Story::of_a_wait(),
            vec![started(VERA, CHAT, THREAD).remove(1)],
        ),
        append(Rule::NothingAfterClose, "a message after the end", Story::of_the_past(), vec![message(THREAD, VERA)]),
        append(Rule::NothingAfterClose, "an open chat is opened", Story::of_a_wait(), {
            let mut entries = reopened(CHAT, THREAD, THREAD, SALES);
            entries.truncate(1);
            entries
        }),
        append(Rule::TrueReferences, "another agent before", Story::of_a_chat(), {
            let mut entries = assigned(CHAT, THREAD, Some(ANNA), BERT);
            entries[0] = assigned(CHAT, THREAD, Some(BERT), BERT).remove(0);
            entries
        }),
        append(Rule::TrueReferences, "another agent at the end", Story::of_a_chat(), {
            let mut entries = closed(CHAT, THREAD, Some(ANNA));
            entries[0] = closed(CHAT, THREAD, Some(BERT)).remove(0);
            entries
        }),
        append(Rule::TrueReferences, "another thread before", Story::of_the_past(), wrongly_reopened),
        append(Rule::Tagging, "a tag twice", Story::of_a_wait(), vec![tagged(CHAT, VIP), tagged(CHAT, VIP)]),
        append(Rule::Tagging, "a tag that was not on", Story::of_a_wait(), {
            vec![chat(CHAT, ConversationEvent::ChatUntagged { tag_id: VIP, by: ANNA, at: at(1) })]
        }),
        append(
            Rule::TrueReferences,
            "the card of another visitor",
            Story::of_a_wait().with([visitor(
                STRANGER,
                VisitorEvent::VisitorRegistered { details: VisitorDetails::default(), at: at(1) },
            )]),
            vec![card(STRANGER)],
        ),
        append(Rule::TrueReferences, "shown in a chat that is not open", Story::of_a_wait(), {
            vec![visitor(VERA, VisitorEvent::VisitorShown { conversation_id: OTHER_CHAT, at: at(1) })]
        }),
        append(Rule::NothingAfterClose, "a card after the end", Story::of_the_past(), vec![card(VERA)]),
        append(Rule::Existence, "a tag that does not exist", Story::of_a_wait(), vec![tagged(CHAT, SPAM)]),
        append(Rule::HumansFirst, "the router replaces an agent", Story::of_a_chat(), {
            let mut entries = assigned(CHAT, THREAD, Some(ANNA), BERT);
            let assignment = Assignment::Routed { decision: decision(BERT) };
            let (agent_id, previous_agent_id, thread_id) = (BERT, Some(ANNA), THREAD);
            let event =
                ConversationEvent::AgentAssigned { agent_id, previous_agent_id, thread_id, assignment, at: at(2) };
            entries[0] = chat(CHAT, event);
            entries
        }),
        append(Rule::OneServer, "a chat without its agent's slot", Story::of_a_wait(), {
            vec![chat(CHAT, chosen(ANNA, THREAD)), joined(THREAD, ANNA)]
        }),
        append(Rule::OneServer, "a slot without its chat", Story::of_a_wait(), vec![taken(ANNA, CHAT, false)]),
        append(Rule::OneServer, "two agents have the chat", Story::of_a_chat(), vec![taken(BERT, CHAT, false)]),
        append(Rule::OneServer, "an agent who is not in the thread", Story::of_a_wait(), {
            vec![chat(CHAT, chosen(ANNA, THREAD)), taken(ANNA, CHAT, false)]
        }),
        append(Rule::OneServer, "a slot is freed that was not taken", Story::of_a_wait(), vec![freed(ANNA, CHAT)]),
        append(Rule::OneServer, "the slot stays after the end", Story::of_a_chat(), {
            let mut entries = closed(CHAT, THREAD, Some(ANNA));
            entries.retain(|(_, event)| !matches!(event, AnyEvent::Agent(_)));
            entries
        }),
    ]
}

fn card(id: VisitorId) -> Entry {
    let visitor = VisitorCard::new(id, VisitorDetails::default());
    chat(CHAT, ConversationEvent::VisitorCardChanged { visitor, at: at(4) })
}

fn of_threads() -> Vec<Breach> {
    vec![
        append(Rule::OneActiveThread, "two open threads", Story::of_a_wait(), vec![begins(NEXT_THREAD, CHAT, VERA)]),
        append(Rule::OneActiveThread, "the thread ends alone", Story::of_a_wait(), {
            vec![thread(THREAD, ThreadEvent::ThreadClosed { by: Participant::Visitor(VERA), at: at(3) })]
        }),
        append(Rule::OneActiveThread, "the thread does not end", Story::of_a_wait(), {
            let mut entries = closed(CHAT, THREAD, None);
            entries.remove(1);
            entries
        }),
        append(Rule::ParticipantsWrite, "a stranger writes", Story::of_a_chat(), vec![message(THREAD, STRANGER)]),
        append(Rule::ParticipantsWrite, "an agent without the chat writes", Story::of_a_chat(), {
            vec![writes(THREAD, Participant::Agent(BERT))]
        }),
        append(
            Rule::ReadForward,
            "a stranger reads",
            Story::of_a_chat(),
            vec![reads(Participant::Visitor(STRANGER), 1)],
        ),
        append(Rule::ReadForward, "an agent without the chat reads", Story::of_a_chat(), {
            vec![reads(Participant::Agent(BERT), 1)]
        }),
        append(Rule::ReadForward, "the same twice", Story::of_a_chat().with([reads(Participant::Agent(ANNA), 2)]), {
            vec![reads(Participant::Agent(ANNA), 2)]
        }),
        append(Rule::ReadForward, "what is not there yet", Story::of_a_chat(), {
            vec![reads(Participant::Visitor(VERA), 10_000)]
        }),
        append(Rule::Attendance, "an agent joins twice", Story::of_a_chat(), vec![joined(THREAD, ANNA)]),
        append(Rule::Attendance, "an agent leaves who is not there", Story::of_a_chat(), {
            vec![left(THREAD, BERT, LeaveReason::Reassigned)]
        }),
    ]
}

fn reads(reader: Participant, up_to: i64) -> Entry {
    thread(THREAD, ThreadEvent::MessagesRead { conversation_id: CHAT, reader, up_to, unread: 0, at: at(3) })
}

fn of_agents() -> Vec<Breach> {
    let other_visitor = |story: &mut Story| {
        let details = VisitorDetails::default();
        let mut entries = vec![visitor(STRANGER, VisitorEvent::VisitorRegistered { details, at: at(1) })];
        let mut start = started(STRANGER, OTHER_CHAT, NEXT_THREAD);
        start.pop();
        entries.extend(start);
        story.append(entries);
    };
    let manual = |over_limit| {
        let assignment = Assignment::Manual { by: ANNA, reason: None, over_limit };
        let (agent_id, previous_agent_id, thread_id) = (ANNA, None, NEXT_THREAD);
        chat(
            OTHER_CHAT,
            ConversationEvent::AgentAssigned { agent_id, previous_agent_id, thread_id, assignment, at: at(2) },
        )
    };
    vec![
        breach(Rule::WithinLimit, "over the limit, and not said", Story::of_a_chat(), |story| {
            other_visitor(story);
            story.append([manual(false), taken(ANNA, OTHER_CHAT, false), joined(NEXT_THREAD, ANNA)]);
        }),
        breach(Rule::WithinLimit, "over the limit by nobody's choice", Story::of_a_chat(), |story| {
            other_visitor(story);
            story.append([manual(false), taken(ANNA, OTHER_CHAT, true), joined(NEXT_THREAD, ANNA)]);
        }),
        append(
            Rule::AtWork,
            "a person gives a chat to somebody offline",
            Story::of_a_wait().with([status(ANNA, AgentStatus::Offline)]),
            assigned(CHAT, THREAD, None, ANNA),
        ),
        append(
            Rule::AtWork,
            "routed to somebody away",
            Story::of_a_wait().with([status(ANNA, AgentStatus::Away)]),
            routed(CHAT, THREAD, ANNA),
        ),
        append(
            Rule::AtWork,
            "routed to somebody who declines",
            Story::of_a_wait().with([agent(ANNA, AgentEvent::ChatsDeclined { at: at(1) })]),
            routed(CHAT, THREAD, ANNA),
        ),
        append(Rule::OffWorkKeepsNothing, "offline with a chat", Story::of_a_chat(), {
            vec![status(ANNA, AgentStatus::Offline)]
        }),
        append(
            Rule::DeletedRest,
            "a deleted agent works",
            Story::of_a_day().with([deleted(BERT), gives_back(BERT, "bert@example.com")]),
            vec![status(BERT, AgentStatus::Online)],
        ),
        append(Rule::DeletedRest, "an agent comes back that was not deleted", Story::of_a_day(), {
            vec![agent(BERT, AgentEvent::AgentRestored { at: at(3) })]
        }),
        append(Rule::Beginnings, "an agent is registered twice", Story::of_a_team(), {
            vec![registered(BERT, "bert@example.com", Role::Agent)]
        }),
        append(Rule::Beginnings, "nobody goes online", Story::of_a_team(), vec![status(CARA, AgentStatus::Online)]),
    ]
}

fn of_people() -> Vec<Breach> {
    vec![
        append(Rule::OneOpenChat, "two open chats", Story::of_a_wait(), {
            let mut entries = started(VERA, OTHER_CHAT, NEXT_THREAD);
            entries.pop();
            entries
        }),
        append(Rule::OneOpenChat, "a chat ends and the visitor does not know", Story::of_a_wait(), {
            let mut entries = closed(CHAT, THREAD, None);
            entries.pop();
            entries
        }),
        append(Rule::UniqueAddresses, "an address of two", Story::of_a_team(), {
            vec![owns(CARA, "bert@example.com"), registered(CARA, "bert@example.com", Role::Agent)]
        }),
        append(Rule::UniqueAddresses, "an agent without an address", Story::of_a_team(), {
            vec![registered(CARA, "cara@example.com", Role::Agent)]
        }),
        append(Rule::UniqueAddresses, "a deleted agent's address is not free", Story::of_a_team(), vec![deleted(BERT)]),
        append(Rule::AnAdmin, "the last admin is dismissed", Story::of_a_team(), {
            let role = Role::Agent;
            vec![
                agent(ANNA, AgentEvent::RoleChanged { role, at: at(1) }),
                workspace(WorkspaceEvent::AdminDismissed { agent_id: ANNA, at: at(1) }),
            ]
        }),
        append(Rule::AnAdmin, "an admin who does not count", Story::of_a_team(), {
            vec![agent(BERT, AgentEvent::RoleChanged { role: Role::Admin, at: at(1) })]
        }),
    ]
}

fn of_teams() -> Vec<Breach> {
    let created = TagEvent::TagCreated { name: name("VIP"), color: None, at: at(0) };
    vec![
        append(Rule::UniqueTagNames, "a name of two tags", Story::of_a_team(), {
            vec![names(SPAM, "VIP"), (SPAM.uuid(), AnyEvent::Tag(created.clone()))]
        }),
        append(Rule::UniqueTagNames, "a tag without a name", Story::of_a_team(), {
            vec![(SPAM.uuid(), AnyEvent::Tag(created))]
        }),
        append(Rule::DefaultGroup, "the default group is deleted", Story::of_a_wait(), {
            vec![group(SALES, GroupEvent::GroupDeleted { at: at(2) })]
        }),
        append(Rule::DefaultGroup, "no group is the default", Story::of_a_team(), {
            vec![workspace(WorkspaceEvent::DefaultGroupChosen { group_id: SUPPORT, at: at(2) })]
        }),
        append(Rule::Membership, "an agent joins twice", Story::of_a_team(), {
            vec![group(SALES, GroupEvent::AgentsAdded { agent_ids: [BERT].into(), at: at(2) })]
        }),
        append(Rule::Membership, "an agent leaves with a chat", Story::of_a_chat(), {
            vec![group(SALES, GroupEvent::AgentRemoved { agent_id: ANNA, at: at(2) })]
        }),
        append(
            Rule::Membership,
            "routed to somebody outside",
            Story::of_a_wait().with([group(SALES, GroupEvent::AgentRemoved { agent_id: ANNA, at: at(1) })]),
            routed(CHAT, THREAD, ANNA),
        ),
        append(Rule::Existence, "a member who does not exist", Story::of_a_team(), {
            vec![group(SALES, GroupEvent::AgentsAdded { agent_ids: [CARA].into(), at: at(2) })]
        }),
        append(
            Rule::Existence,
            "a chat in a deleted group",
            Story::of_a_wait()
                .with([group(SUPPORT, support_created())])
                .with([group(SUPPORT, GroupEvent::GroupDeleted { at: at(1) })]),
            vec![chat(CHAT, transferred())],
        ),
    ]
}

fn support_created() -> GroupEvent {
    GroupEvent::GroupCreated { name: name("Support"), description: None, strategy: STRATEGY, at: at(1) }
}

fn transferred() -> ConversationEvent {
    let (group_id, previous_agent_id, reason) = (SUPPORT, None, QueueReason::Transferred);
    ConversationEvent::ChatReturnedToQueue { group_id, previous_agent_id, reason, handover: None, at: at(2) }
}

fn of_the_router() -> Vec<Breach> {
    let decided = |change: fn(&mut Vec<Candidate>)| {
        let mut decision = decision(ANNA);
        let (agent_id, verdict) = (BERT, Verdict::NotPreferred);
        decision.candidates.push(Candidate { agent_id, verdict, active_chats: 0, chat_limit: 1, gave_back: false });
        change(&mut decision.candidates);
        let assignment = Assignment::Routed { decision };
        let (agent_id, previous_agent_id, thread_id): (AgentId, _, _) = (ANNA, None, THREAD);
        let event = ConversationEvent::AgentAssigned { agent_id, previous_agent_id, thread_id, assignment, at: at(1) };
        vec![chat(CHAT, event), taken(ANNA, CHAT, false), joined(THREAD, ANNA)]
    };
    vec![
        append(Rule::Explained, "the decision chose somebody else", Story::of_a_wait(), decided(|all| all.swap(0, 1))),
        append(Rule::Explained, "the decision looks at nobody", Story::of_a_wait(), decided(Vec::clear)),
        append(Rule::Explained, "the decision takes a full agent for free", Story::of_a_wait(), {
            decided(|all| all[1].active_chats = 1)
        }),
        append(Rule::Existence, "the decision looks at nobody real", Story::of_a_wait(), {
            decided(|all| all[1].agent_id = CARA)
        }),
        // The queues are folded from the same log: only their own loss can make them differ.
        breach(Rule::Queued, "a chat is in no queue", Story::of_a_wait().with([message(THREAD, VERA)]), |story| {
            story.forgets_queues = true;
        }),
    ]
}
