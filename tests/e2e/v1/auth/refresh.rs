//! Sessions that are renewed.

use std::time::Duration;

use harness::{PASSWORD, Server, TestDatabase, each_database};
use serde_json::{Value, json};

each_database!(sessions_are_renewed_once_per_token_and_end_with_log_out_and_password);
async fn sessions_are_renewed_once_per_token_and_end_with_log_out_and_password(database: TestDatabase) {
    let server = Server::start(&database).await;
    server.agent(1).await;
    let login = json!({ "email": "agent0@example.com", "password": PASSWORD });
    let renew =
        async |token: &Value| server.client().post("/v1/auth/refresh", &json!({ "refresh_token": token })).await;
    let me = async |token: &Value| server.client().with_token(token.as_str().unwrap()).get("/v1/auth/me").await.status;
    let first = server.client().post("/v1/auth/login", &login).await.expect(200).body;
    let second = renew(&first["refresh_token"]).await.expect(200).body;
    assert_eq!(me(&second["access_token"]).await, 200);
    // A network may repeat the request, and several tabs renew at the same moment.
    let again = renew(&first["refresh_token"]).await.expect(200).body;
    assert_eq!(again["refresh_token"], second["refresh_token"]);
    assert_eq!(me(&again["access_token"]).await, 200);
    server.clock.advance(Duration::from_secs(61));
    // Used again later: somebody has stolen it, and the whole session ends.
    assert_eq!(renew(&first["refresh_token"]).await.expect(401).body["code"], "session_ended");
    renew(&second["refresh_token"]).await.expect(401);
    assert_eq!(me(&second["access_token"]).await, 401);

    let one = server.client().post("/v1/auth/login", &login).await.expect(200).body;
    let two = server.client().post("/v1/auth/login", &login).await.expect(200).body;
    let client = server.client().with_token(one["access_token"].as_str().unwrap());
    let wrong = json!({ "currentPassword": "wrong", "newPassword": "another password" });
    client.post("/v1/auth/password", &wrong).await.expect(400);
    let right = json!({ "currentPassword": PASSWORD, "newPassword": "another password" });
    client.post("/v1/auth/password", &right).await.expect(204);
    assert_eq!(me(&one["access_token"]).await, 200);
    assert_eq!(me(&two["access_token"]).await, 401);
    server.client().post("/v1/auth/login", &login).await.expect(401);
    client.post("/v1/auth/logout", &json!({})).await.expect(204);
    assert_eq!(me(&one["access_token"]).await, 401);
    renew(&one["refresh_token"]).await.expect(401);
}
