use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use application::agents::is_set_up;
use clap::Subcommand;
use domain::agent::{NewPassword, Registration, Role};
use domain::text::{EmailAddress, Name};
use infrastructure::system::SystemClock;
use serde_json::json;

use crate::cli::output::say;
use crate::config::{Settings, random_password};
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
        None => (false, random_password()?),
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
        say!("{}", json!({ "email": email.as_str(), "password": (!given).then_some(password.as_str()) }));
    } else if given {
        say!("{}: the password is as set", email.as_str());
    } else {
        say!("{}: the password (shown only now) is {}", email.as_str(), password.as_str());
    }
    Ok(ExitCode::SUCCESS)
}

async fn create(
    office: &Office,
    email: EmailAddress,
    name: Name,
    password: &NewPassword,
) -> Result<(), Box<dyn Error>> {
    let bus = &office.accounts.bus;
    if !is_set_up(bus).await? {
        return Err("nothing is set up yet: the first start of the server makes the first admin".into());
    }
    let registration = Registration::offline(name, email, Role::Admin, bus.now());
    let context = bus.context(ACTOR.to_owned(), bus.new_uuid());
    office.accounts.appoint_admin(context, registration, password).await?;
    Ok(())
}

async fn reset(office: &Office, email: &EmailAddress, password: &NewPassword) -> Result<(), Box<dyn Error>> {
    let bus = &office.log_in.bus;
    let context = bus.context(ACTOR.to_owned(), bus.new_uuid());
    let found = office.log_in.reset_password(context, email, password).await?;
    if found { Ok(()) } else { Err(format!("there is no agent with the address {}", email.as_str()).into()) }
}
