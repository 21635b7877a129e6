use std::process::ExitCode;

use serde_json::json;

use super::Outcome;
use super::output::say;
use crate::config::Settings;
use crate::wiring::{StartError, open_as_it_is, open_database};

/// Migrates the schema to this version.
pub async fn migrate(settings: Settings, as_json: bool) -> Outcome {
    open_database(&settings).await?.close().await;
    report(&[], as_json);
    Ok(ExitCode::SUCCESS)
}

/// Reports the migrations that the schema lacks, and changes nothing.
pub async fn check(settings: Settings, as_json: bool) -> Outcome {
    match open_as_it_is(&settings).await {
        Ok(database) => {
            database.close().await;
            report(&[], as_json);
            Ok(ExitCode::SUCCESS)
        }
        Err(StartError::Outdated { pending }) => {
            report(&pending, as_json);
            Ok(ExitCode::FAILURE)
        }
        Err(error) => Err(error.into()),
    }
}

fn report(missing: &[&str], as_json: bool) {
    if as_json {
        return say!("{}", json!({ "upToDate": missing.is_empty(), "missing": missing }));
    }
    for step in missing {
        say!("missing: {step}");
    }
    if missing.is_empty() {
        say!("the schema is up to date");
    }
}
