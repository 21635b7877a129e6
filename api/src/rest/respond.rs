//! Answers to requests that changed something.

use std::time::Duration;

use application::command_bus::{Executed, UseCase};
use application::ports::{AsOf, Position, Principal};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use domain::ids::CommandId;
use infrastructure::responses::StoredResponse;
use serde::Serialize;

use crate::app::App;
use crate::rest::extract::WriteInfo;
use crate::rest::problem::Problem;
use crate::views::View;

/// How long the answer to a change waits for the read models: longer than another node needs to take over from a dead
/// one. The change itself is committed by then.
const SETTLE_WITHIN: Duration = Duration::from_secs(5);

/// How long a repetition waits for the answer to a first request that may still be under way. There may never be one: its
/// time may be over, its program may have died. The repetition is then answered anew.
const FIRST_WITHIN: Duration = Duration::from_secs(1);
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// How long a read waits for a position that it demands.
const READ_WITHIN: Duration = Duration::from_secs(5);

/// How long a read waits for what was just written, before it answers with what there is.
const HEAD_WITHIN: Duration = Duration::from_secs(2);

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
    /// 201 with a body.
    pub fn created(body: &impl Serialize) -> Result<Self, Problem> {
        Self::new(StatusCode::CREATED, body)
    }

    /// 200 with a body.
    pub fn ok(body: &impl Serialize) -> Result<Self, Problem> {
        Self::new(StatusCode::OK, body)
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

    /// Tells where the change is in the log, if there was one.
    #[must_use]
    pub fn at(self, position: Option<Position>, info: &WriteInfo) -> Self {
        Self { position, applied_async: info.respond_async, ..self }
    }

    /// Tells that some of it was done by an earlier request.
    #[must_use]
    pub fn repeated(self, repeated: bool) -> Self {
        Self { replayed: repeated, ..self }
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

/// Waits, within bounds, until the reads that follow a change will see it. Tells whether they will.
pub async fn settle<T>(app: &App, info: &WriteInfo, executed: &Executed<T>, views: &[View]) -> bool {
    settle_at(app, info, executed.position(), views).await
}

/// The same for a change that is at this position.
pub async fn settle_at(app: &App, info: &WriteInfo, position: Option<Position>, views: &[View]) -> bool {
    let Some(position) = position else { return true };
    if info.respond_async {
        return false;
    }
    let settled = app.views.wait_for(views, position, SETTLE_WITHIN).await;
    if !settled {
        tracing::warn!(position, "read models are late");
    }
    settled
}

/// Keeps the promise of `If-Position-At-Least`.
///
/// # Errors
/// 400 when it is no position; 503 when the read models do not reach it in time.
pub async fn await_position(app: &App, headers: &HeaderMap, views: &[View]) -> Result<(), Problem> {
    reach_demanded(app, headers, views).await.map(|_| ())
}

/// The same, and from which moment on what the answer shows beside the read models may be: the one of the
/// authentication, unless the position is beyond it.
///
/// # Errors
/// As for [`await_position`], and when the log does not answer.
pub async fn await_position_as_of(
    app: &App,
    headers: &HeaderMap,
    views: &[View],
    authenticated: AsOf,
) -> Result<AsOf, Problem> {
    match reach_demanded(app, headers, views).await? {
        Some(demanded) if demanded > authenticated.position() => Ok(app.bus.as_of_now().await?),
        Some(_) | None => Ok(authenticated),
    }
}

async fn reach_demanded(app: &App, headers: &HeaderMap, views: &[View]) -> Result<Option<Position>, Problem> {
    let Some(value) = headers.get(&AT_LEAST) else { return Ok(None) };
    let position = value.to_str().ok().and_then(|text| text.parse::<Position>().ok()).filter(|at| *at >= 0);
    let position =
        position.ok_or_else(|| Problem::invalid_field("If-Position-At-Least", "must be a position of the log"))?;
    if app.views.wait_for(views, position, READ_WITHIN).await {
        return Ok(Some(position));
    }
    Err(Problem::view_behind())
}

/// Waits, within bounds, until the views have all that was committed when the caller was authenticated: for reads of
/// views for which no change waits.
///
/// # Errors
/// As for [`await_position`], whose promise it keeps as well.
pub async fn await_head(app: &App, headers: &HeaderMap, views: &[View], authenticated: AsOf) -> Result<(), Problem> {
    await_position(app, headers, views).await?;
    if !app.views.wait_for(views, authenticated.position(), HEAD_WITHIN).await {
        tracing::warn!(position = authenticated.position(), "read models are late");
    }
    Ok(())
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

/// Keeps the answer to a request with an idempotency key, and gives the one to send: where another request has made the
/// change, the answer to that one.
///
/// # Errors
/// When the first answer cannot be read.
pub async fn keep_answer(app: &App, info: &WriteInfo, scope: &str, answer: Answer) -> Result<Answer, Problem> {
    let Some(command_id) = info.command_id(scope) else { return Ok(answer) };
    let body = keep_first(app, info, command_id, &answer).await?;
    Ok(Answer { body, ..answer })
}

/// The body of the first answer to a command: that of this one, which is kept, unless the command is a repetition.
///
/// # Errors
/// When the first answer cannot be read.
pub async fn keep_first(
    app: &App,
    info: &WriteInfo,
    command_id: CommandId,
    answer: &Answer,
) -> Result<String, Problem> {
    if answer.replayed
        && let Some(first) = await_first(app, command_id).await?
    {
        return Ok(first.body);
    }
    let (request_digest, status, body) = (info.digest, answer.status.as_u16(), answer.body.clone());
    let stored = StoredResponse { request_digest, status, body };
    if let Err(error) = app.responses.save(command_id, &stored).await {
        // The change is made and remembered; a repetition gets an answer that is made anew.
        tracing::warn!(error = &error as &dyn std::error::Error, "answer was not kept");
    }
    Ok(stored.body)
}

/// Whoever makes a change keeps the answer a moment later; never, if they ended in between.
async fn await_first(app: &App, command_id: CommandId) -> Result<Option<StoredResponse>, Problem> {
    let deadline = app.clock.now().plus(FIRST_WITHIN);
    loop {
        let found = app.responses.find(command_id).await?;
        if found.is_some() || app.clock.now() >= deadline {
            return Ok(found);
        }
        app.clock.sleep(FIRST_PAUSE).await;
    }
}

/// How a change is carried out and answered.
pub struct Change<'a> {
    /// The program.
    pub app: &'a App,
    /// Who changes.
    pub principal: Principal,
    /// What the request says about it.
    pub info: &'a WriteInfo,
    /// The read models that the answer needs, or a read that follows.
    pub views: &'a [View],
}

impl Change<'_> {
    /// Carries the change out, waits for the views, and answers with what `view` then reads; a repeated request gets the
    /// first answer.
    pub async fn answer<U: UseCase, V: Serialize>(
        self,
        use_case: U,
        view: impl AsyncFnOnce(U::Output) -> Result<V, Problem>,
    ) -> Result<Response, Problem> {
        self.carry_out(StatusCode::OK, use_case, view).await
    }

    /// Like [`Self::answer`] for what begins with the change. It waits for the views whatever the client prefers: the
    /// answer is what they hold.
    pub async fn answer_created<U: UseCase, V: Serialize>(
        self,
        use_case: U,
        view: impl AsyncFnOnce(U::Output) -> Result<V, Problem>,
    ) -> Result<Response, Problem> {
        let info = WriteInfo { respond_async: false, ..self.info.clone() };
        Change { info: &info, ..self }.carry_out(StatusCode::CREATED, use_case, view).await
    }

    async fn carry_out<U: UseCase, V: Serialize>(
        self,
        status: StatusCode,
        use_case: U,
        view: impl AsyncFnOnce(U::Output) -> Result<V, Problem>,
    ) -> Result<Response, Problem> {
        let Self { app, principal, info, views } = self;
        let scope = principal.actor();
        if let Some(answer) = first_answer(app, info, &scope).await? {
            return Ok(answer.into_response());
        }
        let executed = app.bus.execute(info.context(app, principal), use_case).await?;
        let settled = settle(app, info, &executed, views).await;
        let (receipt, repeated) = (executed.receipt, executed.repeated);
        let done = Executed { output: (), receipt, repeated };
        let answer = Answer::new(status, &view(executed.output).await?)?.of(&done, info);
        if !settled {
            // What late views say must not be the answer for good.
            return Ok(answer.into_response());
        }
        Ok(keep_answer(app, info, &scope, answer).await?.into_response())
    }
}
