//! A server with its team, and what agents and visitors do in their browsers.

use harness::{ADMIN_EMAIL, DEADLINE, PASSWORD, Person, Process, eventually};
use reqwest::Method;
use serde_json::json;

use crate::driver::Browser;

/// What Enter is to WebDriver.
pub const ENTER: &str = "\u{e007}";

/// The iframe of the widget in a page that embeds it.
pub const FRAME: &str = "return document.querySelector('livechatlog-widget')?.shadowRoot.querySelector('iframe')";

/// A server on an empty store.
pub async fn server() -> Process {
    Process::builder().setting("ADMIN_EMAIL", ADMIN_EMAIL).setting("ADMIN_PASSWORD", PASSWORD).start().await
}

/// A new agent of the default group, who is offline.
pub async fn hire(server: &Process, name: &str, role: &str) -> Person {
    let admin = server.client().log_in(ADMIN_EMAIL).await;
    let email = email(name);
    let body = json!({ "name": name, "email": email, "password": PASSWORD, "role": role });
    let made = admin.client.post("/v1/agents", &body).await.expect(201);
    let groups = admin.client.get("/v1/groups").await.expect(200);
    let group = groups.text("/data/0/id");
    let members = json!({ "agentIds": [made.text("/id")] });
    admin.client.post(&format!("/v1/groups/{group}/agents"), &members).await.expect(200);
    server.client().log_in(&email).await
}

fn email(name: &str) -> String {
    format!("{}@example.com", name.split(' ').next().unwrap().to_lowercase())
}

/// Opens the console and logs in.
pub async fn log_in(browser: &Browser, server: &Process, name: &str) {
    browser.open(&format!("{}/console/", server.base())).await;
    browser.type_into("input[name=email]", &email(name)).await;
    browser.type_into("input[name=password]", PASSWORD).await;
    browser.click("form button").await;
    browser.wait("return document.querySelector('.rail')").await;
}

/// Makes the agent available for chats.
pub async fn go_online(browser: &Browser) {
    let choose = "const list = document.querySelector('.presence select'); list.value = 'online';
        list.dispatchEvent(new Event('change', { bubbles: true }))";
    browser.script(choose).await;
    browser.wait("return document.querySelector('.presence .dot.online')").await;
}

/// Makes an agent available and waits until the router has given the only chat to them.
pub async fn take_only_chat(agent: &Person) -> String {
    let status = json!({ "status": "online" });
    agent.client.request(Method::PUT, &format!("/v1/agents/{}/status", agent.id), Some(&status)).await.expect(200);
    eventually(DEADLINE, "the chat has its agent", async || {
        let chats = agent.client.get("/v1/conversations").await.expect(200);
        let chat = &chats.body["data"][0];
        let is_theirs = chat["assignedAgentId"] == agent.id.as_str();
        if is_theirs { Ok(chat["id"].as_str().unwrap().to_owned()) } else { Err(chats.body) }
    })
    .await
}

/// Opens the chat of a visitor from the list.
pub async fn open_chat(browser: &Browser, name: &str) {
    let row = format!(
        "const row = [...document.querySelectorAll('.row')].find((row) => row.innerText.includes({})); row?.click(); return row",
        json!(name)
    );
    browser.wait(&row).await;
    browser.wait("return document.querySelector('.talk .said')").await;
}

/// Writes a reply in the chat that is open.
pub async fn reply(browser: &Browser, text: &str) {
    browser.type_into("[data-reply]", text).await;
    browser.type_into("[data-reply]", ENTER).await;
}

/// Opens the shop and the chat in it, and stays in the chat's frame.
pub async fn visit(browser: &Browser, server: &Process) {
    browser.open(&format!("{}/demo/", server.base())).await;
    browser.wait("return window.LiveChatLog && (window.LiveChatLog.open(), true)").await;
    browser.enter(FRAME).await;
    browser.wait("return document.querySelector('[data-focus]')").await;
}

/// Begins a chat with the form.
pub async fn begin(browser: &Browser, name: &str, text: &str) {
    browser.type_into("input[name=name]", name).await;
    browser.type_into("textarea", text).await;
    browser.click("form.form button").await;
    browser.wait("return document.querySelector('.said:not(.pending)')").await;
}

/// Writes in a chat that has begun.
pub async fn write(browser: &Browser, text: &str) {
    browser.type_into(".composer textarea", text).await;
    browser.type_into(".composer textarea", ENTER).await;
}

/// The texts of all messages that are shown, in order.
pub async fn messages(browser: &Browser) -> Vec<String> {
    let texts =
        browser.script("return [...document.querySelectorAll('.said .text')].map((text) => text.innerText)").await;
    texts.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}
