mod folder;

use std::process::ExitCode;

use clap::Args;
use infrastructure::database::{Database, has_foreign_wal};
use infrastructure::inspect::{Expectations, Finding, Status, inspect_database, inspect_redis};
use serde_json::json;

use crate::cli::output::say;
use crate::config::{Arguments, Settings};
use crate::wiring::{StartError, system_clock};

/// What to check, and how to report it.
#[derive(Args)]
pub struct Options {
    /// Also check the integrity of the whole SQLite file, which takes a while
    #[arg(long)]
    integrity: bool,
    /// Check only the event log: whether its invariants hold at every position
    #[arg(long, conflicts_with = "integrity")]
    pub(super) invariants: bool,
    /// Print the findings as JSON; with --invariants, one object per line
    #[arg(long)]
    pub(super) json: bool,
}

/// Checks everything that the server depends on.
pub fn run(arguments: Arguments, options: &Options) -> ExitCode {
    let settings = arguments.ensure_host().and_then(|()| Settings::inspect(arguments));
    let findings = match settings {
        Ok(settings) => {
            let mut findings = vec![Finding::ok("settings", "all values are valid")];
            findings.push(limits(&settings));
            findings.extend(folder::inspect(&settings));
            findings.extend(inspect_services(&settings, options));
            findings
        }
        Err(error) => {
            let advice = "correct it: `livechatlog --help` describes the settings; the other checks were skipped";
            vec![Finding::failed("settings", with_causes(&error), advice)]
        }
    };
    print(&findings, options.json);
    let failed = findings.iter().any(|finding| finding.status == Status::Failed);
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// The limits that a server with these settings has.
fn limits(settings: &Settings) -> Finding {
    match settings.rate_limits {
        true => Finding::ok("limits", settings.limits.describe()),
        false => {
            let advice = "set RATE_LIMITS=on, unless a proxy limits the requests of each client";
            Finding::warning("limits", "rate limits are off: one client can use up everything".to_owned(), advice)
        }
    }
}

/// Checks the database and Redis.
fn inspect_services(settings: &Settings, options: &Options) -> Vec<Finding> {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return vec![Finding::failed("system", error.to_string(), "check the limits of this process")],
    };
    // Opening the file for writing would mix the two for good.
    if let Some(file) = Database::file(&settings.database_url).filter(|file| has_foreign_wal(file)) {
        let found = with_causes(&StartError::ForeignWal { file });
        return vec![Finding::failed("database", found, "see \"Restoring\" in the manual; the rest was left out")];
    }
    let projectors = projections::all_subscriber_ids();
    let expected = Expectations { projectors: &projectors, integrity: options.integrity };
    let clock = system_clock();
    runtime.block_on(async {
        let mut findings = inspect_database(&settings.database_url, expected, &*clock).await;
        findings.extend(match &settings.redis_url {
            Some(url) => inspect_redis(url, &*clock).await,
            None => vec![Finding::ok("Redis", "not configured, as for a single node")],
        });
        findings
    })
}

fn with_causes(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", with_causes(cause)),
        None => error.to_string(),
    }
}

fn print(findings: &[Finding], as_json: bool) {
    let worst = findings.iter().map(|finding| finding.status).max().unwrap_or(Status::Ok);
    if as_json {
        return say!("{}", json!({ "status": worst, "findings": findings }));
    }
    for Finding { subject, status, found, advice } in findings {
        let status = match status {
            Status::Ok => "ok",
            Status::Warning => "warning",
            Status::Failed => "FAILED",
        };
        say!("{status:8} {subject}: {found}");
        if let Some(advice) = advice {
            say!("{:8} -> {advice}", "");
        }
    }
    let count = |status| findings.iter().filter(|finding| finding.status == status).count();
    say!("{} checks: {} failed, {} warnings", findings.len(), count(Status::Failed), count(Status::Warning));
}
