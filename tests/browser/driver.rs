//! A browser over WebDriver (<https://www.w3.org/TR/webdriver2/>).

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use harness::tokio::sync::{Semaphore, SemaphorePermit};
use harness::{DEADLINE, eventually, free_port, left_out_without};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

/// How WebDriver marks an element in JSON.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Browsers need memory and time: so many are open at the same time.
static PLACES: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(4));

const ARGUMENTS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
];

/// A browser with a profile of its own; it ends with this.
pub struct Browser {
    driver: Child,
    port: u16,
    session: String,
    http: reqwest::Client,
    _profile: TempDir,
    _places: SemaphorePermit<'static>,
}

/// A program of the PATH.
fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Whether this machine has a browser; says so if it has none.
pub fn has_browser(test: &str) -> bool {
    let is_there = find("chromedriver").is_some() && find("chromium").is_some();
    if !is_there {
        left_out_without(test, "Debian's chromium and chromium-driver");
    }
    is_there
}

/// Waits for places before it opens browsers: two tests that hold one each and want another would wait for each other.
pub async fn browsers<const N: usize>() -> [Browser; N] {
    let mut permits = PLACES.acquire_many(N as u32).await.unwrap();
    let mut opened = vec![];
    for _ in 0..N {
        let place = permits.split(1).unwrap();
        opened.push(Browser::start(place).await);
    }
    opened.try_into().unwrap_or_else(|_| panic!("as many as asked for"))
}

impl Browser {
    async fn start(place: SemaphorePermit<'static>) -> Self {
        let port = free_port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let http = reqwest::Client::builder().no_proxy().timeout(DEADLINE).build().unwrap();
        let profile = tempfile::Builder::new().prefix("livechatlog-browser-").tempdir().unwrap();
        let mut browser = Self { driver, port, session: String::new(), http, _profile: profile, _places: place };
        eventually(DEADLINE, "chromedriver is ready", async || {
            let status = browser.try_send(Method::GET, "status", None).await?;
            if status["ready"] == true { Ok(()) } else { Err(status.to_string()) }
        })
        .await;
        let profile = browser._profile.path().display().to_string();
        let arguments: Vec<String> =
            ARGUMENTS.iter().map(|word| (*word).to_owned()).chain([format!("--user-data-dir={profile}")]).collect();
        let wanted = json!({ "browserName": "chrome", "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" }, "timeouts": { "script": 15_000 } });
        let made =
            browser.send(Method::POST, "session", Some(json!({ "capabilities": { "alwaysMatch": wanted } }))).await;
        browser.session = made["sessionId"].as_str().unwrap().to_owned();
        browser.size(1280, 800).await;
        browser
    }

    async fn try_send(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, String> {
        let path = path.replace("{}", &format!("session/{}", self.session));
        let url = format!("http://127.0.0.1:{}/{path}", self.port);
        let request = self.http.request(method, url);
        let request = if let Some(body) = body { request.json(&body) } else { request };
        let reply = request.send().await.map_err(|error| error.to_string())?;
        let is_done = reply.status().is_success();
        let mut answer: Value = reply.json().await.map_err(|error| error.to_string())?;
        let value = answer["value"].take();
        if is_done { Ok(value) } else { Err(value["message"].as_str().unwrap_or("no message").to_owned()) }
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let sent = self.try_send(method, path, body.clone()).await;
        sent.unwrap_or_else(|error| panic!("{path} {}: {error}", body.unwrap_or_default()))
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.send(Method::POST, &format!("{{}}/{path}"), Some(body)).await
    }

    /// Opens an address in the current tab.
    pub async fn open(&self, url: &str) {
        self.post("url", json!({ "url": url })).await;
    }

    /// Loads the current page again.
    pub async fn reload(&self) {
        self.post("refresh", json!({})).await;
    }

    /// What a script returns, in the current tab and frame.
    pub async fn script(&self, script: &str) -> Value {
        self.post("execute/sync", json!({ "script": script, "args": [] })).await
    }

    /// What a script hands to its last argument, a function.
    pub async fn later(&self, script: &str) -> Value {
        self.post("execute/async", json!({ "script": script, "args": [] })).await
    }

    /// Waits until a script returns something true, and gives it.
    pub async fn wait(&self, script: &str) -> Value {
        let body = json!({ "script": script, "args": [] });
        eventually(DEADLINE, script, async || {
            let value = self.try_send(Method::POST, "{}/execute/sync", Some(body.clone())).await?;
            let is_there =
                !matches!(value, Value::Null | Value::Bool(false)) && value != json!(0) && value != json!("");
            if is_there { Ok(value) } else { Err(self.text().await) }
        })
        .await
    }

    /// Waits until the page shows a text.
    pub async fn wait_for_text(&self, text: &str) {
        self.wait(&format!("return document.body.innerText.includes({})", json!(text))).await;
    }

    /// Everything that the page shows.
    pub async fn text(&self) -> String {
        let script = json!({ "script": "return document.body?.innerText ?? ''", "args": [] });
        let text = self.try_send(Method::POST, "{}/execute/sync", Some(script)).await;
        text.map_or_else(|error| error, |text| text.as_str().unwrap_or_default().to_owned())
    }

    async fn element(&self, css: &str) -> String {
        let wanted = json!({ "using": "css selector", "value": css });
        eventually(DEADLINE, css, async || {
            let found = self.try_send(Method::POST, "{}/element", Some(wanted.clone())).await?;
            Ok::<_, String>(found[ELEMENT].as_str().unwrap_or_default().to_owned())
        })
        .await
    }

    /// Clicks on the first element of a CSS selector, once it can be clicked.
    pub async fn click(&self, css: &str) {
        eventually(DEADLINE, &format!("click on {css}"), async || {
            let element = self.element(css).await;
            self.try_send(Method::POST, &format!("{{}}/element/{element}/click"), Some(json!({}))).await
        })
        .await;
    }

    /// Types into an element.
    pub async fn type_into(&self, css: &str, text: &str) {
        eventually(DEADLINE, &format!("typing into {css}"), async || {
            let element = self.element(css).await;
            let body = json!({ "text": text });
            self.try_send(Method::POST, &format!("{{}}/element/{element}/value"), Some(body)).await
        })
        .await;
    }

    /// Presses keys, one after the other, wherever the focus is.
    pub async fn press(&self, keys: &[&str]) {
        let turns = keys
            .iter()
            .flat_map(|key| [json!({ "type": "keyDown", "value": key }), json!({ "type": "keyUp", "value": key })]);
        let actions = json!({ "actions": [{ "type": "key", "id": "keys", "actions": turns.collect::<Vec<_>>() }] });
        self.post("actions", actions).await;
    }

    /// Goes into the frame that a script returns.
    pub async fn enter(&self, script: &str) {
        let frame = self.wait(script).await;
        self.post("frame", json!({ "id": frame })).await;
    }

    /// Goes back to the page itself.
    pub async fn leave(&self) {
        self.post("frame", json!({ "id": null })).await;
    }

    /// Opens another tab of the same profile, and gives its handle.
    pub async fn new_tab(&self) -> String {
        let made = self.post("window/new", json!({ "type": "tab" })).await;
        let handle = made["handle"].as_str().unwrap().to_owned();
        self.switch(&handle).await;
        self.size(1280, 800).await;
        handle
    }

    /// The handle of the current tab.
    pub async fn tab(&self) -> String {
        self.send(Method::GET, "{}/window", None).await.as_str().unwrap().to_owned()
    }

    /// Makes another tab the current one.
    pub async fn switch(&self, handle: &str) {
        self.post("window", json!({ "handle": handle })).await;
    }

    /// Closes the current tab.
    pub async fn close_tab(&self) {
        self.send(Method::DELETE, "{}/window", None).await;
    }

    /// A command of the Chrome DevTools Protocol.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.post("goog/cdp/execute", json!({ "cmd": command, "params": parameters })).await
    }

    /// The size of the page, in CSS pixels.
    pub async fn size(&self, width: u32, height: u32) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// What the page has written to the console that is an error.
    pub async fn errors(&self) -> Vec<String> {
        let lines = self.post("se/log", json!({ "type": "browser" })).await;
        let lines = lines.as_array().cloned().unwrap_or_default();
        let errors = lines.iter().filter(|line| line["level"] == "SEVERE");
        errors.map(|line| line["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// A picture of the page, as a PNG in base64.
    pub async fn picture(&self) -> String {
        self.send(Method::GET, "{}/screenshot", None).await.as_str().unwrap().to_owned()
    }

    /// Ends the session, so that the browser ends. Without the executor, which may be gone.
    fn end(&self) -> std::io::Result<()> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(DEADLINE))?;
        let request =
            format!("DELETE /session/{} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", self.session);
        stream.write_all(request.as_bytes())?;
        stream.read_exact(&mut [0; 12])
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.end();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
