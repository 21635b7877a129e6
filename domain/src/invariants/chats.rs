use cqrs_es::Aggregate as _;

use super::{Append, Invariants, Reference, Rule, Wrong, demand, remove_from};
use crate::agent::AgentStatus;
use crate::assignment::{RoutingDecision, Verdict};
use crate::conversation::{Assignment, Conversation, ConversationEvent, ConversationStatus, Participant, QueueReason};
use crate::ids::{AgentId, ConversationId, ThreadId};
use crate::thread::{Thread, ThreadEvent};

impl Invariants {
    pub(super) fn on_chat(
        &mut self,
        append: &mut Append,
        id: ConversationId,
        event: &ConversationEvent,
        wrong: &mut Wrong,
    ) {
        append.chats.insert(id);
        let chat = self.conversations.entry(id).or_default();
        check_chat(chat, id, event, wrong);
        note_references(append, id, event);
        if let ConversationEvent::AgentAssigned { agent_id, assignment: Assignment::Routed { decision }, .. } = event {
            let group_id = chat.group_id;
            self.check_choice(id, *agent_id, group_id.unwrap_or_default(), decision, wrong);
        }
        let chat = self.conversations.entry(id).or_default();
        chat.apply(event.clone());
        if let Some(visitor_id) = chat.visitor_id {
            if chat.status == ConversationStatus::Closed {
                remove_from(&mut self.index.open_chats, &visitor_id, &id);
            } else {
                self.index.open_chats.entry(visitor_id).or_default().insert(id);
            }
        }
    }

    /// Checks the router's choice against the state before the append.
    fn check_choice(
        &self,
        id: ConversationId,
        agent_id: AgentId,
        group_id: crate::ids::GroupId,
        decision: &RoutingDecision,
        wrong: &mut Wrong,
    ) {
        let is_at_work =
            self.agents.get(&agent_id).is_none_or(|agent| agent.status == AgentStatus::Online && agent.accepting_chats);
        demand(wrong, Rule::AtWork, is_at_work, || format!("chat {id} is routed to {agent_id}, who takes no chats"));
        let group = self.groups.get(&group_id);
        let is_member = group.is_some_and(|group| group.is_present() && group.agent_ids.contains(&agent_id));
        demand(wrong, Rule::Membership, is_member, || {
            format!("chat {id} is routed to {agent_id}, who is not in group {group_id}")
        });
        if let Some(contradiction) = contradiction(decision, agent_id) {
            wrong.push((Rule::Explained, format!("the decision about chat {id} {contradiction}")));
        }
    }

    pub(super) fn on_thread(&mut self, append: &mut Append, id: ThreadId, event: &ThreadEvent, wrong: &mut Wrong) {
        let position = self.position;
        let thread = self.threads.entry(id).or_default();
        check_thread(thread, id, event, wrong);
        if let ThreadEvent::MessagesRead { conversation_id, reader, up_to, .. } = event {
            check_reading(thread, (id, *conversation_id), (*reader, *up_to), wrong);
            demand(wrong, Rule::ReadForward, *up_to < position, || format!("{reader:?} reads what is not there yet"));
        }
        if let ThreadEvent::GroupChanged { group_id, .. } = event {
            append.moved.insert((id, *group_id));
        }
        thread.apply(event.clone());
        let Some(conversation_id) = thread.conversation_id else { return };
        append.chats.insert(conversation_id);
        if thread.closed {
            // The participants of a closed thread are not needed again.
            thread.agent_ids.clear();
            remove_from(&mut self.index.open_threads, &conversation_id, &id);
        } else {
            self.index.open_threads.entry(conversation_id).or_default().insert(id);
        }
    }
}

fn check_chat(chat: &Conversation, id: ConversationId, event: &ConversationEvent, wrong: &mut Wrong) {
    let starts = matches!(event, ConversationEvent::ChatStarted { .. });
    demand(wrong, Rule::Beginnings, starts != chat.has_started(), || beginning("chat", &id, starts));
    let is_closed = chat.status == ConversationStatus::Closed;
    let is_open = |wrong: &mut Wrong| {
        demand(wrong, Rule::NothingAfterClose, !is_closed, || format!("chat {id} has ended and goes on"));
    };
    let was = |wrong: &mut Wrong, is_so: bool, what: &str| {
        demand(wrong, Rule::TrueReferences, is_closed || is_so, || format!("chat {id} had another {what} before"));
    };
    match event {
        ConversationEvent::AgentAssigned { previous_agent_id, thread_id, assignment, .. } => {
            is_open(wrong);
            demand(wrong, Rule::HumansFirst, !assignment.is_routed() || chat.agent_id.is_none(), || {
                format!("chat {id} has an agent and is routed to another")
            });
            was(wrong, chat.agent_id == *previous_agent_id, "agent");
            was(wrong, chat.active_thread_id == Some(*thread_id), "thread");
        }
        ConversationEvent::ChatReturnedToQueue { previous_agent_id, .. } => {
            is_open(wrong);
            was(wrong, chat.agent_id == *previous_agent_id, "agent");
        }
        ConversationEvent::ChatClosed { agent_id, thread_id, .. } => {
            is_open(wrong);
            was(wrong, chat.agent_id == *agent_id, "agent");
            was(wrong, chat.active_thread_id == Some(*thread_id), "thread");
        }
        ConversationEvent::ChatReopened { previous_thread_id, .. } => {
            let is_last = chat.thread_ids.last() == Some(previous_thread_id);
            demand(wrong, Rule::NothingAfterClose, is_closed, || format!("chat {id} is open and opened again"));
            demand(wrong, Rule::TrueReferences, is_last, || format!("chat {id} had another thread before"));
        }
        ConversationEvent::ChatTagged { tag_id, .. } => {
            let is_off = !chat.tag_ids.contains(tag_id);
            demand(wrong, Rule::Tagging, is_off, || format!("tag {tag_id} is put on chat {id} twice"));
        }
        ConversationEvent::ChatUntagged { tag_id, .. } => {
            let is_on = chat.tag_ids.contains(tag_id);
            demand(wrong, Rule::Tagging, is_on, || format!("tag {tag_id} is taken off chat {id} and was not on it"));
        }
        ConversationEvent::VisitorCardChanged { visitor, .. } => {
            is_open(wrong);
            was(wrong, chat.visitor_id == Some(visitor.id), "visitor");
        }
        ConversationEvent::ChatStarted { .. } => {}
    }
}

fn note_references(append: &mut Append, id: ConversationId, event: &ConversationEvent) {
    let references = &mut append.references;
    if let ConversationEvent::ChatReturnedToQueue { handover: Some(handover), .. } = event {
        references.insert(Reference::Agent(handover.by));
    }
    match event {
        ConversationEvent::ChatStarted { visitor, group_id, .. } => {
            references.extend([Reference::Visitor(visitor.id), Reference::LivingGroup(*group_id)]);
        }
        ConversationEvent::AgentAssigned { agent_id, assignment, .. } => {
            references.insert(Reference::LivingAgent(*agent_id));
            match assignment {
                Assignment::Routed { decision } => {
                    references.extend(decision.candidates.iter().map(|looked_at| Reference::Agent(looked_at.agent_id)));
                }
                Assignment::Manual { by, over_limit, .. } => {
                    references.insert(Reference::Agent(*by));
                    if *over_limit {
                        append.on_purpose.insert((*agent_id, id));
                    }
                }
            }
        }
        ConversationEvent::ChatReturnedToQueue { group_id, reason: QueueReason::Transferred, .. } => {
            references.insert(Reference::LivingGroup(*group_id));
        }
        ConversationEvent::ChatReturnedToQueue { group_id, .. } | ConversationEvent::ChatReopened { group_id, .. } => {
            references.insert(Reference::Group(*group_id));
        }
        ConversationEvent::ChatClosed { by: Participant::Agent(agent_id), .. } => {
            references.insert(Reference::Agent(*agent_id));
        }
        ConversationEvent::ChatClosed { by: Participant::Visitor(visitor_id), .. } => {
            references.insert(Reference::Visitor(*visitor_id));
        }
        ConversationEvent::ChatTagged { tag_id, by, .. } => {
            references.extend([Reference::LivingTag(*tag_id), Reference::Agent(*by)]);
        }
        ConversationEvent::ChatUntagged { tag_id, by, .. } => {
            references.extend([Reference::Tag(*tag_id), Reference::Agent(*by)]);
        }
        ConversationEvent::VisitorCardChanged { visitor, .. } => {
            references.insert(Reference::Visitor(visitor.id));
        }
    }
}

fn check_thread(thread: &Thread, id: ThreadId, event: &ThreadEvent, wrong: &mut Wrong) {
    let starts = matches!(event, ThreadEvent::ThreadStarted { .. });
    let has_started = thread.conversation_id.is_some();
    demand(wrong, Rule::Beginnings, starts != has_started, || beginning("thread", &id, starts));
    let may_follow_the_end = matches!(event, ThreadEvent::MessagesRead { .. });
    let goes_on = !thread.closed || may_follow_the_end;
    demand(wrong, Rule::NothingAfterClose, goes_on, || format!("thread {id} has ended and goes on"));
    if thread.closed || !has_started {
        return;
    }
    match event {
        ThreadEvent::MessageSent { conversation_id, author, .. } => {
            let is_here = thread.conversation_id == Some(*conversation_id);
            demand(wrong, Rule::TrueReferences, is_here, || format!("thread {id} is not of chat {conversation_id}"));
            demand(wrong, Rule::ParticipantsWrite, takes_part(thread, *author), || {
                format!("{author:?} takes no part in thread {id}")
            });
        }
        ThreadEvent::AgentJoined { agent_id, .. } => {
            let is_out = !thread.agent_ids.contains(agent_id);
            demand(wrong, Rule::Attendance, is_out, || format!("agent {agent_id} joins thread {id} twice"));
        }
        ThreadEvent::AgentLeft { agent_id, .. } => {
            let is_in = thread.agent_ids.contains(agent_id);
            demand(wrong, Rule::Attendance, is_in, || {
                format!("agent {agent_id} leaves thread {id} without being in it")
            });
        }
        ThreadEvent::ThreadStarted { .. }
        | ThreadEvent::GroupChanged { .. }
        | ThreadEvent::ThreadClosed { .. }
        | ThreadEvent::MessagesRead { .. } => {}
    }
}

fn takes_part(thread: &Thread, participant: Participant) -> bool {
    match participant {
        Participant::Visitor(visitor_id) => thread.visitor_id == Some(visitor_id),
        Participant::Agent(agent_id) => thread.agent_ids.contains(&agent_id),
    }
}

fn check_reading(
    thread: &Thread,
    (id, conversation_id): (ThreadId, ConversationId),
    (reader, up_to): (Participant, i64),
    wrong: &mut Wrong,
) {
    let is_here = thread.conversation_id.is_none_or(|known| known == conversation_id);
    demand(wrong, Rule::TrueReferences, is_here, || format!("thread {id} is not of chat {conversation_id}"));
    demand(wrong, Rule::ReadForward, up_to > thread.read_by(reader), || {
        format!("{reader:?} reads thread {id} backwards")
    });
    // The agents of a closed thread are forgotten.
    let may_read = thread.closed && matches!(reader, Participant::Agent(_)) || takes_part(thread, reader);
    demand(wrong, Rule::ReadForward, may_read, || format!("{reader:?} takes no part in thread {id} and reads it"));
}

/// How a decision contradicts itself or its outcome.
fn contradiction(decision: &RoutingDecision, chosen: AgentId) -> Option<&'static str> {
    let candidates = &decision.candidates;
    let Some(first) = candidates.first() else { return Some("looks at nobody") };
    let is_chosen = |verdict| verdict == Verdict::Chosen;
    if first.agent_id != chosen || !is_chosen(first.verdict) {
        return Some("chose somebody else");
    }
    if candidates[1..].iter().any(|candidate| is_chosen(candidate.verdict)) {
        return Some("chose two agents");
    }
    if candidates[1..].iter().any(|candidate| candidate.agent_id == chosen) {
        return Some("looks at an agent twice");
    }
    let misjudged = |candidate: &crate::assignment::Candidate| match candidate.verdict {
        Verdict::Chosen | Verdict::NotPreferred => candidate.active_chats >= candidate.chat_limit,
        Verdict::AtLimit => candidate.active_chats < candidate.chat_limit,
        Verdict::Offline | Verdict::Away | Verdict::NotAccepting => false,
    };
    if candidates.iter().any(misjudged) {
        return Some("misjudges who has a free slot");
    }
    (decision.attempt == 0).then_some("counts no attempt")
}

/// Why the beginning of a stream is wrong.
pub(super) fn beginning(what: &str, id: &dyn std::fmt::Display, starts: bool) -> String {
    if starts { format!("{what} {id} begins a second time") } else { format!("{what} {id} has not begun") }
}
