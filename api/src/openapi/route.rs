//! Routes that know what their handlers take: the types of a handler's arguments are the documentation of its requests.

use axum::extract::{Path, State};
use axum::handler::Handler;
use axum::http::HeaderMap;
use axum::routing::{MethodFilter, MethodRouter, on};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::app::App;
use crate::client_address::ClientAddress;
use crate::rest::extract::{
    Agent, AuthenticatedAt, Caller, KnownVersion, OneId, Query, RequestId, Session, TwoIds, Write,
};

/// Makes the schema of a type.
pub type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// What a handler takes from a request.
#[derive(Clone, Copy, Default)]
pub struct Inputs {
    /// Ids in the path.
    pub ids: bool,
    /// The query's parameters, as an object.
    pub query: Option<SchemaOf>,
    /// The body.
    pub body: Option<SchemaOf>,
    /// `If-Match`.
    pub known_version: bool,
    /// `If-Position-At-Least`.
    pub position: bool,
}

/// A handler with what it takes.
pub struct Route {
    /// The handler, for its method.
    pub handler: MethodRouter<App>,
    /// What it takes.
    pub inputs: Inputs,
}

/// An argument of a handler. Implement it for a new extractor; the compiler asks for it.
pub trait Input {
    /// Adds what it takes.
    fn describe(inputs: &mut Inputs) {
        // Most extractors take what the document says elsewhere, such as the token.
        let _ = inputs;
    }
}

impl Input for State<App> {}
impl Input for Agent {}
impl Input for Caller {}
impl Input for AuthenticatedAt {}
impl Input for Session {}
impl Input for ClientAddress {}
impl Input for RequestId {}
impl Input for Path<String> {}

/// Handlers take all headers for `If-Position-At-Least`, with `await_position`.
impl Input for HeaderMap {
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
        // Not as a reference: its fields become parameters.
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

/// A handler whose arguments, `I`, can be described.
pub trait Takes<I> {
    /// What it takes.
    fn inputs() -> Inputs;
}

macro_rules! takes {
    ($($argument:ident)*) => {
        impl<F, R, $($argument: Input),*> Takes<($($argument,)*)> for F
        where
            F: Fn($($argument),*) -> R,
        {
            fn inputs() -> Inputs {
                #[allow(unused_mut, reason = "a handler may have no arguments")]
                let mut inputs = Inputs::default();
                $($argument::describe(&mut inputs);)*
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

fn route<H, T, I>(method: MethodFilter, handler: H) -> Route
where
    H: Handler<T, App> + Takes<I>,
    T: 'static,
{
    Route { handler: on(method, handler), inputs: H::inputs() }
}

macro_rules! methods {
    ($($(#[doc = $doc:literal])+ $name:ident, $filter:ident;)+) => {$(
        $(#[doc = $doc])+
        pub fn $name<H, T, I>(handler: H) -> Route
        where
            H: Handler<T, App> + Takes<I>,
            T: 'static,
        {
            route(MethodFilter::$filter, handler)
        }
    )+};
}

methods! {
    /// `GET`.
    get, GET;
    /// `POST`.
    post, POST;
    /// `PUT`.
    put, PUT;
    /// `PATCH`.
    patch, PATCH;
    /// `DELETE`.
    delete, DELETE;
}
