use std::sync::{Arc, Mutex};

use domain::agent::Role;
use domain::ids::CommandId;
use domain::tag::{Tag, TagCommand};
use domain::text::Name;
use uuid::Uuid;

use super::*;
use crate::agents::{AgentChanges, ChangeAgent, DeleteAgent};
use crate::command_bus::{CommandBus, CommandContext, UseCase};
use crate::ports::LogEvent;
use crate::testing::Company;

/// What happens to the caller while the use case is being decided, once.
#[derive(Clone, Copy, Debug)]
enum Loss {
    Role,
    Account,
    Nothing,
}

impl Loss {
    async fn strike(self, company: &Company, agent_id: AgentId) {
        let principal = company.admin();
        match self {
            Self::Role => {
                let changes = AgentChanges { role: Some(Role::Agent), ..AgentChanges::default() };
                company.act(ChangeAgent { principal, agent_id, changes, known_version: None }).await;
            }
            Self::Account => {
                company.act(DeleteAgent { principal, agent_id, deleted: true, known_version: None }).await;
            }
            Self::Nothing => {}
        }
    }
}

/// Creates a tag. It reads nothing itself, and `CHECKS` nothing or everything that was read.
struct Create<const CHECKS: bool> {
    company: Arc<Company>,
    by: AgentId,
    loss: Mutex<Loss>,
}

impl<const CHECKS: bool> UseCase for Create<CHECKS> {
    type Output = ();

    const CHECKS_WHAT_IT_READ: bool = CHECKS;

    fn locks(&self) -> Vec<StreamId> {
        vec![]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<(), UseCaseError> {
        let loss = std::mem::replace(&mut *self.loss.lock().unwrap(), Loss::Nothing);
        loss.strike(&self.company, self.by).await;
        let (name, at) = (Name::parse("urgent").unwrap(), work.now());
        let tag_id = domain::ids::TagId::new(work.new_uuid());
        work.execute::<Tag>(tag_id, TagCommand::Create { name, color: None, at }).await?;
        Ok(())
    }

    fn recall(&self, _events: &[Arc<LogEvent>]) -> Option<()> {
        Some(())
    }
}

async fn supervisor(company: &Company) -> AgentId {
    let agent_id = company.agent_with_slots(1).await;
    let changes = AgentChanges { role: Some(Role::Supervisor), ..AgentChanges::default() };
    company.act(ChangeAgent { principal: company.admin(), agent_id, changes, known_version: None }).await;
    agent_id
}

fn context(bus: &CommandBus, id: AgentId, session: Option<SessionId>) -> CommandContext {
    let principal = Principal::Agent { id, role: Role::Supervisor };
    bus.context_of(Authority { principal, session }, Uuid::from_u128(7))
}

async fn create_while<const CHECKS: bool>(loss: Loss) -> (Result<(), UseCaseError>, usize) {
    let company = Arc::new(Company::open().await);
    let by = supervisor(&company).await;
    let create = Create::<CHECKS> { company: Arc::clone(&company), by, loss: Mutex::new(loss) };
    let outcome = company.bus.execute(context(&company.bus, by, None), create).await.map(|_| ());
    let tags = company.log.event_types().iter().filter(|name| *name == "TagCreated").count();
    (outcome, tags)
}

#[tokio::test]
async fn role_and_account_that_end_while_a_command_is_decided_refuse_it() {
    for (loss, gone) in [(Loss::Role, false), (Loss::Account, true)] {
        for (outcome, tags) in [create_while::<true>(loss).await, create_while::<false>(loss).await] {
            let refused = match &outcome {
                Err(UseCaseError::CallerGone) => gone,
                Err(UseCaseError::Forbidden(_)) => !gone,
                _ => false,
            };
            assert!(refused && tags == 0, "{loss:?}: {outcome:?}, {tags} tags");
        }
    }
    assert!(matches!(create_while::<false>(Loss::Nothing).await, (Ok(()), 1)));
}

#[tokio::test]
async fn ended_session_refuses_commands_and_their_repetitions() {
    let company = Arc::new(Company::open().await);
    let by = supervisor(&company).await;
    let sessions = &company.accounts.sessions;
    let session = sessions.open(by, Role::Supervisor).await.unwrap().session_id;
    let other = sessions.open(company.admin_id, Role::Admin).await.unwrap().session_id;
    let repeated = CommandId::new(Uuid::from_u128(9));
    let run = async |session| {
        let create = Create::<true> { company: Arc::clone(&company), by, loss: Mutex::new(Loss::Nothing) };
        let context = context(&company.bus, by, Some(session)).repeatable(repeated, [1; 32]);
        company.bus.execute(context, create).await.map(|executed| executed.repeated)
    };
    assert!(!run(session).await.unwrap());
    assert!(run(session).await.unwrap());
    let foreign = run(other).await;
    assert!(matches!(foreign, Err(UseCaseError::CallerGone)), "somebody else's session: {foreign:?}");
    sessions.end(session).await.unwrap();
    let ended = run(session).await;
    assert!(matches!(ended, Err(UseCaseError::CallerGone)), "{ended:?}");
}

#[tokio::test]
async fn record_that_names_events_of_others_answers_nothing() {
    let company = Arc::new(Company::open().await);
    let by = supervisor(&company).await;
    let repeated = CommandId::new(Uuid::from_u128(9));
    let run = async || {
        let create = Create::<true> { company: Arc::clone(&company), by, loss: Mutex::new(Loss::Nothing) };
        let context = context(&company.bus, by, None).repeatable(repeated, [1; 32]);
        company.bus.execute(context, create).await.map(|executed| executed.repeated)
    };
    run().await.unwrap();
    let own = company.log.event_types().len() as i64;
    for (first, last) in [(1, 1), (own - 1, own), (own, own + 1), (own + 1, own + 1), (own, own - 1)] {
        company.log.misplace_commands(first, last);
        let refused = run().await;
        assert!(matches!(refused, Err(UseCaseError::ForeignRecord { .. })), "{first} to {last}: {refused:?}");
        assert!(company.bus.find_command(repeated).await.is_err());
    }
    company.log.misplace_commands(own, own);
    assert!(run().await.unwrap());
}
