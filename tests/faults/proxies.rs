//! Proxies as operators run them, in front of the program.

use std::net::{IpAddr, Ipv4Addr};

use harness::{Process, ProcessBuilder, Stream};
use reqwest::{Client, Response, Url};
use serde_json::{Value, json};

use crate::servers::Proxy;

/// More visitors than chats that one address may begin in a minute.
const VISITORS: u8 = 40;

fn program() -> ProcessBuilder {
    Process::builder().setting("RATE_LIMITS", "on").setting("MAX_OPEN_CHATS_OF_ADDRESS", "1000")
}

/// A client with an address of its own, on this machine.
fn client(number: u8) -> Client {
    let address = IpAddr::V4(Ipv4Addr::new(127, 0, 1, number));
    Client::builder().local_address(address).build().unwrap()
}

async fn begin_chat(number: u8, base: &Url) -> Response {
    let hello = json!({ "initialMessage": format!("Hello, I am {number}.") });
    client(number).post(base.join("v1/widget/session").unwrap()).json(&hello).send().await.unwrap()
}

async fn statuses(base: &Url) -> Vec<u16> {
    let mut statuses = vec![];
    for number in 1..=VISITORS {
        statuses.push(begin_chat(number, base).await.status().as_u16());
    }
    statuses
}

/// The check of `/readyz` that reports proxies which are not trusted.
async fn hint(base: &Url) -> Value {
    let ready: Value = client(1).get(base.join("readyz").unwrap()).send().await.unwrap().json().await.unwrap();
    ready["checks"].as_array().unwrap().iter().find(|check| check["name"] == "proxies").cloned().unwrap_or_default()
}

fn nginx_for(process: &Process) -> String {
    format!(
        "upstream livechatlog {{ server {}; keepalive 16; }}
         map $http_upgrade $connection_upgrade {{ default upgrade; \"\" \"\"; }}
         server {{ listen 127.0.0.1:@port@; location /chat/ {{
             proxy_pass http://livechatlog/; proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;
             proxy_set_header Connection $connection_upgrade; proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
         }} }}",
        process.base().trim_start_matches("http://")
    )
}

#[tokio::test]
async fn nginx_below_a_path_reports_its_clients() {
    let process = program().setting("TRUSTED_PROXIES", "::ffff:127.0.0.1").start().await;
    let Some(nginx) = Proxy::nginx("nginx_below_a_path_reports_its_clients", &nginx_for(&process)).await else {
        return;
    };
    let base: Url = format!("http://127.0.0.1:{}/chat/", nginx.port).parse().unwrap();
    assert_eq!(statuses(&base).await, [201; VISITORS as usize]);
    assert_eq!(hint(&base).await, Value::Null);
    // Each reference of the page leads below the path.
    let docs = base.join("docs").unwrap();
    let page = client(1).get(docs.clone()).send().await.unwrap().text().await.unwrap();
    let references: Vec<_> =
        page.split(['"', '\'']).filter(|text| text.ends_with(".js") || text.ends_with(".json")).collect();
    assert!(references.len() >= 3, "{references:?}");
    for reference in references {
        let answer = client(1).get(docs.join(reference).unwrap()).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{reference}");
    }
    let document = base.join("openapi.json").unwrap();
    let served: Value = client(1).get(document.clone()).send().await.unwrap().json().await.unwrap();
    assert_eq!(document.join(served["servers"][0]["url"].as_str().unwrap()).unwrap(), base);
    // So do the pages, and the live stream under them.
    for path in ["", "console/", "widget/", "demo/"] {
        let page = base.join(path).unwrap();
        let text = client(1).get(page.clone()).send().await.unwrap().text().await.unwrap();
        let is_file = |text: &&str| (text.ends_with(".js") || text.ends_with(".css")) && !text.contains("://");
        let files: Vec<_> = text.split('"').filter(is_file).collect();
        assert!(!files.is_empty(), "{page}");
        for file in files {
            assert_eq!(client(1).get(page.join(file).unwrap()).send().await.unwrap().status(), 200, "{file}");
        }
    }
    let session: Value = begin_chat(199, &base).await.json().await.unwrap();
    let origin = format!("http://127.0.0.1:{}", nginx.port);
    let mut stream =
        Stream::try_connect(base.as_str().trim_end_matches('/'), &[("origin", origin.as_str())]).await.unwrap();
    stream.send(&json!({ "frame": "hello", "token": session["sessionToken"] })).await;
    stream.until("the stream is live", |frame| frame["frame"] == "live").await;
    // So does the place of a new chat.
    let begun = begin_chat(200, &base).await;
    let place = begun.url().join(begun.headers()["location"].to_str().unwrap()).unwrap();
    let session: Value = begun.json().await.unwrap();
    let read = client(1).get(place).bearer_auth(session["sessionToken"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(read.json::<Value>().await.unwrap()["id"], session["conversationId"]);
}

#[tokio::test]
async fn nginx_that_is_not_trusted_is_named() {
    let process = program().start().await;
    let Some(nginx) = Proxy::nginx("nginx_that_is_not_trusted_is_named", &nginx_for(&process)).await else { return };
    let base: Url = format!("http://127.0.0.1:{}/chat/", nginx.port).parse().unwrap();
    let statuses = statuses(&base).await;
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 10, "{statuses:?}");
    let hint = hint(&base).await;
    assert!(hint["ok"] == false && hint["required"] == false, "{hint}");
    assert!(hint["reason"].as_str().unwrap().contains("TRUSTED_PROXIES"), "{hint}");
    assert_eq!(process.log().matches("TRUSTED_PROXIES").count(), 1, "once, not for each request: {}", process.log());
}

#[tokio::test]
async fn haproxy_announces_its_clients() {
    for version in ["send-proxy", "send-proxy-v2"] {
        let trusting = program().setting("TRUSTED_PROXIES", "127.0.0.9").setting("PROXY_HEADER", "proxy-protocol");
        let process = trusting.start().await;
        let sections = format!(
            "listen chat\n  mode tcp\n  bind 127.0.0.1:@port@\n  server one {} {version} check check-send-proxy source 127.0.0.9\n",
            process.base().trim_start_matches("http://")
        );
        let Some(haproxy) = Proxy::haproxy("haproxy_announces_its_clients", &sections).await else { return };
        let base: Url = format!("http://127.0.0.1:{}/", haproxy.port).parse().unwrap();
        assert_eq!(statuses(&base).await, [201; VISITORS as usize], "{version}");
    }
}

#[tokio::test]
async fn haproxy_checks_readiness() {
    let process = program().setting("TRUSTED_PROXIES", "127.0.0.1").start().await;
    let sections = format!(
        "listen chat\n  mode http\n  bind 127.0.0.1:@port@\n  option forwardfor\n  option httpchk GET /readyz\n  \
         http-check expect status 200\n  server one {} check inter 100ms fall 1\n",
        process.base().trim_start_matches("http://")
    );
    let Some(haproxy) = Proxy::haproxy("haproxy_checks_readiness", &sections).await else { return };
    let base: Url = format!("http://127.0.0.1:{}/", haproxy.port).parse().unwrap();
    harness::eventually(harness::DEADLINE, "some checks have been made", async || {
        let metrics = process.client().get("/health").await;
        (metrics.status == 200).then_some(()).ok_or("not yet")
    })
    .await;
    assert_eq!(statuses(&base).await, [201; VISITORS as usize]);
}

/// What every proxy must do for its clients: report them, and bring them a refusal of a large body.
async fn assert_serves(proxy: &Proxy) {
    let base: Url = format!("http://127.0.0.1:{}/", proxy.port).parse().unwrap();
    assert_eq!(statuses(&base).await, [201; VISITORS as usize]);
    assert_eq!(hint(&base).await, Value::Null);
    for _ in 0..12 {
        let large = client(1).post(base.join("v1/widget/session").unwrap()).header("content-type", "application/json");
        let refused = large.body(vec![b' '; 5 << 20]).send().await.unwrap();
        assert_eq!(refused.status(), 413);
    }
}

#[tokio::test]
async fn caddy_reports_its_clients_and_brings_them_refusals() {
    let process = program().setting("TRUSTED_PROXIES", "127.0.0.1").start().await;
    let site = format!("reverse_proxy {}", process.base().trim_start_matches("http://"));
    let Some(caddy) = Proxy::caddy("caddy_reports_its_clients_and_brings_them_refusals", &site).await else { return };
    assert_serves(&caddy).await;
}

#[tokio::test]
async fn apache_reports_its_clients_and_brings_them_refusals() {
    let process = program().setting("TRUSTED_PROXIES", "127.0.0.1").start().await;
    let directives = format!("ProxyPass / {0}/\nProxyPassReverse / {0}/", process.base());
    let name = "apache_reports_its_clients_and_brings_them_refusals";
    let Some(apache) = Proxy::apache(name, &directives).await else { return };
    assert_serves(&apache).await;
}
