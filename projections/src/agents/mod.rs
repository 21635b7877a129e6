//! Agents, and the groups they are in.

mod agent_list;
mod agent_row;
mod group_row;
mod members;
mod projector;
mod queries;
#[cfg(test)]
mod tests;
mod view;

pub use agent_list::AgentFilter;
pub use projector::AgentsProjector;
pub use queries::AgentQueries;
pub use view::{AgentView, GroupView};

pub(crate) use agent_row::AgentRow;
pub(crate) use group_row::GroupRow;
pub(crate) use members::TABLE as MEMBERS_TABLE;
