mod folder;

use std::process::ExitCode;

use clap::Args;
use infrastructure::inspect::{Expectations, Finding, Status, inspect_database, inspect_redis};
use infrastructure::system::SystemClock;
use serde_json::json;

use crate::cli::output::say;
use crate::config::{Arguments, Settings};

/// How thorough to be, and how to tell.
#[derive(Args)]
pub struct Options {
    /// Also read the whole SQLite file; this takes a while
    #[arg(long)]
    integrity: bool,
    /// Only walk the event log, and look whether what must be true of every log is true at every position
    #[arg(long, conflicts_with = "integrity")]
    pub(super) invariants: bool,
    /// Print the findings as JSON; with --invariants one object a line
    #[arg(long)]
    pub(super) json: bool,
}

/// Looks at everything that the service stands on.
pub fn run(arguments: Arguments, options: &Options) -> ExitCode {
    let settings = arguments.ensure_host().and_then(|()| Settings::inspect(arguments));
    let findings = match settings {
        Ok(settings) => {
            let mut findings = vec![Finding::ok("settings", "each has a usable value")];
            findings.extend(folder::inspect(&settings));
            findings.extend(look_outside(&settings, options));
            findings
        }
        Err(error) => {
            let advice = "correct it: `livechatlog --help` says what each setting may be; the rest was left out";
            vec![Finding::failed("settings", with_causes(&error), advice)]
        }
    };
    print(&findings, options.json);
    let failed = findings.iter().any(|finding| finding.status == Status::Failed);
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// At the database and at Redis.
fn look_outside(settings: &Settings, options: &Options) -> Vec<Finding> {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return vec![Finding::failed("system", error.to_string(), "see what limits this process has")],
    };
    let projectors = projections::all_subscriber_ids();
    let expected = Expectations { projectors: &projectors, integrity: options.integrity };
    runtime.block_on(async {
        let mut findings = inspect_database(&settings.database_url, expected, &SystemClock).await;
        findings.extend(match &settings.redis_url {
            Some(url) => inspect_redis(url, &SystemClock).await,
            None => vec![Finding::ok("Redis", "none, which is right for a single node")],
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
    say!("{} things looked at: {} failed, {} warnings", findings.len(), count(Status::Failed), count(Status::Warning));
}
