//! Chats that wait in a deleted group go to the default group.

use super::*;
use crate::ids::WorkspaceId;
use crate::workspace::WorkspaceEvent;

const SUPPORT: GroupId = GroupId::new(Uuid::from_u128(0x5000));

fn desk() -> Desk {
    let mut desk = Desk::with(&[]);
    desk.group(SUPPORT, RoutingStrategy::LeastLoaded);
    let chosen = AnyEvent::Workspace(WorkspaceEvent::DefaultGroupChosen { group_id: SUPPORT, at: at(0) });
    desk.log(WorkspaceId::ONLY, chosen);
    desk.start(1);
    desk.start(2);
    desk.on_group(SALES, GroupEvent::GroupDeleted { at: at(1) });
    desk
}

fn relocations(desk: &mut Desk) -> Vec<(u128, GroupId)> {
    assert_eq!(desk.proposals(), []);
    let moved = desk.state.relocate(desk.now);
    moved.iter().map(|step| (step.conversation_id.uuid().as_u128(), step.group_id)).collect()
}

#[test]
fn waiting_chats_of_a_deleted_group_are_moved_once_in_their_order() {
    let mut desk = desk();
    assert_eq!(relocations(&mut desk), [(1, SUPPORT), (2, SUPPORT)]);
    desk.state.wake_all();
    assert_eq!(relocations(&mut desk), []);
}

#[test]
fn moved_chat_keeps_its_place_by_its_arrival() {
    let mut desk = desk();
    relocations(&mut desk);
    desk.start_in(3, SUPPORT, None);
    desk.give_back(2, SUPPORT, None, QueueReason::GroupDeleted);
    desk.give_back(1, SUPPORT, None, QueueReason::GroupDeleted);
    assert_eq!(desk.queue(SUPPORT), [1, 2, 3]);
    assert_eq!(desk.queue(SALES), [0; 0]);
}

#[test]
fn move_that_failed_is_tried_again_when_it_is_due() {
    let mut desk = desk();
    relocations(&mut desk);
    desk.fail(1, at(9));
    assert_eq!(relocations(&mut desk), []);
    desk.now = at(9);
    assert_eq!(relocations(&mut desk), [(1, SUPPORT)]);
}

#[test]
fn chats_of_a_deleted_group_wait_where_they_are_without_a_default_group() {
    let mut desk = Desk::with(&[]);
    desk.start(1);
    desk.on_group(SALES, GroupEvent::GroupDeleted { at: at(1) });
    assert_eq!(relocations(&mut desk), []);
}
