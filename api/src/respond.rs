//! Answers to requests that changed something.

use std::time::Duration;

use application::command_bus::Executed;
use application::ports::Position;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use domain::ids::CommandId;
use infrastructure::responses::StoredResponse;
use serde::Serialize;

use crate::app::App;
use crate::extract::WriteInfo;
use crate::problem::Problem;
use crate::views::View;

/// How long the answer to a change waits for the read models. The change itself is committed by then.
const SETTLE_WITHIN: Duration = Duration::from_secs(2);

/// How long a read waits for a position that it demands.
const READ_WITHIN: Duration = Duration::from_secs(5);

const EVENT_POSITION: HeaderName = HeaderName::from_static("event-position");
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
const AT_LEAST: HeaderName = HeaderName::from_static("if-position-at-least");

/// An answer with a status and a JSON body.
#[derive(Debug)]
pub struct Answer {
    status: StatusCode,
    body: String,
    position: Option<Position>,
    replayed: bool,
    applied_async: bool,
}

impl Answer {
    /// 200 with a body.
    pub fn ok(body: &impl Serialize) -> Result<Self, Problem> {
        Self::new(StatusCode::OK, body)
    }

    /// 201 with a body.
    pub fn created(body: &impl Serialize) -> Result<Self, Problem> {
        Self::new(StatusCode::CREATED, body)
    }

    fn new(status: StatusCode, body: &impl Serialize) -> Result<Self, Problem> {
        let body = serde_json::to_string(body).map_err(|error| Problem::internal(&error))?;
        Ok(Self { status, body, position: None, replayed: false, applied_async: false })
    }

    /// Tells where the change is in the log, and whether it was made by an earlier request.
    #[must_use]
    pub fn of<T>(self, executed: &Executed<T>, info: &WriteInfo) -> Self {
        let (position, replayed) = (executed.position(), executed.repeated);
        Self { position, replayed, applied_async: info.respond_async, ..self }
    }

    /// The response.
    pub fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(position) = self.position {
            headers.insert(EVENT_POSITION, HeaderValue::from(position));
        }
        if self.replayed {
            headers.insert(REPLAYED, HeaderValue::from_static("true"));
        }
        if self.applied_async {
            headers.insert(PREFERENCE_APPLIED, HeaderValue::from_static("respond-async"));
        }
        response
    }
}

/// Waits, within bounds, until the reads that follow a change will see it.
pub async fn settle<T>(app: &App, info: &WriteInfo, executed: &Executed<T>, views: &[View]) {
    if info.respond_async {
        return;
    }
    if let Some(position) = executed.position()
        && !app.views.wait_for(views, position, SETTLE_WITHIN).await
    {
        tracing::warn!(position, "read models are late");
    }
}

/// Keeps the promise of `If-Position-At-Least`.
///
/// # Errors
/// 400 when it is no position; 503 when the read models do not reach it in time.
pub async fn await_position(app: &App, headers: &HeaderMap, views: &[View]) -> Result<(), Problem> {
    let Some(value) = headers.get(&AT_LEAST) else { return Ok(()) };
    let position = value.to_str().ok().and_then(|text| text.parse::<Position>().ok()).filter(|at| *at >= 0);
    let position =
        position.ok_or_else(|| Problem::invalid_field("If-Position-At-Least", "must be a position of the log"))?;
    if app.views.wait_for(views, position, READ_WITHIN).await {
        return Ok(());
    }
    Err(Problem::unavailable("position_not_reached", "The read models have not reached this position yet."))
}

/// The first answer to a request with an idempotency key, if it was given already.
///
/// # Errors
/// 422 when the key came with another request.
pub async fn first_answer(app: &App, info: &WriteInfo, scope: &str) -> Result<Option<Answer>, Problem> {
    let Some(command_id) = info.command_id(scope) else { return Ok(None) };
    let Some(stored) = app.responses.find(command_id).await? else { return Ok(None) };
    if stored.request_digest != info.digest {
        return Err(application::UseCaseError::CommandReused.into());
    }
    let position = app.log.find_command(command_id).await.map_err(application::UseCaseError::from)?;
    let position = position.map(|record| record.receipt.last_position);
    let status = StatusCode::from_u16(stored.status).unwrap_or(StatusCode::OK);
    Ok(Some(Answer { status, body: stored.body, position, replayed: true, applied_async: false }))
}

/// Keeps the first answer to a request with an idempotency key.
pub async fn keep_answer(app: &App, info: &WriteInfo, scope: &str, answer: &Answer) {
    let Some(command_id) = info.command_id(scope) else { return };
    keep(app, command_id, info, answer).await;
}

async fn keep(app: &App, command_id: CommandId, info: &WriteInfo, answer: &Answer) {
    let (request_digest, status, body) = (info.digest, answer.status.as_u16(), answer.body.clone());
    let stored = StoredResponse { request_digest, status, body };
    if let Err(error) = app.responses.save(command_id, &stored).await {
        // The change is made and remembered; a repetition gets an answer that is made anew.
        tracing::warn!(error = &error as &dyn std::error::Error, "answer was not kept");
    }
}
