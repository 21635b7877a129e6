//! The address of GraphQL (GraphQL over HTTP): media types, methods and statuses. What is asked is another door's.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Request, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{MethodRouter, get};

use super::extract::{AtLeast, bearer_token, parse_json, read_json};
use super::problem::{Problem, graphql_status};
use super::request_id::RequestId;
use super::state::RestState;
use crate::graphql::{self, Answer, Asked, Scope, Way};
use crate::server::client_address::ClientAddress;
use crate::service::Refusal;

/// The path of this door.
pub const PATH: &str = "/graphql";

const RESPONSE: &str = "application/graphql-response+json";
const JSON: &str = "application/json";

/// The media type of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// The one of the specification, in which the status says whether the request was right.
    GraphQl,
    /// JSON, as older clients take it: 200 for every request that is JSON.
    Json,
}

/// The methods of this door.
pub(super) fn route() -> MethodRouter<RestState> {
    get(read).post(write)
}

async fn write(
    State(state): State<RestState>,
    at_least: AtLeast,
    address: ClientAddress,
    id: RequestId,
    request: Request<Body>,
) -> Result<Response, Problem> {
    let media = media(request.headers())?;
    let scope = scope(&state, request.headers(), (at_least, address, &id))?;
    let body = read_json(request).await?;
    let asked = parse_json(&body)?;
    answer(graphql::execute(asked, Way::Any, scope).await, media)
}

async fn read(
    State(state): State<RestState>,
    at_least: AtLeast,
    address: ClientAddress,
    id: RequestId,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    if query.is_none() && accepted(&headers).any(|one| one == "text/html") {
        // The page is a folder, as all pages are.
        return Ok(Redirect::to("graphql/").into_response());
    }
    let media = media(&headers)?;
    let scope = scope(&state, &headers, (at_least, address, &id))?;
    let asked = asked(query.as_deref().unwrap_or_default())?;
    answer(graphql::execute(asked, Way::ReadOnly, scope).await, media)
}

fn scope(
    state: &RestState,
    headers: &HeaderMap,
    (at_least, address, id): (AtLeast, ClientAddress, &RequestId),
) -> Result<Scope, Refusal> {
    let token = bearer_token(headers).map(str::to_owned);
    let request = (token, address.to_string(), id.uuid());
    Ok(Scope::new(Arc::clone(&state.services), state.installation_key, request, at_least.position()?))
}

/// The parameters of a GET.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<String>,
    #[serde(rename = "extensions")]
    _extensions: Option<String>,
}

fn asked(query: &str) -> Result<Asked, Refusal> {
    let wrong = |_| Refusal::malformed("The query of the address cannot be read.");
    let parameters: Parameters = serde_urlencoded::from_str(query).map_err(wrong)?;
    let query = parameters.query.ok_or_else(|| Refusal::invalid_field("query", "is required"))?;
    let variables = parameters.variables.filter(|text| !text.is_empty());
    let variables = variables.map(|text| serde_json::from_str(&text)).transpose();
    let variables = variables.map_err(|_| Refusal::invalid_field("variables", "must be a JSON object"))?;
    Ok(Asked { query, operation_name: parameters.operation_name, variables: variables.flatten(), ..Asked::default() })
}

/// The media type that the client takes: that of the specification if it is named.
fn media(headers: &HeaderMap) -> Result<Media, Problem> {
    let accepted: Vec<_> = accepted(headers).collect();
    let takes = |wanted: &str| accepted.iter().any(|one| one == wanted);
    match () {
        () if takes(RESPONSE) => Ok(Media::GraphQl),
        () if accepted.is_empty() || takes(JSON) || takes("*/*") || takes("application/*") => Ok(Media::Json),
        () => Err(Problem::not_acceptable("Answers are application/graphql-response+json or application/json.")),
    }
}

/// The media types that the client names.
fn accepted(headers: &HeaderMap) -> impl Iterator<Item = String> {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(media_type)
}

fn media_type(accepted: &str) -> String {
    accepted.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn answer(answer: Answer, media: Media) -> Result<Response, Problem> {
    let (body, is_wrong) = match answer {
        Answer::Executed(body) => (body, false),
        Answer::Wrong(body) => (body, true),
        Answer::NotReadOnly => return Ok(only_post()),
    };
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = graphql_status(is_wrong && media == Media::GraphQl);
    let content_type = match media {
        Media::GraphQl => "application/graphql-response+json; charset=utf-8",
        Media::Json => "application/json; charset=utf-8",
    };
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    Ok(response)
}

fn only_post() -> Response {
    let mut response = Problem::method_not_allowed().into_response();
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(accept: &str) -> Option<Media> {
        let mut headers = HeaderMap::new();
        if !accept.is_empty() {
            headers.insert(header::ACCEPT, HeaderValue::from_str(accept).unwrap());
        }
        media(&headers).ok()
    }

    #[test]
    fn answer_has_the_media_type_of_the_specification_if_the_client_names_it() {
        assert_eq!(of("application/graphql-response+json"), Some(Media::GraphQl));
        let apollo = "application/graphql-response+json, application/json;q=0.9";
        assert_eq!(of(apollo), Some(Media::GraphQl));
        for older in ["", "*/*", "application/json", "application/json; charset=utf-8", "text/html, application/*"] {
            assert_eq!(of(older), Some(Media::Json), "{older}");
        }
        assert_eq!(of("text/html"), None);
    }
}
