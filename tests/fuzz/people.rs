//! Everybody who calls.

use harness::Rng;

/// The callers that each operation meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Nobody,
    /// A visitor, about their own chat.
    Visitor,
    /// A visitor, about somebody else's chat.
    Stranger,
    /// The agent who serves the chat, if there is one.
    ChatAgent,
    /// An agent of another group.
    Outsider,
    Supervisor,
    Admin,
}

impl Role {
    pub const ALL: [Self; 7] =
        [Self::Nobody, Self::Visitor, Self::Stranger, Self::ChatAgent, Self::Outsider, Self::Supervisor, Self::Admin];

    /// A role that is likely to be let in: it has the least one that the operation asks for, or more.
    pub fn likely(rng: &mut Rng, least: &str) -> Self {
        let from: &[Self] = match least {
            "public" => &Self::ALL,
            "participant" => {
                &[Self::Visitor, Self::Visitor, Self::ChatAgent, Self::ChatAgent, Self::Supervisor, Self::Admin]
            }
            "agent" => {
                &[Self::ChatAgent, Self::ChatAgent, Self::Outsider, Self::Supervisor, Self::Supervisor, Self::Admin]
            }
            "supervisor" => &[Self::Supervisor, Self::Admin],
            _ => &[Self::Admin],
        };
        *rng.pick(from)
    }
}

/// An agent of any role, with what they log in with.
#[derive(Clone, Debug)]
pub struct Member {
    pub id: String,
    pub email: String,
    pub password: String,
    /// None when the session has ended, or may have.
    pub token: Option<String>,
}

/// A visitor with a chat.
#[derive(Clone, Debug)]
pub struct Guest {
    pub id: String,
    pub token: String,
    pub conversation_id: String,
}

/// The agents of the fuzzer, by their places in [`Staff::members`].
#[derive(Debug, Default)]
pub struct Staff {
    pub members: Vec<Member>,
}

impl Staff {
    /// What is hired, in the order of `members`: role, and whether they are in the group of the chats.
    pub const PLAN: [(&'static str, bool); 6] = [
        ("agent", true),
        ("agent", true),
        ("agent", false),
        ("supervisor", true),
        ("admin", false),
        // For log-outs and new passwords: the others would be logged in again too often.
        ("agent", true),
    ];

    /// The place of the member who plays this role; `serving` is the agent of the chat.
    pub fn place(&self, role: Role, serving: Option<&str>) -> Option<usize> {
        match role {
            Role::Nobody | Role::Visitor | Role::Stranger => None,
            Role::ChatAgent => {
                let in_chat = self.members[..2].iter().position(|member| Some(member.id.as_str()) == serving);
                Some(in_chat.unwrap_or(0))
            }
            Role::Outsider => Some(2),
            Role::Supervisor => Some(3),
            Role::Admin => Some(4),
        }
    }

    /// The place of a member by their id.
    pub fn find(&self, id: &str) -> Option<usize> {
        self.members.iter().position(|member| member.id == id)
    }
}
