use std::error::Error;
use std::process::ExitCode;

use clap::Subcommand;
use infrastructure::event_log::{VerifyError, verify_chain};

use crate::config::Settings;
use crate::wiring::open_database;

/// What can be proved.
#[derive(Subcommand)]
pub enum Command {
    /// Compute the hash chain of the whole log anew and compare
    Verify,
}

/// Runs one of the audit commands.
pub async fn run(settings: Settings, command: Command) -> Result<ExitCode, Box<dyn Error>> {
    match command {
        Command::Verify => verify(settings).await,
    }
}

async fn verify(settings: Settings) -> Result<ExitCode, Box<dyn Error>> {
    let database = open_database(&settings).await?;
    let outcome = verify_chain(&database, |_| {}).await;
    database.close().await;
    match outcome {
        Ok(log) => {
            println!("the log is whole: {} events, {} of them erased", log.position, log.erased);
            println!("epoch {}   hash {}", log.epoch, hex::encode(log.chain_hash));
            Ok(ExitCode::SUCCESS)
        }
        Err(error @ VerifyError::Broken { .. }) => {
            eprintln!("error: {error}");
            Ok(ExitCode::FAILURE)
        }
        Err(error) => Err(error.into()),
    }
}
