//! Answers to requests that changed something, and the first answers to requests that come again.

use std::sync::Arc;
use std::time::Duration;

use application::UseCaseError;
use application::ports::{Clock, Hash, Position};
use async_trait::async_trait;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use domain::ids::CommandId;
use serde::{Deserialize, Serialize};

use super::extract::WriteInfo;
use super::problem::Problem;
use crate::service::{Caller, CommandContext, Dispatch, Done, Executed, Limits, Refusal, UseCase};

/// The longest wait of a repetition for the answer to a first request that may still be under way. There may never be
/// one: the first request may have timed out or its program may have died. The repetition then gets an answer of its own.
const FIRST_WITHIN: Duration = Duration::from_secs(1);
const FIRST_PAUSE: Duration = Duration::from_millis(10);

const EVENT_POSITION: HeaderName = HeaderName::from_static("event-position");
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// The first answer to a request with an idempotency key, as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstAnswer {
    /// Of method, path and body: another request with the same key is refused.
    pub request_digest: Hash,
    /// The status code.
    pub status: u16,
    /// The JSON body.
    pub body: String,
}

/// Keeps first answers for a day.
#[async_trait]
pub trait AnswerStore: Send + Sync + 'static {
    /// The first answer to a command.
    ///
    /// # Errors
    /// When the store does not work.
    async fn find(&self, command_id: CommandId) -> Result<Option<FirstAnswer>, Refusal>;

    /// Keeps the answer to a command, whose last event is at a position. A log that does not reach it was set back, and
    /// nothing is kept.
    ///
    /// # Errors
    /// When the store does not work.
    async fn save(
        &self,
        command_id: CommandId,
        answer: &FirstAnswer,
        position: Option<Position>,
    ) -> Result<(), Refusal>;
}

/// An answer with a status and a JSON body.
#[derive(Debug)]
pub struct Answer {
    status: StatusCode,
    body: String,
    position: Option<Position>,
    replayed: bool,
    applied_async: bool,
    location: Option<String>,
}

/// The ids in the body of what was created.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    id: Option<String>,
    conversation_id: Option<String>,
    thread_id: Option<String>,
}

/// Where to find what a request has created: a reference relative to the request, which holds below a path of a proxy,
/// too. Messages are found in the list of their thread.
fn location(path: &str, status: StatusCode, body: &str) -> Option<String> {
    let created = (status == StatusCode::CREATED).then(|| serde_json::from_str::<Created>(body).ok()).flatten()?;
    let to_root = "../".repeat(path.matches('/').count().saturating_sub(1));
    let collection = path.trim_start_matches('/');
    Some(match (created.conversation_id, created.thread_id) {
        (Some(id), _) => format!("{to_root}v1/conversations/{id}"),
        (None, Some(id)) => format!("{to_root}v1/threads/{id}/events"),
        (None, None) => format!("{to_root}{collection}/{}", created.id?),
    })
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
        let body = serde_json::to_string(body).map_err(|error| Refusal::internal(&error))?;
        Ok(Self { status, body, position: None, replayed: false, applied_async: false, location: None })
    }

    /// Adds the position of the change, and whether an earlier request made it.
    #[must_use]
    pub fn of<T>(self, done: &Done<T>, info: &WriteInfo) -> Self {
        let location = location(&info.path, self.status, &self.body);
        Self { position: done.position, replayed: done.repeated, applied_async: info.respond_async, location, ..self }
    }

    /// Converts the answer, with the headers that it implies.
    pub fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(location) = self.location.and_then(|location| HeaderValue::try_from(location).ok()) {
            headers.insert(header::LOCATION, location);
        }
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

/// Makes changes for requests, and answers a repeated request with its first answer.
#[derive(Clone)]
pub struct Responder {
    /// Makes the changes.
    pub dispatch: Dispatch,
    /// Keeps the answers.
    pub answers: Arc<dyn AnswerStore>,
    /// Says how many answers of a caller are kept.
    pub limits: Limits,
    /// Waits for first answers.
    pub clock: Arc<dyn Clock>,
}

impl Responder {
    /// Makes the change, waits for the views that show it, and answers with what `view` then reads; a repeated request
    /// gets the first answer.
    pub async fn answer<U: UseCase, V: Serialize>(
        &self,
        caller: &Caller,
        info: &WriteInfo,
        use_case: U,
        view: impl AsyncFnOnce(U::Output) -> Result<V, Problem>,
    ) -> Result<Response, Problem> {
        self.carry_out(StatusCode::OK, (caller, info), use_case, view).await
    }

    /// Like [`Self::answer`] for a change that creates something. It waits for the views whatever the client prefers: the
    /// answer comes from them.
    pub async fn answer_created<U: UseCase, V: Serialize>(
        &self,
        caller: &Caller,
        info: &WriteInfo,
        use_case: U,
        view: impl AsyncFnOnce(U::Output) -> Result<V, Problem>,
    ) -> Result<Response, Problem> {
        self.carry_out(StatusCode::CREATED, (caller, &info.waiting()), use_case, view).await
    }

    /// Like [`Self::answer`] for a change that a service makes, in the context that it is given.
    pub async fn answer_executed<T, V: Serialize>(
        &self,
        caller: &Caller,
        info: &WriteInfo,
        execute: impl AsyncFnOnce(CommandContext) -> Result<Executed<T>, Refusal>,
        view: impl AsyncFnOnce(T) -> Result<V, Problem>,
    ) -> Result<Response, Problem> {
        let scope = caller.principal.actor();
        if let Some(answer) = self.first_answer(info, &scope).await? {
            return Ok(answer.into_response());
        }
        let request = info.request(caller);
        let executed = execute(self.dispatch.context(caller, &request)).await?;
        let done = self.dispatch.settle(executed, request.wait).await;
        self.show(StatusCode::OK, (caller, info), done, view).await
    }

    async fn carry_out<U: UseCase, V: Serialize>(
        &self,
        status: StatusCode,
        (caller, info): (&Caller, &WriteInfo),
        use_case: U,
        view: impl AsyncFnOnce(U::Output) -> Result<V, Problem>,
    ) -> Result<Response, Problem> {
        let scope = caller.principal.actor();
        if let Some(answer) = self.first_answer(info, &scope).await? {
            return Ok(answer.into_response());
        }
        let done = self.dispatch.execute(caller, &info.request(caller), use_case).await?;
        self.show(status, (caller, info), done, view).await
    }

    /// Answers with what `view` reads after a change.
    async fn show<T, V: Serialize>(
        &self,
        status: StatusCode,
        (caller, info): (&Caller, &WriteInfo),
        done: Done<T>,
        view: impl AsyncFnOnce(T) -> Result<V, Problem>,
    ) -> Result<Response, Problem> {
        let (output, done) = done.split();
        let answer = Answer::new(status, &view(output).await?)?.of(&done, info);
        self.finish(info, &caller.principal.actor(), (answer, done.settled)).await
    }

    /// Sends an answer, and keeps it for repetitions if it is to be the answer for good: one that late views gave is not.
    ///
    /// # Errors
    /// When the first answer cannot be read.
    pub async fn finish(
        &self,
        info: &WriteInfo,
        scope: &str,
        (answer, for_good): (Answer, bool),
    ) -> Result<Response, Problem> {
        match info.command_id(scope).filter(|_| for_good) {
            Some(command_id) => {
                let body = self.keep_first(info, (command_id, scope), &answer).await?;
                Ok(Answer { body, ..answer }.into_response())
            }
            None => Ok(answer.into_response()),
        }
    }

    /// The first answer to a request with an idempotency key, if there is one already.
    ///
    /// # Errors
    /// 422 when the key came with another request.
    pub async fn first_answer(&self, info: &WriteInfo, scope: &str) -> Result<Option<Answer>, Problem> {
        let Some((command_id, first)) = self.find_first(info, scope).await? else { return Ok(None) };
        let position = self.dispatch.position_of(command_id).await?;
        let status = StatusCode::from_u16(first.status).map_err(|error| Refusal::internal(&error))?;
        let location = location(&info.path, status, &first.body);
        Ok(Some(Answer { status, body: first.body, position, replayed: true, applied_async: false, location }))
    }

    /// Refuses an idempotency key that came with another request.
    ///
    /// # Errors
    /// 422 for such a key.
    pub async fn ensure_key_is_its_own(&self, info: &WriteInfo, scope: &str) -> Result<(), Problem> {
        self.find_first(info, scope).await.map(|_| ())
    }

    async fn find_first(&self, info: &WriteInfo, scope: &str) -> Result<Option<(CommandId, FirstAnswer)>, Problem> {
        let Some(command_id) = info.command_id(scope) else { return Ok(None) };
        let Some(first) = self.answers.find(command_id).await? else { return Ok(None) };
        if first.request_digest != info.digest {
            return Err(UseCaseError::CommandReused.into());
        }
        Ok(Some((command_id, first)))
    }

    /// The body of the first answer to a command: that of this answer, which is kept, unless the command is a repetition or
    /// the caller (`scope`) has had enough answers kept.
    ///
    /// # Errors
    /// When the first answer cannot be read.
    pub async fn keep_first(
        &self,
        info: &WriteInfo,
        (command_id, scope): (CommandId, &str),
        answer: &Answer,
    ) -> Result<String, Problem> {
        if answer.replayed
            && let Some(first) = self.await_first(command_id).await?
        {
            return Ok(first.body);
        }
        if !self.limits.may_keep_answer(scope).await {
            return Ok(answer.body.clone());
        }
        let (request_digest, status, body) = (info.digest, answer.status.as_u16(), answer.body.clone());
        let first = FirstAnswer { request_digest, status, body };
        if let Err(refusal) = self.answers.save(command_id, &first, answer.position).await {
            // The change is made and the log remembers it; a repetition gets an answer of its own.
            tracing::warn!(code = refusal.code.as_str(), "answer was not kept");
        }
        Ok(first.body)
    }

    /// The request that made the change keeps its answer a moment later; never, if its program ended in between.
    async fn await_first(&self, command_id: CommandId) -> Result<Option<FirstAnswer>, Problem> {
        let deadline = self.clock.now().plus(FIRST_WITHIN);
        loop {
            let found = self.answers.find(command_id).await?;
            if found.is_some() || self.clock.now() >= deadline {
                return Ok(found);
            }
            self.clock.sleep(FIRST_PAUSE).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn created_things_are_found_relative_to_the_request() {
        let created = |path: &str, body: &str| location(path, StatusCode::CREATED, body).unwrap();
        assert_eq!(created("/v1/agents", r#"{"id":"7"}"#), "../v1/agents/7");
        let session = r#"{"visitorId":"7","conversationId":"8","threadId":"9"}"#;
        assert_eq!(created("/v1/widget/session", session), "../../v1/conversations/8");
        let message = r#"{"id":"7","threadId":"9"}"#;
        assert_eq!(created("/v1/threads/9/events", message), "../../../v1/threads/9/events");
        assert_eq!(location("/v1/agents", StatusCode::OK, r#"{"id":"7"}"#), None);
    }
}
