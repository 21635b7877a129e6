//! The table of password hashes.

use application::ports::{CredentialStore, StoreError};
use async_trait::async_trait;
use domain::ids::{AgentId, EntityId};
use domain::time::Timestamp;

use crate::database::{Database, DatabaseError};
use crate::sql_args;

const FIND: &str = "SELECT password_hash FROM credentials WHERE agent_id = ?";
const SAVE: &str = "REPLACE INTO credentials (agent_id, password_hash, changed_us) VALUES (?, ?, ?)";
const REPLACE: &str =
    "UPDATE credentials SET password_hash = ?, changed_us = ? WHERE agent_id = ? AND password_hash = ?";
const REMOVE: &str = "DELETE FROM credentials WHERE agent_id = ?";

/// Keeps password hashes in the database, outside of the log, which is never deleted.
#[derive(Clone)]
pub struct SqlCredentialStore {
    database: Database,
}

impl SqlCredentialStore {
    /// Over a database that has been migrated.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl CredentialStore for SqlCredentialStore {
    async fn find_hash(&self, agent: AgentId) -> Result<Option<String>, StoreError> {
        let row = self.database.fetch_optional(FIND, sql_args![agent.uuid()]).await.map_err(failed)?;
        row.map(|row| row.text("password_hash")).transpose().map_err(|error| failed(error.into()))
    }

    async fn save_hash(&self, agent: AgentId, hash: &str, at: Timestamp) -> Result<(), StoreError> {
        self.database.execute(SAVE, sql_args![agent.uuid(), hash, at]).await.map_err(failed)?;
        Ok(())
    }

    async fn replace_hash(&self, agent: AgentId, old: &str, new: &str, at: Timestamp) -> Result<bool, StoreError> {
        Ok(self.database.execute(REPLACE, sql_args![new, at, agent.uuid(), old]).await.map_err(failed)? == 1)
    }

    async fn remove_hash(&self, agent: AgentId) -> Result<(), StoreError> {
        self.database.execute(REMOVE, sql_args![agent.uuid()]).await.map_err(failed)?;
        Ok(())
    }
}

fn failed(source: DatabaseError) -> StoreError {
    StoreError { store: "credentials", source: Box::new(source) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::fresh_databases;
    use uuid::Uuid;

    const ANNA: AgentId = AgentId::new(Uuid::from_u128(0xA));
    const BEN: AgentId = AgentId::new(Uuid::from_u128(0xB));

    #[tokio::test]
    async fn saved_hash_is_found_and_replaced_without_touching_others() {
        for fresh in fresh_databases().await {
            let store = SqlCredentialStore::new(fresh.database.clone());
            assert_eq!(store.find_hash(ANNA).await.unwrap(), None);
            store.save_hash(ANNA, "$argon2id$one", Timestamp::from_micros(1)).await.unwrap();
            store.save_hash(BEN, "$argon2id$ben", Timestamp::from_micros(1)).await.unwrap();
            store.save_hash(ANNA, "'; DROP TABLE credentials; --", Timestamp::from_micros(2)).await.unwrap();
            assert_eq!(store.find_hash(ANNA).await.unwrap().as_deref(), Some("'; DROP TABLE credentials; --"));
            assert_eq!(store.find_hash(BEN).await.unwrap().as_deref(), Some("$argon2id$ben"));
        }
    }

    #[tokio::test]
    async fn better_hash_does_not_undo_a_changed_password() {
        for fresh in fresh_databases().await {
            let store = SqlCredentialStore::new(fresh.database.clone());
            store.save_hash(ANNA, "old", Timestamp::from_micros(1)).await.unwrap();
            assert!(store.replace_hash(ANNA, "old", "old, better", Timestamp::from_micros(2)).await.unwrap());
            assert_eq!(store.find_hash(ANNA).await.unwrap().as_deref(), Some("old, better"));
            store.save_hash(ANNA, "new", Timestamp::from_micros(3)).await.unwrap();
            assert!(!store.replace_hash(ANNA, "old, better", "old, best", Timestamp::from_micros(4)).await.unwrap());
            assert_eq!(store.find_hash(ANNA).await.unwrap().as_deref(), Some("new"));
        }
    }

    #[tokio::test]
    async fn database_that_fails_is_an_error_that_names_the_store() {
        for fresh in fresh_databases().await {
            let store = SqlCredentialStore::new(fresh.database.clone());
            fresh.database.execute("DROP TABLE credentials", vec![]).await.unwrap();
            let error = store.find_hash(ANNA).await.unwrap_err();
            assert_eq!(error.to_string(), "credentials is unavailable");
            assert!(store.save_hash(ANNA, "x", Timestamp::from_micros(1)).await.is_err());
        }
    }
}
