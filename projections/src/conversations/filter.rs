use domain::conversation::ConversationStatus;
use domain::ids::{AgentId, GroupId, TagId};
use domain::time::Timestamp;
use uuid::Uuid;

use crate::search::SearchText;

/// The conditions of a list of conversations; each that is present must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConversationFilter {
    /// Those that stand there.
    pub status: Option<ConversationStatus>,
    /// Those that the agent serves, and of the closed ones those that the agent served last.
    pub agent_id: Option<AgentId>,
    /// Those that this group serves or has in its queue.
    pub group_id: Option<GroupId>,
    /// Those that have the tag now.
    pub tag_id: Option<TagId>,
    /// Those that began at this time or later.
    pub from: Option<Timestamp>,
    /// Those that began before this time.
    pub to: Option<Timestamp>,
    /// Those in which these words are: in the visitor's name or address, or in the messages.
    pub search: Option<SearchText>,
    /// Those that an agent may see; all when absent.
    pub visible_to: Option<Visibility>,
}

/// What an agent may see: the conversations that they serve or served last, and those of their groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visibility {
    /// The reader.
    pub agent_id: AgentId,
    /// The reader's groups at the time of the query.
    pub group_ids: Vec<GroupId>,
}

impl ConversationFilter {
    /// Identifies the filter, so that a cursor of another list is refused. The reader's rights are no part of it: they may
    /// change from one page to the next.
    pub(super) fn fingerprint(&self) -> Option<String> {
        let asked = Self { visible_to: None, ..self.clone() };
        let name = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{asked:?}").as_bytes());
        (asked != Self::default()).then(|| name.simple().to_string()[..8].to_owned())
    }
}
