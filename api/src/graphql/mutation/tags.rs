use application::tags::{ChangeTag, CreateTag, DeleteTag, TagChanges};
use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result};
use domain::ids::TagId;
use domain::text::{Color, Name};

use super::{Change, Receipt, TagPayload, emptiable, id, refused, version};
use crate::graphql::types::shown;
use crate::service::Fields;

/// A label for conversations.
#[derive(InputObject)]
pub struct CreateTagInput {
    /// Unique among tags that are not deleted, in upper or lower case; at most 200 bytes.
    name: String,
    /// As #RRGGBB.
    color: Option<String>,
}

/// Changes of a tag; absent fields stay as they are.
#[derive(InputObject)]
pub struct ChangeTagInput {
    id: ID,
    /// Another name.
    name: Option<String>,
    /// Another colour as #RRGGBB, or null for none.
    color: MaybeUndefined<String>,
}

/// Changes of tags.
#[derive(Default)]
pub struct TagMutations;

#[Object]
impl TagMutations {
    /// Creates a tag; for supervisors.
    async fn create_tag(
        &self,
        ctx: &Context<'_>,
        input: CreateTagInput,
        idempotency_key: Option<String>,
    ) -> Option<Result<TagPayload>> {
        Some(
            async {
                let change = Change::begin(ctx, idempotency_key).await?;
                let mut fields = Fields::default();
                let name = fields.text("name", &input.name, Name::parse);
                let color = fields.optional("color", input.color.as_deref(), Color::parse);
                let name = fields.finish_with(name).map_err(refused)?;
                let (principal, tag_id) =
                    (change.caller.principal, TagId::new(change.scope.services.dispatch.new_uuid()));
                let (tag_id, receipt) = change.run(CreateTag { principal, tag_id, name, color }).await?;
                payload(&change, tag_id, receipt).await
            }
            .await,
        )
    }

    /// Changes a tag; for supervisors.
    async fn change_tag(
        &self,
        ctx: &Context<'_>,
        input: ChangeTagInput,
        #[graphql(desc = "The version that the caller knows.")] if_match: Option<i32>,
        idempotency_key: Option<String>,
    ) -> Option<Result<TagPayload>> {
        Some(
            async {
                let change = Change::begin(ctx, idempotency_key).await?;
                let mut fields = Fields::default();
                let tag_id = id(&mut fields, "id", &input.id);
                let name = fields.changed("name", input.name.as_deref(), Name::parse);
                let color = emptiable(&mut fields, ("color", input.color), Color::parse);
                let tag_id = fields.finish_with(tag_id).map_err(refused)?;
                let (principal, changes) = (change.caller.principal, TagChanges { name, color });
                let use_case = ChangeTag { principal, tag_id, changes, known_version: version(if_match) };
                let (_, receipt) = change.run(use_case).await?;
                payload(&change, tag_id, receipt).await
            }
            .await,
        )
    }

    /// Deletes a tag; for supervisors.
    async fn delete_tag(
        &self,
        ctx: &Context<'_>,
        id: ID,
        #[graphql(desc = "The version that the caller knows.")] if_match: Option<i32>,
        idempotency_key: Option<String>,
    ) -> Option<Result<TagPayload>> {
        Some(async { set_deleted(&Change::begin(ctx, idempotency_key).await?, (&id, if_match), true).await }.await)
    }

    /// Restores a deleted tag; for supervisors.
    async fn restore_tag(
        &self,
        ctx: &Context<'_>,
        id: ID,
        #[graphql(desc = "The version that the caller knows.")] if_match: Option<i32>,
        idempotency_key: Option<String>,
    ) -> Option<Result<TagPayload>> {
        Some(async { set_deleted(&Change::begin(ctx, idempotency_key).await?, (&id, if_match), false).await }.await)
    }
}

async fn set_deleted(change: &Change<'_>, (tag_id, if_match): (&ID, Option<i32>), deleted: bool) -> Result<TagPayload> {
    let mut fields = Fields::default();
    let tag_id = id(&mut fields, "id", tag_id);
    let tag_id = fields.finish_with(tag_id).map_err(refused)?;
    let principal = change.caller.principal;
    let delete = DeleteTag { principal, tag_id, deleted, known_version: version(if_match) };
    let (_, receipt) = change.run(delete).await?;
    payload(change, tag_id, receipt).await
}

async fn payload(change: &Change<'_>, id: TagId, receipt: Receipt) -> Result<TagPayload> {
    let tag = change.scope.services.directory.changed_tag(id).await.map_err(refused)?;
    Ok(TagPayload::new(shown(&tag)?, receipt))
}
