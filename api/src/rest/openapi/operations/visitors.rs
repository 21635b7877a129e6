use crate::service::rows::Page;
use application::visitors::MIN_ANONYMOUS_KEY;
use serde_json::json;

use crate::rest::openapi::operation::Doc;
use crate::rest::personal_data::{ErasureBody, PersonalDataDocument};
use crate::rest::threads::ReadingProgress;
use crate::rest::widget::{RenewedSession, Session};
use crate::service::reading::NamedEvent;

const SENDING: &str = "The author follows from the token. A message that is sent again with the same `clientEventId` is stored once, and gets the first answer again.";

pub(super) fn docs() -> Vec<Doc> {
    vec![
        Doc::post("/v1/widget/session", "startSession", "Start a chat, or continue an open one")
            .about("A returning visitor sends the `sessionToken` of their last answer; if they have an open chat, the message goes there. An `Idempotency-Key` must be hard to guess. A repeated request is refused with 410 if the visitor's personal data has been erased: use a new key to start another chat.")
            .created::<Session>()
            .key_from(MIN_ANONYMOUS_KEY)
            .refuses(401, &["session_token_invalid"])
            .refuses(410, &["visitor_erased"])
            .refuses(429, &["too_many_open_chats"])
            .example(json!({
                "name": "Vera", "email": "vera@example.com", "initialMessage": "Hello, is anybody there?",
                "metadata": { "page": "/prices" },
            })),
        Doc::post("/v1/widget/session/renew", "renewVisitorSession", "Renew a visitor's token")
            .about("Gives a visitor whose token is valid a new one, without a message. The old one stays valid until it ends. Clients renew while the chat is in use, such as once a day.")
            .ok::<RenewedSession>()
            .refuses(401, &["session_token_invalid"])
            .example(json!({ "sessionToken": "the token of the last answer" })),
        Doc::get("/v1/threads/{id}/events", "listThreadEvents", "List messages and system events")
            .about("In the order of the log. `after` lists only the events after a known position.")
            .ok::<Page<NamedEvent>>(),
        Doc::post("/v1/threads/{id}/events", "sendToThread", "Send a message")
            .about(SENDING)
            .created::<NamedEvent>()
            .refuses(403, &["forbidden"])
            .refuses(409, &["chat_closed"])
            .example(json!({ "content": "I need help with my order.", "clientEventId": "m-1" })),
        Doc::post("/v1/threads/{id}/read", "markRead", "Mark messages as read")
            .about("Moves the caller's mark to the last message up to `upTo`, never back. Only the visitor and the agents of the thread have marks, also after its end. Marks that follow one another within a second wait and become one.")
            .changed::<ReadingProgress>()
            .refuses(403, &["forbidden"])
            .example(json!({ "upTo": 4711 })),
        Doc::post("/v1/conversations/{id}/events", "sendToConversation", "Send a message to the active thread")
            .about(SENDING)
            .created::<NamedEvent>()
            .refuses(403, &["forbidden"])
            .refuses(409, &["chat_closed"])
            .example(json!({ "content": "My order has the number 4711." })),
        Doc::get("/v1/visitors/{id}/personal-data", "exportPersonalData", "Export a visitor's personal data")
            .about("One document with the visitor's names and contact data, and the history and messages of each of their conversations, their own and the agents', in the order of the log. It is streamed and may be long; if it breaks off, repeat the request. For an erased visitor it holds the remaining data.")
            .ok::<PersonalDataDocument>(),
        Doc::delete("/v1/visitors/{id}/personal-data", "erasePersonalData", "Erase a visitor's personal data")
            .about("Replaces the visitor's name, e-mail address and phone number, and the texts, metadata and client ids of their messages, in the log, in stored states and in read models. Closes their open chat and revokes their tokens. Messages of agents stay. Repeating the request is harmless, and erases what may be left.")
            .changed::<ErasureBody>()
            .without_key(),
    ]
}
