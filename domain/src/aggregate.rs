//! What all aggregates share.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::EntityId;

/// An event-sourced aggregate: a cqrs-es aggregate whose rules are a pure function.
pub trait Root: cqrs_es::Aggregate<Services = ()> + Clone + fmt::Debug + 'static {
    /// The type of this aggregate's id.
    type Id: EntityId;

    /// The kind of stream that holds this aggregate's events.
    const KIND: AggregateType;

    /// Names the shape of the serialised state: a snapshot with another fingerprint is ignored. Increase it with every
    /// change of the state's fields or of how events are applied.
    const FINGERPRINT: &'static str;

    /// The version that `If-Match` compares, in a stream of `events` events.
    fn edited_version(&self, events: i64) -> i64 {
        events
    }

    /// Decides which events `command` causes in the present state; none means that there is nothing to do.
    ///
    /// # Errors
    /// If a rule forbids the command.
    fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Error>;
}

/// The kinds of event streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AggregateType {
    /// A visitor's chat through all its threads.
    Conversation,
    /// One phase of a conversation, with its messages.
    Thread,
    /// A person who answers chats.
    Agent,
    /// A person who asks for help.
    Visitor,
    /// A team of agents with its routing strategy.
    Group,
    /// A label for conversations.
    Tag,
    /// The claim on an e-mail address.
    EmailClaim,
    TagNameClaim,
    /// The installation's one default group, and its admins.
    Workspace,
}

impl AggregateType {
    /// Every kind, in order of declaration.
    pub const ALL: [Self; 9] = [
        Self::Conversation,
        Self::Thread,
        Self::Agent,
        Self::Visitor,
        Self::Group,
        Self::Tag,
        Self::EmailClaim,
        Self::TagNameClaim,
        Self::Workspace,
    ];

    /// As in the `aggregate_type` column.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Conversation => "conversation",
            Self::Thread => "thread",
            Self::Agent => "agent",
            Self::Visitor => "visitor",
            Self::Group => "group",
            Self::Tag => "tag",
            Self::EmailClaim => "email_claim",
            Self::TagNameClaim => "tag_name_claim",
            Self::Workspace => "workspace",
        }
    }

    /// Whether the state holds personal data. Such states stay in memory: a snapshot that is written during an erasure
    /// could bring the data back.
    #[must_use]
    pub const fn holds_personal_data(self) -> bool {
        matches!(self, Self::Visitor)
    }

    /// The inverse of [`Self::as_str`].
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl fmt::Display for AggregateType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Ties an aggregate's `decide` and `on` functions to the traits of cqrs-es.
macro_rules! aggregate {
    ($root:ty, $kind:ident, $id:ty, $command:ty, $event:ty, $error:ty) => {
        $crate::aggregate::aggregate!($root, $kind, $id, $command, $event, $error, "1");
    };
    (
        $root:ty, $kind:ident, $id:ty, $command:ty, $event:ty, $error:ty, $shape:literal
        $(, |$state:ident, $events:ident| $version:expr)?
    ) => {
        impl cqrs_es::Aggregate for $root {
            const TYPE: &'static str = $crate::aggregate::AggregateType::$kind.as_str();
            type Command = $command;
            type Event = $event;
            type Error = $error;
            type Services = ();

            async fn handle(
                &mut self,
                command: Self::Command,
                _services: &Self::Services,
                sink: &cqrs_es::event_sink::EventSink<Self>,
            ) -> Result<(), Self::Error> {
                for event in $crate::aggregate::Root::decide(self, command)? {
                    sink.write(event, self).await;
                }
                Ok(())
            }

            fn apply(&mut self, event: Self::Event) {
                self.on(event);
            }
        }

        #[cfg(test)]
        impl $crate::testing::EventOf for $event {
            type Aggregate = $root;
        }

        impl $crate::aggregate::Root for $root {
            type Id = $id;
            const KIND: $crate::aggregate::AggregateType = $crate::aggregate::AggregateType::$kind;
            const FINGERPRINT: &'static str = concat!(stringify!($kind), "/", $shape);

            $(fn edited_version(&self, $events: i64) -> i64 {
                let $state = self;
                $version
            })?

            fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Error> {
                self.decide_command(command)
            }
        }
    };
}

/// Gives an event enum its wire names and versions, for the log's `event_type` and `event_version` columns.
macro_rules! events {
    ($event:ty { $($variant:ident => $version:literal),+ $(,)? }) => {
        impl cqrs_es::DomainEvent for $event {
            fn event_type(&self) -> String {
                match self { $(Self::$variant { .. } => stringify!($variant).to_owned()),+ }
            }

            fn event_version(&self) -> String {
                match self { $(Self::$variant { .. } => $version.to_owned()),+ }
            }
        }
    };
}

pub(crate) use {aggregate, events};
