use std::collections::BTreeSet;
use std::mem::take;

use crate::ids::{AgentId, GroupId};
use crate::time::Timestamp;

/// What the next round has to look at. Whatever is not named here cannot have changed for the better.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Wakes {
    /// Groups in which something happened that may let a chat go on.
    groups: BTreeSet<GroupId>,
    /// When to wake which group after a failed attempt.
    retries: BTreeSet<(Timestamp, GroupId)>,
    /// Deleted groups in whose queue chats may wait.
    to_clear: BTreeSet<GroupId>,
    /// Agents who left work and may still hold chats.
    to_relieve: BTreeSet<AgentId>,
}

impl Wakes {
    pub(super) fn wake(&mut self, groups: impl IntoIterator<Item = GroupId>) {
        self.groups.extend(groups);
    }

    pub(super) fn wake_at(&mut self, at: Timestamp, groups: impl IntoIterator<Item = GroupId>) {
        self.retries.extend(groups.into_iter().map(|group_id| (at, group_id)));
    }

    /// The groups to look at, with those whose retry is due.
    pub(super) fn take_groups(&mut self, now: Timestamp) -> BTreeSet<GroupId> {
        while let Some((_, group_id)) = self.retries.first().filter(|(at, _)| *at <= now) {
            self.groups.insert(*group_id);
            self.retries.pop_first();
        }
        take(&mut self.groups)
    }

    pub(super) fn next_retry(&self) -> Option<Timestamp> {
        self.retries.first().map(|(at, _)| *at)
    }

    pub(super) fn clear(&mut self, group_id: GroupId) {
        self.to_clear.insert(group_id);
    }

    pub(super) fn take_to_clear(&mut self) -> BTreeSet<GroupId> {
        take(&mut self.to_clear)
    }

    pub(super) fn relieve(&mut self, agents: impl IntoIterator<Item = AgentId>) {
        self.to_relieve.extend(agents);
    }

    pub(super) fn take_to_relieve(&mut self) -> BTreeSet<AgentId> {
        take(&mut self.to_relieve)
    }
}
