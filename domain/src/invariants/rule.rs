use std::fmt;

macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $rule:ident => $name:literal,)+) => {
        /// What must hold at every position of a log.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $($(#[doc = $doc])+ $rule,)+
        }

        impl Rule {
            pub const ALL: &'static [Self] = &[$(Self::$rule),+];

            /// The name in the output of `invariants`.
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
    /// A stream begins with its first event only, and only once.
    Beginnings => "beginnings",
    /// Nothing happens to a closed chat or thread, except that a chat may be tagged or reopened.
    NothingAfterClose => "nothing_after_close",
    /// An open chat has one open thread, the one it names; a closed one has none.
    OneActiveThread => "one_active_thread",
    /// Previous agents, threads and groups that an event names are right.
    TrueReferences => "true_references",
    /// The router assigns no chat that has an agent.
    HumansFirst => "humans_first",
    /// Chat, agents and thread agree on who serves the chat.
    OneServer => "one_server",
    /// A slot over the limit is marked so, and so is the supervisor's assignment in the same append.
    WithinLimit => "within_limit",
    /// Only agents at work get chats, and from the router only agents who accept chats.
    AtWork => "at_work",
    /// An agent who leaves work gives all chats back.
    OffWorkKeepsNothing => "off_work_keeps_nothing",
    /// A visitor has at most one open chat, the one in the visitor's stream.
    OneOpenChat => "one_open_chat",
    /// Only participants of a thread write in it.
    ParticipantsWrite => "participants_write",
    /// Participants read, forward only, and messages that are there.
    ReadForward => "read_forward",
    /// Only agents outside a thread join it, and only agents inside leave it.
    Attendance => "attendance",
    /// Events name only things that exist and, where it matters, are not deleted.
    Existence => "existence",
    /// A deleted thing can only be restored; a deleted agent may also give chats back.
    DeletedRest => "deleted_rest",
    /// Each agent who is not deleted owns one address, and no other agent owns it.
    UniqueAddresses => "unique_addresses",
    /// Each tag that is not deleted owns one name, and no other tag owns it.
    UniqueTagNames => "unique_tag_names",
    /// There is one default group, and it is not deleted.
    DefaultGroup => "default_group",
    /// There is an admin, and the workspace's admins are the agents with that role.
    AnAdmin => "an_admin",
    /// A chat without an agent waits in the queue of its group; other chats are in no queue.
    Queued => "queued",
    /// The router's decision names the agent who got the chat and does not contradict itself.
    Explained => "explained",
    /// Only agents outside a group join it, only members leave it, without its chats, and the router chooses members.
    Membership => "membership",
    /// A tag is added only where it is absent and removed only where it is present.
    Tagging => "tagging",
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
