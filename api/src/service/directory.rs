use std::sync::Arc;

use application::agents::ensure_may_read_stats;
use application::ports::{Clock, Position};
use domain::ids::{AgentId, GroupId, TagId};
use domain::time::Timestamp;
use projections::agent_stats::{AgentFigures as Figures, AgentStatsQueries};
use projections::agents::{AgentFilter, AgentQueries, AgentView, GroupView};
use projections::tags::{TagQueries, TagView};
use projections::{Deleted, Page, PageRequest};

use super::reading::deleted;
use super::views::ReadModel;
use super::{Caller, CallingAgent, FreshReads, Refusal};

/// The most agents that one request adds to a group.
pub const MAX_MEMBERS: usize = 500;

/// Reads agents, groups and tags.
#[derive(Clone)]
pub struct Directory {
    /// Waits for the views.
    pub freshness: FreshReads,
    /// Reads agents and groups.
    pub agents: AgentQueries,
    /// Reads the figures of agents.
    pub stats: AgentStatsQueries,
    /// Reads tags.
    pub tags: TagQueries,
    /// The present time.
    pub clock: Arc<dyn Clock>,
}

/// The figures of an agent at a time.
#[derive(Clone, Debug)]
pub struct AgentFigures {
    pub agent: AgentView,
    /// The counts and times of today and the last 30 days.
    pub figures: Figures,
    /// The time up to which they count.
    pub as_of: Timestamp,
}

/// A read of things that may have been deleted.
#[derive(Clone, Copy, Debug)]
pub struct Lookup {
    /// The reading agent.
    pub agent: CallingAgent,
    /// Whether deleted things are wanted as well.
    pub include_deleted: Option<bool>,
    /// The position that the answer must show at least.
    pub at_least: Option<Position>,
}

impl Directory {
    async fn ready(&self, lookup: Lookup, view: ReadModel) -> Result<Deleted, Refusal> {
        let shown = deleted(lookup.agent.principal(), lookup.include_deleted)?;
        self.freshness.reach(lookup.at_least, &[view]).await?;
        Ok(shown)
    }

    /// Lists agents.
    ///
    /// # Errors
    /// The refusal, or why the views cannot be read; so do all functions of this type.
    pub async fn list_agents(
        &self,
        lookup: Lookup,
        filter: AgentFilter,
        page: &PageRequest,
    ) -> Result<Page<AgentView>, Refusal> {
        let deleted = self.ready(lookup, ReadModel::Agents).await?;
        Ok(self.agents.list_agents(&AgentFilter { deleted, ..filter }, page).await?)
    }

    /// Reads one agent.
    ///
    /// # Errors
    /// [`super::Code::NotFound`].
    pub async fn agent(&self, lookup: Lookup, id: AgentId) -> Result<AgentView, Refusal> {
        let deleted = self.ready(lookup, ReadModel::Agents).await?;
        self.agents.find_agent(id, deleted).await?.ok_or_else(|| Refusal::not_found("agent"))
    }

    /// Reads an agent that was just changed, deleted or not.
    ///
    /// # Errors
    /// [`super::Code::PositionNotReached`] when the view does not know the agent yet.
    pub async fn changed_agent(&self, id: AgentId) -> Result<AgentView, Refusal> {
        self.agents.find_agent(id, Deleted::Shown).await?.ok_or_else(Refusal::view_behind)
    }

    /// Reads the figures of an agent, with everything that was in the log when the caller was authenticated. They are for
    /// the agent and supervisors.
    ///
    /// # Errors
    /// [`super::Code::NotFound`], [`super::Code::Forbidden`].
    pub async fn figures(
        &self,
        caller: &Caller,
        id: AgentId,
        at_least: Option<Position>,
    ) -> Result<AgentFigures, Refusal> {
        self.freshness.reach_head(at_least, &[ReadModel::Agents, ReadModel::AgentStats], caller.as_of).await?;
        let agent = self.agents.find_agent(id, Deleted::Hidden).await?.ok_or_else(|| Refusal::not_found("agent"))?;
        ensure_may_read_stats(caller.principal, id)?;
        let as_of = self.clock.now();
        Ok(AgentFigures { agent, figures: self.stats.figures(id, as_of).await?, as_of })
    }

    /// Lists groups.
    ///
    /// # Errors
    /// As of all functions here.
    pub async fn list_groups(&self, lookup: Lookup, page: &PageRequest) -> Result<Page<GroupView>, Refusal> {
        let deleted = self.ready(lookup, ReadModel::Agents).await?;
        Ok(self.agents.list_groups(deleted, page).await?)
    }

    /// Reads one group.
    ///
    /// # Errors
    /// [`super::Code::NotFound`].
    pub async fn group(&self, lookup: Lookup, id: GroupId) -> Result<GroupView, Refusal> {
        let deleted = self.ready(lookup, ReadModel::Agents).await?;
        self.agents.find_group(id, deleted).await?.ok_or_else(|| Refusal::not_found("group"))
    }

    /// Reads a group that was just changed, deleted or not.
    ///
    /// # Errors
    /// [`super::Code::PositionNotReached`] when the view does not know the group yet.
    pub async fn changed_group(&self, id: GroupId) -> Result<GroupView, Refusal> {
        self.agents.find_group(id, Deleted::Shown).await?.ok_or_else(Refusal::view_behind)
    }

    /// Lists tags.
    ///
    /// # Errors
    /// As of all functions here.
    pub async fn list_tags(&self, lookup: Lookup, page: &PageRequest) -> Result<Page<TagView>, Refusal> {
        let deleted = self.ready(lookup, ReadModel::Tags).await?;
        Ok(self.tags.list_tags(deleted, page).await?)
    }

    /// Reads one tag.
    ///
    /// # Errors
    /// [`super::Code::NotFound`].
    pub async fn tag(&self, lookup: Lookup, id: TagId) -> Result<TagView, Refusal> {
        let deleted = self.ready(lookup, ReadModel::Tags).await?;
        self.tags.find_tag(id, deleted).await?.ok_or_else(|| Refusal::not_found("tag"))
    }

    /// Reads a tag that was just changed, deleted or not.
    ///
    /// # Errors
    /// [`super::Code::PositionNotReached`] when the view does not know the tag yet.
    pub async fn changed_tag(&self, id: TagId) -> Result<TagView, Refusal> {
        self.tags.find_tag(id, Deleted::Shown).await?.ok_or_else(Refusal::view_behind)
    }
}
