//! The pages in a real browser: Debian's Chromium, steered through chromedriver. Without them, the tests are left out.
//!
//! `SCREENSHOTS=1` writes the pictures of `docs/screenshots/` again.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers as in itself")]

mod driver;
mod graphiql;
mod hostile;
mod lasting;
mod people;
mod screens;
mod site;
mod story;
mod streams;
mod team;
mod visitor;
