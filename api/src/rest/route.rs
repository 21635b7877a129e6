//! Endpoints that know their arguments: the types of a handler's arguments are the documentation of its requests.

use axum::extract::{Path, State};
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, on};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::extract::{AtLeast, BearerToken, KnownVersion, OneId, Query, TwoIds, Write};
use super::request_id::RequestId;
use super::state::RestState;
use crate::server::client_address::ClientAddress;
use crate::service::{Access, Action, Caller, CallingAgent, Entrance};

/// Generates the schema of a type.
pub type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// The parts of a request that a handler takes.
#[derive(Clone, Copy, Default)]
pub struct Inputs {
    /// Whether it takes ids from the path.
    pub ids: bool,
    /// The parameters of the query, as an object.
    pub query: Option<SchemaOf>,
    /// The schema of the JSON body.
    pub body: Option<SchemaOf>,
    /// Whether it takes `If-Match`.
    pub known_version: bool,
    /// Whether it takes `If-Position-At-Least`.
    pub position: bool,
}

/// An endpoint: a path and a method, the action that it stands for, and its handler.
pub struct Endpoint {
    pub method: Method,
    /// The path, with `{id}` where an id stands.
    pub path: &'static str,
    /// The action. Rights and rate limits hang on it.
    pub action: Action,
    /// The callers that may take the action.
    pub access: Access,
    pub(super) handler: MethodRouter<RestState>,
    inputs: Inputs,
}

impl Endpoint {
    /// The parts of a request that its handler takes.
    #[must_use]
    pub const fn inputs(&self) -> Inputs {
        self.inputs
    }
}

/// An argument of a handler. The compiler asks for an implementation for each new extractor.
pub trait Input {
    /// Adds the parts of a request that it takes.
    fn describe(inputs: &mut Inputs) {
        // Most extractors take what the document describes elsewhere, such as the token.
        let _ = inputs;
    }
}

impl<T> Input for State<T> {}
impl Input for CallingAgent {}
impl Input for Caller {}
impl Input for Entrance {}
impl Input for BearerToken {}
impl Input for ClientAddress {}
impl Input for RequestId {}
impl Input for Path<String> {}

impl Input for AtLeast {
    fn describe(inputs: &mut Inputs) {
        inputs.position = true;
    }
}

impl<T> Input for OneId<T> {
    fn describe(inputs: &mut Inputs) {
        inputs.ids = true;
    }
}

impl<T, U> Input for TwoIds<T, U> {
    fn describe(inputs: &mut Inputs) {
        inputs.ids = true;
    }
}

impl<T: JsonSchema> Input for Query<T> {
    fn describe(inputs: &mut Inputs) {
        // The schema itself, not a reference: its fields become parameters.
        inputs.query = Some(T::json_schema);
    }
}

impl<T: JsonSchema> Input for Write<T> {
    fn describe(inputs: &mut Inputs) {
        inputs.body = Some(|generator| generator.subschema_for::<T>());
    }
}

impl Input for KnownVersion {
    fn describe(inputs: &mut Inputs) {
        inputs.known_version = true;
    }
}

/// A function whose arguments, `I`, can be described.
pub trait Takes<I> {
    /// The parts of a request that it takes.
    fn inputs() -> Inputs;
}

macro_rules! takes {
    ($($argument:ident)*) => {
        impl<F, R, $($argument: Input),*> Takes<($($argument,)*)> for F
        where
            F: Fn($($argument),*) -> R,
        {
            fn inputs() -> Inputs {
                let arguments: &[fn(&mut Inputs)] = &[$($argument::describe),*];
                let mut inputs = Inputs::default();
                for describe in arguments {
                    describe(&mut inputs);
                }
                inputs
            }
        }
    };
}

takes!();
takes!(A);
takes!(A B);
takes!(A B C);
takes!(A B C D);
takes!(A B C D E);
takes!(A B C D E G);
takes!(A B C D E G H);

/// A handler of this door. `T` and `I` follow from its arguments.
pub trait Handles<T, I>: Handler<T, RestState> + Takes<I> {}

impl<H: Handler<T, RestState> + Takes<I>, T, I> Handles<T, I> for H {}

/// Serves `GET`.
pub fn get<T: 'static, I>(path: &'static str, action: Action, handler: impl Handles<T, I>) -> Endpoint {
    endpoint((Method::GET, MethodFilter::GET), path, action, handler)
}

/// Serves `POST`.
pub fn post<T: 'static, I>(path: &'static str, action: Action, handler: impl Handles<T, I>) -> Endpoint {
    endpoint((Method::POST, MethodFilter::POST), path, action, handler)
}

/// Serves `PUT`.
pub fn put<T: 'static, I>(path: &'static str, action: Action, handler: impl Handles<T, I>) -> Endpoint {
    endpoint((Method::PUT, MethodFilter::PUT), path, action, handler)
}

/// Serves `PATCH`.
pub fn patch<T: 'static, I>(path: &'static str, action: Action, handler: impl Handles<T, I>) -> Endpoint {
    endpoint((Method::PATCH, MethodFilter::PATCH), path, action, handler)
}

/// Serves `DELETE`.
pub fn delete<T: 'static, I>(path: &'static str, action: Action, handler: impl Handles<T, I>) -> Endpoint {
    endpoint((Method::DELETE, MethodFilter::DELETE), path, action, handler)
}

fn endpoint<T: 'static, I, H: Handles<T, I>>(
    (method, filter): (Method, MethodFilter),
    path: &'static str,
    action: Action,
    handler: H,
) -> Endpoint {
    let inputs = H::inputs();
    Endpoint { method, path, action, access: action.access(), handler: on(filter, handler), inputs }
}
