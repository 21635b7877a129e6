//! What people write is text, wherever it is shown, and the widget stands only where it may.

use harness::{Process, free_port};
use serde_json::json;

use crate::driver::{Browser, browsers, has_browser};
use crate::people::{FRAME, begin, hire, log_in, messages, open_chat, server, take_only_chat};
use crate::site::Site;

/// Texts that would become scripts or elements in a page that is careless at one place or another.
const TEXTS: [&str; 12] = [
    "<script>window.ran = 1</script>",
    "<img src=x onerror='window.ran = 1'>",
    "\"><svg onload=window.ran=1>",
    "javascript:window.ran=1",
    "https://shop.example/\" onmouseover=\"window.ran=1",
    "<a href='javascript:window.ran=1'>here</a>",
    "</textarea><iframe srcdoc='<script>parent.ran=1</script>'>",
    "{{constructor.constructor('window.ran=1')()}} ${window.ran=1}",
    "<style>*{display:none}</style>",
    "&lt;b&gt; &#60;script&#62; %3Cscript%3E",
    "\u{202e}txet desrever\u{202c} <base href='https://other.example/'>",
    "__proto__ constructor toString",
];

/// Elements that no page has by itself, and whether a script has run.
const HARM: &str = "return [window.ran, ...document.querySelectorAll('#app script, #app iframe, #app style, #app base, \
    #app img, [onerror], [onload], [onmouseover], a[href^=javascript]')].filter(Boolean).map(String)";

async fn is_unharmed(browser: &Browser) {
    assert_eq!(browser.script(HARM).await, json!([]));
    let errors = browser.errors().await;
    assert_eq!(errors, Vec::<String>::new());
}

#[tokio::test]
async fn what_people_write_never_becomes_markup() {
    if !has_browser("what_people_write_never_becomes_markup") {
        return;
    }
    let server = server().await;
    hire(&server, "Anna Berg", "admin").await;
    let admin = server.client().log_in("anna@example.com").await;
    let name = "<img src=x onerror=window.ran=1>";
    admin.client.post("/v1/tags", &json!({ "name": name })).await.expect(201);
    admin.client.post("/v1/groups", &json!({ "name": name, "description": TEXTS[0] })).await.expect(201);
    let [agent, visitor] = browsers().await;
    visitor.open(&format!("{}/widget/", server.base())).await;
    begin(&visitor, name, TEXTS[0]).await;
    let chat = take_only_chat(&admin).await;
    for text in &TEXTS[1..] {
        admin.client.post(&format!("/v1/conversations/{chat}/events"), &json!({ "content": text })).await.expect(201);
    }

    visitor.wait(&format!("return document.querySelectorAll('.said').length === {}", TEXTS.len())).await;
    is_unharmed(&visitor).await;
    log_in(&agent, &server, "Anna Berg").await;
    open_chat(&agent, name).await;
    agent.wait(&format!("return document.querySelectorAll('.said').length === {}", TEXTS.len())).await;
    assert_eq!(messages(&agent).await, messages(&visitor).await);
    assert!(messages(&agent).await[0].starts_with("<script>"));
    is_unharmed(&agent).await;
    for (view, text) in [("groups", "members"), ("tags", name), ("agents", "Anna Berg"), ("board", "Queues")] {
        agent.script(&format!("location.hash = '/{view}'")).await;
        agent.wait_for_text(text).await;
        is_unharmed(&agent).await;
    }
    agent.script("location.hash = '/audit'").await;
    agent.wait("return document.querySelector('tbody button')").await;
    agent.script("document.querySelectorAll('tbody button').forEach((button) => button.click())").await;
    agent.wait("return document.querySelector('.details pre')").await;
    is_unharmed(&agent).await;
}

#[tokio::test]
async fn page_refuses_scripts_that_are_not_its_own() {
    if !has_browser("page_refuses_scripts_that_are_not_its_own") {
        return;
    }
    let server = server().await;
    let [browser] = browsers().await;
    for page in ["console", "widget", "demo"] {
        browser.open(&format!("{}/{page}/", server.base())).await;
        browser.script("const script = document.createElement('script'); try { script.textContent = 'window.ran = 1' } catch {}; document.body.append(script)").await;
        let markup = "try { document.body.innerHTML = '<b>x</b>'; return 'taken' } catch (error) { return error.name }";
        assert_eq!(browser.script(markup).await, "TypeError", "{page}");
        assert_eq!(browser.script("return window.ran ?? 0").await, 0, "{page}");
    }
}

async fn chat_server(sites: &str) -> Process {
    Process::builder().setting("CORS_ORIGINS", sites).setting("ADMIN_EMAIL", "admin@example.com").start().await
}

#[tokio::test]
async fn widget_works_in_a_listed_site_that_allows_nothing_inline() {
    if !has_browser("widget_works_in_a_listed_site_that_allows_nothing_inline") {
        return;
    }
    let port = free_port();
    let server = chat_server(&format!("http://localhost:{port}")).await;
    let _site = Site::start(port, server.base()).await;
    let [visitor] = browsers().await;
    visitor.open(&format!("http://localhost:{port}/")).await;
    visitor.wait("return window.LiveChatLog").await;
    let button = "return document.querySelector('livechatlog-widget').shadowRoot.querySelector('button')";
    assert_eq!(
        visitor.script(&format!("{button}.getBoundingClientRect().width")).await,
        56,
        "the button has its style"
    );
    visitor.script("LiveChatLog.identify({ name: 'Vera Lind', email: 'vera@mail.example' }); LiveChatLog.open()").await;
    visitor.enter(FRAME).await;
    visitor.wait("return document.querySelector('textarea') && !document.querySelector('input')").await;
    visitor.type_into("textarea", "Hello").await;
    visitor.click("form.form button").await;
    visitor.wait("return document.querySelector('.said:not(.pending)')").await;
    let kept = "return localStorage.getItem('livechatlog.visitor') !== null";
    assert_eq!(visitor.script(kept).await, true);
    // Escape closes the panel, and the focus is back at the button.
    visitor.press(&["\u{e00c}"]).await;
    visitor.leave().await;
    visitor
        .wait("return document.querySelector('livechatlog-widget').shadowRoot.activeElement?.localName === 'button'")
        .await;
    // The site itself has nothing of the chat but whether it is open.
    assert_eq!(
        visitor.script("return JSON.stringify({ ...localStorage, ...sessionStorage })").await,
        r#"{"livechatlog.widget":"closed"}"#
    );
    assert_eq!(visitor.errors().await, Vec::<String>::new());
}

#[tokio::test]
async fn site_that_is_not_listed_cannot_hold_the_widget() {
    if !has_browser("site_that_is_not_listed_cannot_hold_the_widget") {
        return;
    }
    let port = free_port();
    let server = chat_server("https://shop.example").await;
    let _site = Site::start(port, server.base()).await;
    let [visitor] = browsers().await;
    visitor.open(&format!("http://localhost:{port}/")).await;
    visitor.wait("return window.LiveChatLog && (window.LiveChatLog.open(), true)").await;
    let note = "return document.querySelector('livechatlog-widget').shadowRoot.querySelector('.note')?.innerText";
    visitor.wait(note).await;
    assert!(visitor.errors().await.iter().any(|error| error.contains("frame-ancestors")));
}
