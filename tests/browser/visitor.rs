//! What visitors may rely on: nothing before they ask for it, nothing lost, one connection.

use harness::{ADMIN_EMAIL, Process, eventually};
use serde_json::{Value, json};

use crate::driver::{Browser, browsers, has_browser};
use crate::lasting::Lasting;
use crate::people::{FRAME, begin, messages, server, take_only_chat, visit, write};

/// The texts that the log has of the only chat.
async fn stored(server: &Process) -> Vec<String> {
    let admin = server.client().log_in(ADMIN_EMAIL).await.client;
    let chats = admin.get("/v1/conversations").await.expect(200);
    assert_eq!(chats.body["data"].as_array().unwrap().len(), 1, "{}", chats.body);
    let thread = chats.text("/data/0/threadIds/0");
    let events = admin.get(&format!("/v1/threads/{thread}/events?limit=100")).await.expect(200);
    let messages = events.body["data"].as_array().unwrap().iter().filter(|event| event["type"] == "message");
    messages.map(|message| message["content"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn nothing_is_asked_for_or_kept_before_the_chat_is_opened() {
    if !has_browser("nothing_is_asked_for_or_kept_before_the_chat_is_opened") {
        return;
    }
    let server = server().await;
    let [visitor] = browsers().await;
    visitor.open(&format!("{}/demo/", server.base())).await;
    visitor.wait("return window.LiveChatLog").await;
    let asked = visitor
        .script("return performance.getEntriesByType('resource').map((entry) => new URL(entry.name).pathname)")
        .await;
    let of_widget = |paths: &Value| -> Vec<String> {
        let paths = paths.as_array().unwrap().iter().map(|path| path.as_str().unwrap().to_owned());
        paths.filter(|path| path.contains("/widget")).collect()
    };
    assert_eq!(of_widget(&asked), ["/widget.js"]);
    let kept = "return document.cookie.length + localStorage.length + sessionStorage.length";
    assert_eq!(visitor.script(kept).await, 0);
    assert_eq!(visitor.script("return indexedDB.databases().then((all) => all.length)").await, 0);
    // The same look sees what comes with the opened panel.
    visitor.script("LiveChatLog.open()").await;
    visitor.enter(FRAME).await;
    visitor.wait("return document.querySelector('textarea')").await;
    visitor.leave().await;
    visitor.wait("return sessionStorage.length").await;
}

#[tokio::test]
async fn message_without_a_server_is_sent_once_though_its_tab_was_closed() {
    if !has_browser("message_without_a_server_is_sent_once_though_its_tab_was_closed") {
        return;
    }
    let mut server = Lasting::start().await;
    let [visitor] = browsers().await;
    visit(&visitor, &server.process).await;
    begin(&visitor, "Vera Lind", "First").await;
    visitor.leave().await;
    let shop = visitor.tab().await;
    let other = visitor.new_tab().await;
    visit(&visitor, &server.process).await;
    visitor.wait_for_text("First").await;

    server.kill();
    visitor.wait_for_text("No connection.").await;
    write(&visitor, "Second").await;
    visitor.wait("return document.querySelector('.pending')").await;
    visitor.type_into(".composer textarea", "half a thou").await;
    // Both tabs end: only the browser's storage remembers.
    visitor.leave().await;
    visitor.close_tab().await;
    visitor.switch(&shop).await;
    visitor.open("about:blank").await;
    assert_ne!(shop, other);

    server.restart().await;
    visit(&visitor, &server.process).await;
    visitor.wait("return document.querySelectorAll('.said:not(.pending)').length === 2").await;
    assert_eq!(messages(&visitor).await, ["First", "Second"]);
    assert_eq!(visitor.script("return document.querySelector('.composer textarea').value").await, "half a thou");
    assert_eq!(stored(&server.process).await, ["First", "Second"]);
}

#[tokio::test]
async fn first_message_without_a_server_begins_one_chat() {
    if !has_browser("first_message_without_a_server_begins_one_chat") {
        return;
    }
    let mut server = Lasting::start().await;
    let [visitor] = browsers().await;
    visit(&visitor, &server.process).await;
    server.kill();
    visitor.type_into("textarea", "Is anybody there?").await;
    visitor.click("form.form button").await;
    visitor.wait_for_text("No connection.").await;
    server.restart().await;
    visitor.wait("return document.querySelector('.said:not(.pending)')").await;
    assert_eq!(stored(&server.process).await, ["Is anybody there?"]);
}

/// Answers the only chat as its agent.
async fn answer(server: &Process, text: &str) {
    let admin = server.client().log_in(ADMIN_EMAIL).await;
    let chat = take_only_chat(&admin).await;
    admin.client.post(&format!("/v1/conversations/{chat}/events"), &json!({ "content": text })).await.expect(201);
}

async fn tab_with_chat(visitor: &Browser, server: &Process) -> String {
    let tab = visitor.new_tab().await;
    visitor.open(&format!("{}/widget/", server.base())).await;
    visitor.wait("return document.querySelector('.said')").await;
    tab
}

#[tokio::test]
async fn all_tabs_share_one_connection_and_one_takes_over_from_another() {
    if !has_browser("all_tabs_share_one_connection_and_one_takes_over_from_another") {
        return;
    }
    let server = server().await;
    let [visitor] = browsers().await;
    visitor.open(&format!("{}/widget/", server.base())).await;
    begin(&visitor, "Vera Lind", "Hello").await;
    let first = visitor.tab().await;
    // More than a visitor may have connections: they can only all be live if they share one.
    let mut tabs = vec![];
    for _ in 0..6 {
        tabs.push(tab_with_chat(&visitor, &server).await);
    }
    answer(&server, "To all of you").await;
    for tab in &tabs {
        visitor.switch(tab).await;
        visitor.wait_for_text("To all of you").await;
    }
    visitor.switch(&first).await;
    visitor.close_tab().await;
    visitor.switch(&tabs[0]).await;
    answer(&server, "And again").await;
    for tab in &tabs {
        visitor.switch(tab).await;
        visitor.wait_for_text("And again").await;
        assert_eq!(messages(&visitor).await, ["Hello", "To all of you", "And again"]);
    }
}

#[tokio::test]
async fn visitor_is_counted_in_the_queue_and_ends_the_chat() {
    if !has_browser("visitor_is_counted_in_the_queue_and_ends_the_chat") {
        return;
    }
    let server = server().await;
    server.client().visitor(json!({ "initialMessage": "I was first" })).await;
    let [visitor] = browsers().await;
    visit(&visitor, &server).await;
    begin(&visitor, "Vera Lind", "Hello").await;
    visitor.wait_for_text("You are number 2 in the queue").await;
    visitor.click(".head .quiet").await;
    visitor.click(".head .danger").await;
    visitor.wait_for_text("This chat has ended").await;
    let admin = server.client().log_in(ADMIN_EMAIL).await.client;
    eventually(harness::DEADLINE, "the chat is closed", async || {
        let counts = admin.get("/v1/conversations/counts").await.expect(200).body;
        if counts["closed"] == 1 { Ok(()) } else { Err(counts) }
    })
    .await;
}

#[tokio::test]
async fn page_that_opens_while_the_chat_begins_sends_nothing_twice() {
    if !has_browser("page_that_opens_while_the_chat_begins_sends_nothing_twice") {
        return;
    }
    let server = server().await;
    let [visitor] = browsers().await;
    visitor.open(&format!("{}/widget/", server.base())).await;
    visitor.wait("return document.querySelector('textarea')").await;
    // The chat begins, and what would show it does not arrive.
    let hang = "const real = window.fetch; window.fetch = (url, options) =>
        String(url).includes('/v1/conversations/') ? new Promise(() => {}) : real(url, options)";
    visitor.script(hang).await;
    visitor.type_into("textarea", "First").await;
    visitor.click("form.form button").await;
    visitor.wait("return localStorage.getItem('livechatlog.visitor')").await;
    visitor.new_tab().await;
    visitor.open(&format!("{}/widget/", server.base())).await;
    visitor.wait("return document.querySelector('.said:not(.pending)')").await;
    write(&visitor, "Second").await;
    visitor.wait("return document.querySelectorAll('.said').length > 1 && !document.querySelector('.pending')").await;
    assert_eq!(stored(&server).await, ["First", "Second"]);
}

#[tokio::test]
async fn first_message_whose_answer_is_lost_is_stored_once() {
    if !has_browser("first_message_whose_answer_is_lost_is_stored_once") {
        return;
    }
    let server = server().await;
    let [visitor] = browsers().await;
    visitor.open(&format!("{}/widget/", server.base())).await;
    visitor.wait("return document.querySelector('textarea')").await;
    // The first answer is dropped, and so is the second; another tab has got one and knows the chat by then.
    let drop_two = "let dropped = 0; const real = window.fetch; window.fetch = async (url, options) => {
        const answer = await real(url, options);
        if (!String(url).endsWith('/v1/widget/session') || dropped > 1) return answer;
        const { sessionToken: token, visitorId, conversationId } = await answer.json();
        const session = { token, visitorId, conversationId, renewAt: Date.now() + 3_600_000 };
        if (++dropped > 1) localStorage.setItem('livechatlog.visitor', JSON.stringify(session));
        throw new TypeError('Failed to fetch');
    }";
    visitor.script(drop_two).await;
    visitor.type_into("textarea", "Is it there?").await;
    visitor.click("form.form button").await;
    visitor.wait("return document.querySelector('.said:not(.pending)') && !document.querySelector('.pending')").await;
    write(&visitor, "Second").await;
    visitor.wait("return document.querySelectorAll('.said').length > 1 && !document.querySelector('.pending')").await;
    assert_eq!(messages(&visitor).await, ["Is it there?", "Second"]);
    assert_eq!(stored(&server).await, ["Is it there?", "Second"]);
}
