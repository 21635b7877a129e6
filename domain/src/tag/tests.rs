//! Rules of tags.

use cqrs_es::test::TestFramework;

use super::{Tag, TagCommand, TagError, TagEvent};
use crate::fixtures::{at, name};
use crate::testing::{given, given_nothing};
use crate::text::Color;

const DELETED: TagEvent = TagEvent::TagDeleted { at: at(2) };
const RESTORED: TagEvent = TagEvent::TagRestored { at: at(3) };
const DELETE: TagCommand = TagCommand::Delete { at: at(2) };
const RESTORE: TagCommand = TagCommand::Restore { at: at(3) };

fn red() -> Option<Color> {
    Some(Color::parse("#ff0000").unwrap())
}

fn created() -> TagEvent {
    TagEvent::TagCreated { name: name("VIP"), color: red(), at: at(0) }
}

fn restyled(text: &str, color: Option<Color>) -> TagEvent {
    TagEvent::TagRestyled { name: name(text), color, at: at(1) }
}

fn create() -> TagCommand {
    TagCommand::Create { name: name("VIP"), color: red(), at: at(0) }
}

fn restyle(text: &str, color: Option<Color>) -> TagCommand {
    TagCommand::Restyle { name: name(text), color, at: at(1) }
}

#[test]
fn tag_begins_once() {
    given_nothing::<Tag>().when(create()).then([created()]);
    given([created()]).when(create()).then_error(TagError::AlreadyCreated);
    given([created(), DELETED]).when(create()).then_error(TagError::AlreadyCreated);
}

#[test]
fn tag_that_does_not_exist_refuses_everything_else() {
    for command in [restyle("VIP", None), DELETE, RESTORE] {
        given_nothing::<Tag>().when(command).then_error(TagError::NotCreated);
    }
}

#[test]
fn tag_gets_another_name_or_colour() {
    given([created()]).when(restyle("Gold", red())).then([restyled("Gold", red())]);
    given([created()]).when(restyle("VIP", None)).then([restyled("VIP", None)]);
}

#[test]
fn the_same_name_and_colour_change_nothing() {
    given([created()]).when(restyle("VIP", red())).then_nothing();
    given([created(), restyled("Gold", None)]).when(restyle("Gold", None)).then_nothing();
}

#[test]
fn deleted_tag_is_not_restyled() {
    given([created(), DELETED]).when(restyle("Gold", None)).then_error(TagError::NotCreated);
    given([created(), DELETED, RESTORED]).when(restyle("Gold", None)).then([restyled("Gold", None)]);
}

#[test]
fn tag_is_deleted_and_restored_once_each_time() {
    given([created()]).when(DELETE).then([DELETED]);
    given([created(), DELETED]).when(DELETE).then_nothing();
    given([created(), DELETED]).when(RESTORE).then([RESTORED]);
    given([created()]).when(RESTORE).then_nothing();
    given([created(), DELETED, RESTORED]).when(DELETE).then([DELETED]);
}

#[test]
fn deleted_tag_stays_readable_but_is_not_present() {
    let tag = given([created(), DELETED]).state();
    assert_eq!(tag, Tag { name: Some(name("VIP")), color: red(), deleted: true });
    assert!(!tag.is_present());
    assert!(given([created()]).state().is_present());
    assert!(!given_nothing::<Tag>().state().is_present());
}

#[test]
fn cqrs_es_drives_tags() {
    TestFramework::<Tag>::with(()).given_no_previous_events().when(create()).then_expect_events(vec![created()]);
    TestFramework::<Tag>::with(())
        .given(vec![created(), DELETED])
        .when(restyle("Gold", None))
        .then_expect_error(TagError::NotCreated);
}
