//! What the product is for: a visitor asks, an agent answers, and both see it at once.

use harness::Process;
use serde_json::json;

use crate::driver::{Browser, browsers, has_browser};
use crate::people::{begin, go_online, hire, log_in, messages, open_chat, reply, server, visit, write};

/// Anna is available in her console, and Vera has begun a chat with a message.
async fn asked(message: &str) -> (Process, Browser, Browser) {
    let server = server().await;
    hire(&server, "Anna Berg", "agent").await;
    let [agent, visitor] = browsers().await;
    log_in(&agent, &server, "Anna Berg").await;
    go_online(&agent).await;
    visit(&visitor, &server).await;
    begin(&visitor, "Vera Lind", message).await;
    (server, agent, visitor)
}

#[tokio::test]
async fn visitor_and_agent_talk() {
    if !has_browser("visitor_and_agent_talk") {
        return;
    }
    let (_server, agent, visitor) = asked("Is my desk on its way?").await;

    open_chat(&agent, "Vera Lind").await;
    reply(&agent, "It arrives on Friday.").await;
    visitor.wait_for_text("It arrives on Friday.").await;
    visitor.wait_for_text("You are talking with Anna Berg").await;
    agent.wait_for_text("Seen").await;
    write(&visitor, "Thank you!").await;
    agent.wait_for_text("Thank you!").await;
    visitor.wait_for_text("Seen").await;

    let said = ["Is my desk on its way?", "It arrives on Friday.", "Thank you!"];
    assert_eq!(messages(&agent).await, said);
    assert_eq!(messages(&visitor).await, said);

    agent.click(".talk .head button:nth-of-type(2)").await;
    agent.click("dialog button.primary").await;
    visitor.wait_for_text("This chat has ended").await;
    write(&visitor, "One more thing.").await;
    agent.wait_for_text("One more thing.").await;

    assert_eq!(agent.errors().await, Vec::<String>::new());
    assert_eq!(visitor.errors().await, Vec::<String>::new());
}

#[tokio::test]
async fn unread_messages_are_counted_until_they_are_seen() {
    if !has_browser("unread_messages_are_counted_until_they_are_seen") {
        return;
    }
    let (_server, agent, visitor) = asked("Is my desk on its way?").await;
    agent.wait("return document.querySelector('.rail .badge')?.innerText === '1'").await;
    write(&visitor, "Hello?").await;
    agent.wait("return document.querySelector('.rail .badge')?.innerText === '2'").await;
    agent.wait("return document.title.startsWith('(2)')").await;
    open_chat(&agent, "Vera Lind").await;
    agent.wait("return !document.querySelector('.rail .badge')").await;

    // The panel is closed: the button counts, and the agent learns that nobody has looked.
    visitor.leave().await;
    visitor.script("LiveChatLog.close()").await;
    reply(&agent, "It arrives on Friday.").await;
    let badge =
        "const badge = document.querySelector('livechatlog-widget').shadowRoot.querySelector('.badge'); return badge";
    visitor.wait(&format!("{badge}.innerText === '1' && !badge.hidden")).await;
    assert!(!agent.text().await.contains("Seen"));
    visitor.script("LiveChatLog.open()").await;
    visitor.wait(&format!("{badge}.hidden")).await;
    agent.wait_for_text("Seen").await;
}

#[tokio::test]
async fn each_sees_that_the_other_writes() {
    if !has_browser("each_sees_that_the_other_writes") {
        return;
    }
    let (_server, agent, visitor) = asked("Hello").await;
    open_chat(&agent, "Vera Lind").await;
    agent.type_into("[data-reply]", "One mom").await;
    visitor.wait_for_text("Anna Berg is typing").await;
    agent.type_into("[data-reply]", "ent\u{e007}").await;
    visitor.wait_for_text("One moment").await;
    visitor.wait("return !document.querySelector('.moment').innerText").await;
    visitor.type_into(".composer textarea", "Than").await;
    agent.wait_for_text("Vera Lind is typing").await;
    visitor.script("const field = document.querySelector('.composer textarea'); field.value = ''; field.dispatchEvent(new Event('input', { bubbles: true }))").await;
    agent.wait("return !document.querySelector('.moment').innerText").await;
}

#[tokio::test]
async fn plain_http_of_an_office_is_enough() {
    if !has_browser("plain_http_of_an_office_is_enough") {
        return;
    }
    let server = server().await;
    hire(&server, "Anna Berg", "agent").await;
    let [agent, visitor] = browsers().await;
    for browser in [&agent, &visitor] {
        // What browsers leave out on pages that are neither of this machine nor of HTTPS.
        let source =
            "delete Navigator.prototype.locks; delete Crypto.prototype.randomUUID; delete Crypto.prototype.subtle";
        browser.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": source })).await;
    }
    log_in(&agent, &server, "Anna Berg").await;
    assert_eq!(agent.script("return [navigator.locks, crypto.randomUUID].filter(Boolean).length").await, 0);
    go_online(&agent).await;
    visitor.open(&format!("{}/widget/", server.base())).await;
    begin(&visitor, "Vera Lind", "Hello").await;
    open_chat(&agent, "Vera Lind").await;
    reply(&agent, "Good morning").await;
    visitor.wait_for_text("Good morning").await;
    write(&visitor, "Nice").await;
    agent.wait_for_text("Nice").await;
}
