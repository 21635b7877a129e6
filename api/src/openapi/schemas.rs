//! What answers look like to clients: the twins of the read models and of what handlers write. Every answer that a test
//! sees is compared with them.
//!
//! Their comments are the descriptions in the document.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value};

use super::values::{
    AgentStatusName, AuthorTypeName, ConversationStatusName, Id, QueueReasonName, RoleName, RoutingStrategyName,
    SystemTypeName, ThreadEventType, VerdictName,
};

/// RFC 3339 in UTC with microseconds.
pub struct Time;

impl JsonSchema for Time {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let shape = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$";
        json_schema!({ "type": "string", "format": "date-time", "pattern": shape })
    }
}

macro_rules! schemas {
    ($($(#[doc = $doc:literal])+ $name:ident $(($serde:meta))? {
        $($(#[doc = $field_doc:literal])* $(#[schemars $attribute:tt])* $field:ident: $type:ty,)+
    })+) => {$(
        $(#[doc = $doc])+
        #[derive(JsonSchema)]
        #[schemars(rename_all = "camelCase")]
        $(#[$serde])?
        pub struct $name {
            $(
                $(#[doc = $field_doc])+
                $(#[schemars $attribute])*
                pub $field: $type,
            )+
        }
    )+};
}

/// A part of a list.
#[derive(JsonSchema)]
#[schemars(rename = "PageOf{T}", rename_all = "camelCase")]
pub struct Page<T> {
    /// The items, in the order of the list.
    pub data: Vec<T>,
    /// Give this as `cursor` for the next page; null on the last one.
    pub next_cursor: Option<String>,
}

/// A list that has only one page.
#[derive(JsonSchema)]
#[schemars(rename = "ListOf{T}")]
pub struct List<T> {
    /// The items.
    pub data: Vec<T>,
}

schemas! {
    /// Tokens of an agent who has logged in. The names of the tokens are those of OAuth 2.0.
    LoggedIn {
        /// Goes into the Authorization header of every request.
        #[schemars(rename = "access_token")]
        access_token: String,
        /// How many seconds the access token lasts.
        expires_in: i64,
        /// Good for one renewal; using it twice ends the session.
        #[schemars(rename = "refresh_token")]
        refresh_token: String,
        /// Who has logged in.
        agent: AgentSummary,
    }
    /// Who has logged in.
    AgentSummary {
        /// Their id.
        id: Id,
        /// Their name.
        name: Option<String>,
        /// Their e-mail address.
        email: Option<String>,
        /// What they may do.
        role: RoleName,
        /// Whether they are at work.
        status: AgentStatusName,
    }
    /// An agent.
    Agent {
        /// Their id.
        id: Id,
        /// Their name.
        name: String,
        /// Their e-mail address; unique among agents who are not deleted, in upper or lower case.
        email: String,
        /// What they may do.
        role: RoleName,
        /// Whether they are at work.
        status: AgentStatusName,
        /// Whether they take new chats.
        accepting_chats: bool,
        /// The most chats at once.
        max_concurrent_chats: i64,
        /// The chats they serve now.
        active_chats: i64,
        /// A picture of them.
        avatar: Option<String>,
        /// Their groups.
        group_ids: Vec<Id>,
        /// When they were registered.
        created_at: Time,
        /// When anything of theirs changed.
        updated_at: Time,
        /// For If-Match.
        version: i64,
        /// True when they were deleted; absent otherwise.
        #[schemars(skip_serializing_if = "Option::is_none", with = "bool")]
        deleted: Option<bool>,
    }
    /// What came of a heartbeat.
    Heartbeat {
        /// When the session's lease ends, unless another heartbeat comes.
        lease_ends_at: Time,
        /// How many seconds after the end of their last lease an agent who is online becomes away.
        grace_seconds: u64,
        /// The agent's status now.
        status: AgentStatusName,
    }
    /// What an agent did lately.
    AgentStats {
        /// Who.
        agent_id: Id,
        /// The time up to which this counts.
        as_of: Time,
        /// The chats they serve now.
        active_chats: i64,
        /// The most chats at once.
        max_concurrent_chats: i64,
        /// Whether the router gives them chats.
        availability: Availability,
        /// The chats that came to them.
        chats: Recent,
        /// The messages they sent.
        messages_sent: Recent,
        /// From joining a chat to the first message, in the chats of the last 30 days that they answered; null without any.
        first_response_seconds: Option<Percentiles>,
        /// How long they served the chats of the last 30 days that they serve no more; null without any.
        chat_duration_seconds: Option<Percentiles>,
        /// Always null: reserved for visitors' ratings, which this version does not collect.
        rating: Option<f64>,
    }
    /// Whether the router gives an agent chats.
    Availability {
        /// Whether they are at work.
        status: AgentStatusName,
        /// Whether they take new chats.
        accepting_chats: bool,
        /// How many chats more are within their limit.
        free_slots: u32,
        /// Whether they would get a chat now.
        available: bool,
    }
    /// Something that is counted, by UTC days.
    Recent {
        /// Since midnight UTC.
        today: u64,
        /// Today and on the six days before.
        last7_days: u64,
        /// Today and on the 29 days before.
        last30_days: u64,
    }
    /// Spans of time: the shortest that is at least as long as so many percent of all.
    Percentiles {
        /// How many were measured.
        count: u64,
        /// Half of them took at most so many seconds.
        p50: f64,
        /// Nine tenths of them took at most so many seconds.
        p90: f64,
    }
    /// A group of agents.
    Group {
        /// Its id.
        id: Id,
        /// Its name.
        name: String,
        /// What it is for.
        description: Option<String>,
        /// How its chats find their agents.
        routing_strategy: RoutingStrategyName,
        /// Whether it takes the chats that name no group.
        is_default: bool,
        /// Its agents.
        agent_ids: Vec<Id>,
        /// For If-Match.
        version: i64,
        /// True when it was deleted; absent otherwise.
        #[schemars(skip_serializing_if = "Option::is_none", with = "bool")]
        deleted: Option<bool>,
    }
    /// A tag for conversations.
    Tag {
        /// Its id.
        id: Id,
        /// Its name; unique among tags that are not deleted, in upper or lower case.
        name: String,
        /// Its colour as #RRGGBB.
        color: Option<String>,
        /// For If-Match.
        version: i64,
        /// True when it was deleted; absent otherwise.
        #[schemars(skip_serializing_if = "Option::is_none", with = "bool")]
        deleted: Option<bool>,
    }
    /// A chat that has begun, and the visitor's token.
    WidgetSession {
        /// The visitor's bearer token. Keep it: with it, a returning visitor goes on with their open chat.
        session_token: String,
        /// The visitor.
        visitor_id: Id,
        /// The chat.
        conversation_id: Id,
        /// The thread that takes messages.
        thread_id: Id,
        /// Where the chat stands.
        status: ConversationStatusName,
        /// Its place in its group's queue, from 1; absent when an agent serves it.
        #[schemars(skip_serializing_if = "Option::is_none", with = "i64")]
        queue_position: Option<i64>,
    }
    /// A visitor as they introduced themselves when the chat began.
    Visitor {
        /// Who.
        id: Id,
        /// Their name.
        name: Option<String>,
        /// Their e-mail address.
        email: Option<String>,
        /// Their telephone number.
        phone: Option<String>,
    }
    /// A conversation: everything between a visitor and the agents about one matter.
    Conversation {
        /// Its id.
        id: Id,
        /// Where it stands.
        status: ConversationStatusName,
        /// Who asks.
        visitor: Visitor,
        /// The group that serves it.
        group_id: Id,
        /// The agent who serves it now.
        assigned_agent_id: Option<Id>,
        /// The same with their name, which stays when they are deleted.
        assigned_agent: Option<AgentLabel>,
        /// The agent who serves it, or served it last; also while it waits or is closed.
        last_agent_id: Option<Id>,
        /// The same with their name.
        last_agent: Option<AgentLabel>,
        /// The thread that takes messages; null while it is closed.
        active_thread_id: Option<Id>,
        /// All threads, oldest first.
        thread_ids: Vec<Id>,
        /// The tags on it.
        tag_ids: Vec<Id>,
        /// The same with their names and colours, which stay when they are deleted; not told to visitors.
        #[schemars(skip_serializing_if = "Option::is_none", with = "Vec<TagLabel>")]
        tags: Option<Vec<TagLabel>>,
        /// Its place in its group's queue, from 1, while it waits.
        queue_position: Option<i64>,
        /// When the last message came.
        last_message_at: Option<Time>,
        /// When it began.
        created_at: Time,
        /// When it ended, unless it was opened again.
        closed_at: Option<Time>,
        /// Grows with every change.
        version: i64,
    }
    /// An agent by name.
    AgentLabel {
        /// Their id.
        id: Id,
        /// Their name.
        name: String,
    }
    /// A tag as it is shown.
    TagLabel {
        /// Its id.
        id: Id,
        /// Its name.
        name: String,
        /// Its colour as #RRGGBB.
        color: Option<String>,
    }
    /// How many conversations stand where.
    ConversationCounts {
        /// Those that wait.
        pending: i64,
        /// Those that an agent serves.
        active: i64,
        /// Those that have ended.
        closed: i64,
        /// All of them.
        total: i64,
    }
    /// What came of a change of many conversations.
    BulkResults {
        /// Each of them, in the order in which they were asked for.
        data: Vec<BulkResult>,
        /// How many were changed, or had nothing to change.
        succeeded: u32,
        /// How many were refused.
        failed: u32,
    }
    /// What came of one conversation.
    BulkResult {
        /// Which.
        conversation_id: Id,
        /// As its own call would have been answered.
        status: u16,
        /// Where the change is in the log; null when there was nothing to change.
        position: Option<i64>,
        /// Why it was refused; only then.
        #[schemars(skip_serializing_if = "Option::is_none", with = "Problem")]
        problem: Option<Problem>,
    }
    /// A message or a system event.
    ThreadEvent {
        /// Its id.
        id: Id,
        /// Its place in the log, which orders the thread.
        position: i64,
        /// Its thread.
        thread_id: Id,
        /// A message, or a system event.
        #[schemars(rename = "type")]
        kind: ThreadEventType,
        /// What kind of author.
        author_type: AuthorTypeName,
        /// The author; null of system events.
        author_id: Option<Id>,
        /// The name of an agent who wrote it, which stays when they are deleted.
        #[schemars(skip_serializing_if = "Option::is_none", with = "String")]
        author_name: Option<String>,
        /// The message, or the system event as a sentence.
        content: String,
        /// What happened; only of system events.
        #[schemars(skip_serializing_if = "Option::is_none", with = "SystemTypeName")]
        system_type: Option<SystemTypeName>,
        /// The id that the author's client gave to the message.
        #[schemars(skip_serializing_if = "Option::is_none", with = "String")]
        client_event_id: Option<String>,
        /// What the client sent with the message, or the facts of the system event.
        #[schemars(skip_serializing_if = "Option::is_none", with = "Map<String, Value>")]
        metadata: Option<Map<String, Value>>,
        /// When it happened.
        created_at: Time,
    }
    /// How a visitor introduced themselves; empty after an erasure.
    Profile {
        /// Their name.
        #[schemars(skip_serializing_if = "Option::is_none", with = "String")]
        name: Option<String>,
        /// Their e-mail address.
        #[schemars(skip_serializing_if = "Option::is_none", with = "String")]
        email: Option<String>,
        /// Their telephone number.
        #[schemars(skip_serializing_if = "Option::is_none", with = "String")]
        phone: Option<String>,
    }
    /// All that is known of a visitor.
    PersonalData {
        /// Their id.
        visitor_id: Id,
        /// When it was read.
        exported_at: Time,
        /// Where the log ended then.
        position: i64,
        /// Whether their personal data was erased.
        erased: bool,
        /// How they have introduced themselves so far.
        profile: Profile,
        /// What they did, and every way in which they have introduced themselves.
        history: Vec<Fact>,
        /// Their conversations, oldest first.
        conversations: Vec<PersonalConversation>,
    }
    /// A conversation of a visitor.
    PersonalConversation {
        /// Its id.
        id: Id,
        /// What happened to it.
        history: Vec<Fact>,
        /// What was said in its threads, by the visitor and by agents.
        events: Vec<ThreadEvent>,
    }
    /// Something that happened to a visitor or to one of their conversations.
    Fact {
        /// Its place in the log.
        position: i64,
        /// What: `registered`, `reintroduced`, `shown`, `chat_opened`, `chat_ended`, `personal_data_erased` of visitors;
        /// `started`, `assigned`, `returned_to_queue`, `closed`, `reopened`, `tagged`, `untagged`, `visitor_introduced` of
        /// conversations.
        #[schemars(rename = "type")]
        kind: String,
        /// When.
        at: Time,
        /// The visitor's name, as they gave it then.
        #[schemars(skip_serializing_if = "Option::is_none", with = "String")]
        name: Option<String>,
        /// The same of their e-mail address.
        #[schemars(skip_serializing_if = "Option::is_none", with = "String")]
        email: Option<String>,
        /// The same of their telephone number.
        #[schemars(skip_serializing_if = "Option::is_none", with = "String")]
        phone: Option<String>,
        /// Who did it: `type` is `visitor` or `agent`.
        #[schemars(skip_serializing_if = "Option::is_none", with = "Map<String, Value>")]
        by: Option<Map<String, Value>>,
        /// Why a conversation was closed.
        #[schemars(skip_serializing_if = "Option::is_none", with = "String")]
        reason: Option<String>,
        /// What the agent who closed it wanted to remember.
        #[schemars(skip_serializing_if = "Option::is_none", with = "String")]
        notes: Option<String>,
        /// The conversation, of what happened to the visitor.
        #[schemars(skip_serializing_if = "Option::is_none", with = "Id")]
        conversation_id: Option<Id>,
        /// The agent who got the conversation.
        #[schemars(skip_serializing_if = "Option::is_none", with = "Id")]
        agent_id: Option<Id>,
        /// The group whose chat it is.
        #[schemars(skip_serializing_if = "Option::is_none", with = "Id")]
        group_id: Option<Id>,
        /// Who chose the agent: `router` or `person`.
        #[schemars(skip_serializing_if = "Option::is_none", with = "String")]
        chosen_by: Option<String>,
        /// A tag.
        #[schemars(skip_serializing_if = "Option::is_none", with = "Id")]
        tag_id: Option<Id>,
        /// Its name.
        #[schemars(skip_serializing_if = "Option::is_none", with = "String")]
        tag: Option<String>,
    }
    /// What an erasure has done. The numbers are of this time: done again, they are 0.
    Erasure {
        /// The visitor.
        visitor_id: Id,
        /// How many stored payloads were replaced.
        payloads: u64,
        /// How many of them were messages.
        messages: u64,
        /// Whether the visitor had an open chat, which was closed.
        closed_chat: bool,
        /// How many kept answers to requests with an Idempotency-Key were taken away.
        answers: u64,
        /// Whether nothing of it is left in SQLite's write-ahead log. With MySQL that is not looked at: see the manual about
        /// its logs.
        off_the_disk: bool,
        /// Whether the read models show it. If not, they follow; erase again to be sure.
        read_models: bool,
    }
    /// A change of hands of a conversation or its end, and how it came about.
    ConversationAssignment {
        /// The version that the conversation got with it.
        version: i64,
        /// Who was chosen; null when the chat waits again or has ended.
        agent_id: Option<Id>,
        /// Their name.
        #[schemars(skip_serializing_if = "Option::is_none", with = "String")]
        agent_name: Option<String>,
        /// Who served the chat before.
        previous_agent_id: Option<Id>,
        /// Their name.
        #[schemars(skip_serializing_if = "Option::is_none", with = "String")]
        previous_agent_name: Option<String>,
        /// In which thread; null when the chat waits again.
        thread_id: Option<Id>,
        /// Who chose, and why; or how it ended.
        assignment: Assignment,
        /// When.
        at: Time,
    }
    /// How the router came to its choice.
    RoutingDecision {
        /// The group's strategy.
        strategy: RoutingStrategyName,
        /// The chosen agent first, then the others.
        candidates: Vec<Candidate>,
        /// How many more agents were looked at than are listed.
        omitted_candidates: u32,
        /// How often the router has tried for this wait; 1 is the first.
        attempt: u32,
    }
    /// An agent of the group, as the router saw them.
    Candidate {
        /// Who.
        agent_id: Id,
        /// What was found.
        verdict: VerdictName,
        /// Chats served or just being handed over.
        active_chats: u32,
        /// The most chats at once.
        chat_limit: u32,
    }
    /// A chat that waits.
    QueuedChat {
        /// The chat.
        conversation_id: Id,
        /// The group in whose queue it is.
        group_id: Id,
        /// Its place in that queue, from 1.
        queue_position: i64,
        /// When it began to wait.
        waiting_since: Time,
        /// How often an assignment has failed.
        attempts: u32,
        /// When the router tries again; at the next occasion when null.
        next_attempt_at: Option<Time>,
        /// Why the last attempt failed.
        last_error: Option<String>,
    }
    /// The queue of a group in figures.
    QueueStats {
        /// The group.
        group_id: Id,
        /// How many chats wait.
        waiting: i64,
        /// How long the first of them has waited, in seconds.
        longest_wait_seconds: u64,
        /// When the router next tries again what failed; it tries the rest when something happens.
        next_attempt_at: Option<Time>,
    }
    /// That the service answers, and which version it is.
    Health {
        /// Always `ok`.
        status: String,
        /// Always `livechatlog`.
        service: String,
        /// The program's version.
        version: String,
    }
    /// An event of the log, with what proves it. Bytes are in lower-case hexadecimal.
    AuditEvent {
        /// Its place in the log.
        position: i64,
        /// When it was recorded.
        recorded_at: Time,
        /// On whose behalf.
        actor: String,
        /// The kind of its stream.
        aggregate_type: String,
        /// The id of its stream.
        aggregate_id: Id,
        /// Its place in the stream.
        sequence: i64,
        /// Its name.
        #[schemars(rename = "type")]
        event_type: String,
        /// The version of its form.
        version: String,
        /// What happened: the JSON that the digest was made of, byte for byte.
        payload: Map<String, Value>,
        /// More about it.
        metadata: Map<String, Value>,
        /// Its id.
        event_id: Id,
        /// The command that it answers.
        command_id: Id,
        /// The event that caused the command; null when none did.
        causation_id: Option<Id>,
        /// What ties together all that one request or event has set off.
        correlation_id: Id,
        /// What the payload's digest was made with; null when the payload was erased.
        salt: Option<String>,
        /// SHA-256 of salt and payload.
        digest: String,
        /// The hash chain up to here.
        hash: String,
    }
    /// That the service answers.
    Liveness {
        /// Always `ok`.
        status: String,
    }
    /// That something in the service has broken down for good.
    Broken {
        /// Always `broken`.
        status: String,
        /// What has ended; a restart is needed.
        ended: Vec<String>,
    }
    /// Whether the service can do its work.
    Readiness {
        /// `ready` or `not ready`.
        status: String,
        /// What was looked at.
        checks: Vec<Check>,
    }
    /// Something that the service depends on.
    Check {
        /// Its name.
        name: String,
        /// Whether it works.
        ok: bool,
        /// Whether the service can do its work without it.
        required: bool,
        /// What is wrong.
        #[schemars(skip_serializing_if = "Option::is_none", with = "String")]
        reason: Option<String>,
    }
    /// A refusal or failure, as RFC 9457 has it.
    Problem {
        /// `urn:livechatlog:problem:` and the code.
        r#type: String,
        /// The status in words.
        title: String,
        /// The status code.
        status: u16,
        /// What programs may rely on.
        code: String,
        /// What is wrong, for people.
        detail: String,
        /// The request's id, under which the server's log may say more.
        instance: String,
        /// What is wrong with which field; only where fields are wrong.
        #[schemars(skip_serializing_if = "Option::is_none", with = "Vec<FieldProblem>")]
        errors: Option<Vec<FieldProblem>>,
        /// The version of the resource now; only with 412.
        #[schemars(skip_serializing_if = "Option::is_none", with = "i64")]
        current_version: Option<i64>,
    }
    /// What is wrong with one field, parameter or header.
    FieldProblem {
        /// Its name in the request.
        field: String,
        /// What is wrong.
        message: String,
    }
}

/// A visitor or an agent.
#[derive(JsonSchema)]
pub struct Participant {
    /// Which of the two.
    pub r#type: ParticipantType,
    /// Their id.
    pub id: Id,
}

/// What kind of participant.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum ParticipantType {
    /// The visitor.
    Visitor,
    /// An agent.
    Agent,
}

/// Who chose the agent, and why; why the chat waits again; or how it ended.
#[derive(JsonSchema)]
#[schemars(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Assignment {
    /// The router did.
    Routed {
        /// How it came to its choice.
        decision: RoutingDecision,
    },
    /// A person did.
    Manual {
        /// Who.
        by: Id,
        /// Their reason.
        #[schemars(skip_serializing_if = "Option::is_none", with = "String")]
        reason: Option<String>,
        /// Whether the agent had no free slot, which only a supervisor may ignore.
        over_limit: bool,
    },
    /// Nobody; it waits again.
    Returned {
        /// Why.
        cause: QueueReasonName,
        /// In which queue.
        group_id: Id,
        /// Who transferred it.
        #[schemars(skip_serializing_if = "Option::is_none", with = "Id")]
        by: Option<Id>,
        /// Their reason.
        #[schemars(skip_serializing_if = "Option::is_none", with = "String")]
        reason: Option<String>,
    },
    /// Nobody; it was closed.
    Closed {
        /// Who closed it.
        closed_by: Participant,
        /// Why, in a few words.
        reason: String,
        /// What the agent wanted to remember.
        #[schemars(skip_serializing_if = "Option::is_none", with = "String")]
        notes: Option<String>,
    },
}
