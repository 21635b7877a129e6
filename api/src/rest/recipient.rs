//! The agent or the group to which a request hands a conversation over.

use domain::ids::{AgentId, GroupId};

use crate::service::Fields;

/// An agent or a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// The agent serves the conversation from now on.
    Agent(AgentId),
    /// The conversation waits in the group.
    Group(GroupId),
}

impl Recipient {
    /// Reads exactly one of `agentId` and `groupId`. `path` stands before the names of the fields, such as `transfer.`.
    pub fn check(fields: &mut Fields, path: &str, agent_id: Option<&str>, group_id: Option<&str>) -> Option<Self> {
        let given = |id: Option<&'_ str>| id.is_some_and(|id| !id.trim().is_empty());
        let (agent_field, group_field) = (format!("{path}agentId"), format!("{path}groupId"));
        let agent = fields.optional_id(&agent_field, agent_id).map(Self::Agent);
        let group = fields.optional_id(&group_field, group_id).map(Self::Group);
        if given(agent_id) == given(group_id) {
            return fields.refuse(&agent_field, "either agentId or groupId must be given");
        }
        agent.or(group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "00000000-0000-0000-0000-000000000001";

    fn checked(agent_id: Option<&str>, group_id: Option<&str>) -> Option<Recipient> {
        let mut fields = Fields::default();
        let recipient = Recipient::check(&mut fields, "", agent_id, group_id);
        fields.finish_with(recipient).ok()
    }

    #[test]
    fn exactly_one_recipient_is_taken() {
        assert_eq!(checked(Some(ID), None), ID.parse().ok().map(Recipient::Agent));
        assert_eq!(checked(None, Some(ID)), ID.parse().ok().map(Recipient::Group));
        assert_eq!(checked(Some(ID), Some(ID)), None);
        assert_eq!(checked(None, None), None);
        assert_eq!(checked(Some("no id"), None), None);
    }
}
