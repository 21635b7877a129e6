//! The API's own documentation: the document, the page, and the Postman collection run as a story.

use std::collections::BTreeMap;

use harness::{ADMIN_EMAIL, Client, PASSWORD, Server, TestDatabase, each_database};
use reqwest::Method;
use serde_json::Value;

#[tokio::test]
async fn document_is_served_to_everybody() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database).await;
    let reply = server.client().get("/openapi.json").await.expect(200);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(&reply.body, api::rest::document());
    assert_eq!(reply.body["openapi"], "3.1.0");
}

#[tokio::test]
async fn page_needs_no_other_server() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database).await;
    let page = server.client().get("/docs").await.expect(200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self';") && !policy.contains("http"), "{policy}");
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(page.header("x-frame-options"), Some("DENY"));
    let html = page.body.as_str().unwrap();
    assert!(!html.contains("://"), "the page refers to another server");
    assert!(!html.contains("\"/"), "the page refers to the root, which may be another service's");
    let references = html.split(['"', '\'']).filter(|text| text.ends_with(".js") || text.ends_with(".json"));
    let mut seen = 0;
    for reference in references {
        server.client().get(&format!("/{reference}")).await.expect(200);
        seen += 1;
    }
    assert!(seen >= 3, "the page has its script and its document");
}

/// The variables of a collection, filled in where `{{name}}` stands.
struct Variables(BTreeMap<String, String>);

impl Variables {
    fn fill(&self, text: &str) -> String {
        let filled =
            self.0.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{{{name}}}}}"), value));
        assert!(!filled.contains("{{"), "a variable has no value: {filled}");
        filled
    }

    /// Carries out the lines that Postman would: `pm.collectionVariables.set("name", pm.response.json().field);`.
    fn keep(&mut self, line: &str, body: &Value) {
        let Some(rest) = line.strip_prefix("pm.collectionVariables.set(\"") else { return };
        let (name, rest) = rest.split_once("\", pm.response.json().").unwrap();
        let value = &body[rest.strip_suffix(");").unwrap()];
        self.0.insert(name.to_owned(), value.as_str().unwrap_or_else(|| panic!("no {name} in {body}")).to_owned());
    }
}

async fn run(server: &Server, variables: &mut Variables, collection: &Value, item: &Value) {
    let request = &item["request"];
    let auth = if request["auth"].is_null() { &collection["auth"] } else { &request["auth"] };
    let client = match auth["type"].as_str() {
        Some("bearer") => server.client().with_token(variables.fill(auth["bearer"][0]["value"].as_str().unwrap())),
        _ => server.client(),
    };
    let url = variables.fill(request["url"]["raw"].as_str().unwrap());
    let path = url.strip_prefix(server.base()).unwrap();
    let body = request["body"]["raw"].as_str().map(|raw| serde_json::from_str(&variables.fill(raw)).unwrap());
    let method: Method = request["method"].as_str().unwrap().parse().unwrap();
    let reply = client.request(method, path, body.as_ref()).await;
    for line in item["event"][0]["script"]["exec"].as_array().unwrap() {
        let line = line.as_str().unwrap();
        if line.starts_with("pm.test") {
            let expected = format!("have.status({})", reply.status);
            assert!(line.contains(&expected), "{}: {line}, but the answer was {}", item["name"], reply.body);
        }
        variables.keep(line, &reply.body);
    }
}

each_database!(collection_runs_from_top_to_bottom);
async fn collection_runs_from_top_to_bottom(database: TestDatabase) {
    let server = Server::start(&database).await;
    let collection = api::rest::openapi::postman(api::rest::document());
    let mut variables = Variables(BTreeMap::new());
    for variable in collection["variable"].as_array().unwrap() {
        let (name, value) = (variable["key"].as_str().unwrap(), variable["value"].as_str().unwrap());
        if !value.is_empty() {
            variables.0.insert(name.to_owned(), value.to_owned());
        }
    }
    let given =
        [("baseUrl", server.base()), ("adminEmail", ADMIN_EMAIL), ("adminPassword", PASSWORD), ("$timestamp", "1")];
    variables.0.extend(given.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let folders = collection["item"].as_array().unwrap();
    for item in folders.iter().flat_map(|folder| folder["item"].as_array().unwrap()) {
        run(&server, &mut variables, &collection, item).await;
    }
    assert!(variables.0.contains_key("threadId"));
}

async fn server_for(database: &TestDatabase, origins: &str) -> Server {
    let origins = origins.parse().unwrap();
    Server::start_with(database, harness::TestClock::new(), |settings| settings.cors_origins = origins).await
}

fn page_of(server: &Server, origin: &str) -> Client {
    server.client().with_header("Origin", origin)
}

#[tokio::test]
async fn pages_of_listed_origins_may_call() {
    let database = TestDatabase::sqlite();
    let server = server_for(&database, "https://shop.example, http://localhost:5173").await;
    let asks = page_of(&server, "https://shop.example")
        .with_header("Access-Control-Request-Method", "POST")
        .with_header("Access-Control-Request-Headers", "authorization,content-type,idempotency-key");
    let told = asks.request(Method::OPTIONS, "/v1/widget/session", None).await.expect(200);
    assert_eq!(told.header("access-control-allow-origin"), Some("https://shop.example"));
    assert!(told.header("access-control-allow-methods").unwrap().contains("PATCH"));
    assert!(told.header("access-control-allow-headers").unwrap().contains("idempotency-key"));
    assert_eq!(told.header("access-control-allow-credentials"), None);
    // Refusals must be readable too, or the widget cannot tell what is wrong.
    let refused = page_of(&server, "https://shop.example").get("/v1/auth/me").await.expect(401);
    assert_eq!(refused.header("access-control-allow-origin"), Some("https://shop.example"));
    assert!(refused.header("access-control-expose-headers").unwrap().contains("retry-after"));
    assert!(refused.header("vary").unwrap().contains("origin"));
    let stranger = page_of(&server, "https://evil.example").get("/health").await.expect(200);
    assert_eq!(stranger.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn pages_of_other_origins_may_not_call_unless_they_are_listed() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database).await;
    let reply = page_of(&server, "https://shop.example").get("/health").await.expect(200);
    assert_eq!(reply.header("access-control-allow-origin"), None);
    let asks = page_of(&server, "https://shop.example").with_header("Access-Control-Request-Method", "POST");
    asks.request(Method::OPTIONS, "/v1/widget/session", None).await.expect(405);
    server.stop().await;
    let server = server_for(&database, "*").await;
    let reply = page_of(&server, "https://shop.example").get("/health").await.expect(200);
    assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
}
