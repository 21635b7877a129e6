use domain::ids::{AgentId, ConversationId, GroupId, TagId, ThreadId, VisitorId};
use harness::{Client, PASSWORD, Person, Visitor};
use serde_json::json;

use super::rows::Call;
use api::service::Action;

/// Things that calls change, none of which the other calls need.
pub struct Things {
    pub newcomer: Person,
    pub group_id: String,
    pub tag_id: String,
}

/// A call by somebody on a chat.
pub struct Case<'a> {
    pub call: Call,
    pub client: &'a Client,
    /// Another admin's client, for what must be so before the call.
    pub admin: &'a Client,
    pub own_id: &'a str,
    pub assigned_id: &'a str,
    pub chat: &'a Visitor,
    pub things: &'a Things,
    /// Makes names unique.
    pub number: usize,
    pub door: &'static str,
    /// A refresh token.
    pub refresh_token: String,
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

impl Case<'_> {
    pub fn email(&self) -> String {
        format!("{}-hired{}@example.com", self.door, self.number)
    }

    pub fn name(&self) -> String {
        format!("{:?} by {} through {}", self.call, self.number, self.door)
    }

    pub fn conversation_id(&self) -> ConversationId {
        parsed(&self.chat.conversation_id)
    }

    pub fn thread_id(&self) -> ThreadId {
        parsed(&self.chat.thread_id)
    }

    pub fn visitor_id(&self) -> VisitorId {
        parsed(&self.chat.id)
    }

    pub fn assigned_id(&self) -> AgentId {
        parsed(self.assigned_id)
    }

    pub fn newcomer_id(&self) -> AgentId {
        parsed(&self.things.newcomer.id)
    }

    pub fn group_id(&self) -> GroupId {
        parsed(&self.things.group_id)
    }

    pub fn tag_id(&self) -> TagId {
        parsed(&self.things.tag_id)
    }

    /// Brings everything into the state from which the call changes it.
    pub async fn prepare(&mut self) {
        let Call::Of(action) = self.call else { return };
        let (agent, group, tag) = (
            format!("/v1/agents/{}", self.things.newcomer.id),
            format!("/v1/groups/{}", self.things.group_id),
            format!("/v1/tags/{}", self.things.tag_id),
        );
        let restore =
            async |path: &str| drop(self.admin.post(&format!("{path}/restore"), &json!({})).await.expect(200));
        match action {
            Action::ResetPassword | Action::DeleteAgent => restore(&agent).await,
            Action::RestoreAgent => drop(self.admin.delete(&agent).await),
            Action::DeleteGroup | Action::ChangeGroup | Action::ReadGroup | Action::TransferChat => {
                restore(&group).await;
            }
            Action::RestoreGroup => drop(self.admin.delete(&group).await),
            Action::DeleteTag | Action::ChangeTag | Action::ReadTag | Action::TagChat => restore(&tag).await,
            Action::RestoreTag => drop(self.admin.delete(&tag).await),
            Action::AddMembers | Action::RemoveMember => {
                restore(&agent).await;
                restore(&group).await;
                let members = json!({ "agentIds": [self.things.newcomer.id] });
                drop(self.admin.post(&format!("{group}/agents"), &members).await.expect(200));
            }
            Action::UntagChat => {
                restore(&tag).await;
                let path = format!("/v1/conversations/{}/tags", self.chat.conversation_id);
                drop(self.admin.post(&path, &json!({ "tagId": self.things.tag_id })).await.expect(200));
            }
            Action::RenewSession => {
                let credentials = json!({ "email": harness::ADMIN_EMAIL, "password": PASSWORD });
                let logged_in = self.admin.post("/v1/auth/login", &credentials).await.expect(200);
                self.refresh_token = logged_in.text("/refresh_token").to_owned();
            }
            _ => {}
        }
    }
}
