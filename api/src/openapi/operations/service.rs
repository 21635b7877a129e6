use serde_json::{Map, Value};

use crate::openapi::operation::Doc;
use crate::openapi::schemas::{Broken, Health, Liveness, Readiness};

pub(super) fn docs() -> Vec<Doc> {
    vec![
        Doc::get("/health", "health", "Does it answer, and which version is it?").ok::<Health>(),
        Doc::get("/livez", "livez", "Does it answer?")
            .ok::<Liveness>()
            .or::<Broken>(503, "It does, but something in it has broken down for good: start it anew."),
        Doc::get("/readyz", "readyz", "Can it do its work?")
            .ok::<Readiness>()
            .or::<Readiness>(503, "It cannot; `checks` tells why."),
        Doc::get("/openapi.json", "openApi", "This document").ok::<Map<String, Value>>(),
        Doc::get("/docs", "docs", "This document as a page").text("text/html"),
        Doc::get("/docs/rapidoc-min.js", "docsScript", "The script of that page").text("text/javascript"),
    ]
}
