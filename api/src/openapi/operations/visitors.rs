use serde_json::json;

use crate::openapi::operation::Doc;
use crate::openapi::schemas::{Erasure, Page, PersonalData, ThreadEvent, WidgetSession};
use application::visitors::MIN_ANONYMOUS_KEY;

const SENDING: &str = "The author is who the token names. Sent again with the same `clientEventId`, the message is taken once and the first answer comes again.";

pub(super) fn docs() -> Vec<Doc> {
    vec![
        Doc::post("/v1/widget/session", "startSession", "Begin a chat, or go on with an open one")
            .about("A returning visitor gives the `sessionToken` of their last answer: with an open chat, the message goes there. An `Idempotency-Key` must be one that nobody can guess. Repeated after the visitor's personal data was erased, the request is refused with 410: begin anew with another key.")
            .created::<WidgetSession>()
            .key_from(MIN_ANONYMOUS_KEY)
            .refuses(401, &["unauthorized"])
            .refuses(410, &["visitor_erased"])
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
        Doc::get("/v1/visitors/{id}/personal-data", "exportPersonalData", "Hand out all that is known of a visitor")
            .about("One document: how they introduced themselves, and each of their conversations with what happened to it and what was said, by them and by agents, in the order of the log. It is written while it is read, so it may be long; when it breaks off, ask again. Of an erased visitor it shows what is left.")
            .ok::<PersonalData>(),
        Doc::delete("/v1/visitors/{id}/personal-data", "erasePersonalData", "Erase a visitor's personal data")
            .about("Name, e-mail address, phone number and the texts, metadata and client ids of their messages are replaced in the log, in stored states and in read models; their open chat is closed, their tokens are refused from then on. What agents have written stays. Done again, it does what may be left, and is harmless.")
            .changed::<Erasure>()
            .without_key(),
    ]
}
