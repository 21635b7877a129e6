//! Tokens that the server did not issue, or issued too long ago.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use harness::desk::{NOBODY, assert_problem};
use harness::{Client, Desk, Server, TestDatabase};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::protected;

/// What the harness gives its servers.
const SECRET: &[u8] = b"a secret for tests, at least 32 bytes";

const HOUR: Duration = Duration::from_secs(3_600);

const DAY: Duration = Duration::from_secs(86_400);

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn signed(claims: &Value, algorithm: Algorithm, secret: &[u8]) -> String {
    jsonwebtoken::encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret)).unwrap()
}

/// The token with one part changed and the signature of the original.
fn altered(token: &str, index: usize, change: impl FnOnce(&mut Value)) -> String {
    let mut value = part(token, index);
    change(&mut value);
    let mut parts: Vec<_> = token.split('.').map(str::to_owned).collect();
    parts[index] = URL_SAFE_NO_PAD.encode(value.to_string());
    parts.join(".")
}

/// Everything that is no valid token, made from two that are.
fn forgeries(agent: &str, visitor: &str, admin_id: &str) -> Vec<String> {
    let claims = part(agent, 1);
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        claims
    };
    let without = |name: &str| {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().remove(name);
        signed(&claims, Algorithm::HS256, SECRET)
    };
    let unsigned = |algorithm: &str| altered(agent, 0, |header| header["alg"] = json!(algorithm));
    let (head, signature) = agent.rsplit_once('.').unwrap();
    let mut tokens: Vec<String> =
        ["", " ", "x", "..", "a.b.c", "null", "Bearer", "' OR 1=1 --"].map(str::to_owned).into_iter().collect();
    tokens.extend([
        signed(&claims, Algorithm::HS256, b"another secret, also at least 32 bytes"),
        signed(&claims, Algorithm::HS256, b""),
        signed(&claims, Algorithm::HS384, SECRET),
        signed(&claims, Algorithm::HS512, SECRET),
        unsigned("none"),
        unsigned("None"),
        unsigned("HS384"),
        unsigned("RS256"),
        format!("{}.", unsigned("none").rsplit_once('.').unwrap().0),
        format!("{head}."),
        head.to_owned(),
        format!("{head}.{}", &signature[1..]),
        format!("{head}.{signature}A"),
        format!("{agent}.{signature}"),
        altered(agent, 1, |claims| claims["sub"] = json!(admin_id)),
        altered(agent, 1, |claims| claims["role"] = json!("admin")),
        altered(agent, 1, |claims| claims["exp"] = json!(i64::MAX)),
        altered(agent, 1, |claims| claims["kind"] = json!("visitor")),
        altered(visitor, 1, |claims| claims["kind"] = json!("agent")),
        altered(visitor, 1, |claims| {
            claims["kind"] = json!("agent");
            claims["role"] = json!("admin");
            claims["sub"] = json!(admin_id);
        }),
        // Signed as the server does it, but what they say is not for it.
        without("sub"),
        without("kind"),
        without("exp"),
        signed(&with("exp", json!(1)), Algorithm::HS256, SECRET),
        signed(&with("exp", json!("tomorrow")), Algorithm::HS256, SECRET),
        signed(&with("sub", json!("x")), Algorithm::HS256, SECRET),
        signed(&with("sub", json!(NOBODY)), Algorithm::HS256, SECRET),
        signed(&with("kind", json!("system")), Algorithm::HS256, SECRET),
        signed(&with("role", json!("root")), Algorithm::HS256, SECRET),
    ]);
    tokens
}

#[tokio::test]
async fn requests_without_a_valid_token_are_refused_and_change_nothing() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database).await;
    let desk = Desk::open(server.client()).await;
    let (agent, visitor) = (desk.agent.client.token().unwrap(), desk.visitor.client.token().unwrap());
    let genuine = signed(&part(agent, 1), Algorithm::HS256, SECRET);
    server.client().with_token(&genuine).get("/v1/auth/me").await.expect(200);
    let head = server.app().log.head().await.unwrap().position;
    let authorization = |value: &str| server.client().with_header("Authorization", value);
    let mut strangers = vec![server.client(), authorization(agent), authorization(&format!("Basic {agent}"))];
    strangers.extend([authorization(""), authorization("Bearer"), authorization(&format!("Bearer{agent}"))]);
    let forgeries = forgeries(agent, visitor, &desk.admin.id);
    strangers.extend(forgeries.iter().map(|token| server.client().with_token(token)));
    for (method, path, body) in protected(&desk.visitor.conversation_id, &desk.visitor.thread_id, &desk.agent.id) {
        for stranger in &strangers {
            assert_problem(&stranger.request(method.clone(), &path, body.as_ref()).await, 401, "unauthorized");
        }
    }
    // An empty token is none.
    for token in forgeries.iter().map(String::as_str).chain([agent]).filter(|token| !token.trim().is_empty()) {
        let session = json!({ "initialMessage": "x", "sessionToken": token });
        assert_problem(&server.client().post("/v1/widget/session", &session).await, 401, "session_token_invalid");
    }
    assert_eq!(server.app().log.head().await.unwrap().position, head);
    // The scheme's name may be written in any way.
    authorization(&format!("bEARER {agent}")).get("/v1/auth/me").await.expect(200);
}

#[tokio::test]
async fn tokens_expire() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database).await;
    let desk = Desk::open(server.client()).await;
    let (agent, visitor) = (&desk.agent.client, &desk.visitor.client);
    let token = part(agent.token().unwrap(), 1);
    assert_eq!(token["exp"].as_i64().unwrap() - token["iat"].as_i64().unwrap(), 12 * 3_600);
    server.clock.advance(12 * HOUR - Duration::from_secs(60));
    agent.get("/v1/auth/me").await.expect(200);
    server.clock.advance(Duration::from_secs(61));
    refused(agent, "/v1/auth/me").await;
    refused(agent, &desk.chat("")).await;
    visitor.get(&desk.chat("")).await.expect(200);

    server.clock.advance(30 * DAY - 12 * HOUR - Duration::from_secs(60));
    visitor.get(&desk.chat("")).await.expect(200);
    server.clock.advance(Duration::from_secs(60));
    refused(visitor, &desk.chat("")).await;
    let session = json!({ "initialMessage": "x", "sessionToken": visitor.token() });
    assert_problem(&server.client().post("/v1/widget/session", &session).await, 401, "session_token_invalid");
}

async fn refused(client: &Client, path: &str) {
    assert_problem(&client.get(path).await, 401, "unauthorized");
}
