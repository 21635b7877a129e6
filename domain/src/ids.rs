//! Identifiers: each kind has its own type, all are UUIDs in lower case.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What every identifier of a thing can do.
pub trait EntityId: Copy + fmt::Debug + fmt::Display + Send + Sync + 'static {
    /// The UUID inside.
    fn uuid(self) -> Uuid;
    /// Wraps a UUID.
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
    /// Names a conversation.
    ConversationId,
    /// Names a thread of a conversation.
    ThreadId,
    /// Names an agent.
    AgentId,
    /// Names a visitor.
    VisitorId,
    /// Names a group of agents.
    GroupId,
    /// Names a tag.
    TagId,
    /// Names an event in the log, and with it a message or system event in a thread.
    EventId,
    /// Names a command; the same id again is the same command.
    CommandId,
    /// Names the claim on one e-mail address.
    EmailClaimId,
    /// Names the claim on one tag's name.
    TagNameClaimId,
    /// Names the session that begins with an agent's log-in.
    SessionId,
    /// Names the workspace; there is one.
    WorkspaceId,
}

impl WorkspaceId {
    /// The one workspace of an installation.
    pub const ONLY: Self = Self(Uuid::from_u128(1));
}

/// The namespace of this project's name-based (version 5) UUIDs.
const NAMESPACE: Uuid = Uuid::from_u128(0x6c69_7665_6368_4174_8c6f_6700_0000_0001);

impl EmailClaimId {
    /// The claim of an address: upper and lower case name the same one.
    #[must_use]
    pub fn of(email: &crate::text::EmailAddress) -> Self {
        Self(Uuid::new_v5(&NAMESPACE, format!("email:{}", email.key()).as_bytes()))
    }
}

impl TagNameClaimId {
    /// The claim of a name: upper and lower case name the same one.
    #[must_use]
    pub fn of(name: &crate::text::Name) -> Self {
        Self(Uuid::new_v5(&NAMESPACE, format!("tag:{}", name.as_str().trim().to_lowercase()).as_bytes()))
    }
}

impl CommandId {
    /// The id of a command that repeats with its cause: the same parts give the same id.
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
