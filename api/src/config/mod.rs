//! Settings: from the environment, or from a flag of the same name, which takes precedence.

mod database_address;
mod limits;
mod secrets;

use std::net::ToSocketAddrs as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fmt, fs, io};

use clap::{Args, ValueEnum};
use domain::agent::NewPassword;
use domain::text::EmailAddress;
use infrastructure::auth::HashingCost;
use infrastructure::redis::RedisWakeUps;
use infrastructure::secret_file;

use crate::server::client_address::TrustedProxies;
use crate::server::cors::CorsOrigins;
use crate::server::proxy_header::ProxyHeader;

pub use limits::{LimitArguments, LimitSettings, RateSetting};
pub use secrets::{JWT_SECRET_FILE, METRICS_TOKEN_FILE, random_password};

/// The format of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Text for people
    #[default]
    Text,
    /// One JSON object per line
    Json,
}

/// What to do with a SQLite that may lose committed transactions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OldSqlite {
    /// Do not start
    #[default]
    Refuse,
    /// Start with a warning
    Allow,
}

/// Whether agents see what visitors are writing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum SneakPeek {
    /// Agents see that somebody writes, not what
    #[default]
    Off,
    /// Agents see the words
    On,
}

/// Whether rate limits are enforced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// Enforce rate limits
    #[default]
    On,
    /// No rate limits
    Off,
}

/// The settings as they come from flags and environment.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Settings")]
pub struct Arguments {
    /// Database: mysql://USER:PASSWORD@HOST/NAME or sqlite:PATH; default: a SQLite file in the data folder
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, global = true)]
    pub database_url: Option<String>,
    /// Redis for signals between nodes: redis://HOST:PORT, or rediss://HOST:PORT for TLS; default: none, for a single node
    #[arg(long, env = "REDIS_URL", hide_env_values = true, global = true)]
    pub redis_url: Option<String>,
    /// Folder for the SQLite file and generated secrets
    #[arg(long, env = "DATA_DIR", default_value = "./data", global = true)]
    pub data_dir: PathBuf,
    /// Address to listen on
    #[arg(long, env = "HOST", default_value = "127.0.0.1", global = true)]
    pub host: String,
    /// Port to listen on; 0 picks a free one
    #[arg(long, env = "PORT", default_value_t = 3000, global = true)]
    pub port: u16,
    /// Secret that signs tokens, at least 32 bytes; default: generated once into the data folder
    #[arg(long, env = "JWT_SECRET", hide_env_values = true, global = true)]
    pub jwt_secret: Option<String>,
    /// Token that allows GET /metrics, at least 16 bytes; default: generated once into the data folder
    #[arg(long, env = "METRICS_TOKEN", hide_env_values = true, global = true)]
    pub metrics_token: Option<String>,
    /// E-mail address of the first admin
    #[arg(long, env = "ADMIN_EMAIL", default_value = "admin@localhost", global = true)]
    pub admin_email: String,
    /// Password of the first admin, or of the agent of an admin command; default: generated and printed once
    #[arg(long, env = "ADMIN_PASSWORD", hide_env_values = true, global = true)]
    pub admin_password: Option<String>,
    /// Proxies whose reports of clients are trusted: IP addresses and CIDR networks, separated by commas; default: none
    #[arg(long, env = "TRUSTED_PROXIES", default_value = "", hide_default_value = true, global = true)]
    pub trusted_proxies: String,
    /// How trusted proxies report the client
    #[arg(long, env = "PROXY_HEADER", value_enum, default_value_t, global = true)]
    pub proxy_header: ProxyHeader,
    /// Origins whose pages may hold the chat widget and call the API: `https://shop.example`, separated by commas, or *;
    /// default: none
    #[arg(long, env = "CORS_ORIGINS", default_value = "", hide_default_value = true, global = true)]
    pub cors_origins: String,
    /// Seconds for which /readyz announces a shutdown before the node stops accepting connections, so that a load balancer
    /// can send clients elsewhere: 0 to 300
    #[arg(long, env = "DRAIN_DELAY", default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=300), global = true)]
    pub drain_delay: u64,
    /// Limits on the requests of each client
    #[arg(long, env = "RATE_LIMITS", value_enum, default_value_t, global = true)]
    pub rate_limits: Switch,
    /// How much one caller, address or connection may take.
    #[command(flatten)]
    pub limits: LimitArguments,
    /// Whether agents see what visitors are writing before they send it
    #[arg(long, env = "SNEAK_PEEK", value_enum, default_value_t, global = true)]
    pub sneak_peek: SneakPeek,
    /// Whether to start on a SQLite older than 3.51.3, which may lose committed transactions
    #[arg(long, env = "OLD_SQLITE", value_enum, default_value_t, global = true)]
    pub old_sqlite: OldSqlite,
    /// Collector that receives traces by OTLP over HTTP: http://HOST:PORT; default: none
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", global = true)]
    pub otel_exporter_otlp_endpoint: Option<String>,
    /// Format of log lines
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value_t, global = true)]
    pub log_format: LogFormat,
    /// Log levels, such as info or infrastructure=debug,info; default: info
    #[arg(long, env = "RUST_LOG", global = true)]
    pub rust_log: Option<String>,
}

impl Arguments {
    /// Checks that HOST is an IP address or a name that resolves to one. Only a server needs it.
    ///
    /// # Errors
    /// When it is neither.
    pub fn ensure_host(&self) -> Result<(), ConfigError> {
        let found = (bare_host(&self.host), self.port).to_socket_addrs().ok().and_then(|mut all| all.next());
        let expected = "must be an IP address of this machine, or a name that resolves to one";
        found.map(|_| ()).ok_or(ConfigError::Malformed { setting: "HOST", expected })
    }
}

/// The host without the brackets that an IPv6 address may have, as in URLs.
fn bare_host(host: &str) -> &str {
    host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host)
}

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Its value is not valid.
    #[error("{setting} {expected}")]
    Malformed {
        /// The setting's name.
        setting: &'static str,
        /// A sentence about valid values, without its subject.
        expected: &'static str,
    },
    /// A parameter of its address is not known, or has a value that is not.
    #[error("{setting}: the parameter {parameter} {expected}")]
    Parameter {
        /// The setting's name.
        setting: &'static str,
        /// The name of the parameter.
        parameter: String,
        /// A sentence about valid parameters and values, without its subject.
        expected: &'static str,
    },
    /// Both the setting and its `_FILE` variant are set.
    #[error("{setting} and {setting}_FILE are both set; set only one of them")]
    GivenTwice {
        /// The setting's name.
        setting: &'static str,
    },
    /// Its file cannot be read or written.
    #[error("{setting}: cannot use {}", path.display())]
    File {
        /// The setting's name.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The operating system has no thread that writes the log.
    #[error("RUST_LOG: cannot start the thread that writes the log")]
    NoThread(#[source] io::Error),
    /// The operating system has no random numbers for a new secret.
    #[error("{setting}: cannot generate a secret")]
    NoRandomness {
        /// The setting's name.
        setting: &'static str,
    },
}

/// Valid settings.
#[derive(Clone)]
pub struct Settings {
    /// The address of the database with the log and the read models.
    pub database_url: String,
    /// The address of the Redis for signals between nodes and shared rate limits.
    pub redis_url: Option<String>,
    /// The folder of the SQLite file and of generated secrets.
    pub data_dir: PathBuf,
    /// The address to listen on.
    pub host: String,
    /// The port to listen on.
    pub port: u16,
    /// The secret that signs tokens.
    pub jwt_secret: Vec<u8>,
    /// The token that allows programs to read the metrics.
    pub metrics_token: Vec<u8>,
    /// The e-mail address of the first admin.
    pub admin_email: EmailAddress,
    /// The password of the first admin, or of the agent of an admin command, if it is set.
    pub admin_password: Option<NewPassword>,
    /// The proxies whose reports of clients are trusted.
    pub trusted_proxies: TrustedProxies,
    /// How they report clients.
    pub proxy_header: ProxyHeader,
    /// The origins whose pages may call.
    pub cors_origins: CorsOrigins,
    /// The time between the announcement of a shutdown and its begin.
    pub drain_delay: Duration,
    /// Whether rate limits are enforced.
    pub rate_limits: bool,
    /// How much one caller, address or connection may take.
    pub limits: LimitSettings,
    /// What one hash of a password costs. No setting of the environment changes it.
    pub password_cost: HashingCost,
    /// Whether agents see what visitors are writing.
    pub sneak_peek: bool,
    /// What to do with a SQLite that may lose committed transactions.
    pub old_sqlite: OldSqlite,
    /// The format of log lines.
    pub log_format: LogFormat,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The other fields are secrets or may contain some.
        f.debug_struct("Settings")
            .field("data_dir", &self.data_dir)
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// Checks the arguments, reads secrets from their files, and generates missing secrets.
    ///
    /// # Errors
    /// Names the invalid setting and its valid values.
    pub fn resolve(arguments: Arguments) -> Result<Self, ConfigError> {
        let settings = Self::with_secrets(arguments, secrets::make)?;
        settings.make_folder()?;
        Ok(settings)
    }

    /// Creates the data folder if it does not exist, but no secrets.
    ///
    /// # Errors
    /// When the folder cannot be created.
    pub fn make_folder(&self) -> Result<(), ConfigError> {
        make_private_folder(&self.data_dir)
    }

    /// Checks the arguments and creates nothing. A secret that the first start would generate consists of zeros here.
    ///
    /// # Errors
    /// Names the invalid setting and its valid values.
    pub fn inspect(arguments: Arguments) -> Result<Self, ConfigError> {
        Self::with_secrets(arguments, |_, _| Ok(vec![b'0'; infrastructure::auth::SECRET_MIN_BYTES]))
    }

    fn with_secrets(
        arguments: Arguments,
        make: impl Fn(&'static str, &Path) -> Result<Vec<u8>, ConfigError>,
    ) -> Result<Self, ConfigError> {
        let data_dir = arguments.data_dir;
        let database_url = match given("DATABASE_URL", arguments.database_url)? {
            Some(url) => url,
            None => database_in(&data_dir)?,
        };
        database_address::check(&database_url)?;
        let redis_url = given("REDIS_URL", arguments.redis_url)?;
        let is_redis = |url: &str| {
            let begins = url.starts_with("redis://") || url.starts_with("rediss://");
            begins && RedisWakeUps::is_address(url)
        };
        if redis_url.as_deref().is_some_and(|url| !is_redis(url)) {
            let expected = "must be redis://HOST:PORT, or rediss://HOST:PORT for TLS";
            return Err(ConfigError::Malformed { setting: "REDIS_URL", expected });
        }
        let admin_email = EmailAddress::parse(&arguments.admin_email)
            .map_err(|_| ConfigError::Malformed { setting: "ADMIN_EMAIL", expected: "must be an e-mail address" })?;
        let admin_password = given("ADMIN_PASSWORD", arguments.admin_password)?;
        let admin_password = admin_password.map(|password| NewPassword::parse(&password)).transpose();
        let admin_password = admin_password.map_err(|_| ConfigError::Malformed {
            setting: "ADMIN_PASSWORD",
            expected: "must have 8 to 128 characters",
        })?;
        let trusted_proxies = arguments.trusted_proxies.parse().map_err(|_| ConfigError::Malformed {
            setting: "TRUSTED_PROXIES",
            expected: "must be IP addresses and CIDR networks, separated by commas, such as 10.0.0.0/8,192.0.2.7",
        })?;
        let cors_origins = arguments.cors_origins.parse().map_err(|_| ConfigError::Malformed {
            setting: "CORS_ORIGINS",
            expected: "must be origins, separated by commas, such as https://shop.example,http://localhost:5173, or *",
        })?;
        let jwt_secret = secrets::JWT_SECRET.find(arguments.jwt_secret, &data_dir)?;
        let metrics_token = secrets::METRICS_TOKEN.find(arguments.metrics_token, &data_dir)?;
        // Last, so that an invalid setting creates no secrets.
        let jwt_secret = secrets::JWT_SECRET.or_make(jwt_secret, &data_dir, &make)?;
        let metrics_token = secrets::METRICS_TOKEN.or_make(metrics_token, &data_dir, &make)?;
        Ok(Self {
            database_url,
            redis_url,
            data_dir,
            host: bare_host(&arguments.host).to_owned(),
            port: arguments.port,
            jwt_secret,
            metrics_token,
            admin_email,
            admin_password,
            trusted_proxies,
            proxy_header: arguments.proxy_header,
            cors_origins,
            drain_delay: Duration::from_secs(arguments.drain_delay),
            rate_limits: arguments.rate_limits == Switch::On,
            limits: arguments.limits.into(),
            password_cost: HashingCost::default(),
            sneak_peek: arguments.sneak_peek == SneakPeek::On,
            old_sqlite: arguments.old_sqlite,
            log_format: arguments.log_format,
        })
    }
}

/// The value of a setting, or the content of the file that its `_FILE` variant names.
fn given(setting: &'static str, value: Option<String>) -> Result<Option<String>, ConfigError> {
    let value = value.map(cleaned).filter(|value| !value.is_empty());
    let Some(path) = env::var_os(format!("{setting}_FILE")).filter(|path| !path.is_empty()) else {
        return Ok(value);
    };
    if value.is_some() {
        return Err(ConfigError::GivenTwice { setting });
    }
    let path = PathBuf::from(path);
    let content = fs::read_to_string(&path).map_err(|source| ConfigError::File { setting, path, source })?;
    Ok(Some(cleaned(content)))
}

/// The value without a byte order mark and ends of lines, which files have, and variables that were filled from files.
fn cleaned(value: String) -> String {
    let clean = secret_file::clean(value.as_bytes());
    if clean.len() == value.len() { value } else { String::from_utf8_lossy(clean).into_owned() }
}

/// The address of the database file in the data folder.
fn database_in(folder: &Path) -> Result<String, ConfigError> {
    // In an address, the path ends at a question mark.
    let path = folder.to_str().filter(|path| !path.contains('?')).map(|_| folder.join("livechatlog.db"));
    let expected = "must be UTF-8 without question marks, unless DATABASE_URL is set";
    let path = path.ok_or(ConfigError::Malformed { setting: "DATA_DIR", expected })?;
    Ok(format!("sqlite:{}", path.display()))
}

fn make_private_folder(path: &Path) -> Result<(), ConfigError> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let made = builder.recursive(true).create(path);
    made.map_err(|source| ConfigError::File { setting: "DATA_DIR", path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Program {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn arguments(given: &[&str]) -> Result<Arguments, clap::Error> {
        let words = ["livechatlog"].iter().chain(given);
        Program::try_parse_from(words).map(|program| program.arguments)
    }

    #[test]
    fn limits_are_enforced_by_default() {
        assert_eq!(arguments(&[]).unwrap().rate_limits, Switch::On);
        assert_eq!(arguments(&["--rate-limits", "off"]).unwrap().rate_limits, Switch::Off);
        assert!(arguments(&["--rate-limits", "maybe"]).is_err());
    }

    #[test]
    fn no_proxy_is_trusted_by_default() {
        assert_eq!(
            arguments(&[]).unwrap().trusted_proxies.parse::<TrustedProxies>().unwrap(),
            TrustedProxies::default()
        );
    }
}
