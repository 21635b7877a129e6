//! The OpenAPI 3.1 document of the REST API, generated from the code.
//!
//! | part | source |
//! |---|---|
//! | paths, methods, access | the table of endpoints ([`endpoints()`](crate::rest::endpoints())) |
//! | query, path and header parameters, bodies | the types of the handler's arguments ([`crate::rest::route`]) |
//! | limits of fields | the domain's constants ([`super::values`]) |
//! | answers, refusals, words | a `Doc` for each endpoint (`operations/`) and the schemas that the answers derive |
//! | forms that generators of clients understand | `portable` rewrites what schemars makes; a test knows the forms to avoid |
//! | examples of answers | `examples`, from the schemas |
//!
//! To add an endpoint, add its line to the table, and:
//! 1. Derive `JsonSchema` for its body and query, with `#[schemars(with = "values::…")]` on fields that are
//!    checked only later. The compiler asks for it. Give each of these types a name of its own (`rename`), and its fields
//!    comments: they are the descriptions.
//! 2. A `Doc` in `operations/`: `Doc::post("/v1/tags", "createTag", "Create a tag").created::<Tag>()`. A test names what
//!    is missing, and what is documented but not served.
//! 3. Derive `JsonSchema` for its answer if it answers with something new. Every answer that a test gets over HTTP is compared with
//!    it; `refuses` adds the codes that this endpoint alone has.
//! 4. Its place in the Postman collection's story (`postman/story.rs`), and `livechatlog openapi --postman` into
//!    `docs/postman_collection.json`.

mod document;
mod examples;
mod operation;
mod operations;
mod parameters;
pub(crate) mod portable;
mod postman;
mod responses;
#[cfg(test)]
mod tests;

pub use document::build;
pub use postman::postman;
