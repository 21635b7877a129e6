//! The team of the demonstration, with its groups and tags.

use std::collections::{BTreeMap, BTreeSet};

use application::agents::RegisterAgent;
use application::groups::{AddMembers, CreateGroup};
use application::ports::Principal;
use application::tags::CreateTag;
use domain::agent::{ChatLimit, Registration, Role};
use domain::ids::{AgentId, GroupId, TagId};
use domain::routing::RoutingStrategy;
use domain::text::{Color, EmailAddress, Name, Note};

use super::texts::{DEFAULT_GROUP, GROUPS, TAGS, TEAM};
use super::{DemoError, execute};
use crate::wiring::Internals;

/// An agent of the demonstration.
pub struct Member {
    /// The member as a caller of commands.
    pub principal: Principal,
    pub id: AgentId,
    /// Their e-mail address, for logging in.
    pub email: String,
    /// The display name.
    pub name: &'static str,
    pub role: Role,
    /// The hours of the day at which they begin and stop working.
    pub hours: (u64, u64),
}

/// The team with its groups and tags.
pub struct Team {
    /// The admin, who has created the team.
    pub admin: Principal,
    /// The agents.
    pub members: Vec<Member>,
    /// The groups by name.
    pub groups: BTreeMap<&'static str, GroupId>,
    /// The tags by name.
    pub tags: BTreeMap<&'static str, TagId>,
}

impl Team {
    /// Finds a member by id.
    #[must_use]
    pub fn member(&self, id: AgentId) -> Option<&Member> {
        self.members.iter().find(|member| member.id == id)
    }
}

/// Creates groups, tags, and agents who all have the same password.
///
/// # Errors
/// See [`DemoError`].
pub async fn found(app: &Internals, admin_id: AgentId, password: &str) -> Result<Team, DemoError> {
    let admin = Principal::Agent { id: admin_id, role: Role::Admin };
    let mut team = Team { admin, members: vec![], groups: BTreeMap::new(), tags: BTreeMap::new() };
    for (name, about, strategy) in GROUPS {
        let create = CreateGroup {
            principal: admin,
            group_id: GroupId::new(app.ids.new_uuid()),
            name: Name::parse(name)?,
            description: Some(Note::parse(about)?),
            strategy: RoutingStrategy::parse(strategy).unwrap_or_default(),
            make_default: name == DEFAULT_GROUP,
        };
        let group_id = create.group_id;
        execute(app, admin, create).await?;
        if name == DEFAULT_GROUP {
            // The admin joins it, and so gets a chat as soon as they go online.
            execute(
                app,
                admin,
                AddMembers { principal: admin, group_id, agent_ids: BTreeSet::from([admin_id]), known_version: None },
            )
            .await?;
        }
        team.groups.insert(name, group_id);
    }
    let hash = app.hasher.hash(password).await?;
    for (name, group, leads, limit, hours) in TEAM {
        let role = if leads { Role::Supervisor } else { Role::Agent };
        let member = hire(app, admin, (name, role, limit, hours), &hash).await?;
        let add = AddMembers {
            principal: admin,
            group_id: team.groups[group],
            agent_ids: BTreeSet::from([member.id]),
            known_version: None,
        };
        execute(app, admin, add).await?;
        team.members.push(member);
    }
    for (name, color) in TAGS {
        let tag_id = TagId::new(app.ids.new_uuid());
        let (name_of_tag, color) = (Name::parse(name)?, Some(Color::parse(color)?));
        execute(app, admin, CreateTag { principal: admin, tag_id, name: name_of_tag, color }).await?;
        team.tags.insert(name, tag_id);
    }
    Ok(team)
}

async fn hire(
    app: &Internals,
    admin: Principal,
    (name, role, limit, hours): (&'static str, Role, i64, (u64, u64)),
    hash: &str,
) -> Result<Member, DemoError> {
    let (id, at) = (AgentId::new(app.ids.new_uuid()), app.clock.now());
    let first_name = name.split(' ').next().unwrap_or(name).to_lowercase();
    let email = format!("{first_name}@demo.example");
    // One password for everybody is enough for a demonstration. Each agent still has a row of their own.
    app.credentials.save_hash(id, hash, at).await?;
    let usual = Registration::offline(Name::parse(name)?, EmailAddress::parse(&email)?, role, at);
    let registration = Registration { chat_limit: ChatLimit::new(limit).unwrap_or_default(), ..usual };
    execute(app, admin, RegisterAgent { principal: admin, agent_id: id, registration }).await?;
    Ok(Member { principal: Principal::Agent { id, role }, id, email, name, role, hours })
}
