//! The editor of GraphQL: it reads the schema and shows answers.

use crate::driver::{Browser, browsers, has_browser};
use crate::people::server;

#[tokio::test]
async fn editor_reads_the_schema_and_shows_answers() {
    if !has_browser("editor_reads_the_schema_and_shows_answers") {
        return;
    }
    let server = server().await;
    let [browser]: [Browser; 1] = browsers().await;
    browser.open(&format!("{}/graphql", server.base())).await;
    browser.wait("return document.querySelector('.graphiql-execute-button')").await;
    browser.click("[aria-label='Show Documentation Explorer']").await;
    browser.wait_for_text("Root Types").await;
    browser.wait_for_text("mutation").await;
    // The first query is a log-in without a name.
    browser.click(".graphiql-execute-button").await;
    browser.wait_for_text("invalid_request").await;
    assert_eq!(browser.errors().await, Vec::<String>::new());
    let kept = browser.script("return Object.keys(localStorage).length + Object.keys(sessionStorage).length").await;
    assert_eq!(kept, 0, "a query may hold a password");
}
