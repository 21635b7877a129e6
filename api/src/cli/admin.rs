use std::error::Error;
use std::process::ExitCode;

use application::agents::is_set_up;
use clap::Subcommand;
use domain::agent::{NewPassword, Registration, Role};
use domain::text::{EmailAddress, Name};
use serde_json::json;

use crate::cli::output::say;
use crate::config::{Settings, random_password};
use crate::wiring::AdminTools;

/// The actor of these changes in the log.
const ACTOR: &str = "system:operator";

/// Commands for people who cannot log in. The password comes from ADMIN_PASSWORD; if that is not set, a password is
/// generated and printed.
#[derive(Subcommand)]
pub enum Command {
    /// Create an admin
    Create {
        /// Their e-mail address
        #[arg(long)]
        email: String,
        /// Their display name
        #[arg(long, default_value = "Admin")]
        name: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Set the password of an agent or admin, and end all their sessions
    ResetPassword {
        /// Their e-mail address
        #[arg(long)]
        email: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs an admin command. No server may be using a SQLite database; a MySQL server may be running.
pub async fn run(settings: Settings, command: Command) -> Result<ExitCode, Box<dyn Error>> {
    let (email, name, as_json) = match &command {
        Command::Create { email, name, json } => (email, Some(name), *json),
        Command::ResetPassword { email, json } => (email, None, *json),
    };
    let email = EmailAddress::parse(email).map_err(|error| format!("--email {error}"))?;
    let name = name.map(|name| Name::parse(name)).transpose().map_err(|error| format!("--name {error}"))?;
    let (given, password) = match settings.admin_password.clone() {
        Some(password) => (true, password),
        None => (false, random_password()?),
    };
    let tools = AdminTools::open(settings).await?;
    let outcome = match name {
        Some(name) => create(&tools, email.clone(), name, &password).await,
        None => reset(&tools, &email, &password).await,
    };
    tools.close().await;
    outcome?;
    if as_json {
        // A password that the operator has set is not repeated.
        say!("{}", json!({ "email": email.as_str(), "password": (!given).then_some(password.as_str()) }));
    } else if given {
        say!("{}: the password is the one of ADMIN_PASSWORD", email.as_str());
    } else {
        say!("{}: the password (shown only once) is {}", email.as_str(), password.as_str());
    }
    Ok(ExitCode::SUCCESS)
}

async fn create(
    tools: &AdminTools,
    email: EmailAddress,
    name: Name,
    password: &NewPassword,
) -> Result<(), Box<dyn Error>> {
    let bus = &tools.accounts.bus;
    if !is_set_up(bus).await? {
        return Err("nothing is set up yet: the first start of the server creates the first admin".into());
    }
    let registration = Registration::offline(name, email, Role::Admin, bus.now());
    let context = bus.context(ACTOR.to_owned(), bus.new_uuid());
    tools.accounts.appoint_admin(context, registration, password).await?;
    Ok(())
}

async fn reset(tools: &AdminTools, email: &EmailAddress, password: &NewPassword) -> Result<(), Box<dyn Error>> {
    let bus = &tools.log_in.bus;
    let context = bus.context(ACTOR.to_owned(), bus.new_uuid());
    let found = tools.log_in.reset_password(context, email, password).await?;
    if found { Ok(()) } else { Err(format!("no agent has the address {}", email.as_str()).into()) }
}
