use serde_json::json;

use crate::openapi::operation::Doc;
use crate::openapi::schemas::{Page, ThreadEvent, WidgetSession};
use crate::rest::widget::MIN_ANONYMOUS_KEY;

const SENDING: &str = "The author is who the token names. Sent again with the same `clientEventId`, the message is taken once and the first answer comes again.";

pub(super) fn docs() -> Vec<Doc> {
    vec![
        Doc::post("/v1/widget/session", "startSession", "Begin a chat, or go on with an open one")
            .about("A returning visitor gives the `sessionToken` of their last answer: with an open chat, the message goes there. An `Idempotency-Key` must be one that nobody can guess.")
            .created::<WidgetSession>()
            .key_from(MIN_ANONYMOUS_KEY)
            .refuses(401, &["unauthorized"])
            .example(json!({
                "name": "Vera", "email": "vera@example.com", "initialMessage": "Hello, is anybody there?",
                "metadata": { "page": "/prices" },
            })),
        Doc::get("/v1/threads/{id}/events", "listThreadEvents", "Read messages and system events")
            .about("In the order of the log. `after` gives what came after a position that is already known.")
            .ok::<Page<ThreadEvent>>(),
        Doc::post("/v1/threads/{id}/events", "sendToThread", "Send a message")
            .about(SENDING)
            .created::<ThreadEvent>()
            .refuses(403, &["forbidden"])
            .refuses(409, &["chat_closed"])
            .example(json!({ "content": "I need help with my order.", "clientEventId": "m-1" })),
        Doc::post("/v1/conversations/{id}/events", "sendToConversation", "Send a message to the active thread")
            .about(SENDING)
            .created::<ThreadEvent>()
            .refuses(403, &["forbidden"])
            .refuses(409, &["chat_closed"])
            .example(json!({ "content": "My order has the number 4711." })),
    ]
}
