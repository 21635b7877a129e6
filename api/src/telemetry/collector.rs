use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

/// An exporter that logs only changes: when it begins to fail, and when it works again.
#[derive(Debug)]
pub(super) struct LogOnChange<E> {
    exporter: E,
    collector: String,
    fails: AtomicBool,
}

impl<E> LogOnChange<E> {
    pub(super) fn new(exporter: E, collector: &str) -> Self {
        Self { exporter, collector: without_password(collector), fails: AtomicBool::new(false) }
    }

    /// Logs outside of any span, so that nothing of it is traced.
    fn log(&self, lost: usize, result: &OTelSdkResult) {
        let collector = &self.collector;
        match result {
            Ok(()) => {
                if self.fails.swap(false, Ordering::Relaxed) {
                    tracing::info!(collector, "traces reach the collector again");
                }
            }
            // The program is ending; the collector is not at fault.
            Err(OTelSdkError::AlreadyShutdown) => {}
            Err(error) => {
                if !self.fails.swap(true, Ordering::Relaxed) {
                    let error: &dyn std::error::Error = error;
                    tracing::warn!(
                        collector,
                        lost,
                        error,
                        "traces do not reach the collector (OTEL_EXPORTER_OTLP_ENDPOINT) and are lost until it responds"
                    );
                }
            }
        }
    }
}

impl<E: SpanExporter> SpanExporter for LogOnChange<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let result = self.exporter.export(batch).await;
        self.log(spans, &result);
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn shutdown(&self) -> OTelSdkResult {
        self.exporter.shutdown()
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// The URL without its user and password, for the log.
fn without_password(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
            format!("{scheme}://{host}{path}")
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn password_of_a_collector_is_not_logged() {
        assert_eq!(without_password("http://10.0.0.1:4318"), "http://10.0.0.1:4318");
        assert_eq!(without_password("http://me:secret@collector:4318/otlp"), "http://collector:4318/otlp");
    }
}
