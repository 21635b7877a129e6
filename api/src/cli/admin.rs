use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use application::agents::{AppointAdmin, is_set_up};
use clap::Subcommand;
use domain::agent::{Registration, Role};
use domain::ids::AgentId;
use domain::text::{EmailAddress, Name};
use infrastructure::system::SystemClock;
use serde_json::json;

use crate::cli::output::say;
use crate::config::{Settings, random_text};
use crate::wiring::Office;

/// On whose behalf these changes are in the log.
const ACTOR: &str = "system:operator";

/// What is done about people who cannot log in. The password is the one of ADMIN_PASSWORD; without it, one is made and
/// printed.
#[derive(Subcommand)]
pub enum Command {
    /// Make an admin
    Create {
        /// Their e-mail address
        #[arg(long)]
        email: String,
        /// Their name
        #[arg(long, default_value = "Admin")]
        name: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Give an agent, an admin or not, another password, and end all their sessions
    ResetPassword {
        /// Their e-mail address
        #[arg(long)]
        email: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Carries it out, on a database that no server uses, or that is no SQLite file.
pub async fn run(settings: Settings, command: Command) -> Result<ExitCode, Box<dyn Error>> {
    let (email, name, as_json) = match &command {
        Command::Create { email, name, json } => (email, Some(name), *json),
        Command::ResetPassword { email, json } => (email, None, *json),
    };
    let email = EmailAddress::parse(email).map_err(|error| format!("--email {error}"))?;
    let name = name.map(|name| Name::parse(name)).transpose().map_err(|error| format!("--name {error}"))?;
    let (given, password) = match settings.admin_password.clone() {
        Some(password) => (true, password),
        None => (false, random_text("ADMIN_PASSWORD", 12)?),
    };
    let office = Office::open(settings, Arc::new(SystemClock)).await?;
    let outcome = match name {
        Some(name) => create(&office, email.clone(), name, &password).await,
        None => reset(&office, &email, &password).await,
    };
    office.close().await;
    outcome?;
    if as_json {
        // A password that was given is not repeated.
        say!("{}", json!({ "email": email.as_str(), "password": (!given).then_some(password) }));
    } else if given {
        say!("{}: the password is as set", email.as_str());
    } else {
        say!("{}: the password (shown only now) is {password}", email.as_str());
    }
    Ok(ExitCode::SUCCESS)
}

async fn create(office: &Office, email: EmailAddress, name: Name, password: &str) -> Result<(), Box<dyn Error>> {
    let log_in = &office.log_in;
    if !is_set_up(&log_in.bus).await? {
        return Err("nothing is set up yet: the first start of the server makes the first admin".into());
    }
    let (agent_id, at) = (AgentId::new(log_in.bus.new_uuid()), log_in.bus.now());
    let hash = log_in.hasher.hash(password).await?;
    log_in.credentials.save_hash(agent_id, &hash, at).await?;
    let registration = Registration::offline(name, email, Role::Admin, at);
    let context = log_in.bus.context(ACTOR.to_owned(), log_in.bus.new_uuid());
    if let Err(error) = log_in.bus.execute(context, AppointAdmin { agent_id, registration }).await {
        log_in.credentials.remove_hash(agent_id).await?;
        return Err(error.into());
    }
    Ok(())
}

async fn reset(office: &Office, email: &EmailAddress, password: &str) -> Result<(), Box<dyn Error>> {
    let bus = &office.log_in.bus;
    let context = bus.context(ACTOR.to_owned(), bus.new_uuid());
    let found = office.log_in.reset_password(context, email, password).await?;
    if found { Ok(()) } else { Err(format!("there is no agent with the address {}", email.as_str()).into()) }
}
