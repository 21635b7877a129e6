//! The real server inside the test's process, with a clock that the test sets, and people who use it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use api::config::{LimitSettings, OldSqlite, Settings};
use api::server::client_address::TrustedProxies;
use api::server::cors::CorsOrigins;
use api::service::limits::ChatLimits;
use api::wiring::{Running, start};
use domain::agent::NewPassword;
use domain::text::EmailAddress;
use infrastructure::auth::HashingCost;
use serde_json::json;

use crate::{Client, Person, TestClock, TestDatabase, Visitor};

/// The first admin's address in every test.
pub const ADMIN_EMAIL: &str = "admin@example.com";

/// The password of everybody in every test.
pub const PASSWORD: &str = "correct horse battery staple";

/// What reads the metrics of every server in a test.
pub const METRICS_TOKEN: &str = "a token for metrics";

/// A server on a free port.
pub struct Server {
    running: Option<Running>,
    /// The server's clock.
    pub clock: TestClock,
    base: String,
    people: AtomicU32,
}

impl Server {
    /// Starts on an empty or used database.
    pub async fn start(database: &TestDatabase) -> Self {
        Self::start_at(database, TestClock::new()).await
    }

    /// Starts with this clock.
    pub async fn start_at(database: &TestDatabase, clock: TestClock) -> Self {
        Self::start_with(database, clock, |_| {}).await
    }

    /// Starts with the published rate limits.
    pub async fn start_with_limits(database: &TestDatabase) -> Self {
        Self::start_with(database, TestClock::new(), |settings| settings.rate_limits = true).await
    }

    /// Starts with settings that the test changes.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_with(database: &TestDatabase, clock: TestClock, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings {
            database_url: database.url().to_owned(),
            redis_url: None,
            data_dir: database.folder().to_owned(),
            host: "127.0.0.1".to_owned(),
            port: 0,
            jwt_secret: b"a secret for tests, at least 32 bytes".to_vec(),
            metrics_token: METRICS_TOKEN.as_bytes().to_vec(),
            admin_email: EmailAddress::parse(ADMIN_EMAIL).expect("an address"),
            admin_password: Some(NewPassword::parse(PASSWORD).expect("a password")),
            trusted_proxies: TrustedProxies::default(),
            proxy_header: Default::default(),
            cors_origins: CorsOrigins::None,
            drain_delay: Duration::ZERO,
            // Tests do in a second what people do in an hour.
            rate_limits: false,
            limits: patient(LimitSettings::default()),
            // A third of the time of all tests would go into passwords.
            password_cost: HashingCost { memory_kib: 64, passes: 1 },
            sneak_peek: false,
            old_sqlite: OldSqlite::Refuse,
            log_format: Default::default(),
        };
        change(&mut settings);
        let running = start(settings, Arc::new(clock.clone())).await;
        let running = running.unwrap_or_else(|error| panic!("the server does not start: {error:?}"));
        let base = format!("http://{}", running.address());
        Self { running: Some(running), clock, base, people: AtomicU32::new(0) }
    }

    /// Where it listens.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// A client without a token.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(&self.base)
    }

    /// The parts inside.
    ///
    /// # Panics
    /// After [`Self::stop`].
    #[must_use]
    pub fn app(&self) -> &api::wiring::Internals {
        self.running.as_ref().expect("the server runs").internals()
    }

    /// The services that its doors call.
    ///
    /// # Panics
    /// After [`Self::stop`].
    #[must_use]
    pub fn services(&self) -> &api::service::Services {
        self.running.as_ref().expect("the server runs").services()
    }

    /// Stops it as SIGTERM would.
    pub async fn stop(mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
    }

    /// Logs an agent in.
    pub async fn log_in(&self, email: &str) -> Person {
        self.client().log_in(email).await
    }

    /// The first admin.
    pub async fn admin(&self) -> Person {
        self.log_in(ADMIN_EMAIL).await
    }

    /// A new agent of the default group with the given role, status and limit.
    pub async fn person(&self, role: &str, status: &str, limit: u32) -> Person {
        let number = self.people.fetch_add(1, Ordering::Relaxed);
        let email = format!("{role}{number}@example.com");
        let body = json!({
            "name": format!("{role} {number}"), "email": email, "password": PASSWORD,
            "role": role, "status": status, "maxConcurrentChats": limit,
        });
        self.admin().await.client.post("/v1/agents", &body).await.expect(201);
        self.log_in(&email).await
    }

    /// A new agent who is online.
    pub async fn agent(&self, limit: u32) -> Person {
        self.person("agent", "online", limit).await
    }

    /// A new visitor who begins a chat.
    pub async fn visitor(&self, message: &str) -> Visitor {
        self.client().visitor(json!({ "initialMessage": message })).await
    }
}

/// Tests let days pass in a moment, in which chats are not abandoned, and all their clients have one address.
fn patient(limits: LimitSettings) -> LimitSettings {
    LimitSettings { chats: ChatLimits { open_of_address: u32::MAX, abandoned_after: Duration::ZERO }, ..limits }
}
