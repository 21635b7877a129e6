//! The history of a conversation's assignments, read from its stream: views hold only the last one.

use application::UseCaseError;
use application::ports::{AsOf, ReadError, Sequence, StreamEvent, StreamId};
use domain::assignment::RoutingDecision;
use domain::conversation::{Assignment, Conversation, ConversationEvent, Handover, Participant, QueueReason};
use domain::ids::{AgentId, ConversationId, GroupId, ThreadId};
use domain::text::{Name, Note};
use domain::time::Timestamp;
use projections::Page;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Reading, ReadingError};

/// The events that are read at once.
const STEP: usize = 100;

/// A change of a conversation's agent, or its end, and the reason.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ConversationAssignment")]
pub struct AssignmentView {
    /// The version of the conversation after the change.
    version: i64,
    /// The agent who serves the chat from now on; null if the chat waits or has ended.
    agent_id: Option<AgentId>,
    /// The present name, which outlasts a deletion.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    agent_name: Option<Name>,
    /// The agent who served the chat before.
    previous_agent_id: Option<AgentId>,
    /// The present name, which outlasts a deletion.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    previous_agent_name: Option<Name>,
    /// The thread of the change; null if the chat waits.
    thread_id: Option<ThreadId>,
    /// The reason of the change.
    assignment: Reason,
    /// The time of the change.
    at: Timestamp,
}

// Only agents may read it: the notes are theirs.
/// The reason of a change: a choice of an agent, a return to the queue, or the end of the chat.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[schemars(rename = "Assignment")]
enum Reason {
    /// The router has chosen the agent.
    Routed {
        /// How the router made its choice.
        decision: RoutingDecision,
    },
    /// A person has chosen the agent.
    Manual {
        /// The person who has chosen.
        by: AgentId,
        /// The person's reason.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(with = "String")]
        reason: Option<Note>,
        /// Whether the agent had no free slot, which only a supervisor may ignore.
        over_limit: bool,
    },
    /// The chat has returned to a queue.
    Returned {
        /// The cause of the return.
        cause: QueueReason,
        /// The group whose queue the chat waits in.
        group_id: GroupId,
        /// The person who has transferred the chat.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(with = "AgentId")]
        by: Option<AgentId>,
        /// The person's reason.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(with = "String")]
        reason: Option<Note>,
    },
    /// The chat was closed.
    Closed {
        /// The visitor or agent who has closed it.
        closed_by: Participant,
        /// The reason in a few words.
        reason: Name,
        /// The agent's notes.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(with = "String")]
        notes: Option<Note>,
    },
}

impl Reason {
    fn of_return(cause: QueueReason, group_id: GroupId, handover: Option<Handover>) -> Self {
        let (by, reason) = handover.map(|Handover { by, reason }| (by, reason)).unzip();
        Self::Returned { cause, group_id, by, reason: reason.flatten() }
    }
}

impl From<Assignment> for Reason {
    fn from(assignment: Assignment) -> Self {
        match assignment {
            Assignment::Routed { decision } => Self::Routed { decision },
            Assignment::Manual { by, reason, over_limit } => Self::Manual { by, reason, over_limit },
        }
    }
}

impl AssignmentView {
    /// `None` for an event that changes neither the agent nor the group.
    fn of(version: i64, event: ConversationEvent) -> Option<Self> {
        let (agent_id, previous_agent_id, thread_id, assignment, at) = match event {
            ConversationEvent::AgentAssigned { agent_id, previous_agent_id, thread_id, assignment, at } => {
                (Some(agent_id), previous_agent_id, Some(thread_id), assignment.into(), at)
            }
            ConversationEvent::ChatReturnedToQueue { group_id, previous_agent_id, reason: cause, handover, at } => {
                (None, previous_agent_id, None, Reason::of_return(cause, group_id, handover), at)
            }
            ConversationEvent::ChatClosed { by: closed_by, reason, notes, agent_id, thread_id, at } => {
                (None, agent_id, Some(thread_id), Reason::Closed { closed_by, reason, notes }, at)
            }
            ConversationEvent::ChatStarted { .. }
            | ConversationEvent::ChatReopened { .. }
            | ConversationEvent::ChatTagged { .. }
            | ConversationEvent::ChatUntagged { .. }
            | ConversationEvent::VisitorCardChanged { .. } => return None,
        };
        let (agent_name, previous_agent_name) = (None, None);
        Some(Self { version, agent_id, agent_name, previous_agent_id, previous_agent_name, thread_id, assignment, at })
    }
}

impl Reading {
    /// The assignments, returns and closings of a conversation after a version. The cursor is the version of the last one.
    /// Only agents may read them; whether the caller may is asked before, by [`Self::ensure_conversation_readable`].
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn list_assignments(
        &self,
        id: ConversationId,
        (after, limit): (Sequence, u32),
        as_of: AsOf,
    ) -> Result<Page<AssignmentView>, ReadingError> {
        let stream = StreamId::of::<Conversation>(id);
        let page = |after| self.log.read_stream_page(stream, after, STEP);
        let mut data = first_assignments(page, after, limit as usize + 1).await?;
        let has_more = data.len() > limit as usize;
        data.truncate(limit as usize);
        self.name_agents(&mut data, as_of).await?;
        let next_cursor = data.last().filter(|_| has_more).map(|last| last.version.to_string());
        Ok(Page { data, next_cursor })
    }

    async fn name_agents(&self, views: &mut [AssignmentView], as_of: AsOf) -> Result<(), UseCaseError> {
        let ids = views.iter().flat_map(|view| [view.agent_id, view.previous_agent_id]);
        let names = self.agent_names(ids.flatten().collect(), as_of).await?;
        let name = |id: Option<AgentId>| id.and_then(|id| names.get(&id).cloned());
        for view in views {
            (view.agent_name, view.previous_agent_name) = (name(view.agent_id), name(view.previous_agent_id));
        }
        Ok(())
    }
}

/// Reads as much of a stream as holds this number of assignments, or all of it.
async fn first_assignments<F: Future<Output = Result<Vec<StreamEvent>, ReadError>>>(
    read_page: impl Fn(Sequence) -> F,
    mut after: Sequence,
    number: usize,
) -> Result<Vec<AssignmentView>, UseCaseError> {
    let mut found = vec![];
    loop {
        let events = read_page(after).await?;
        let is_last = events.len() < STEP;
        for event in events {
            after = event.sequence;
            found.extend(AssignmentView::of(event.sequence, serde_json::from_value(event.payload)?));
        }
        if is_last || found.len() >= number {
            return Ok(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;

    const ANNA: AgentId = AgentId::new(Uuid::from_u128(1));
    const AT: Timestamp = Timestamp::from_micros(0);

    fn shown(event: ConversationEvent) -> Option<Value> {
        AssignmentView::of(3, event).map(|view| serde_json::to_value(view).unwrap())
    }

    #[test]
    fn closing_shows_the_agent_who_served_the_chat_and_the_notes() {
        let (by, agent_id) = (Participant::Agent(ANNA), Some(ANNA));
        let (reason, notes) = (Name::parse("solved").unwrap(), Some(Note::parse("was kind").unwrap()));
        let thread_id = ThreadId::default();
        let view = shown(ConversationEvent::ChatClosed { by, reason, notes, agent_id, thread_id, at: AT }).unwrap();
        assert_eq!(
            (&view["version"], &view["previousAgentId"], &view["agentId"]),
            (&json!(3), &json!(ANNA), &json!(null))
        );
        let closing = json!({ "kind": "closed", "closedBy": by, "reason": "solved", "notes": "was kind" });
        assert_eq!(view["assignment"], closing);
    }

    #[test]
    fn return_shows_its_cause_and_the_group_that_the_chat_waits_in() {
        let (group_id, reason) = (GroupId::default(), QueueReason::AgentOffline);
        let (previous_agent_id, handover) = (Some(ANNA), None);
        let event = ConversationEvent::ChatReturnedToQueue { group_id, previous_agent_id, reason, handover, at: AT };
        let view = shown(event).unwrap();
        assert_eq!(view["assignment"], json!({ "kind": "returned", "cause": reason, "groupId": group_id }));
        assert_eq!((&view["previousAgentId"], &view["threadId"]), (&json!(ANNA), &json!(null)));
    }

    /// Asks for a number of assignments of a stream of 1,000 events, of which every tenth is one. Returns their versions and the
    /// number of events that were read.
    async fn asked(after: Sequence, number: usize) -> (Vec<Sequence>, usize) {
        let returned = |sequence| {
            let event = match sequence % 10 {
                0 => ConversationEvent::ChatReturnedToQueue {
                    group_id: GroupId::default(),
                    previous_agent_id: Some(ANNA),
                    reason: QueueReason::AgentOffline,
                    handover: None,
                    at: AT,
                },
                _ => ConversationEvent::ChatTagged { tag_id: Default::default(), by: ANNA, at: AT },
            };
            StreamEvent { sequence, payload: serde_json::to_value(event).unwrap() }
        };
        let read = std::cell::Cell::new(0);
        let page = |after| {
            let events: Vec<_> = (after + 1..=1_000).take(STEP).map(returned).collect();
            read.set(read.get() + events.len());
            std::future::ready(Ok(events))
        };
        let found = first_assignments(page, after, number).await.unwrap();
        (found.iter().map(|view| view.version).collect(), read.get())
    }

    #[tokio::test]
    async fn page_reads_no_more_of_a_long_history_than_it_shows() {
        let (all, read) = asked(0, usize::MAX).await;
        assert_eq!((all.len(), read), (100, 1_000));
        for (after, number, most) in [(0, 2, 100), (0, 11, 200), (490, 11, 200), (985, 5, 15)] {
            let (found, read) = asked(after, number).await;
            let expected: Vec<_> = all.iter().copied().filter(|version| *version > after).collect();
            assert!(found.len() >= number.min(expected.len()) && expected.starts_with(&found), "{found:?}");
            assert!(read <= most, "{read} events were read for {number} after {after}");
        }
    }

    #[test]
    fn tags_are_not_part_of_the_history() {
        let tagged = ConversationEvent::ChatTagged { tag_id: Default::default(), by: ANNA, at: AT };
        assert_eq!(shown(tagged), None);
    }
}
