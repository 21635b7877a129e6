use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use domain::agent::{EmailClaim, Role};
use domain::ids::EmailClaimId;
use domain::text::EmailAddress;
use serde_json::json;

use crate::cli::output::say;
use crate::config::{Settings, random_password};
use crate::demo::{DemoClock, DemoError, Member, Summary, Team, beginning, found, live};
use crate::wiring::{Running, start, system_clock};

/// How to report the result.
#[derive(Args)]
pub struct Options {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Fills an empty store. All agents get the password ADMIN_PASSWORD; if it is not set, a password is generated.
pub async fn run(mut settings: Settings, options: Options) -> Result<ExitCode, Box<dyn Error>> {
    let password = match settings.admin_password.take() {
        Some(password) => password,
        None => random_password()?,
    };
    settings.admin_password = Some(password.clone());
    let site = format!("http://{}:{}", settings.host, settings.port);
    // The server is reachable only from here, and sends no signals to other nodes.
    settings.host = "127.0.0.1".to_owned();
    settings.port = 0;
    settings.redis_url = None;
    let email = settings.admin_email.clone();
    let real = system_clock();
    let clock = DemoClock::at(beginning(real.now()), real);
    let running = start(settings, Arc::new(clock.clone())).await?;
    let outcome = if running.first_admin().is_some() {
        fill(&running, &clock, &email, password.as_str()).await
    } else {
        Err(DemoError::NotEmpty)
    };
    running.stop().await;
    let (team, summary) = outcome?;
    if options.json {
        report_as_json(&team, summary, (email.as_str(), password.as_str()), &site);
    } else {
        report(&team, summary, (email.as_str(), password.as_str()), &site);
    }
    Ok(ExitCode::SUCCESS)
}

fn role_of(member: &Member) -> &'static str {
    if member.role == Role::Supervisor { "supervisor" } else { "agent" }
}

fn report(team: &Team, Summary { closed, open, messages }: Summary, (admin, password): (&str, &str), site: &str) {
    say!("created {} conversations with {messages} messages: {closed} closed, {open} open", closed + open);
    say!("\nlog in with the password {password} as");
    say!("  {admin:28} admin");
    for member in &team.members {
        say!("  {:28} {:10}  {}", member.email, role_of(member), member.name);
    }
    say!("\nstart the server with the same settings, livechatlog serve, and open");
    say!("  {site}/console/  to answer");
    say!("  {site}/demo/     to ask, in a second window");
}

fn report_as_json(
    team: &Team,
    Summary { closed, open, messages }: Summary,
    (admin, password): (&str, &str),
    site: &str,
) {
    let member = |member: &Member| json!({ "email": member.email, "role": role_of(member), "name": member.name });
    let agents: Vec<_> = team.members.iter().map(member).collect();
    let chats = json!({ "closed": closed, "open": open, "messages": messages });
    let pages = json!({ "console": format!("{site}/console/"), "shop": format!("{site}/demo/") });
    say!(
        "{}",
        json!({ "conversations": chats, "password": password, "admin": admin, "agents": agents, "pages": pages })
    );
}

async fn fill(
    running: &Running,
    clock: &DemoClock,
    email: &EmailAddress,
    password: &str,
) -> Result<(Team, Summary), DemoError> {
    let app = running.internals();
    let claim = app.bus.read::<EmailClaim>(EmailClaimId::of(email)).await?;
    let admin_id = claim.agent_id.ok_or(DemoError::NotEmpty)?;
    let team = found(app, admin_id, password).await?;
    let summary = live(app, clock, &team).await?;
    Ok((team, summary))
}
