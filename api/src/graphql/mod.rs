//! GraphQL: the same house through another door. A field of a root stands for one action; its resolver enters the service
//! with it, calls one function and shows the result. What a document may cost is found before anything is executed.
//!
//! The address of this door, its media types and its statuses are a matter of HTTP, and stand where HTTP is known.

mod cost;
mod errors;
mod filters;
mod mutation;
mod nesting;
mod omitted;
mod paging;
mod query;
mod scope;
pub mod table;
mod types;

use std::sync::LazyLock;

use async_graphql::parser::parse_query;
use async_graphql::parser::types::OperationType;
use async_graphql::{EmptySubscription, Request, Response, Schema, ServerError};
use serde_json::{Map, Value, json};

pub use cost::{MAX_COST, MAX_DEPTH, MAX_FIELDS, MAX_INTROSPECTED_FIELDS, MAX_INTROSPECTED_LISTS, MAX_VALUES};
use mutation::Mutation;
pub use nesting::MAX_NESTING;
use query::Query;
pub use scope::Scope;

use crate::service::Action;

type Door = Schema<Query, Mutation, EmptySubscription>;

/// The schema, built once.
fn schema() -> &'static Door {
    static SCHEMA: LazyLock<Door> =
        LazyLock::new(|| Schema::build(Query, Mutation::default(), EmptySubscription).disable_suggestions().finish());
    &SCHEMA
}

/// The schema in its definition language.
#[must_use]
pub fn sdl() -> String {
    schema().sdl_with_options(async_graphql::SDLExportOptions::new().sorted_fields().sorted_enum_items())
}

/// What a client asks for.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    /// The document.
    pub query: String,
    /// The operation of the document.
    pub operation_name: Option<String>,
    /// The values that stand for the names with a dollar sign.
    pub variables: Option<Map<String, Value>>,
    /// Further words of a client, which this door does not know.
    #[serde(rename = "extensions")]
    pub _extensions: Option<Map<String, Value>>,
}

/// How a client may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// For anything.
    Any,
    /// Only for queries.
    ReadOnly,
}

/// The answer to a request.
#[derive(Debug)]
pub enum Answer {
    /// The operation was executed; fields may have failed.
    Executed(Value),
    /// The request itself is wrong: nothing was executed.
    Wrong(Value),
    /// The way is only for queries.
    NotReadOnly,
}

/// Executes a request.
pub async fn execute(asked: Asked, way: Way, scope: Scope) -> Answer {
    if nesting::is_too_deep(&asked.query) {
        let message = format!("The document has more than {MAX_NESTING} open brackets, or a text without an end.");
        return wrong(vec![errors::request_error(errors::TOO_COSTLY, message, None)]);
    }
    let mut document = match parse_query(&asked.query) {
        Ok(document) => document,
        Err(error) => return wrong(vec![errors::with_code(error.into(), errors::SYNTAX)]),
    };
    let operation_name = asked.operation_name.as_deref().filter(|name| !name.is_empty());
    let variables = async_graphql::Variables::from_json(Value::Object(asked.variables.unwrap_or_default()));
    let weighed = match cost::weigh(&document, operation_name, &variables) {
        Ok(cost) => cost,
        Err(error) => return wrong(vec![errors::request_error(error.code(), error.to_string(), None)]),
    };
    let wanted = cost::type_of(&document, operation_name);
    if way == Way::ReadOnly && wanted.is_some_and(|wanted| wanted != OperationType::Query) {
        return Answer::NotReadOnly;
    }
    if let Some(name) = cost::missing_variable(&document, operation_name, &variables) {
        let message = format!("The variable ${name} is required.");
        return wrong(vec![errors::request_error(errors::INVALID, message, None)]);
    }
    omitted::remove(&mut document, operation_name, &variables);
    let shown = position_of(&weighed.roots, &scope);
    let mut request = Request::new("").variables(variables).data(scope);
    if let Some(name) = operation_name {
        request = request.operation_name(name);
    }
    request.set_parsed_query(document);
    let response = schema().execute(request).await;
    let mut extensions = json!({ "cost": { "objects": weighed.objects, "fields": weighed.fields } });
    if wanted == Some(OperationType::Query) {
        extensions["after"] = json!(shown);
    }
    answer(response, extensions)
}

/// The place in the history that everything in an answer includes, as the live stream knows it. Taken before the reads.
fn position_of(roots: &[String], scope: &Scope) -> String {
    let positions = &scope.services.positions;
    let actions = roots.iter().filter_map(|name| table::action_of(name)).chain([Action::ReadSelf]);
    let shown = actions.map(|action| positions.shown(action)).min().unwrap_or_default();
    let shown = shown.max(scope.at_least.unwrap_or_default());
    format!("{}:{shown}", positions.epoch())
}

fn answer(response: Response, extensions: Value) -> Answer {
    let executed =
        response.data != async_graphql::Value::Null || response.errors.iter().any(|error| !error.path.is_empty());
    if !executed && !response.errors.is_empty() {
        let coded = response.errors.into_iter().map(|error| errors::with_code(error, errors::INVALID));
        return wrong(coded.collect());
    }
    let mut body = json!({ "data": response.data, "extensions": extensions });
    if !response.errors.is_empty() {
        body["errors"] = json!(response.errors.into_iter().map(coded).collect::<Vec<_>>());
    }
    Answer::Executed(body)
}

/// Errors of the library are about arguments.
fn coded(error: ServerError) -> ServerError {
    errors::with_code(error, crate::service::Code::InvalidRequest.as_str())
}

fn wrong(errors: Vec<ServerError>) -> Answer {
    Answer::Wrong(json!({ "errors": errors }))
}
