use axum::http::Method;
use schemars::JsonSchema;
use serde_json::Value;

use crate::rest::route::SchemaOf;

/// The content of an answer that is not a refusal.
#[derive(Clone, Copy)]
pub enum Content {
    /// JSON of this form.
    Json(SchemaOf),
    /// Text of this media type.
    Text(&'static str),
    /// Nothing.
    Empty,
}

/// The documentation of an endpoint that does not follow from the types of its handler.
pub struct Doc {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) about: &'static str,
    pub(super) status: u16,
    pub(super) content: Content,
    /// Whether it changes the log: it then answers with `Event-Position` and accepts `Prefer`.
    pub(super) change: bool,
    /// The minimum length of an Idempotency-Key, if it accepts one.
    pub(super) key: Option<usize>,
    /// Its particular refusals: statuses with their codes.
    pub(super) refusals: Vec<(u16, &'static [&'static str])>,
    /// Answers with a body of their own instead of a problem.
    pub(super) others: Vec<(u16, &'static str, Content)>,
    pub(super) example: Option<Value>,
}

macro_rules! methods {
    ($($(#[doc = $doc:literal])+ $name:ident, $method:ident;)+) => {$(
        $(#[doc = $doc])+
        #[must_use]
        pub const fn $name(path: &'static str, id: &'static str, summary: &'static str) -> Self {
            Self::new(Method::$method, path, id, summary)
        }
    )+};
}

impl Doc {
    const fn new(method: Method, path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self {
            method,
            path,
            id,
            summary,
            about: "",
            status: 204,
            content: Content::Empty,
            change: false,
            key: None,
            refusals: vec![],
            others: vec![],
            example: None,
        }
    }

    methods! {
        /// Documents `GET`, which answers 204 by default.
        get, GET;
        /// Documents `POST`.
        post, POST;
        /// Documents `PUT`.
        put, PUT;
        /// Documents `PATCH`.
        patch, PATCH;
        /// Documents `DELETE`.
        delete, DELETE;
    }

    /// A description in Markdown that adds to the summary.
    #[must_use]
    pub fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }

    /// Answers 200 with JSON.
    #[must_use]
    pub fn ok<T: JsonSchema>(self) -> Self {
        Self { status: 200, content: json::<T>(), ..self }
    }

    /// Answers 200 with text of this media type.
    #[must_use]
    pub fn text(self, media_type: &'static str) -> Self {
        Self { status: 200, content: Content::Text(media_type), ..self }
    }

    /// Changes something through the log and answers 200 with its new state.
    #[must_use]
    pub fn changed<T: JsonSchema>(self) -> Self {
        Self { status: 200, content: json::<T>(), change: true, key: Some(1), ..self }
    }

    /// Creates something through the log and answers 201 with it.
    #[must_use]
    pub fn created<T: JsonSchema>(self) -> Self {
        Self { status: 201, ..self.changed::<T>() }
    }

    /// Adds an answer without a body.
    #[must_use]
    pub fn nothing(mut self, status: u16, description: &'static str) -> Self {
        self.others.push((status, description, Content::Empty));
        self
    }

    /// Refuses shorter keys.
    #[must_use]
    pub fn key_from(self, length: usize) -> Self {
        Self { key: Some(length), ..self }
    }

    /// Accepts no key: repeating the request is harmless.
    #[must_use]
    pub fn without_key(self) -> Self {
        Self { key: None, ..self }
    }

    /// Adds refusals to those that follow from its access and its arguments.
    #[must_use]
    pub fn refuses(mut self, status: u16, codes: &'static [&'static str]) -> Self {
        self.refusals.push((status, codes));
        self
    }

    /// Adds an answer with JSON other than a problem.
    #[must_use]
    pub fn or<T: JsonSchema>(mut self, status: u16, description: &'static str) -> Self {
        self.others.push((status, description, json::<T>()));
        self
    }

    /// An example of a valid body.
    #[must_use]
    pub fn example(self, body: Value) -> Self {
        Self { example: Some(body), ..self }
    }
}

fn json<T: JsonSchema>() -> Content {
    Content::Json(|generator| generator.subschema_for::<T>())
}
