use application::agents::TokenPair;
use application::visitors::{NewSession, VisitorSession as Begun, session_command_id};
use async_graphql::{Context, ID, InputObject, Json, Object, Result, SimpleObject};
use domain::agent::{Agent, GivenPassword, NewPassword};
use domain::ids::VisitorId;
use domain::text::{ClientEventId, EmailAddress, MessageText, Name, PhoneNumber, is_blank};
use domain::visitor::VisitorDetails;
use serde_json::Value;

use super::chats::metadata;
use super::{Change, DONE, DonePayload, ErasurePayload, Receipt, VisitorSessionPayload, refused};
use crate::graphql::scope::{Scope, ensure_key};
use crate::graphql::types::{AgentSession, AgentSummary, Erasure, VisitorSession, shown};
use crate::service::{Arrival, Fields, Refusal, Wait};

/// A visitor's session to begin, with the first message of its chat.
#[derive(InputObject)]
pub struct StartChatInput {
    /// The visitor's name.
    name: Option<String>,
    /// The visitor's e-mail address.
    email: Option<String>,
    /// The visitor's telephone number.
    phone: Option<String>,
    /// The group that shall serve the chat; the default group when absent.
    group_id: Option<ID>,
    /// The visitor's first message, at most 16 KiB.
    initial_message: String,
    /// The client's own id of the message: sent again with it to the thread, the message is taken once.
    client_event_id: Option<String>,
    /// Data that the server returns with the message; an object of at most 4 KiB.
    metadata: Option<Json<Value>>,
    /// The token of a visitor who returns.
    session_token: Option<String>,
}

/// A visitor's new token.
#[derive(Clone, Debug, SimpleObject)]
pub struct RenewedVisitorSession {
    /// The visitor's bearer token.
    pub session_token: String,
    /// The lifetime of the token in seconds.
    pub expires_in: i32,
    /// A UUID; the same in all sessions of the visitor.
    pub visitor_id: ID,
}

/// Sessions of agents and visitors, and what ends with a person.
#[derive(Default)]
pub struct SessionMutations;

#[Object]
impl SessionMutations {
    /// Logs an agent in; for everybody.
    async fn log_in(&self, ctx: &Context<'_>, email: String, password: String) -> Option<Result<AgentSession>> {
        Some(
            async {
                let scope = Scope::of(ctx)?;
                let entrance = scope.enter(ctx).await?;
                let mut fields = Fields::default();
                let email = fields.text("email", &email, EmailAddress::parse);
                let password = fields.text("password", &password, GivenPassword::parse);
                let (email, password) = fields.finish_with(email.zip(password)).map_err(refused)?;
                let logged_in = scope.services.sessions.log_in(&entrance, &email, &password).await.map_err(refused)?;
                Ok(session(logged_in.tokens, &logged_in.agent))
            }
            .await,
        )
    }

    /// Exchanges a refresh token for new tokens; for everybody.
    async fn renew_session(&self, ctx: &Context<'_>, refresh_token: String) -> Option<Result<AgentSession>> {
        Some(
            async {
                let scope = Scope::of(ctx)?;
                let entrance = scope.enter(ctx).await?;
                let (tokens, agent) =
                    scope.services.sessions.renew(&entrance, &refresh_token).await.map_err(refused)?;
                Ok(session(tokens, &agent))
            }
            .await,
        )
    }

    /// Ends the session of the token; for agents.
    async fn log_out(&self, ctx: &Context<'_>) -> Option<Result<DonePayload>> {
        Some(
            async {
                let change = Change::begin(ctx, None).await?;
                change.scope.services.sessions.log_out(&change.caller).await.map_err(refused)?;
                Ok(DONE)
            }
            .await,
        )
    }

    /// Changes the own password, and ends all other sessions of the agent.
    async fn change_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The password until now; a wrong one counts as a failed log-in.")] current_password: String,
        #[graphql(desc = "The password from now on, 8 to 128 characters.")] new_password: String,
    ) -> Option<Result<DonePayload>> {
        Some(
            async {
                let change = Change::begin(ctx, None).await?;
                let mut fields = Fields::default();
                let current = fields.text("currentPassword", &current_password, GivenPassword::parse);
                let new = fields.text("newPassword", &new_password, NewPassword::parse);
                let passwords = fields.finish_with(current.zip(new)).map_err(refused)?;
                let (from, sessions) = ((&change.entrance, &change.caller), &change.scope.services.sessions);
                sessions.change_password(from, &change.request()?, passwords).await.map_err(refused)?;
                Ok(DONE)
            }
            .await,
        )
    }

    /// Begins a visitor's chat, or continues the open chat of a visitor who returns; for everybody.
    async fn start_chat(
        &self,
        ctx: &Context<'_>,
        mut input: StartChatInput,
        idempotency_key: Option<String>,
    ) -> Option<Result<VisitorSessionPayload>> {
        Some(
            async {
                let scope = Scope::of(ctx)?;
                let entrance = scope.enter(ctx).await?;
                if let Some(key) = &idempotency_key {
                    ensure_key(key)?;
                }
                let session_token = input.session_token.take().filter(|token| !is_blank(token));
                let arrival = scope.services.arrivals.arrive(&entrance, session_token).await.map_err(refused)?;
                let request = request(scope, (&arrival, input), (ctx, idempotency_key.as_deref())).await?;
                begin(scope, arrival, request).await
            }
            .await,
        )
    }

    /// Gives a visitor whose token is valid a new one, without a message; for everybody.
    async fn renew_visitor_session(
        &self,
        ctx: &Context<'_>,
        session_token: String,
    ) -> Option<Result<RenewedVisitorSession>> {
        Some(
            async {
                let scope = Scope::of(ctx)?;
                let entrance = scope.enter(ctx).await?;
                let renewed = scope.services.arrivals.renew(&entrance, &session_token).await.map_err(refused)?;
                let (visitor_id, session_token, expires_in) = renewed;
                Ok(RenewedVisitorSession {
                    session_token,
                    expires_in: seconds(expires_in),
                    visitor_id: visitor_id.into(),
                })
            }
            .await,
        )
    }

    /// Erases the personal data of a visitor; for admins. Each request does what is left.
    async fn erase_visitor(&self, ctx: &Context<'_>, visitor_id: ID) -> Option<Result<ErasurePayload>> {
        Some(
            async {
                let change = Change::begin(ctx, None).await?;
                let mut fields = Fields::default();
                let id = fields.id::<VisitorId>("visitorId", Some(&visitor_id));
                let id = fields.finish_with(id).map_err(refused)?;
                let visitors = &change.scope.services.visitors;
                let erased = visitors.erase(&change.caller, &change.request()?, id).await.map_err(refused)?;
                let count = |number| i32::try_from(number).unwrap_or(i32::MAX);
                let erasure = Erasure {
                    visitor_id,
                    payloads: count(erased.payloads),
                    messages: count(erased.messages),
                    closed_chat: erased.closed_chat,
                    answers: count(erased.answers),
                    off_the_disk: erased.off_the_disk,
                    read_models: erased.read_models,
                };
                Ok(ErasurePayload::new(erasure, Receipt { position: erased.position.map(Into::into), repeated: false }))
            }
            .await,
        )
    }
}

async fn request(
    scope: &Scope,
    (arrival, input): (&Arrival, StartChatInput),
    (ctx, key): (&Context<'_>, Option<&str>),
) -> Result<NewSession> {
    let known = scope.services.arrivals.recognise(arrival).await.map_err(refused)?;
    let command_id = session_command_id(&scope.key, known, key);
    let wrong = |error: &dyn std::fmt::Display| refused(Refusal::invalid_field("idempotencyKey", error.to_string()));
    let command_id = command_id.map_err(|error| wrong(&error))?;
    let digest = scope.digest(ctx)?;
    let mut fields = Fields::default();
    let name = fields.optional("name", input.name.as_deref(), Name::parse);
    let email = fields.optional("email", input.email.as_deref(), EmailAddress::parse);
    let phone = fields.optional("phone", input.phone.as_deref(), PhoneNumber::parse);
    let group_id = fields.optional_id("groupId", input.group_id.as_ref().map(AsRef::as_ref));
    let text = fields.text("initialMessage", &input.initial_message, MessageText::parse);
    let client_event_id = fields.optional("clientEventId", input.client_event_id.as_deref(), ClientEventId::parse);
    let metadata = metadata(&mut fields, input.metadata.as_ref());
    let text = fields.finish_with(text).map_err(refused)?;
    let (repeatable, request_id) = (command_id.map(|id| (id, digest)), scope.request_id);
    let details = VisitorDetails { name, email, phone };
    Ok(NewSession { known, repeatable, request_id, details, group_id, text, client_event_id, metadata })
}

async fn begin(scope: &Scope, arrival: Arrival, request: NewSession) -> Result<VisitorSessionPayload> {
    let services = &scope.services;
    let executed = services.arrivals.begin(arrival, request).await.map_err(refused)?;
    let done = services.dispatch.settle(executed, Wait::ForViews).await;
    let receipt = Receipt::of(&done);
    let Begun { visitor_id, token, expires_in, chat } = done.output;
    let standing = services.conversations.standing(chat.conversation_id).await.map_err(refused)?;
    let Standing { status, queue_position } = shown(&standing)?;
    let session = VisitorSession {
        session_token: token,
        expires_in: seconds(expires_in),
        visitor_id: visitor_id.into(),
        conversation_id: chat.conversation_id.into(),
        thread_id: chat.thread_id.into(),
        status,
        queue_position,
    };
    Ok(VisitorSessionPayload::new(session, receipt))
}

/// Where a chat stands.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Standing {
    status: crate::graphql::types::ConversationStatus,
    queue_position: Option<i32>,
}

fn session(tokens: TokenPair, agent: &Agent) -> AgentSession {
    let agent = AgentSummary {
        id: tokens.agent_id.into(),
        name: agent.name.as_ref().map(|name| name.as_str().to_owned()),
        email: agent.email.as_ref().map(|email| email.as_str().to_owned()),
        role: agent.role.into(),
        status: agent.status.into(),
    };
    let TokenPair { access_token, expires_in, refresh_token, .. } = tokens;
    AgentSession { access_token, expires_in: seconds(expires_in), refresh_token, agent }
}

fn seconds(seconds: i64) -> i32 {
    i32::try_from(seconds).unwrap_or(i32::MAX)
}
