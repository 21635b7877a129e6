//! What the search finds, and what it knows.

use application::ports::Principal;
use domain::agent::Role;
use domain::ids::ConversationId;
use domain::text::EmailAddress;
use domain::visitor::VisitorDetails;
use infrastructure::database::Database;
use infrastructure::subscription::HandleError;

use super::*;
use crate::PageRequest;
use crate::conversations::{self, ConversationFilter, ConversationOrder, ConversationQueries};
use crate::testing::{Desk, name, project, project_with};
use infrastructure::testing::fresh_databases;

async fn found(database: &Database, text: &str) -> Vec<ConversationId> {
    let filter = ConversationFilter { search: SearchText::parse(text).unwrap(), ..ConversationFilter::default() };
    let queries = ConversationQueries::new(database.clone()).bounded(conversations::ListBounds::SMALL);
    let page = queries.list_conversations(&filter, ConversationOrder::Oldest, &PageRequest::first(100)).await.unwrap();
    page.data.into_iter().map(|chat| chat.id).collect()
}

/// Two chats: of Zoë, and of somebody without a name.
async fn two_chats(desk: &Desk) -> [ConversationId; 2] {
    let email = Some(EmailAddress::parse("zoe.k@example.com").unwrap());
    let details = VisitorDetails { name: Some(name("Zoë Ångström")), email, phone: None };
    let first = desk.begin(desk.visitor(), details, None, "Wo ist meine Überweisung?").await.unwrap();
    let visitor_id = desk.visitor();
    let second = desk.begin(visitor_id, VisitorDetails::default(), None, "My parcel").await.unwrap();
    desk.say(Principal::Visitor { id: visitor_id }, second.conversation_id, "has number 4711").await.unwrap();
    desk.assign(second.conversation_id, desk.agents[0]).await.unwrap();
    let agent = Principal::Agent { id: desk.agents[0], role: Role::Agent };
    desk.say(agent, second.conversation_id, "Straße?").await.unwrap();
    [first.conversation_id, second.conversation_id]
}

#[tokio::test]
async fn names_addresses_and_messages_of_both_sides_are_found() {
    for fresh in fresh_databases().await {
        let (desk, database) = (Desk::open().await, &fresh.database);
        let [first, second] = two_chats(&desk).await;
        project(&desk, database, &[1]).await.unwrap();
        for text in ["zoe", "ANGSTROM zoë", "zoe.k@example.com", "uberw", "überweisung meine ", "wo zoe"] {
            assert_eq!(found(database, text).await, [first], "{text}");
        }
        for text in ["parcel", "471", "number my", "STRASSE ", "4711 str"] {
            assert_eq!(found(database, text).await, [second], "{text}");
        }
        for text in ["parcel zoe", "parce ", "?!", "471 ", "zo", "xyzzy", "xyz", "ref*", "%", "zoe*x"] {
            assert_eq!(found(database, text).await, [], "{text}");
        }
        assert_eq!(found(database, "  ").await, [first, second]);
    }
}

#[tokio::test]
async fn visitor_is_found_by_the_name_they_gave_later() {
    for fresh in fresh_databases().await {
        let (desk, database) = (Desk::open().await, &fresh.database);
        two_chats(&desk).await;
        let visitor_id = desk.visitor();
        let named = |text: &str| VisitorDetails { name: Some(name(text)), ..VisitorDetails::default() };
        let chat = desk.begin(visitor_id, named("Vera"), None, "Hello").await.unwrap().conversation_id;
        desk.begin(visitor_id, named("Jürgen"), None, "It is me").await.unwrap();
        for pages in [&[1][..], &[1_000]] {
            crate::testing::clear(database).await;
            project(&desk, database, pages).await.unwrap();
            assert_eq!(found(database, "jurgen").await, [chat]);
            assert_eq!(found(database, "vera").await, [chat], "and by the one before: agents ask for the earlier name");
        }
    }
}

#[tokio::test]
async fn words_that_begin_alike_are_found_however_many_there_are() {
    for fresh in fresh_databases().await {
        let (desk, database) = (Desk::open().await, &fresh.database);
        let mut chats = vec![];
        for number in 0..9 {
            let text = format!("order{number} is nigh, order{number}");
            let chat = desk.begin(desk.visitor(), VisitorDetails::default(), None, &text).await.unwrap();
            chats.push(chat.conversation_id);
        }
        project(&desk, database, &[4]).await.unwrap();
        let beginning =
            expand(database, &SearchText::parse("order").unwrap().unwrap(), WordBounds::SMALL).await.unwrap().unwrap();
        assert!(matches!(beginning.as_slice(), [Word::Between(..)]), "{beginning:?}");
        for text in ["order", "orde", "ord", "nigh order", "nig"] {
            assert_eq!(found(database, text).await, chats, "{text}");
        }
        assert_eq!(found(database, "order7").await, chats[7..8]);
    }
}

#[tokio::test]
async fn message_in_a_conversation_that_is_not_known_is_poison() {
    for fresh in fresh_databases().await {
        let desk = Desk::open().await;
        desk.chat().await;
        let events = desk.log.events();
        let message = events.last().unwrap().clone();
        let projected = project_with(&[std::sync::Arc::new(SearchProjector)], &fresh.database, &[message], &[1]).await;
        assert!(matches!(projected, Err(HandleError::Poison { .. })), "{projected:?}");
    }
}
