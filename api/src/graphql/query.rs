//! The reads. A field translates its arguments, calls the service once and shows the result.

use async_graphql::{Context, ID, Object, Result};
use domain::ids::{AgentId, ConversationId, GroupId, TagId, ThreadId};

use super::errors::error_of;
use super::filters::{AgentFilterInput, AuditFilterInput, ConversationFilterInput, audit_query};
use super::paging::{
    AgentConnection, AuditEventConnection, ConversationAssignmentConnection, ConversationConnection, GroupConnection,
    Paging, QueuedChatConnection, TagConnection, ThreadEventConnection, error_of_list,
};
use super::scope::{Admitted, Scope};
use super::types::{
    Agent, AgentStats, AuditEvent, AuditOrder, Conversation, ConversationCounts, ConversationOrder, Group, QueueStats,
    Siblings, Tag, shown, shown_conversation,
};
use crate::service::rows::conversations::ConversationFilter;
use crate::service::{Caller, EventsRequest, Fields, Lookup, Refusal};

/// The reads.
pub struct Query;

#[Object]
impl Query {
    /// The agent of the token.
    async fn me(&self, ctx: &Context<'_>) -> Option<Result<Agent>> {
        Some(
            async {
                let scope = Scope::of(ctx)?;
                let lookup = lookup(scope, &scope.admit(ctx).await?.caller, None)?;
                let agent = scope.services.directory.agent(lookup, lookup.agent.id).await;
                shown(&agent.map_err(|refusal| error_of(&refusal))?)
            }
            .await,
        )
    }

    /// Agents, in the order of their registration.
    async fn agents(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The most items, 1 to 100; 25 when absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before.")] after: Option<String>,
        filter: Option<AgentFilterInput>,
        #[graphql(desc = "Shows those who were deleted as well; only for admins.")] include_deleted: Option<bool>,
    ) -> Option<Result<AgentConnection>> {
        Some(
            async {
                let scope = Scope::of(ctx)?;
                let Admitted { caller, .. } = scope.admit(ctx).await?;
                let paging = Paging::new(first, after);
                let list = async {
                    let mut fields = Fields::default();
                    let filter = filter.unwrap_or_default().check(&mut fields);
                    let page = paging.page(fields)?;
                    scope
                        .services
                        .directory
                        .list_agents(lookup_of(scope, &caller, include_deleted)?, filter, &page)
                        .await
                };
                Ok(paging.part(&list.await.map_err(error_of_list)?)?.into())
            }
            .await,
        )
    }

    /// Finds an agent by the id; for agents.
    async fn agent(
        &self,
        ctx: &Context<'_>,
        id: ID,
        #[graphql(desc = "Shows the agent even if deleted; only for admins.")] include_deleted: Option<bool>,
    ) -> Option<Result<Agent>> {
        Some(read_agent(ctx, &id, include_deleted).await)
    }

    /// What an agent did lately; for the agent and supervisors.
    async fn agent_stats(&self, ctx: &Context<'_>, id: ID) -> Option<Result<AgentStats>> {
        Some(read_agent_stats(ctx, &id).await)
    }

    /// Groups, in the order of their creation; for agents.
    async fn groups(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The most items, 1 to 100; 25 when absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before.")] after: Option<String>,
        #[graphql(desc = "Shows deleted groups as well; only for admins.")] include_deleted: Option<bool>,
    ) -> Option<Result<GroupConnection>> {
        Some(
            async {
                let scope = Scope::of(ctx)?;
                let Admitted { caller, .. } = scope.admit(ctx).await?;
                let paging = Paging::new(first, after);
                let list = async {
                    let page = paging.page(Fields::default())?;
                    scope.services.directory.list_groups(lookup_of(scope, &caller, include_deleted)?, &page).await
                };
                Ok(paging.part(&list.await.map_err(error_of_list)?)?.into())
            }
            .await,
        )
    }

    /// Finds a group by the id; for agents.
    async fn group(
        &self,
        ctx: &Context<'_>,
        id: ID,
        #[graphql(desc = "Shows the group even if deleted; only for admins.")] include_deleted: Option<bool>,
    ) -> Option<Result<Group>> {
        Some(read_group(ctx, &id, include_deleted).await)
    }

    /// Tags, in the order of their creation; for agents.
    async fn tags(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The most items, 1 to 100; 25 when absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before.")] after: Option<String>,
        #[graphql(desc = "Shows deleted tags as well; only for admins.")] include_deleted: Option<bool>,
    ) -> Option<Result<TagConnection>> {
        Some(
            async {
                let scope = Scope::of(ctx)?;
                let Admitted { caller, .. } = scope.admit(ctx).await?;
                let paging = Paging::new(first, after);
                let list = async {
                    let page = paging.page(Fields::default())?;
                    scope.services.directory.list_tags(lookup_of(scope, &caller, include_deleted)?, &page).await
                };
                Ok(paging.part(&list.await.map_err(error_of_list)?)?.into())
            }
            .await,
        )
    }

    /// Finds a tag by the id; for agents.
    async fn tag(
        &self,
        ctx: &Context<'_>,
        id: ID,
        #[graphql(desc = "Shows the tag even if deleted; only for admins.")] include_deleted: Option<bool>,
    ) -> Option<Result<Tag>> {
        Some(read_tag(ctx, &id, include_deleted).await)
    }

    /// The conversations that the caller may read.
    async fn conversations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The most items, 1 to 100; 25 when absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before, of the same filter and order.")] after: Option<String>,
        filter: Option<ConversationFilterInput>,
        #[graphql(desc = "What comes first; NEWEST when absent.")] sort: Option<ConversationOrder>,
    ) -> Option<Result<ConversationConnection>> {
        Some(
            async {
                let scope = Scope::of(ctx)?;
                let Admitted { caller, .. } = scope.admit(ctx).await?;
                let paging = Paging::new(first, after);
                let list = async {
                    let mut fields = Fields::default();
                    let filter = filter.unwrap_or_default().check(&mut fields);
                    let page = paging.page(fields)?;
                    let order = sort.map(Into::into).unwrap_or_default();
                    scope.services.conversations.list(&caller, (filter, order), &page, scope.at_least).await
                };
                let page = list.await.map_err(error_of_list)?;
                let siblings = Siblings::of(&page.data);
                let nodes = page.data.iter().map(|conversation| shown_conversation(conversation, &siblings));
                Ok(paging.part_of(nodes.collect::<Result<_>>()?, page.next_cursor.clone()).into())
            }
            .await,
        )
    }

    /// How many of the conversations that the caller may read wait, are served, and are closed.
    async fn conversation_counts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those that this agent serves or served last.")] agent_id: Option<ID>,
        #[graphql(desc = "Only those of this group.")] group_id: Option<ID>,
    ) -> Option<Result<ConversationCounts>> {
        Some(
            async {
                let scope = Scope::of(ctx)?;
                let Admitted { caller, .. } = scope.admit(ctx).await?;
                let count = async {
                    let mut fields = Fields::default();
                    let agent_id = fields.optional_id("agentId", agent_id.as_ref().map(AsRef::as_ref));
                    let group_id = fields.optional_id("groupId", group_id.as_ref().map(AsRef::as_ref));
                    fields.finish()?;
                    let filter = ConversationFilter { agent_id, group_id, ..ConversationFilter::default() };
                    scope.services.conversations.count(&caller, filter, scope.at_least).await
                };
                shown(&count.await.map_err(|refusal| error_of(&refusal))?)
            }
            .await,
        )
    }

    /// Finds a conversation that the caller may read by the id.
    async fn conversation(&self, ctx: &Context<'_>, id: ID) -> Option<Result<Conversation>> {
        Some(read_conversation(ctx, &id).await)
    }

    /// The messages and system events of a thread, in order.
    async fn thread_events(
        &self,
        ctx: &Context<'_>,
        thread_id: ID,
        #[graphql(desc = "The most items, 1 to 100; 25 when absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before, or the position of an event: only what came after it.")]
        after: Option<String>,
    ) -> Option<Result<ThreadEventConnection>> {
        Some(
            async {
                let scope = Scope::of(ctx)?;
                let Admitted { caller, .. } = scope.admit(ctx).await?;
                let paging = Paging::new(first, after);
                let list = async {
                    let mut fields = Fields::default();
                    let thread_id = fields.id::<ThreadId>("threadId", Some(&thread_id));
                    let after = paging.number(&mut fields);
                    let limit = paging.limit(&mut fields);
                    let (thread_id, limit) = fields.finish_with(thread_id.zip(limit))?;
                    let after = after.unwrap_or_default();
                    let request = EventsRequest { thread_id, after, limit, at_least: scope.at_least };
                    scope.services.conversations.list_events(&caller, request).await
                };
                Ok(paging.part(&list.await.map_err(error_of_list)?)?.into())
            }
            .await,
        )
    }

    /// Every assignment, return and end of a conversation; for agents.
    async fn assignments(
        &self,
        ctx: &Context<'_>,
        conversation_id: ID,
        #[graphql(desc = "The most items, 1 to 100; 25 when absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before.")] after: Option<String>,
    ) -> Option<Result<ConversationAssignmentConnection>> {
        Some(
            async {
                let scope = Scope::of(ctx)?;
                let Admitted { caller, .. } = scope.admit(ctx).await?;
                let paging = Paging::new(first, after);
                let list = async {
                    let mut fields = Fields::default();
                    let id = fields.id::<ConversationId>("conversationId", Some(&conversation_id));
                    let after = paging.number(&mut fields);
                    let limit = paging.limit(&mut fields);
                    let (id, limit) = fields.finish_with(id.zip(limit))?;
                    let from = (after.unwrap_or_default(), limit);
                    scope.services.conversations.list_assignments(&caller, id, from, scope.at_least).await
                };
                Ok(paging.part(&list.await.map_err(error_of_list)?)?.into())
            }
            .await,
        )
    }

    /// The chats that wait, of one group or of all, first come first; for supervisors.
    async fn queue(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The most items, 1 to 100; 25 when absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before, of the same group.")] after: Option<String>,
        #[graphql(desc = "Only the chats of this group.")] group_id: Option<ID>,
    ) -> Option<Result<QueuedChatConnection>> {
        Some(
            async {
                let scope = Scope::of(ctx)?;
                let Admitted { caller, .. } = scope.admit(ctx).await?;
                let paging = Paging::new(first, after);
                let list = async {
                    let mut fields = Fields::default();
                    let group_id = fields.optional_id::<GroupId>("groupId", group_id.as_ref().map(AsRef::as_ref));
                    let page = paging.page(fields)?;
                    scope.services.queue.list(&caller, scope.at_least, group_id, &page).await
                };
                Ok(paging.part(&list.await.map_err(error_of_list)?)?.into())
            }
            .await,
        )
    }

    /// How many chats wait in each group, how long, and when the next attempt is; for supervisors.
    async fn queue_stats(&self, ctx: &Context<'_>) -> Option<Result<Vec<QueueStats>>> {
        Some(
            async {
                let scope = Scope::of(ctx)?;
                let Admitted { caller, .. } = scope.admit(ctx).await?;
                let stats = scope.services.queue.stats(&caller, scope.at_least).await;
                shown(&stats.map_err(|refusal| error_of(&refusal))?)
            }
            .await,
        )
    }

    /// The event log with positions and hashes; for admins. A page may be short, or even empty, and not be the last.
    async fn audit_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The most items, 1 to 100; 25 when absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before, of the same order.")] after: Option<String>,
        filter: Option<AuditFilterInput>,
        #[graphql(desc = "What comes first; NEWEST when absent.")] sort: Option<AuditOrder>,
    ) -> Option<Result<AuditEventConnection>> {
        Some(
            async {
                let scope = Scope::of(ctx)?;
                let Admitted { caller, .. } = scope.admit(ctx).await?;
                let paging = Paging::new(first, after.clone());
                let list = async {
                    let query = audit_query(filter.unwrap_or_default(), &paging, (sort, after))?;
                    scope.services.audit.page(&caller, query, scope.at_least).await
                };
                let page = list.await.map_err(error_of_list)?;
                let nodes = page.data.into_iter().map(AuditEvent::from).collect();
                Ok(paging.part_of(nodes, page.next_cursor).into())
            }
            .await,
        )
    }
}

async fn read_agent(ctx: &Context<'_>, id: &str, include_deleted: Option<bool>) -> Result<Agent> {
    let scope = Scope::of(ctx)?;
    let lookup = lookup(scope, &scope.admit(ctx).await?.caller, include_deleted)?;
    let agent = scope.services.directory.agent(lookup, parsed::<AgentId>(id)?).await;
    shown(&agent.map_err(|refusal| error_of(&refusal))?)
}

async fn read_agent_stats(ctx: &Context<'_>, id: &str) -> Result<AgentStats> {
    let scope = Scope::of(ctx)?;
    let caller = scope.admit(ctx).await?.caller;
    let figures = scope.services.directory.figures(&caller, parsed::<AgentId>(id)?, scope.at_least).await;
    shown(&figures.map_err(|refusal| error_of(&refusal))?.summary())
}

async fn read_group(ctx: &Context<'_>, id: &str, include_deleted: Option<bool>) -> Result<Group> {
    let scope = Scope::of(ctx)?;
    let lookup = lookup(scope, &scope.admit(ctx).await?.caller, include_deleted)?;
    let group = scope.services.directory.group(lookup, parsed::<GroupId>(id)?).await;
    shown(&group.map_err(|refusal| error_of(&refusal))?)
}

async fn read_tag(ctx: &Context<'_>, id: &str, include_deleted: Option<bool>) -> Result<Tag> {
    let scope = Scope::of(ctx)?;
    let lookup = lookup(scope, &scope.admit(ctx).await?.caller, include_deleted)?;
    let tag = scope.services.directory.tag(lookup, parsed::<TagId>(id)?).await;
    shown(&tag.map_err(|refusal| error_of(&refusal))?)
}

async fn read_conversation(ctx: &Context<'_>, id: &str) -> Result<Conversation> {
    let scope = Scope::of(ctx)?;
    let caller = scope.admit(ctx).await?.caller;
    let conversation = scope.services.conversations.find(&caller, parsed(id)?, scope.at_least).await;
    let conversation = conversation.map_err(|refusal| error_of(&refusal))?;
    shown_conversation(&conversation, &Siblings::of([&conversation]))
}

/// The argument `id`.
fn parsed<T: std::str::FromStr>(id: &str) -> Result<T> {
    let mut fields = Fields::default();
    let id = fields.id("id", Some(id));
    fields.finish_with(id).map_err(|refusal| error_of(&refusal))
}

fn lookup(scope: &Scope, caller: &Caller, include_deleted: Option<bool>) -> Result<Lookup> {
    lookup_of(scope, caller, include_deleted).map_err(|refusal| error_of(&refusal))
}

fn lookup_of(scope: &Scope, caller: &Caller, include_deleted: Option<bool>) -> Result<Lookup, Refusal> {
    Ok(Lookup { agent: caller.agent()?, include_deleted, at_least: scope.at_least })
}
