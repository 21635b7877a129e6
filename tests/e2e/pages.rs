//! The pages as a browser fetches them: addresses, headers, and how many bytes they need.

use std::collections::BTreeSet;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use harness::{Client, Server, TestClock, TestDatabase};

const PAGES: [&str; 4] = ["/", "/console/", "/widget/", "/demo/"];

async fn client() -> (Server, TestDatabase, Client) {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database).await;
    let client = server.client();
    (server, database, client)
}

/// The addresses in a text that begin after one of these signs and end with a quotation mark.
fn addresses(text: &str) -> Vec<String> {
    let marks = ["src=\"", "href=\"", "from '", "from\"", "import('", "import\""];
    let found =
        marks.iter().flat_map(|mark| text.split(mark).skip(1).filter_map(|rest| rest.split(['"', '\'']).next()));
    let is_file = |address: &&str| [".js", ".mjs", ".css", ".svg"].iter().any(|end| address.ends_with(end));
    found.filter(is_file).map(str::to_owned).collect()
}

/// A relative address as a browser reads it.
fn resolved(base: &str, address: &str) -> String {
    let url = reqwest::Url::parse("http://host").unwrap().join(base).unwrap().join(address).unwrap();
    url.path().to_owned()
}

/// All files that a page needs, by following its references and imports. Those that it may load later are left out.
async fn files_of(client: &Client, page: &str) -> BTreeSet<String> {
    let (mut found, mut open) = (BTreeSet::new(), vec![page.to_owned()]);
    while let Some(path) = open.pop() {
        let reply = client.get(&path).await.expect(200);
        let text = reply.body.as_str().unwrap_or_default().to_owned();
        for address in addresses(&text).iter().map(|address| resolved(&path, address)) {
            if found.insert(address.clone()) {
                open.push(address);
            }
        }
    }
    found
}

fn zipped(text: &str) -> usize {
    let mut encoder = GzEncoder::new(vec![], Compression::best());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap().len()
}

async fn bytes_of(client: &Client, paths: impl IntoIterator<Item = String>) -> usize {
    let mut sum = 0;
    for path in paths {
        sum += zipped(client.get(&path).await.expect(200).body.as_str().unwrap());
    }
    sum
}

#[tokio::test]
async fn every_file_of_every_page_is_served_and_never_changes() {
    let (_server, _database, client) = client().await;
    for page in PAGES {
        let files = files_of(&client, page).await;
        assert!(files.iter().any(|file| file.ends_with(".css")), "{page}: {files:?}");
        for file in files.iter().filter(|file| *file != "/widget.js") {
            let reply = client.get(file).await.expect(200);
            assert!(file.starts_with("/assets/"), "{file}");
            assert_eq!(reply.header("cache-control"), Some("public, max-age=31536000, immutable"), "{file}");
            assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{file}");
        }
    }
}

#[tokio::test]
async fn pages_allow_nothing_inline_and_ask_no_other_server() {
    let (_server, _database, client) = client().await;
    for page in PAGES {
        let reply = client.get(page).await.expect(200);
        let policy = reply.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"), "{page}: {policy}");
        assert!(
            policy.contains("require-trusted-types-for 'script'") && !policy.contains("unsafe"),
            "{page}: {policy}"
        );
        let html = reply.body.as_str().unwrap();
        assert!(!html.contains("<style") && !html.contains(" style=") && !html.contains(" onclick"), "{page}");
        assert!(!html.split("<script").skip(1).any(|tag| tag.starts_with('>')), "{page} has a script inside");
    }
}

#[tokio::test]
async fn editor_of_graphql_is_a_page_of_this_server_alone() {
    let (_server, _database, client) = client().await;
    let browser = client.with_header("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    assert_eq!(browser.get("/graphql").await.expect(303).header("location"), Some("graphql/"));
    // What has a query is an operation, also in the address line.
    browser.get("/graphql?query=%7B__typename%7D").await.expect(200);
    let page = browser.get("/graphql/").await.expect(200);
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("script-src 'self';") && policy.contains("frame-ancestors 'none'"), "{policy}");
    let files = addresses(page.body.as_str().unwrap());
    assert!(files.iter().filter(|file| file.contains("/vendor/")).count() >= 4, "{files:?}");
    for file in files.iter().map(|file| resolved("/graphql/", file)) {
        assert!(file.starts_with("/assets/"), "{file}");
        client.get(&file).await.expect(200);
    }
}

#[tokio::test]
async fn page_that_is_known_is_not_sent_again() {
    let (_server, _database, client) = client().await;
    for page in ["/", "/console/", "/widget.js"] {
        let first = client.get(page).await.expect(200);
        let tag = first.header("etag").unwrap();
        let second = client.with_header("if-none-match", tag).get(page).await.expect(304);
        assert!(second.body.is_null(), "{page}");
        client.with_header("if-none-match", "W/\"other\"").get(page).await.expect(200);
    }
}

#[tokio::test]
async fn files_are_compressed_for_clients_that_take_it() {
    let (_server, _database, client) = client().await;
    let plain = client.get("/widget.js").await.expect(200);
    assert_eq!(plain.header("content-encoding"), None);
    for offer in ["gzip", "br, gzip;q=0.5", "GZIP"] {
        let reply = client.with_header("accept-encoding", offer).get("/widget.js").await.expect(200);
        assert_eq!(reply.header("content-encoding"), Some("gzip"), "{offer}");
        assert_eq!(reply.header("vary"), Some("accept-encoding"));
    }
    for offer in ["identity", "gzip;q=0", "br"] {
        let reply = client.with_header("accept-encoding", offer).get("/widget.js").await.expect(200);
        assert_eq!(reply.header("content-encoding"), None, "{offer}");
    }
}

#[tokio::test]
async fn widget_may_stand_in_listed_sites_and_the_console_nowhere() {
    let database = TestDatabase::sqlite();
    let sites = |settings: &mut api::config::Settings| settings.cors_origins = "https://shop.example".parse().unwrap();
    let server = Server::start_with(&database, TestClock::new(), sites).await;
    let policy = async |page: &str| {
        let reply = server.client().get(page).await.expect(200);
        let policy = reply.header("content-security-policy").unwrap().to_owned();
        (policy, reply.header("x-frame-options").map(str::to_owned))
    };
    let (widget, frames) = policy("/widget/").await;
    assert!(widget.ends_with("frame-ancestors 'self' https://shop.example") && frames.is_none(), "{widget}");
    for page in ["/", "/console/", "/demo/"] {
        let (policy, frames) = policy(page).await;
        assert!(policy.ends_with("frame-ancestors 'none'"), "{page}: {policy}");
        assert_eq!(frames.as_deref(), Some("DENY"));
    }
}

#[tokio::test]
async fn folders_lead_to_their_pages_and_other_paths_are_refused() {
    let (_server, _database, client) = client().await;
    for folder in ["console", "demo", "widget"] {
        let reply = client.get(&format!("/{folder}")).await.expect(308);
        assert_eq!(reply.header("location"), Some(format!("{folder}/").as_str()));
    }
    for path in ["/console/other", "/assets/x/vendor/derive", "/assets/x/../Cargo.toml", "/assets/x/console/index.html"]
    {
        let reply = client.get(path).await.expect(404);
        assert_eq!(reply.body["code"], "not_found", "{path}");
    }
    // A page of another version still finds its files, and does not keep them.
    let reply = client.get("/assets/another/shared/tokens.css").await.expect(200);
    assert_eq!(reply.header("cache-control"), Some("no-cache"));
}

#[tokio::test]
async fn pages_count_towards_no_limit_of_the_api() {
    let database = TestDatabase::sqlite();
    let server = Server::start_with_limits(&database).await;
    let reply = server.client().get("/console/").await.expect(200);
    assert_eq!(reply.header("ratelimit-limit"), None);
    assert_eq!(server.client().get("/livez").await.expect(200).header("ratelimit-limit"), Some("1200"));
}

#[tokio::test]
async fn pages_stay_within_their_bytes() {
    let (_server, _database, client) = client().await;
    let loader = bytes_of(&client, ["/widget.js".to_owned()]).await;
    assert!(loader <= 4 * 1024, "the loader has {loader} bytes");
    let mut widget = files_of(&client, "/widget/").await;
    widget.insert("/widget/".to_owned());
    let widget = loader + bytes_of(&client, widget).await;
    assert!((10 * 1024..=30 * 1024).contains(&widget), "the loader and the opened panel have {widget} bytes");
    let mut console = files_of(&client, "/console/").await;
    console.insert("/console/".to_owned());
    let console = bytes_of(&client, console).await;
    assert!((20 * 1024..=120 * 1024).contains(&console), "the console has {console} bytes");
    println!("gzip: loader {loader}, loader and panel {widget}, console {console}");
}
