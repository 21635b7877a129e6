//! What agents may rely on: the keyboard, several tabs, and a console that is true without being reloaded.

use harness::{ADMIN_EMAIL, PASSWORD};
use serde_json::json;

use crate::driver::{browsers, has_browser};
use crate::lasting::Lasting;
use crate::people::{ENTER, go_online, hire, log_in, messages, open_chat, server, take_only_chat};

const TAB: &str = "\u{e004}";
const ESCAPE: &str = "\u{e00c}";

#[tokio::test]
async fn chat_is_taken_answered_and_closed_by_keys_alone() {
    if !has_browser("chat_is_taken_answered_and_closed_by_keys_alone") {
        return;
    }
    let server = server().await;
    hire(&server, "Anna Berg", "agent").await;
    let visitor = server.client().visitor(json!({ "name": "Vera Lind", "initialMessage": "Hello?" })).await;
    let [agent] = browsers().await;
    agent.open(&format!("{}/console/", server.base())).await;
    agent.wait("return document.activeElement?.name === 'email'").await;
    let typed = |text: &str| text.chars().map(String::from).collect::<Vec<_>>();
    let mut keys = typed("anna@example.com");
    keys.push(TAB.to_owned());
    keys.extend(typed(PASSWORD));
    keys.push(ENTER.to_owned());
    agent.press(&keys.iter().map(String::as_str).collect::<Vec<_>>()).await;
    agent.wait("return document.querySelector('.rail')").await;

    agent.press(&["2"]).await;
    agent.wait("return document.querySelector('.row')").await;
    agent.press(&["j"]).await;
    agent.wait("return document.querySelector('[data-take]')").await;
    agent.press(&["a"]).await;
    agent.wait("return document.querySelector('[data-reply]')").await;
    agent.press(&["r"]).await;
    agent.wait("return document.activeElement?.matches('[data-reply]')").await;
    agent.press(&["Y", "e", "s", ENTER]).await;
    agent.wait("return document.querySelectorAll('.said:not(.pending)').length === 2").await;
    agent.press(&[ESCAPE, "x"]).await;
    agent.wait("return document.querySelector('dialog[open]')").await;
    agent.wait("return document.activeElement?.closest('dialog')").await;
    agent.script("document.querySelector('dialog input[name=reason]').focus()").await;
    agent.press(&[ENTER]).await;
    agent.wait_for_text("This chat is closed.").await;
    let chat = visitor.client.get(&format!("/v1/conversations/{}", visitor.conversation_id)).await.expect(200);
    assert_eq!(chat.text("/status"), "closed");
}

#[tokio::test]
async fn log_in_holds_in_new_tabs_and_log_out_ends_all() {
    if !has_browser("log_in_holds_in_new_tabs_and_log_out_ends_all") {
        return;
    }
    let server = server().await;
    hire(&server, "Anna Berg", "agent").await;
    let [agent] = browsers().await;
    log_in(&agent, &server, "Anna Berg").await;
    let first = agent.tab().await;
    agent.new_tab().await;
    agent.open(&format!("{}/console/", server.base())).await;
    agent.wait("return document.querySelector('.rail')").await;
    agent.reload().await;
    agent.wait("return document.querySelector('.rail')").await;
    agent.click("button[aria-label='Log out']").await;
    agent.wait("return document.querySelector('input[name=password]')").await;
    agent.switch(&first).await;
    agent.wait("return document.querySelector('input[name=password]')").await;
    assert_eq!(agent.script("return sessionStorage.length + localStorage.length").await, 0);
}

#[tokio::test]
async fn lists_are_true_again_after_the_server_was_killed() {
    if !has_browser("lists_are_true_again_after_the_server_was_killed") {
        return;
    }
    let mut server = Lasting::start().await;
    hire(&server.process, "Anna Berg", "supervisor").await;
    let client = server.process.client().clone();
    client.visitor(json!({ "name": "Vera Lind", "initialMessage": "Hello" })).await;
    let [agent] = browsers().await;
    log_in(&agent, &server.process, "Anna Berg").await;
    agent.script("location.hash = '/chats/queue'").await;
    agent.wait_for_text("Vera Lind").await;

    server.kill();
    agent.wait_for_text("No connection.").await;
    server.restart().await;
    client.visitor(json!({ "name": "Wim Kok", "initialMessage": "Hello" })).await;
    agent.wait_for_text("Wim Kok").await;
    agent.wait("return document.querySelector('.banner').hidden").await;
    let list = "return [...document.querySelectorAll('.row .name')].map((name) => name.innerText)";
    let followed = agent.script(list).await;
    assert_eq!(followed, json!(["Vera Lind", "Wim Kok"]));
    agent.reload().await;
    agent.wait_for_text("Wim Kok").await;
    assert_eq!(agent.script(list).await, followed);
}

#[tokio::test]
async fn session_that_was_ended_elsewhere_ends_here() {
    if !has_browser("session_that_was_ended_elsewhere_ends_here") {
        return;
    }
    let server = server().await;
    let anna = hire(&server, "Anna Berg", "agent").await;
    let [agent] = browsers().await;
    log_in(&agent, &server, "Anna Berg").await;
    go_online(&agent).await;
    let admin = server.client().log_in(ADMIN_EMAIL).await.client;
    admin.request(reqwest::Method::DELETE, &format!("/v1/agents/{}", anna.id), None).await.expect(200);
    agent.wait("return document.querySelector('input[name=password]')").await;
}

#[tokio::test]
async fn long_list_is_a_few_elements() {
    if !has_browser("long_list_is_a_few_elements") {
        return;
    }
    let server = server().await;
    hire(&server, "Anna Berg", "supervisor").await;
    for number in 0..150 {
        server.client().visitor(json!({ "name": format!("Visitor {number:03}"), "initialMessage": "Hello" })).await;
    }
    let [agent] = browsers().await;
    log_in(&agent, &server, "Anna Berg").await;
    agent.script("location.hash = '/chats/queue'").await;
    agent.wait_for_text("Visitor 000").await;
    let rows = "return document.querySelectorAll('.row').length";
    assert!(agent.script(rows).await.as_i64().unwrap() < 40);
    // The end of the list is on its second page.
    let to_the_end = "const rows = document.querySelector('.rows'); rows.scrollTop = rows.scrollHeight; return rows.innerText.includes('Visitor 149')";
    agent.wait(to_the_end).await;
    assert!(agent.script(rows).await.as_i64().unwrap() < 40);
    assert!(messages(&agent).await.is_empty());
}

#[tokio::test]
async fn log_is_verified_in_the_browser_and_a_change_is_found() {
    if !has_browser("log_is_verified_in_the_browser_and_a_change_is_found") {
        return;
    }
    let server = server().await;
    hire(&server, "Anna Berg", "admin").await;
    server.client().visitor(json!({ "name": "Zoë", "initialMessage": "Grüße, \"世界\" \\ \u{1f600}" })).await;
    let [agent] = browsers().await;
    log_in(&agent, &server, "Anna Berg").await;
    agent.script("location.hash = '/audit'").await;
    let verify =
        "const button = [...document.querySelectorAll('button')].find((one) => one.innerText.startsWith('Verify'));
        return document.querySelectorAll('tbody tr').length > 5 && (button.click(), true)";
    agent.wait(verify).await;
    agent.wait_for_text("the chain is unbroken").await;
    // The same page, with one word of the log changed on its way.
    let change = r#"const text = Response.prototype.json; Response.prototype.json = async function () {
        return JSON.parse(JSON.stringify(await text.call(this)).replace('世界', '世人')); }"#;
    agent.script(change).await;
    agent.script("location.hash = '/tags'").await;
    agent.wait_for_text("What chats are about").await;
    agent.script("location.hash = '/audit'").await;
    agent.wait_for_text("MessageSent").await;
    agent.wait(verify).await;
    agent.wait_for_text("Not as written").await;
}

#[tokio::test]
async fn chat_that_is_lost_says_so_and_the_console_goes_on() {
    if !has_browser("chat_that_is_lost_says_so_and_the_console_goes_on") {
        return;
    }
    let server = server().await;
    let anna = hire(&server, "Anna Berg", "agent").await;
    let ben = hire(&server, "Ben Okafor", "agent").await;
    server.client().visitor(json!({ "name": "Vera Lind", "initialMessage": "Hello" })).await;
    take_only_chat(&ben).await;
    let [agent] = browsers().await;
    log_in(&agent, &server, "Anna Berg").await;
    agent.script("location.hash = '/chats/open'").await;
    open_chat(&agent, "Vera Lind").await;

    let admin = server.client().log_in(ADMIN_EMAIL).await.client;
    let groups = admin.get("/v1/groups").await.expect(200);
    let member = format!("/v1/groups/{}/agents/{}", groups.text("/data/0/id"), anna.id);
    admin.request(reqwest::Method::DELETE, &member, None).await.expect(200);
    agent.wait_for_text("not yours to read").await;
    admin.post("/v1/tags", &json!({ "name": "still here" })).await.expect(201);
    agent.script("location.hash = '/tags'").await;
    agent.wait_for_text("still here").await;
    agent.script("location.hash = '/chats/mine/00000000-0000-7000-8000-000000000000'").await;
    agent.wait_for_text("not yours to read").await;
}
