use crate::service::rows::Page;
use serde_json::{Map, Value};

use crate::rest::health::{Broken, Health, Liveness, Readiness};
use crate::rest::openapi::operation::Doc;
use crate::rest::stream::Ticket;
use crate::service::AuditRecord;

pub(super) fn docs() -> Vec<Doc> {
    vec![
        Doc::get("/v1/audit", "listAudit", "Read the event log")
            .about("Every event with its proofs. `livechatlog audit export` writes the same into a file. A page may be short or even empty without being the last: the last one has no `nextCursor`.")
            .ok::<Page<AuditRecord>>(),
        Doc::get("/v1/stream", "stream", "Follow the live stream")
            .about("A WebSocket with the subprotocol `livechatlog.v1`, or, with `Accept: text/event-stream`, server-sent events. The frames are described by `/asyncapi.json`. A WebSocket shows its token in the first frame.")
            .text("text/event-stream")
            .refuses(400, &["malformed_request"])
            .refuses(403, &["forbidden"])
            .nothing(204, "The ticket is dead: browsers do not come back.")
            .refuses(406, &["not_acceptable"]),
        Doc::post("/v1/stream/tickets", "issueStreamTicket", "Get a ticket for the live stream")
            .about("For clients that cannot send a header, such as `EventSource` in browsers: `GET /v1/stream?ticket=`. It must be used within 30 seconds; then the stream may be opened with it again, on any node, until the session ends (at most 12 hours). A newer connection ends the older one. It opens nothing else.")
            .ok::<Ticket>(),
        Doc::get("/health", "health", "Get the version").ok::<Health>(),
        Doc::get("/livez", "livez", "Check liveness")
            .ok::<Liveness>()
            .or::<Broken>(503, "A part of the service has failed permanently: restart it."),
        Doc::get("/readyz", "readyz", "Check readiness")
            .ok::<Readiness>()
            .or::<Readiness>(503, "The service cannot work; `checks` has the reasons."),
        Doc::get("/metrics", "metrics", "Get metrics for Prometheus").text("text/plain"),
        Doc::get("/openapi.json", "openApi", "Get this document").ok::<Map<String, Value>>(),
        Doc::get("/asyncapi.json", "asyncApi", "Get the AsyncAPI document of the live stream").ok::<Map<String, Value>>(),
        Doc::get("/docs", "docs", "Get this document as a page").text("text/html"),
        Doc::get("/docs/rapidoc-min.js", "docsScript", "Get the script of that page").text("text/javascript"),
    ]
}
