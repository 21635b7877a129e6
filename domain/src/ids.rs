//! Identifiers: each kind has its own type, all are UUIDs in lower case.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An identifier: a UUID with a type of its own.
pub trait EntityId: Copy + fmt::Debug + fmt::Display + Send + Sync + 'static {
    /// The UUID without its type.
    fn uuid(self) -> Uuid;
    /// Gives a UUID this type, without a check that the thing exists.
    fn from_uuid(uuid: Uuid) -> Self;
}

macro_rules! id {
    ($(#[doc = $doc:literal] $name:ident),+ $(,)?) => {$(
        #[doc = $doc]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID.
            #[must_use]
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl EntityId for $name {
            fn uuid(self) -> Uuid {
                self.0
            }

            fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::try_parse(text).map(Self)
            }
        }
    )+};
}

id! {
    /// A chat of a visitor through all its threads.
    ConversationId,
    /// One phase of a conversation.
    ThreadId,
    /// A person who answers chats.
    AgentId,
    /// A person who asks for help.
    VisitorId,
    /// A team of agents.
    GroupId,
    /// A label for conversations.
    TagId,
    /// An event in the log; messages and system events in a thread have the id of their event.
    EventId,
    /// A command: a repeated id means the same command.
    CommandId,
    /// The claim on an e-mail address.
    EmailClaimId,
    /// The claim on a tag's name.
    TagNameClaimId,
    /// A session, from an agent's log-in to its end.
    SessionId,
    /// The workspace: an installation has one.
    WorkspaceId,
}

impl WorkspaceId {
    /// The one workspace of an installation.
    pub const ONLY: Self = Self(Uuid::from_u128(1));
}

/// The namespace of this project's name-based (version 5) UUIDs.
const NAMESPACE: Uuid = Uuid::from_u128(0x6c69_7665_6368_4174_8c6f_6700_0000_0001);

impl EmailClaimId {
    /// The claim on an address, in whatever case it is written.
    #[must_use]
    pub fn of(email: &crate::text::EmailAddress) -> Self {
        Self(Uuid::new_v5(&NAMESPACE, format!("email:{}", email.key()).as_bytes()))
    }
}

impl TagNameClaimId {
    /// The claim on a name, in whatever case it is written, and whatever is in it that cannot be seen.
    #[must_use]
    pub fn of(name: &crate::text::Name) -> Self {
        Self(Uuid::new_v5(&NAMESPACE, format!("tag:{}", crate::text::folded(name.as_str())).as_bytes()))
    }
}

impl CommandId {
    /// An id that repeats with the command's cause: equal parts give equal ids. The parts must be ids and fixed words, never
    /// what people or their clients have chosen: everybody can derive the same id.
    #[must_use]
    pub fn derived(parts: &[&str]) -> Self {
        let mut name = String::from("command");
        for part in parts {
            // The length keeps ("ab", "c") apart from ("a", "bc").
            name.push_str(&format!(":{}:{part}", part.len()));
        }
        Self(Uuid::new_v5(&NAMESPACE, name.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::EmailAddress;

    #[test]
    fn derived_command_ids_repeat_and_tell_parts_apart() {
        assert_eq!(CommandId::derived(&["ab", "c"]), CommandId::derived(&["ab", "c"]));
        assert_ne!(CommandId::derived(&["ab", "c"]), CommandId::derived(&["a", "bc"]));
    }

    #[test]
    fn claim_ignores_the_case_of_an_address() {
        let upper = EmailAddress::parse("Anna@Example.COM").unwrap();
        let lower = EmailAddress::parse("anna@example.com").unwrap();
        assert_eq!(EmailClaimId::of(&upper), EmailClaimId::of(&lower));
    }
}
