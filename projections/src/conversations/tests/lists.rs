//! Lists of conversations.

use std::collections::BTreeSet;

use application::ports::Principal;
use domain::agent::AgentStatus;
use domain::conversation::{Conversation, ConversationCommand, ConversationStatus};
use domain::ids::{AgentId, ConversationId, EntityId, GroupId, TagId};
use domain::visitor::VisitorDetails;
use infrastructure::database::Database;

use crate::conversations::{
    ConversationFilter, ConversationOrder, ConversationQueries, ConversationView, ListBounds, Visibility,
};
use crate::search::SearchText;
use crate::testing::{Desk, clear, name, project};
use crate::{CursorError, PageRequest, QueryError};
use infrastructure::testing::fresh_databases;

/// What the visitor says at first, and what follows.
fn texts(chat: usize) -> (String, String) {
    let words = ["parcel", "parts", "party", "paris", "invoice"];
    let often = if chat % 8 == 5 { "" } else { "please" };
    (format!("{often} my {}", words[chat % 5]), format!("it is number {}", chat % 7))
}

const NAMES: [&str; 3] = ["Vera", "Parvati", "Olaf"];

/// Chats of both groups: waiting, served, and closed, by several agents, some tagged.
pub(super) async fn busy_desk(tag_id: TagId) -> Desk {
    let desk = Desk::open().await;
    for chat in 0..24_usize {
        let (first, then) = texts(chat);
        let visitor_id = desk.visitor();
        let details = VisitorDetails { name: Some(name(NAMES[chat % 3])), ..VisitorDetails::default() };
        let receipt = desk.begin(visitor_id, details, Some(desk.groups[chat % 2]), &first).await.unwrap();
        let id = receipt.conversation_id;
        desk.say(Principal::Visitor { id: visitor_id }, id, &then).await.unwrap();
        if chat % 3 > 0 {
            desk.assign(id, desk.agents[chat % 3 - 1]).await.unwrap();
        }
        if chat == 12 {
            // Their chats wait again, and still were theirs last.
            desk.set_status(desk.agents[0], AgentStatus::Offline).await.unwrap();
            desk.set_status(desk.agents[0], AgentStatus::Online).await.unwrap();
        }
        if chat % 4 == 3 {
            desk.close(desk.supervisor(), id).await.unwrap();
        }
        if chat % 5 == 0 {
            let tag = ConversationCommand::AddTag { tag_id, by: desk.admin, at: desk.bus.now() };
            desk.tell::<Conversation>(id, tag).await.unwrap();
        }
    }
    desk
}

pub(super) async fn all_pages(
    queries: &ConversationQueries,
    filter: &ConversationFilter,
    order: ConversationOrder,
) -> Vec<ConversationView> {
    let mut request = PageRequest::first(5);
    let mut all = vec![];
    loop {
        let page = queries.list_conversations(filter, order, &request).await.unwrap();
        assert!(page.data.len() <= 5);
        all.extend(page.data);
        match page.next_cursor {
            Some(cursor) => request.cursor = Some(cursor),
            None => return all,
        }
    }
}

/// Whether a chat has all words, the last of which may be the beginning of one.
fn has_words(chat: usize, wanted: &str) -> bool {
    let (first, then) = texts(chat);
    let text = format!("{} {first} {then}", NAMES[chat % 3].to_lowercase());
    let has = |wanted: &str| text.split(' ').any(|word| word == wanted);
    let begins =
        |wanted: &str| has(wanted) || wanted.len() >= 3 && text.split(' ').any(|word| word.starts_with(wanted));
    let (last, words) = wanted.split(' ').collect::<Vec<_>>().split_last().map(|(a, b)| (*a, b.to_vec())).unwrap();
    words.into_iter().all(has) && (last.is_empty() || begins(last))
}

fn expected(
    all: &[ConversationView],
    filter: &ConversationFilter,
    search: Option<&str>,
    order: ConversationOrder,
) -> Vec<ConversationId> {
    let by_agent = |chat: &ConversationView, agent_id: AgentId| {
        let closed_by_them = chat.status == ConversationStatus::Closed && chat.last_agent_id == Some(agent_id);
        chat.assigned_agent_id == Some(agent_id) || closed_by_them
    };
    let visible = |chat: &ConversationView, to: &Visibility| {
        chat.last_agent_id == Some(to.agent_id) || to.group_ids.contains(&chat.group_id)
    };
    let is_late = |chat: &ConversationView| filter.from.is_none_or(|from| chat.created_at >= from);
    let is_early = |chat: &ConversationView| filter.to.is_none_or(|to| chat.created_at < to);
    let waits = |chat: &ConversationView| chat.status == ConversationStatus::Pending;
    let mut chats: Vec<_> = all
        .iter()
        .enumerate()
        .filter(|(number, _)| search.is_none_or(|words| has_words(*number, words)))
        .map(|(_, chat)| chat)
        .filter(|chat| is_late(chat) && is_early(chat))
        .filter(|chat| order != ConversationOrder::LongestWaiting || waits(chat))
        .filter(|chat| filter.status.is_none_or(|status| chat.status == status))
        .filter(|chat| filter.group_id.is_none_or(|group_id| chat.group_id == group_id))
        .filter(|chat| filter.agent_id.is_none_or(|agent_id| by_agent(chat, agent_id)))
        .filter(|chat| filter.tag_id.is_none_or(|tag_id| chat.tag_ids.contains(&tag_id)))
        .filter(|chat| filter.visible_to.as_ref().is_none_or(|to| visible(chat, to)))
        .collect();
    match order {
        ConversationOrder::Newest => chats.reverse(),
        ConversationOrder::Oldest => {}
        ConversationOrder::LongestWaiting => chats.sort_by_key(|chat| chat.waiting_position),
    }
    chats.into_iter().map(|chat| chat.id).collect()
}

fn none() -> ConversationFilter {
    ConversationFilter::default()
}

const SEARCHES: [&str; 13] = [
    "please",
    "please ",
    "par",
    "parc",
    "part",
    "pari my",
    "vera par",
    "my please parc",
    "number 3",
    "PÀRCEL 3 ",
    "pa",
    "nobody",
    "it is my ",
];

pub(super) fn combinations(desk: &Desk, tag_id: TagId) -> Vec<ConversationFilter> {
    let statuses =
        [None, Some(ConversationStatus::Pending), Some(ConversationStatus::Active), Some(ConversationStatus::Closed)];
    let agents = [None, Some(desk.agents[0])];
    let groups = [None, Some(desk.groups[1])];
    let tags = [None, Some(tag_id)];
    let visible = |agent: usize, group_ids: Vec<GroupId>| Some(Visibility { agent_id: desk.agents[agent], group_ids });
    let many = || (0..40).map(|_| GroupId::from_uuid(desk.bus.new_uuid())).chain([desk.groups[0]]).collect();
    let visibilities = [
        None,
        visible(0, vec![]),
        visible(1, vec![desk.groups[0]]),
        visible(1, desk.groups.into()),
        visible(0, many()),
    ];
    let mut all = vec![];
    for status in statuses {
        for agent_id in agents {
            for group_id in groups {
                for tag_id in tags {
                    for visible_to in visibilities.clone() {
                        let filter = ConversationFilter { status, agent_id, group_id, tag_id, visible_to, ..none() };
                        all.push(filter);
                    }
                }
            }
        }
    }
    all
}

#[tokio::test]
async fn every_combination_of_filters_finds_what_it_says_in_every_order() {
    for fresh in fresh_databases().await {
        let tag_id = TagId::from_uuid(uuid::Uuid::from_u128(7));
        let desk = busy_desk(tag_id).await;
        project(&desk, &fresh.database, &[usize::MAX]).await.unwrap();
        let queries = ConversationQueries::new(fresh.database.clone()).bounded(ListBounds::SMALL);
        let all = all_pages(&queries, &ConversationFilter::default(), ConversationOrder::Oldest).await;
        assert_eq!(all.len(), 24);
        assert!(all.is_sorted_by_key(|chat| chat.created_at));
        let mut round = 0;
        let mut found_by_words = 0;
        for filter in combinations(&desk, tag_id) {
            for (searched, ranged) in [(false, false), (false, true), (true, false), (true, true), (true, false)] {
                round += 1;
                let words = searched.then(|| SEARCHES[round % SEARCHES.len()]);
                let search = words.and_then(|words| SearchText::parse(words).unwrap());
                let time = |at: usize| ranged.then(|| all[at].created_at);
                let (from, to) = (time(round % 9).filter(|_| round % 3 > 0), time(12 + round % 9));
                let filter = ConversationFilter { search, from, to, ..filter.clone() };
                for order in ConversationOrder::ALL {
                    let words = words.map(|words| words.to_lowercase().replace('à', "a"));
                    let wanted = expected(&all, &filter, words.as_deref(), order);
                    let found = all_pages(&queries, &filter, order).await;
                    let found: Vec<_> = found.iter().map(|chat| chat.id).collect();
                    assert_eq!(found, wanted, "{words:?} {filter:?} {order:?}");
                    found_by_words += if searched { found.len() } else { 0 };
                }
            }
        }
        assert!(found_by_words > 500, "{found_by_words}");
    }
}

#[tokio::test]
async fn lists_tell_the_place_of_everybody_who_waits() {
    for fresh in fresh_databases().await {
        let desk = Desk::open().await;
        for chat in 0..90_usize {
            desk.start(desk.visitor(), Some(desk.groups[chat % 2])).await;
        }
        project(&desk, &fresh.database, &[usize::MAX]).await.unwrap();
        let queries = ConversationQueries::new(fresh.database.clone()).bounded(ListBounds::SMALL);
        let filter = ConversationFilter::default();
        let page = queries.list_conversations(&filter, ConversationOrder::Newest, &PageRequest::first(100)).await;
        let page = page.unwrap().data;
        let places: Vec<_> = page.iter().map(|chat| chat.queue_position.unwrap()).collect();
        assert_eq!(places, (1..=45).rev().flat_map(|place| [place, place]).collect::<Vec<_>>());
        // By itself each is counted from the nearer end of the queue, or from its beginning.
        for (chat, place) in page.iter().zip(places) {
            let alone = queries.find_conversation(chat.id).await.unwrap().unwrap();
            assert_eq!(alone.queue_position, Some(place));
        }
    }
}

/// Reads page by page while new chats arrive and others change between the pages.
async fn read_while_more_arrive(database: &Database, order: ConversationOrder) -> (Vec<ConversationId>, Desk) {
    let desk = Desk::open().await;
    let mut chats = vec![];
    for _ in 0..12 {
        chats.push(desk.chat().await.conversation_id);
    }
    let queries = ConversationQueries::new(database.clone()).bounded(ListBounds::SMALL);
    let mut request = PageRequest::first(3);
    let mut seen = vec![];
    for (round, chat) in chats.into_iter().enumerate() {
        clear(database).await;
        project(&desk, database, &[50]).await.unwrap();
        let page = queries.list_conversations(&ConversationFilter::default(), order, &request).await.unwrap();
        seen.extend(page.data.iter().map(|chat| chat.id));
        let Some(cursor) = page.next_cursor else { break };
        request.cursor = Some(cursor);
        desk.assign(chat, desk.agents[0]).await.unwrap();
        if round < 4 {
            desk.chat().await;
        }
    }
    (seen, desk)
}

#[tokio::test]
async fn paging_neither_skips_nor_repeats_while_chats_arrive() {
    for fresh in fresh_databases().await {
        let (oldest, desk) = read_while_more_arrive(&fresh.database, ConversationOrder::Oldest).await;
        assert_eq!(oldest.len(), 16, "those that arrived are at the end");
        assert_eq!(oldest.iter().collect::<BTreeSet<_>>().len(), 16);
        drop(desk);
        clear(&fresh.database).await;
        let (newest, _) = read_while_more_arrive(&fresh.database, ConversationOrder::Newest).await;
        assert_eq!(newest.len(), 12, "those that arrived are before the beginning");
        assert_eq!(newest.iter().collect::<BTreeSet<_>>().len(), 12);
    }
}

#[tokio::test]
async fn cursor_of_another_order_or_of_nothing_is_refused() {
    for fresh in fresh_databases().await {
        let desk = busy_desk(TagId::from_uuid(uuid::Uuid::nil())).await;
        project(&desk, &fresh.database, &[usize::MAX]).await.unwrap();
        let queries = ConversationQueries::new(fresh.database.clone()).bounded(ListBounds::SMALL);
        let (filter, newest) = (ConversationFilter::default(), ConversationOrder::Newest);
        let page = queries.list_conversations(&filter, newest, &PageRequest::first(2)).await.unwrap();
        let other = PageRequest { cursor: page.next_cursor, limit: 2 };
        let refused = queries.list_conversations(&filter, ConversationOrder::Oldest, &other).await;
        assert!(matches!(refused, Err(QueryError::Cursor(CursorError::OtherList))), "{refused:?}");
        let garbage = PageRequest { cursor: Some("';--".into()), limit: 2 };
        let refused = queries.list_conversations(&filter, newest, &garbage).await;
        assert!(matches!(refused, Err(QueryError::Cursor(CursorError::Malformed))), "{refused:?}");
    }
}
