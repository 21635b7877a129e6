//! What tests in and outside this crate share: databases of their own, and the way to Redis.
//!
//! Always SQLite, and the servers that `TEST_MYSQL_URL` and `TEST_REDIS_URL` name, if they name any. What goes wrong here
//! panics and says why.

mod database;
mod fresh;
mod left_out;
#[cfg(test)]
mod redis;

pub use database::{DatabaseKind, TestDatabase, databases};
pub use fresh::{Fresh, fresh_databases, fresh_sqlite};
pub use left_out::{left_out, left_out_without};
#[cfg(test)]
pub use redis::{RedisProxy, redis_url};
