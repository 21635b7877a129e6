//! Log lines, and traces for a collector.

mod collector;
mod lines;

use std::backtrace::{Backtrace, BacktraceStatus};
use std::env;
use std::io::IsTerminal as _;

use application::ports::Ids as _;
use infrastructure::system::RandomIds;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{Key, KeyValue};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, Registry};

use self::collector::LogOnChange;
use self::lines::LineQueue;
use crate::config::{ConfigError, LogFormat};

/// The log levels unless RUST_LOG is set.
const DEFAULT_LOG: &str = "info,sqlx=warn,tower_http=warn";

/// The spans that are traced, independent of the log levels. Tracing the exporter's own requests would never end.
const TRACED: &str = "off,api=info,application=info,infrastructure=info,projections=info";

/// The address of a collector for traces alone, as it is called: it wins over the common one.
const TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";

/// Sends the remaining traces and writes the remaining lines when it is dropped, within a few seconds.
#[must_use]
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
    lines: LineQueue,
}

/// Starts logging to standard error, panics included, and tracing if there is a collector: a URL such as `http://127.0.0.1:4318`, which
/// receives the traces by OTLP over HTTP.
///
/// # Errors
/// When a setting is not valid.
pub fn start(format: LogFormat, logged: Option<&str>, collector: Option<&str>) -> Result<Telemetry, ConfigError> {
    let filter = filter(logged.unwrap_or(DEFAULT_LOG)).ok_or_else(|| {
        let expected = "must be levels such as info or infrastructure=debug,info";
        ConfigError::Malformed { setting: "RUST_LOG", expected }
    })?;
    let queue = LineQueue::start(std::io::stderr()).map_err(ConfigError::NoThread)?;
    let lines = tracing_subscriber::fmt::layer().with_ansi(std::io::stderr().is_terminal()).with_writer(queue.clone());
    let lines = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    let registry = Registry::default().with(lines.with_filter(filter));
    let Some(endpoint) = endpoint(collector)? else {
        registry.init();
        log_panics();
        return Ok(Telemetry { traces: None, lines: queue });
    };
    let provider = provider(&endpoint)?;
    let traces = tracing_opentelemetry::layer().with_tracer(provider.tracer("livechatlog"));
    registry.with(traces.with_filter(EnvFilter::new(TRACED))).init();
    log_panics();
    Ok(Telemetry { traces: Some(provider), lines: queue })
}

/// Reports panics as log lines: the hook of the standard library writes to standard error by itself, and waits for its reader.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let backtrace = Backtrace::capture();
        let backtrace = (backtrace.status() == BacktraceStatus::Captured).then_some(backtrace);
        tracing::error!(backtrace = backtrace.as_ref().map(tracing::field::display), "{panic}");
    }));
}

fn filter(logged: &str) -> Option<EnvFilter> {
    // The parser takes a bare word for the name of a module, so that a mistyped level would silence everything.
    let bare = |part: &str| !part.is_empty() && !part.contains(['=', '[', ']', '{', '}']);
    let mistyped = |part: &str| bare(part) && part.parse::<LevelFilter>().is_err();
    let is_mistyped = logged.split(',').map(str::trim).any(mistyped);
    if is_mistyped { None } else { EnvFilter::try_new(logged).ok() }
}

/// Where traces are sent, unless the environment forbids it: the variables are those of every OpenTelemetry SDK
/// (<https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>).
fn endpoint(collector: Option<&str>) -> Result<Option<String>, ConfigError> {
    let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
    if variable("OTEL_SDK_DISABLED").is_some_and(|value| value.trim().eq_ignore_ascii_case("true")) {
        return Ok(None);
    }
    match variable(TRACES_ENDPOINT) {
        Some(url) if !url.starts_with("http://") => {
            Err(ConfigError::Malformed { setting: TRACES_ENDPOINT, expected: "must begin with http://" })
        }
        Some(url) => Ok(Some(url)),
        // <https://opentelemetry.io/docs/specs/otlp/#otlphttp-request>
        None => Ok(collector.map(|url| format!("{}/v1/traces", url.trim_end_matches('/')))),
    }
}

fn provider(endpoint: &str) -> Result<SdkTracerProvider, ConfigError> {
    let exporter = SpanExporter::builder().with_http().with_endpoint(endpoint).build().map_err(|_| {
        let expected = "must be the URL of a collector that accepts OTLP over HTTP, such as http://127.0.0.1:4318";
        ConfigError::Malformed { setting: "OTEL_EXPORTER_OTLP_ENDPOINT", expected }
    })?;
    let exporter = LogOnChange::new(exporter, endpoint);
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource()).build())
}

/// This process. What the environment says of it wins: OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES.
fn resource() -> Resource {
    let given = Resource::builder().build();
    let has = |name: &'static str| given.get(&Key::from_static_str(name)).map(|value| value.to_string());
    let mut builder = Resource::builder();
    if has("service.name").is_none_or(|name| name.starts_with("unknown_service")) {
        builder = builder.with_service_name("livechatlog");
    }
    let own = [
        ("service.version", env!("CARGO_PKG_VERSION").to_owned()),
        // Tells the nodes of an installation apart.
        ("service.instance.id", RandomIds.new_uuid().to_string()),
    ];
    let missing = own.into_iter().filter(|(name, _)| has(name).is_none());
    builder.with_attributes(missing.map(|(name, value)| KeyValue::new(name, value))).build()
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(provider) = &self.traces
            && let Err(error) = provider.shutdown()
        {
            tracing::warn!(error = &error as &dyn std::error::Error, "the last traces could not be sent");
        }
        self.lines.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_say_what_is_logged() {
        for logged in [
            "info",
            "INFO",
            "off",
            "3",
            "infrastructure=debug, info,",
            "[append{position=1}]=trace,warn",
            DEFAULT_LOG,
            TRACED,
        ] {
            assert!(filter(logged).is_some(), "{logged}");
        }
    }

    #[test]
    fn mistyped_levels_are_refused() {
        for logged in ["inof", "info,degub", "infrastructure=loud", "=", "api", "6"] {
            assert!(filter(logged).is_none(), "{logged}");
        }
    }
}
