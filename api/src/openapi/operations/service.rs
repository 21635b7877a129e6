use serde_json::{Map, Value};

use crate::openapi::operation::Doc;
use crate::openapi::schemas::{AuditEvent, Broken, Health, Liveness, Page, Readiness};

pub(super) fn docs() -> Vec<Doc> {
    vec![
        Doc::get("/v1/audit", "listAudit", "Look into the event log")
            .about("Everything that ever changed, with what proves it. `livechatlog audit export` writes the same into a file. A page may be short, or even empty, and not be the last: the last one has no `nextCursor`.")
            .ok::<Page<AuditEvent>>(),
        Doc::get("/health", "health", "Does it answer, and which version is it?").ok::<Health>(),
        Doc::get("/livez", "livez", "Does it answer?")
            .ok::<Liveness>()
            .or::<Broken>(503, "It does, but something in it has broken down for good: start it anew."),
        Doc::get("/readyz", "readyz", "Can it do its work?")
            .ok::<Readiness>()
            .or::<Readiness>(503, "It cannot; `checks` tells why."),
        Doc::get("/metrics", "metrics", "Figures for Prometheus").text("text/plain"),
        Doc::get("/openapi.json", "openApi", "This document").ok::<Map<String, Value>>(),
        Doc::get("/docs", "docs", "This document as a page").text("text/html"),
        Doc::get("/docs/rapidoc-min.js", "docsScript", "The script of that page").text("text/javascript"),
    ]
}
