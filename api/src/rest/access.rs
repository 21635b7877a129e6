//! Who may call what: the one table from which the checks and the documentation come.

use application::ports::Principal;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::agent::Role;

use crate::app::App;
use crate::openapi::route::{Inputs, Route};
use crate::rest::extract::{authenticate, is_monitor};
use crate::rest::problem::Problem;

/// Who may call an endpoint. What depends on the thing that is called for (own chats, own groups, oneself) is decided by
/// the use case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Public,
    /// Whoever has a valid token: visitors and agents.
    Participant,
    /// Agents, supervisors and admins.
    Agent,
    /// Supervisors and admins.
    Supervisor,
    /// Admins.
    Admin,
    /// Admins, and programs that have the token for metrics.
    Monitor,
}

impl Access {
    /// Refuses callers whom the endpoint is not for.
    fn admit(self, principal: Principal) -> Result<(), Problem> {
        let least = match self {
            Self::Public | Self::Participant => return Ok(()),
            Self::Agent => Role::Agent,
            Self::Supervisor => Role::Supervisor,
            Self::Admin | Self::Monitor => Role::Admin,
        };
        match principal {
            Principal::Agent { role, .. } if role >= least => Ok(()),
            Principal::Agent { .. } | Principal::Visitor { .. } => {
                Err(Problem::forbidden(format!("The role {} is needed for this.", least.as_str())))
            }
        }
    }
}

/// An endpoint: who may call it, and what it is for.
pub struct Endpoint {
    /// Its method.
    pub method: Method,
    /// Its path, with `{id}` where an id stands.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    pub(super) handler: Route,
}

impl Endpoint {
    /// What its handler takes from requests.
    #[must_use]
    pub const fn inputs(&self) -> Inputs {
        self.handler.inputs
    }
}

/// Lets the callers in whom the table admits, and tells the handler who they are.
pub(super) async fn guard(State((app, access)): State<(App, Access)>, request: Request, next: Next) -> Response {
    if access == Access::Public {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    if access == Access::Monitor && is_monitor(&parts, &app.metrics_token) {
        return next.run(Request::from_parts(parts, body)).await;
    }
    let admitted = match authenticate(&parts, &app).await {
        Ok(caller) => access.admit(caller.principal).map(|()| caller),
        Err(problem) => Err(problem),
    };
    match admitted {
        Ok(caller) => {
            parts.extensions.insert(caller);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(problem) => problem.into_response(),
    }
}
