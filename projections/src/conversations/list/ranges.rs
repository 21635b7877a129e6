//! Where a list is read from: a union of ranges, each read from its end of one index, whatever the filter.

use domain::conversation::ConversationStatus;
use domain::ids::{AgentId, EntityId, GroupId};
use infrastructure::sql_args;

use super::conditions::{Conditions, of_agent, of_group, of_status, of_tag, of_time, visible, waiting_again};
use crate::conversations::{ConversationFilter, ConversationOrder, Visibility};

/// More groups than this are not worth a range each: the list is then read in its order and sifted.
const MAX_GROUPS: usize = 16;

/// What is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Conversations,
    /// The rows of a tag.
    Tags,
    /// The rows of a word, each with its conversation.
    Words,
}

/// A part of a list.
#[derive(Clone, Debug)]
pub(super) struct Range {
    pub(super) source: Source,
    /// What places it in an index.
    pub(super) conditions: Conditions,
    /// What is looked up for each of its rows.
    pub(super) sought: Conditions,
    /// Words that must be in each of them. To join the row of a word takes half as long as a subquery.
    pub(super) words: Vec<String>,
    /// The index that it is a range of, where a database needs a hint: MySQL and MariaDB otherwise look a page up by the
    /// equalities alone and walk to it from the end of the list.
    pub(super) index: Option<&'static str>,
}

impl Range {
    pub(super) const fn new(source: Source, conditions: Conditions) -> Self {
        Self { source, conditions, sought: Conditions::NONE, words: vec![], index: None }
    }
}

/// The conversations that a filter and the reader's rights leave.
enum Whose {
    All,
    OfGroup(GroupId),
    OfAgent(AgentId),
    OfAgentInGroup(AgentId, GroupId),
    /// Those that wait and were the agent's before.
    Before(AgentId),
    /// All, of which those are left out that may not be seen.
    Sifted(Option<AgentId>, Option<GroupId>, Visibility),
}

/// The ranges that hold what the filter lets through, other than by its words.
pub(super) fn of_filter(filter: &ConversationFilter, order: ConversationOrder) -> Vec<Range> {
    let whose = whose(filter.agent_id, filter.group_id, filter.visible_to.as_ref());
    whose.into_iter().flat_map(|whose| of(whose, filter, order)).collect()
}

fn whose(agent_id: Option<AgentId>, group_id: Option<GroupId>, visible_to: Option<&Visibility>) -> Vec<Whose> {
    let sees = |group_id: &GroupId| visible_to.is_none_or(|to| to.group_ids.contains(group_id));
    // Whatever is in an agent's own list they may see.
    let others = visible_to.filter(|to| agent_id != Some(to.agent_id));
    match (agent_id, group_id, others) {
        (Some(agent_id), None, None) => vec![Whose::OfAgent(agent_id)],
        (Some(agent_id), Some(group_id), None) => vec![Whose::OfAgentInGroup(agent_id, group_id)],
        (Some(_), Some(group_id), Some(_)) if !sees(&group_id) => vec![],
        (Some(agent_id), Some(group_id), Some(_)) => vec![Whose::OfAgentInGroup(agent_id, group_id)],
        (None, None, None) => vec![Whose::All],
        (None, Some(group_id), None) => vec![Whose::OfGroup(group_id)],
        (None, Some(group_id), Some(_)) if sees(&group_id) => vec![Whose::OfGroup(group_id)],
        (None, Some(group_id), Some(to)) => {
            vec![Whose::OfAgentInGroup(to.agent_id, group_id), Whose::Before(to.agent_id)]
        }
        (agent_id, None, Some(to)) if to.group_ids.len() > MAX_GROUPS => {
            vec![Whose::Sifted(agent_id, group_id, to.clone())]
        }
        (Some(agent_id), None, Some(to)) => {
            to.group_ids.iter().map(|group_id| Whose::OfAgentInGroup(agent_id, *group_id)).collect()
        }
        (None, None, Some(to)) => {
            let own = [Whose::OfAgent(to.agent_id), Whose::Before(to.agent_id)];
            own.into_iter().chain(to.group_ids.iter().copied().map(Whose::OfGroup)).collect()
        }
    }
}

fn of(whose: Whose, filter: &ConversationFilter, order: ConversationOrder) -> Vec<Range> {
    if order == ConversationOrder::LongestWaiting {
        return waiting(whose, filter).into_iter().collect();
    }
    let index = index(&whose, filter.status);
    let (conditions, statuses) = match whose {
        Whose::Before(agent_id) => return before(agent_id, filter).into_iter().collect(),
        Whose::All => (Conditions::default(), in_any(filter)),
        Whose::OfGroup(group_id) if filter.tag_id.is_none() => (of_group(group_id), in_any(filter)),
        Whose::OfGroup(group_id) => (of_group(group_id), in_each(filter, &ANY)),
        Whose::OfAgent(agent_id) => (of_agent(agent_id), in_each(filter, &SERVED)),
        // With a tag the group is sifted: an agent has few conversations with a tag.
        Whose::OfAgentInGroup(agent_id, group_id) => {
            (of_agent(agent_id).and_all(of_group(group_id)), in_each(filter, &SERVED))
        }
        Whose::Sifted(agent_id, group_id, to) => {
            return vec![sifted(agent_id, group_id, &to, filter)];
        }
    };
    statuses.into_iter().map(|status| of_lists(conditions.clone().and_all(status), index, filter)).collect()
}

/// The index of conversations that has these columns and then the position.
const fn index(whose: &Whose, status: Option<ConversationStatus>) -> Option<&'static str> {
    match (whose, status) {
        (Whose::All, Some(_)) => Some("conversations_by_status"),
        (Whose::OfGroup(_), None) => Some("conversations_by_group"),
        (Whose::OfGroup(_), Some(_)) => Some("conversations_by_group_and_status"),
        (Whose::OfAgent(_), _) => Some("conversations_by_agent"),
        (Whose::OfAgentInGroup(..), _) => Some("conversations_by_agent_and_group"),
        (Whose::All, None) | (Whose::Before(_) | Whose::Sifted(..), _) => None,
    }
}

const ANY: [ConversationStatus; 3] =
    [ConversationStatus::Pending, ConversationStatus::Active, ConversationStatus::Closed];

/// What is in an agent's list.
const SERVED: [ConversationStatus; 2] = [ConversationStatus::Active, ConversationStatus::Closed];

/// The status that the filter asks for, or none in particular: where an index without it is in the list's order.
fn in_any(filter: &ConversationFilter) -> Vec<Conditions> {
    vec![filter.status.map_or_else(Conditions::default, |status| of_status(status.as_str()))]
}

/// The statuses one by one, each of which is in the list's order in an index.
fn in_each(filter: &ConversationFilter, statuses: &[ConversationStatus]) -> Vec<Conditions> {
    let wanted = statuses.iter().filter(|status| filter.status.is_none_or(|wanted| wanted == **status));
    wanted.map(|status| of_status(status.as_str())).collect()
}

fn of_lists(conditions: Conditions, index: Option<&'static str>, filter: &ConversationFilter) -> Range {
    let conditions = conditions.and_all(of_time(filter));
    match filter.tag_id {
        None => Range { index, ..Range::new(Source::Conversations, conditions) },
        Some(tag_id) => {
            let tag = Conditions::default().and("x.tag_id = ?", sql_args![tag_id.uuid()]);
            Range::new(Source::Tags, tag.and_all(conditions))
        }
    }
}

/// Of conversations themselves, with what else the filter says.
fn of_conversations(conditions: Conditions, filter: &ConversationFilter) -> Range {
    let tag = filter.tag_id.map(of_tag).unwrap_or_default();
    Range::new(Source::Conversations, conditions.and_all(of_time(filter)).and_all(tag))
}

fn sifted(agent_id: Option<AgentId>, group_id: Option<GroupId>, to: &Visibility, filter: &ConversationFilter) -> Range {
    let status = filter.status.map(|status| of_status(status.as_str()));
    let all = [agent_id.map(of_agent), group_id.map(of_group), status, Some(visible(to))];
    of_conversations(all.into_iter().flatten().fold(Conditions::default(), Conditions::and_all), filter)
}

/// Few at any time, so that they may be put in order.
fn before(agent_id: AgentId, filter: &ConversationFilter) -> Option<Range> {
    let waiting = filter.status.is_none_or(|status| status == ConversationStatus::Pending);
    let group = filter.group_id.map(of_group).unwrap_or_default();
    waiting.then(|| of_conversations(waiting_again(agent_id).and_all(group), filter))
}

/// Those that wait; a waiting chat is in no agent's list.
fn waiting(whose: Whose, filter: &ConversationFilter) -> Option<Range> {
    if filter.agent_id.is_some() || filter.status.is_some_and(|status| status != ConversationStatus::Pending) {
        return None;
    }
    let conditions = match whose {
        Whose::OfAgent(_) | Whose::OfAgentInGroup(..) => return None,
        Whose::Before(agent_id) => return before(agent_id, filter),
        Whose::All => Conditions::default(),
        Whose::OfGroup(group_id) => of_group(group_id),
        Whose::Sifted(_, group_id, to) => group_id.map(of_group).unwrap_or_default().and_all(visible(&to)),
    };
    Some(of_conversations(conditions, filter))
}
