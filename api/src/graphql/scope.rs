//! What the fields of one request share: the caller's way into the service.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use application::InstallationKey;
use application::ports::{Hash, Position};
use async_graphql::{Context, Error, Value};
use domain::ids::CommandId;
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::errors::error_of;
use super::table::action_of;
use crate::service::{Action, Caller, ChangeRequest, Entrance, Refusal, Services, Wait};

/// The most characters of an idempotency key.
const MAX_KEY_LENGTH: usize = 255;

/// One request at this door.
pub struct Scope {
    pub(super) services: Arc<Services>,
    /// Makes the digests and the ids of requests worthless to others.
    pub(super) key: InstallationKey,
    token: Option<String>,
    /// The network address that the request counts for.
    address: String,
    /// Correlates the events of the request.
    pub(super) request_id: Uuid,
    /// The position that reads must show at least.
    pub(super) at_least: Option<Position>,
    /// Whether a field has taken the place of the request, which was counted when it came.
    counted: AtomicBool,
    /// The caller, for fields of things that the caller has been shown.
    caller: OnceCell<Caller>,
}

/// A caller who may take the action of a field.
pub(super) struct Admitted {
    pub entrance: Entrance,
    pub caller: Caller,
}

impl Scope {
    /// For a request that was counted when it came, with its bearer token, its network address and the id that correlates
    /// its events.
    #[must_use]
    pub fn new(
        services: Arc<Services>,
        key: InstallationKey,
        (token, address, request_id): (Option<String>, String, Uuid),
        at_least: Option<Position>,
    ) -> Self {
        let (counted, caller) = (AtomicBool::new(false), OnceCell::new());
        Self { services, key, token, address, request_id, at_least, counted, caller }
    }

    /// The scope of the request that resolves a field.
    pub(super) fn of<'a>(ctx: &Context<'a>) -> Result<&'a Self, Error> {
        ctx.data::<Self>()
    }

    /// Counts the action of a field for the caller, known or not.
    pub(super) async fn enter(&self, ctx: &Context<'_>) -> Result<Entrance, Error> {
        let action = action_of(ctx.field().name()).ok_or_else(|| Error::new("The field stands for no action."))?;
        self.enter_for(action).await.map_err(|refusal| error_of(&refusal))
    }

    async fn enter_for(&self, action: Action) -> Result<Entrance, Refusal> {
        let (token, address) = (self.token.as_deref(), self.address.clone());
        let gate = &self.services.gate;
        // The request itself counts as a call like any other; so does the first field that is one.
        if gate.counts_like_any(action, token) && !self.counted.swap(true, Ordering::Relaxed) {
            return Ok(gate.enter_counted(action, token, address));
        }
        gate.enter(Some(action), token, address).await
    }

    /// Counts the action of a field and admits its caller.
    pub(super) async fn admit(&self, ctx: &Context<'_>) -> Result<Admitted, Error> {
        let entrance = self.enter(ctx).await?;
        let action = action_of(ctx.field().name()).ok_or_else(|| Error::new("The field stands for no action."))?;
        let admitted = entrance.admit(action).await.map_err(|refusal| error_of(&refusal))?;
        let caller = admitted.ok_or_else(|| error_of(&Refusal::unauthorized()))?;
        // Fails only if another field has found the same caller.
        let _ = self.caller.set(caller);
        Ok(Admitted { entrance, caller })
    }

    /// The caller, for a field of something that the caller has been shown by this request.
    pub(super) fn caller_of(&self, action: Action) -> Result<Caller, Refusal> {
        let caller = *self.caller.get().ok_or_else(Refusal::unauthorized)?;
        caller.ensure_may(action)?;
        Ok(caller)
    }

    /// The change of a field: its idempotency key names the command, and its input is what must not differ.
    pub(super) fn change(
        &self,
        ctx: &Context<'_>,
        caller: &Caller,
        idempotency_key: Option<&str>,
    ) -> Result<ChangeRequest, Error> {
        let repeatable = match idempotency_key {
            Some(key) => Some((self.command_id(&caller.principal.actor(), key)?, self.digest(ctx)?)),
            None => None,
        };
        Ok(ChangeRequest { request_id: self.request_id, repeatable, wait: Wait::ForViews })
    }

    fn command_id(&self, scope: &str, key: &str) -> Result<CommandId, Error> {
        ensure_key(key)?;
        Ok(self.key.command_id_of_key(scope, key))
    }

    /// The digest of a field's name and arguments, whatever their order.
    pub(super) fn digest(&self, ctx: &Context<'_>) -> Result<Hash, Error> {
        let mut arguments = ctx.field().arguments().map_err(|error| Error::new(error.message))?;
        arguments.retain(|(name, _)| !["idempotencyKey", "ifMatch"].contains(&name.as_str()));
        arguments.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut form = String::new();
        for (name, value) in arguments {
            form.push_str(&name);
            write_sorted(&value, &mut form);
        }
        Ok(self.key.digest(&[b"graphql", ctx.field().name().as_bytes(), form.as_bytes()]))
    }
}

/// Refuses a key that no other door takes either.
pub(super) fn ensure_key(key: &str) -> Result<(), Error> {
    let is_visible = key.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    if is_visible && (1..=MAX_KEY_LENGTH).contains(&key.len()) {
        return Ok(());
    }
    let message = format!("must have 1 to {MAX_KEY_LENGTH} visible ASCII characters");
    Err(error_of(&Refusal::invalid_field("idempotencyKey", message)))
}

/// A value in the one form of all values that are equal.
fn write_sorted(value: &Value, form: &mut String) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            form.push('{');
            for (name, member) in members {
                // Quoted: a name may hold what separates members.
                form.push_str(&serde_json::Value::from(name.as_str()).to_string());
                form.push(':');
                write_sorted(member, form);
                form.push(',');
            }
            form.push('}');
        }
        Value::List(items) => {
            form.push('[');
            for item in items {
                write_sorted(item, form);
                form.push(',');
            }
            form.push(']');
        }
        Value::Null | Value::Number(_) | Value::String(_) | Value::Boolean(_) | Value::Binary(_) | Value::Enum(_) => {
            form.push_str(&value.to_string());
        }
    }
}
