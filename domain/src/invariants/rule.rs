use std::fmt;

macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $rule:ident => $name:literal,)+) => {
        /// What must be true of a log at every position.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $($(#[doc = $doc])+ $rule,)+
        }

        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Self] = &[$(Self::$rule),+];

            /// The name in outputs.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$rule => $name),+ }
            }
        }
    };
}

rules! {
    /// Positions are 1, 2, 3 and so on.
    Positions => "positions",
    /// The sequences of each stream are 1, 2, 3 and so on.
    Sequences => "sequences",
    /// No event is recorded before its predecessor.
    Time => "time",
    /// A thing begins once, and nothing happens to it before.
    Beginnings => "beginnings",
    /// To a chat or thread that has ended nothing happens but being tagged and, to a chat, being opened again.
    NothingAfterClose => "nothing_after_close",
    /// An open chat has one open thread, the one it names; a closed one has none.
    OneActiveThread => "one_active_thread",
    /// Events name rightly what was before them.
    TrueReferences => "true_references",
    /// The router gives no chat to an agent that already has one.
    HumansFirst => "humans_first",
    /// Chat, agents and thread agree on who serves the chat.
    OneServer => "one_server",
    /// A slot over the limit says so, and comes with a supervisor's choice that says so.
    WithinLimit => "within_limit",
    /// Whoever gets a chat is at work; from the router, only who accepts chats.
    AtWork => "at_work",
    /// Whoever leaves work gives their chats back.
    OffWorkKeepsNothing => "off_work_keeps_nothing",
    /// A visitor has one open chat at most, the one that their stream names.
    OneOpenChat => "one_open_chat",
    /// Only who takes part in a thread writes in it.
    ParticipantsWrite => "participants_write",
    /// Who joins a thread is not in it, and who leaves it is.
    Attendance => "attendance",
    /// Events name only things that exist, and where it matters have not been deleted.
    Existence => "existence",
    /// A deleted thing does nothing but come back; a deleted agent may still give chats back.
    DeletedRest => "deleted_rest",
    /// Each agent who is not deleted owns one address, which nobody else owns.
    UniqueAddresses => "unique_addresses",
    /// Each tag that is not deleted owns one name, which no other tag owns.
    UniqueTagNames => "unique_tag_names",
    /// There is one default group, and it is not deleted.
    DefaultGroup => "default_group",
    /// There is an admin, and those who count as admins are those who have the role.
    AnAdmin => "an_admin",
    /// A chat without an agent waits in one queue, the one of its group; other chats wait in none.
    Queued => "queued",
    /// The router's decision names the agent who got the chat, and what it says does not contradict itself.
    Explained => "explained",
    /// Agents join groups they are not in and leave groups they are in, with no chat of it; the router chooses members.
    Membership => "membership",
    /// A tag is put on where it is not, and taken off where it is.
    Tagging => "tagging",
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
