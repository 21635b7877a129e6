use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use domain::agent::Role;
use domain::ids::{AgentId, SessionId, VisitorId};
use domain::time::Timestamp;
use uuid::Uuid;

use crate::ports::{
    Clock, CredentialStore, HashError, Ids, PasswordHasher, PasswordMatch, Rate, RateLimit, RateLimiter, Session,
    SessionStore, StoreError, TokenError, TokenIssuer, Verified,
};

/// A clock that the test sets. Waiting takes no time.
#[derive(Default)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn pass(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }
}

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed))
    }

    /// Gives way only: a wait that bounds another one must not end first.
    async fn sleep(&self, duration: Duration) {
        if duration > Duration::from_secs(1) {
            std::future::pending::<()>().await;
        }
        tokio::task::yield_now().await;
    }
}

/// Ids in order.
#[derive(Default)]
pub(crate) struct TestIds(AtomicU64);

impl Ids for TestIds {
    fn new_uuid(&self) -> Uuid {
        Uuid::from_u128(0x1000 + u128::from(self.0.fetch_add(1, Ordering::Relaxed)))
    }

    fn fraction(&self) -> f64 {
        0.5
    }
}

#[derive(Default)]
pub(crate) struct MemoryCredentials(Mutex<BTreeMap<AgentId, String>>);

impl MemoryCredentials {
    /// The agents with a password.
    pub(crate) fn agents(&self) -> Vec<AgentId> {
        self.0.lock().unwrap().keys().copied().collect()
    }
}

#[async_trait]
impl CredentialStore for MemoryCredentials {
    async fn find_hash(&self, agent: AgentId) -> Result<Option<String>, StoreError> {
        Ok(self.0.lock().unwrap().get(&agent).cloned())
    }

    async fn save_hash(&self, agent: AgentId, hash: &str, _: Timestamp) -> Result<(), StoreError> {
        self.0.lock().unwrap().insert(agent, hash.to_owned());
        Ok(())
    }

    async fn replace_hash(&self, agent: AgentId, old: &str, new: &str, _: Timestamp) -> Result<bool, StoreError> {
        let mut hashes = self.0.lock().unwrap();
        let Some(hash) = hashes.get_mut(&agent).filter(|hash| *hash == old) else { return Ok(false) };
        new.clone_into(hash);
        Ok(true)
    }

    async fn remove_hash(&self, agent: AgentId) -> Result<(), StoreError> {
        self.0.lock().unwrap().remove(&agent);
        Ok(())
    }
}

/// Hashes that anybody can read.
pub(crate) struct PlainHasher;

#[async_trait]
impl PasswordHasher for PlainHasher {
    async fn hash(&self, password: &str) -> Result<String, HashError> {
        Ok(format!("hash of {password}"))
    }

    async fn verify(&self, password: &str, stored: Option<&str>) -> Result<PasswordMatch, HashError> {
        let matches = stored == Some(&format!("hash of {password}"));
        Ok(if matches { PasswordMatch::Yes } else { PasswordMatch::No })
    }
}

#[derive(Default)]
pub(crate) struct MemorySessions(Mutex<HashMap<SessionId, Session>>);

impl MemorySessions {
    /// How many sessions of an agent are open.
    pub(crate) fn open_of(&self, agent: AgentId) -> usize {
        self.0.lock().unwrap().values().filter(|session| session.agent_id == agent).count()
    }
}

impl MemorySessions {
    /// One of the open sessions of an agent.
    pub(crate) fn any_of(&self, agent: AgentId) -> SessionId {
        self.0.lock().unwrap().values().find(|session| session.agent_id == agent).unwrap().id
    }
}

#[async_trait]
impl SessionStore for MemorySessions {
    async fn begin(&self, session: &Session) -> Result<(), StoreError> {
        self.0.lock().unwrap().insert(session.id, *session);
        Ok(())
    }

    async fn find_open(&self, id: SessionId, now: Timestamp) -> Result<Option<Session>, StoreError> {
        Ok(self.0.lock().unwrap().get(&id).filter(|session| session.expires_at > now).copied())
    }

    async fn rotate(&self, old: &Session, new: &Session) -> Result<bool, StoreError> {
        let mut sessions = self.0.lock().unwrap();
        let Some(session) = sessions.get_mut(&old.id).filter(|session| *session == old) else { return Ok(false) };
        *session = *new;
        Ok(true)
    }

    async fn end(&self, id: SessionId, _: Timestamp) -> Result<(), StoreError> {
        self.0.lock().unwrap().remove(&id);
        Ok(())
    }

    async fn end_others(&self, agent: AgentId, but: Option<SessionId>, _: Timestamp) -> Result<(), StoreError> {
        self.0.lock().unwrap().retain(|id, session| session.agent_id != agent || Some(*id) == but);
        Ok(())
    }
}

/// Tokens that say what they are.
pub(crate) struct PlainTokens;

impl TokenIssuer for PlainTokens {
    fn issue_agent(&self, agent: AgentId, role: Role, session: SessionId, at: Timestamp) -> String {
        format!("agent {agent} {} {session} {}", role.as_str(), at.as_micros())
    }

    fn issue_visitor(&self, visitor: VisitorId, at: Timestamp) -> String {
        format!("visitor {visitor} {}", at.as_micros())
    }

    fn agent_lifetime_seconds(&self) -> i64 {
        900
    }

    fn visitor_lifetime_seconds(&self) -> i64 {
        1_000
    }

    fn verify(&self, _: &str, _: Timestamp) -> Result<Verified, TokenError> {
        Err(TokenError)
    }
}

/// Counts without a window: nothing is forgotten.
#[derive(Default)]
pub(crate) struct CountingLimiter(Mutex<BTreeMap<String, u32>>);

impl CountingLimiter {
    /// What is counted, by key.
    pub(crate) fn counts(&self) -> BTreeMap<String, u32> {
        let counts = self.0.lock().unwrap();
        counts.iter().filter(|(_, times)| **times > 0).map(|(key, times)| (key.clone(), *times)).collect()
    }
}

#[async_trait]
impl RateLimiter for CountingLimiter {
    async fn take(&self, key: &str, rate: Rate) -> RateLimit {
        let mut counts = self.0.lock().unwrap();
        let times = counts.entry(key.to_owned()).or_default();
        let allowed = *times < rate.times;
        *times += u32::from(allowed);
        RateLimit { allowed, limit: rate.times, remaining: rate.times - *times, reset_seconds: 900 }
    }

    async fn give_back(&self, key: &str, _: Rate) {
        if let Some(times) = self.0.lock().unwrap().get_mut(key) {
            *times -= 1;
        }
    }
}
