//! Ten states that people see: nothing in them keeps anybody out (WCAG 2.2 AA by axe-core), and their pictures.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use base64::Engine as _;
use harness::{left_out_without, program};
use serde_json::{Value, json};

use crate::driver::{Browser, browsers, has_browser};
use crate::people::{begin, go_online, hire, log_in, open_chat, reply, server, visit, write};

const LEVELS: [&str; 5] = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/// Kept next to what cargo builds.
fn axe() -> Option<String> {
    let file = program().parent()?.with_file_name("axe-4.14.1.js");
    if !file.is_file() {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("browser/fetch-axe");
        let fetched = Command::new(script).arg(&file).status().unwrap();
        if fetched.code() == Some(77) {
            left_out_without("accessibility", "npm and its registry");
            return None;
        }
        assert!(fetched.success(), "{fetched}");
    }
    Some(fs::read_to_string(file).unwrap())
}

/// What axe finds in the current page or frame, one line each.
async fn violations(browser: &Browser, axe: &str) -> Vec<String> {
    browser.script(axe).await;
    let options = json!({ "runOnly": { "type": "tag", "values": LEVELS }, "resultTypes": ["violations"] });
    let found = browser
        .later(&format!(
            "const done = arguments[arguments.length - 1]; axe.run(document, {options}).then((found) => done(found), (error) => done(String(error)))"
        ))
        .await;
    assert!(found["passes"].as_array().is_some_and(|passes| passes.len() > 3), "axe has looked at nothing: {found}");
    let violations = found["violations"].as_array().unwrap();
    let line = |violation: &Value| {
        let nodes = violation["nodes"].as_array().unwrap();
        let targets: Vec<_> =
            nodes.iter().map(|node| format!("{} {}", node["target"], node["failureSummary"])).collect();
        format!("{}: {}", violation["id"], targets.join("; "))
    };
    violations.iter().map(line).collect()
}

/// Looks at a state, and takes its picture where that is wanted.
struct Gallery {
    axe: Option<String>,
    faults: Vec<String>,
}

impl Gallery {
    async fn look(&mut self, browser: &Browser, name: &str) {
        if let Some(axe) = &self.axe {
            let found = violations(browser, axe).await;
            self.faults.extend(found.iter().map(|fault| format!("{name}: {fault}")));
        }
        let overflow = browser.script("return document.documentElement.scrollWidth - innerWidth").await;
        if overflow.as_i64().unwrap_or_default() > 0 {
            self.faults.push(format!("{name}: it is {overflow} pixels wider than the window"));
        }
        if std::env::var_os("SCREENSHOTS").is_some() {
            let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/screenshots");
            fs::create_dir_all(&folder).unwrap();
            let picture = base64::engine::general_purpose::STANDARD.decode(browser.picture().await).unwrap();
            fs::write(folder.join(format!("{name}.png")), picture).unwrap();
        }
    }
}

async fn prefer(browser: &Browser, scheme: &str) {
    let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
    browser.devtools("Emulation.setEmulatedMedia", features).await;
}

async fn show(browser: &Browser, view: &str, text: &str) {
    browser.script(&format!("location.hash = '/{view}'")).await;
    browser.wait_for_text(text).await;
}

#[tokio::test]
async fn nobody_is_kept_out_of_any_state() {
    if !has_browser("nobody_is_kept_out_of_any_state") {
        return;
    }
    let server = server().await;
    hire(&server, "Anna Berg", "admin").await;
    hire(&server, "Ben Okafor", "agent").await;
    let [agent, visitor] = browsers().await;
    let mut gallery = Gallery { axe: axe(), faults: vec![] };

    agent.open(&format!("{}/", server.base())).await;
    agent.wait_for_text("Console").await;
    gallery.look(&agent, "home").await;
    agent.open(&format!("{}/console/", server.base())).await;
    agent.wait("return document.querySelector('input')").await;
    gallery.look(&agent, "console-log-in").await;

    visitor.size(390, 700).await;
    visitor.open(&format!("{}/widget/", server.base())).await;
    visitor.wait("return document.querySelector('textarea')").await;
    gallery.look(&visitor, "widget-form").await;
    visitor.open(&format!("{}/widget/?arabic#lang=ar", server.base())).await;
    visitor.wait("return document.documentElement.dir === 'rtl' && document.querySelector('textarea')").await;
    gallery.look(&visitor, "widget-arabic").await;
    visitor.open(&format!("{}/widget/", server.base())).await;
    begin(&visitor, "Vera Lind", "Hello! Is my desk on its way? The order is https://shop.example/orders/7").await;
    log_in(&agent, &server, "Anna Berg").await;
    go_online(&agent).await;
    open_chat(&agent, "Vera Lind").await;
    reply(&agent, "Hello Vera, it left our workshop this morning and arrives on Friday.").await;
    visitor.wait_for_text("arrives on Friday").await;
    write(&visitor, "That is quick. Thank you!").await;
    agent.wait_for_text("That is quick").await;
    gallery.look(&visitor, "widget-chat").await;
    gallery.look(&agent, "console-chat").await;
    prefer(&agent, "dark").await;
    prefer(&visitor, "dark").await;
    gallery.look(&agent, "console-chat-dark").await;
    gallery.look(&visitor, "widget-chat-dark").await;
    prefer(&agent, "light").await;
    show(&agent, "board", "Waiting visitors").await;
    gallery.look(&agent, "console-board").await;
    show(&agent, "agents", "Ben Okafor").await;
    gallery.look(&agent, "console-agents").await;
    for (view, text) in [("groups", "members"), ("tags", "What chats are about"), ("account", "This browser")] {
        show(&agent, view, text).await;
        gallery.look(&agent, &format!("console-{view}")).await;
    }
    show(&agent, "audit", "MessageSent").await;
    gallery.look(&agent, "console-audit").await;
    show(&agent, "chats/mine", "Vera Lind").await;
    open_chat(&agent, "Vera Lind").await;
    agent.size(320, 640).await;
    gallery.look(&agent, "console-narrow").await;

    visitor.size(1280, 800).await;
    prefer(&visitor, "light").await;
    visit(&visitor, &server).await;
    visitor.leave().await;
    gallery.look(&visitor, "demo").await;
    assert!(gallery.faults.is_empty(), "{}", gallery.faults.join("\n"));
}
