//! The pages: the way in at `/`, the agents' console, the visitors' widget, a shop that shows it, and GraphiQL. They
//! call the public API and the live stream, nothing else. Their files are in `api/web/`.

mod assets;
mod media_type;
mod policy;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

use crate::edge::Edge;
use crate::rest::problem::Problem;
use crate::rest::state::RestState;
use crate::service::Refusal;
use assets::{Asset, Assets};
use policy::Policy;

/// A file below an address with the version of all files never changes.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// Always asked for again, which costs an answer without a body.
const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");

/// The script that sites embed: asked for again after five minutes, so that an upgrade arrives.
const SHORTLY: HeaderValue = HeaderValue::from_static("public, max-age=300");

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// The routes of all pages and of their files.
pub fn routes() -> Router<RestState> {
    Router::new()
        .route("/", get(home))
        .route("/console", get(async || to("console/")))
        .route("/console/", get(console))
        .route("/demo", get(async || to("demo/")))
        .route("/demo/", get(demo))
        .route("/graphql/", get(graphiql))
        .route("/widget", get(async || to("widget/")))
        .route("/widget/", get(widget))
        .route("/widget.js", get(loader))
        .route("/assets/{version}/{*path}", get(file))
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
}

/// Relative, so that it holds below a path of a proxy.
fn to(path: &'static str) -> Redirect {
    Redirect::permanent(path)
}

async fn home(headers: HeaderMap) -> Response {
    page("home/index.html", &Policy::Alone, &headers)
}

async fn console(headers: HeaderMap) -> Response {
    page("console/index.html", &Policy::Alone, &headers)
}

async fn demo(headers: HeaderMap) -> Response {
    page("demo/index.html", &Policy::WithWidget, &headers)
}

async fn graphiql(headers: HeaderMap) -> Response {
    page("graphiql/index.html", &Policy::WithStyles, &headers)
}

async fn widget(State(edge): State<Arc<Edge>>, headers: HeaderMap) -> Response {
    let policy = Policy::Framed(&edge.cors_origins);
    page("widget/index.html", &policy, &headers)
}

fn page(name: &str, policy: &Policy<'_>, headers: &HeaderMap) -> Response {
    let Some(asset) = Assets::get().find(name) else { return absent() };
    let mut response = answer(asset, REVALIDATE, headers);
    policy.write(response.headers_mut());
    response
}

async fn loader(headers: HeaderMap) -> Response {
    let Some(asset) = Assets::get().find("widget/loader.js") else { return absent() };
    let mut response = answer(asset, SHORTLY, &headers);
    response.headers_mut().insert(RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    response
}

/// A file. While nodes of two versions serve, a page may ask the other version: it gets what is there, and does not keep it.
async fn file(Path((version, path)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let assets = Assets::get();
    let Some(asset) = assets.find(&path).filter(|asset| !asset.is_page()) else { return absent() };
    let cache = if version == assets.version() { FOREVER } else { REVALIDATE };
    answer(asset, cache, &headers)
}

fn absent() -> Response {
    Problem::from(Refusal::not_found("page")).into_response()
}

fn answer(asset: &Asset, cache: HeaderValue, headers: &HeaderMap) -> Response {
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == asset.tag().as_bytes());
    let zipped = asset.zipped().filter(|_| takes_gzip(headers));
    let mut response = match (known, zipped) {
        (true, _) => StatusCode::NOT_MODIFIED.into_response(),
        (false, Some(zipped)) => ([(header::CONTENT_ENCODING, "gzip")], zipped.clone()).into_response(),
        (false, None) => asset.plain().clone().into_response(),
    };
    let sent = response.headers_mut();
    sent.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.media_type()));
    sent.insert(header::CACHE_CONTROL, cache);
    sent.insert(header::ETAG, asset.tag().clone());
    sent.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    sent.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    sent.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

/// Whether a client takes gzip (RFC 9110 §12.5.3).
fn takes_gzip(headers: &HeaderMap) -> bool {
    let offers = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    offers.flat_map(|offer| offer.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let refused = weight.trim().strip_prefix("q=").is_some_and(|weight| weight.parse() == Ok(0.0));
        name.trim().eq_ignore_ascii_case("gzip") && !refused
    })
}
