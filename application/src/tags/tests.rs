use domain::agent::Role;
use domain::ids::TagId;
use domain::tag::{Tag, TagNameClaimError};
use domain::text::{Color, Name};
use uuid::Uuid;

use super::{ChangeTag, CreateTag, DeleteTag, TagChanges};
use crate::UseCaseError;
use crate::command_bus::UseCase;
use crate::error::Entity;
use crate::ports::Principal;
use crate::testing::Company;

const VIP: TagId = TagId::new(Uuid::from_u128(1));
const SPAM: TagId = TagId::new(Uuid::from_u128(2));

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn create(company: &Company, tag_id: TagId, text: &str) -> CreateTag {
    CreateTag { principal: company.admin(), tag_id, name: name(text), color: None }
}

fn change(company: &Company, changes: TagChanges) -> ChangeTag {
    ChangeTag { principal: company.admin(), tag_id: VIP, changes, known_version: None }
}

fn delete(company: &Company, deleted: bool) -> DeleteTag {
    DeleteTag { principal: company.admin(), tag_id: VIP, deleted, known_version: None }
}

async fn refusal<U: UseCase>(company: &Company, use_case: U) -> UseCaseError {
    match company.bus.execute(company.context(), use_case).await {
        Ok(_) => panic!("it was not refused"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn two_tags_never_have_the_same_name() {
    let company = Company::open().await;
    assert_eq!(company.act(create(&company, VIP, "vip")).await, VIP);
    let refused = refusal(&company, create(&company, SPAM, "VIP")).await;
    assert!(matches!(refused, UseCaseError::TagNameClaim(TagNameClaimError::Taken)), "{refused:?}");
    company.act(create(&company, SPAM, "spam")).await;
    let rename = ChangeTag { tag_id: SPAM, ..change(&company, TagChanges { name: Some(name("vip")), color: None }) };
    let refused = refusal(&company, rename).await;
    assert!(matches!(refused, UseCaseError::TagNameClaim(TagNameClaimError::Taken)), "{refused:?}");
}

#[tokio::test]
async fn renamed_and_deleted_tags_free_their_names() {
    let company = Company::open().await;
    company.act(create(&company, VIP, "vip")).await;
    company.act(change(&company, TagChanges { name: Some(name("gold")), color: None })).await;
    company.act(create(&company, SPAM, "vip")).await;
    company.act(delete(&company, true)).await;
    let third = TagId::new(Uuid::from_u128(3));
    company.act(create(&company, third, "gold")).await;
    let refused = refusal(&company, delete(&company, false)).await;
    assert!(matches!(refused, UseCaseError::TagNameClaim(TagNameClaimError::Taken)), "{refused:?}");
}

#[tokio::test]
async fn absent_changes_stay_and_the_colour_can_be_removed() {
    let company = Company::open().await;
    let color = Some(Color::parse("#ff0000").unwrap());
    company.act(CreateTag { color: color.clone(), ..create(&company, VIP, "vip") }).await;
    company.act(change(&company, TagChanges { name: Some(name("gold")), color: None })).await;
    let tag = company.bus.read::<Tag>(VIP).await.unwrap();
    assert_eq!((tag.name.clone(), tag.color.clone()), (Some(name("gold")), color));
    company.act(change(&company, TagChanges { name: None, color: Some(None) })).await;
    let tag = company.bus.read::<Tag>(VIP).await.unwrap();
    assert_eq!((tag.name.clone(), tag.color.clone()), (Some(name("gold")), None));
}

#[tokio::test]
async fn agents_and_strangers_to_the_version_are_refused_and_unknown_tags_are_not_found() {
    let company = Company::open().await;
    assert!(matches!(refusal(&company, delete(&company, true)).await, UseCaseError::NotFound(Entity::Tag)));
    let principal = Principal::Agent { id: company.admin_id, role: Role::Agent };
    let refused = refusal(&company, CreateTag { principal, ..create(&company, VIP, "vip") }).await;
    assert!(matches!(refused, UseCaseError::Forbidden(_)), "{refused:?}");
    company.act(create(&company, VIP, "vip")).await;
    let stale = DeleteTag { known_version: Some(7), ..delete(&company, true) };
    assert!(matches!(refusal(&company, stale).await, UseCaseError::VersionMoved { current: 1 }));
}
