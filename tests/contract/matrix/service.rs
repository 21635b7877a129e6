//! The calls of the service, in this process.

use api::service::stream::frames::ActivityState;
use api::service::{
    Action, AuditFilter, AuditQuery, Caller, ChangeRequest, Entrance, EventsRequest, Lookup, NewMessage, Place,
    Refusal, Services, UseCase, Wait,
};
use application::agents::{AgentChanges, ChangeAgent, DeleteAgent, SetStatus};
use application::chat::{AssignAgent, BulkChange, Chooser, CloseChat, TagChat, TransferChat};
use application::groups::{AddMembers, ChangeGroup, CreateGroup, DeleteGroup, GroupChanges, RemoveMember};
use application::tags::{ChangeTag, CreateTag, DeleteTag, TagChanges};
use application::visitors::NewSession;
use domain::agent::{AgentStatus, ChatLimit, GivenPassword, NewPassword, Registration, Role};
use domain::ids::{AgentId, GroupId, TagId};
use domain::text::{EmailAddress, MessageText, Name};
use domain::visitor::VisitorDetails;
use harness::{ADMIN_EMAIL, PASSWORD};
use projections::PageRequest;
use projections::agents::AgentFilter;
use projections::conversations::{ConversationFilter, ConversationOrder};
use uuid::Uuid;

use super::case::Case;
use super::rows::{Call, DONE};

const PAGE: PageRequest = PageRequest { cursor: None, limit: 10 };

/// The outcome of a call of the service.
pub async fn in_process(services: &Services, case: &Case<'_>) -> String {
    let outcome = enter(services, case).await;
    outcome.map_or_else(|refusal| refusal.code.as_str().to_owned(), |()| DONE.to_owned())
}

async fn enter(services: &Services, case: &Case<'_>) -> Result<(), Refusal> {
    let action = case.call.action();
    let entrance = services.gate.enter(Some(action), case.client.token(), "192.0.2.1".to_owned()).await?;
    match entrance.admit(action).await? {
        None => publicly(services, case, &entrance).await,
        Some(caller) => match case.call {
            Call::SendToThread => send(services, &caller, Place::Thread(case.thread_id())).await,
            Call::SendToConversation => send(services, &caller, Place::Conversation(case.conversation_id())).await,
            Call::TakeChat => assign(services, &caller, (case, case.own_id)).await,
            Call::GiveChat => assign(services, &caller, (case, case.assigned_id)).await,
            Call::Of(_) => read(services, case, (&entrance, &caller)).await,
        },
    }
}

async fn publicly(services: &Services, case: &Case<'_>, entrance: &Entrance) -> Result<(), Refusal> {
    match case.call.action() {
        Action::LogIn => {
            let (email, password) =
                (EmailAddress::parse(ADMIN_EMAIL).unwrap(), GivenPassword::parse(PASSWORD).unwrap());
            services.sessions.log_in(entrance, &email, &password).await?;
        }
        Action::RenewSession => drop(services.sessions.renew(entrance, &case.refresh_token).await?),
        Action::StartChat => {
            let arrival = services.arrivals.arrive(entrance, None).await?;
            let session = NewSession {
                known: services.arrivals.recognise(&arrival).await?,
                repeatable: None,
                request_id: Uuid::from_u128(1),
                details: VisitorDetails::default(),
                group_id: None,
                text: MessageText::parse("Hello").unwrap(),
                client_event_id: None,
                metadata: None,
            };
            services.arrivals.begin(arrival, session).await?;
        }
        Action::RenewVisitor => {
            drop(services.arrivals.renew(entrance, case.chat.client.token().unwrap()).await?);
        }
        Action::CheckHealth => drop(services.vitals.checks().await),
        // The documents are the doors' own.
        Action::ReadDocs => {}
        other => panic!("{other:?} is not for everybody"),
    }
    Ok(())
}

async fn read(services: &Services, case: &Case<'_>, from: (&Entrance, &Caller)) -> Result<(), Refusal> {
    let (_, caller) = from;
    let (directory, conversations) = (&services.directory, &services.conversations);
    let lookup = || Ok::<_, Refusal>(Lookup { agent: caller.agent()?, include_deleted: None, at_least: None });
    match case.call.action() {
        Action::ReadSelf => drop(directory.agent(lookup()?, caller.agent()?.id).await?),
        Action::ListAgents => drop(directory.list_agents(lookup()?, AgentFilter::default(), &PAGE).await?),
        Action::ReadAgent => drop(directory.agent(lookup()?, case.assigned_id()).await?),
        Action::ReadAgentStats => drop(directory.figures(caller, case.assigned_id(), None).await?),
        Action::ListGroups => drop(directory.list_groups(lookup()?, &PAGE).await?),
        Action::ReadGroup => drop(directory.group(lookup()?, case.group_id()).await?),
        Action::ListTags => drop(directory.list_tags(lookup()?, &PAGE).await?),
        Action::ReadTag => drop(directory.tag(lookup()?, case.tag_id()).await?),
        Action::ListConversations => {
            let wanted = (ConversationFilter::default(), ConversationOrder::default());
            drop(conversations.list(caller, wanted, &PAGE, None).await?);
        }
        Action::CountConversations => {
            conversations.count(caller, ConversationFilter::default(), None).await?;
        }
        Action::ReadConversation => drop(conversations.find(caller, case.conversation_id(), None).await?),
        Action::ListAssignments => {
            drop(conversations.list_assignments(caller, case.conversation_id(), (0, 10), None).await?);
        }
        Action::ReadEvents => {
            let events = EventsRequest { thread_id: case.thread_id(), after: 0, limit: 10, at_least: None };
            drop(conversations.list_events(caller, events).await?);
        }
        Action::ListQueue => drop(services.queue.list(caller, None, None, &PAGE).await?),
        Action::ReadQueueStats => drop(services.queue.stats(caller, None).await?),
        Action::FollowStream => {
            let joined = services.stream.join(case.client.token().unwrap(), None).await;
            assert!(joined.is_ok(), "admitted callers may follow the stream");
        }
        Action::ExportPersonalData => drop(services.visitors.export(caller, case.visitor_id(), None).await?),
        Action::ReadAudit => {
            let (filter, cursor) = (AuditFilter::default(), None);
            let query = AuditQuery { filter, from: None, to: None, newest_first: true, cursor, limit: 10 };
            drop(services.audit.page(caller, query, None).await?);
        }
        Action::ReadMetrics => drop(services.vitals.progress()),
        _ => change(services, case, from).await?,
    }
    Ok(())
}

async fn change(services: &Services, case: &Case<'_>, from: (&Entrance, &Caller)) -> Result<(), Refusal> {
    let (entrance, caller) = from;
    let (principal, known_version, name) = (caller.principal, None, Name::parse(&case.name()).unwrap());
    let (agent_id, group_id, tag_id) = (case.newcomer_id(), case.group_id(), case.tag_id());
    let conversation_id = case.conversation_id();
    let context = || services.dispatch.context(caller, &request());
    match case.call.action() {
        Action::LogOut => services.sessions.log_out(caller).await,
        Action::ChangePassword => {
            let passwords = (GivenPassword::parse(PASSWORD).unwrap(), NewPassword::parse(PASSWORD).unwrap());
            services.sessions.change_password((entrance, caller), &request(), passwords).await
        }
        Action::ResetPassword => {
            let new = NewPassword::parse(PASSWORD).unwrap();
            services.sessions.reset_password(caller, &request(), (agent_id, &new)).await
        }
        Action::RegisterAgent => {
            let password = NewPassword::parse(PASSWORD).unwrap();
            services.accounts.register(context(), principal, registration(services, case), &password).await?;
            Ok(())
        }
        Action::ChangeAgent => {
            let changes = AgentChanges { name: Some(name), ..AgentChanges::default() };
            let agent_id = case.assigned_id();
            run(services, caller, ChangeAgent { principal, agent_id, changes, known_version }).await
        }
        Action::DeleteAgent => {
            let delete = DeleteAgent { principal, agent_id, deleted: true, known_version };
            services.accounts.delete(context(), delete).await?;
            Ok(())
        }
        Action::RestoreAgent => {
            run(services, caller, DeleteAgent { principal, agent_id, deleted: false, known_version }).await
        }
        Action::SendHeartbeat => {
            let (agent, session) = caller.agent_session()?;
            services.presence.heartbeat(context(), agent.id, session).await?;
            Ok(())
        }
        Action::SetStatus => {
            let (agent_id, status) = (case.assigned_id(), AgentStatus::Away);
            run(services, caller, SetStatus { principal, agent_id, status, accepting_chats: None, known_version }).await
        }
        Action::CreateGroup => {
            let group_id = GroupId::new(services.dispatch.new_uuid());
            let (description, strategy, make_default) = (None, Default::default(), false);
            let create = CreateGroup { principal, group_id, name, description, strategy, make_default };
            run(services, caller, create).await
        }
        Action::ChangeGroup => {
            let changes = GroupChanges { name: Some(name), ..GroupChanges::default() };
            run(services, caller, ChangeGroup { principal, group_id, changes, known_version }).await
        }
        Action::DeleteGroup => {
            run(services, caller, DeleteGroup { principal, group_id, deleted: true, known_version }).await
        }
        Action::RestoreGroup => {
            run(services, caller, DeleteGroup { principal, group_id, deleted: false, known_version }).await
        }
        Action::AddMembers => {
            let agent_ids = [agent_id].into();
            run(services, caller, AddMembers { principal, group_id, agent_ids, known_version }).await
        }
        Action::RemoveMember => {
            let remove = RemoveMember { principal, group_id, agent_id, known_version };
            services.memberships.remove(context(), remove).await?;
            Ok(())
        }
        Action::CreateTag => {
            let tag_id = TagId::new(services.dispatch.new_uuid());
            run(services, caller, CreateTag { principal, tag_id, name, color: None }).await
        }
        Action::ChangeTag => {
            let changes = TagChanges { name: Some(name), ..TagChanges::default() };
            run(services, caller, ChangeTag { principal, tag_id, changes, known_version }).await
        }
        Action::DeleteTag => run(services, caller, DeleteTag { principal, tag_id, deleted: true, known_version }).await,
        Action::RestoreTag => {
            run(services, caller, DeleteTag { principal, tag_id, deleted: false, known_version }).await
        }
        Action::ChangeConversations => {
            let bulk = (BulkChange::Tag { tag_id, on: false }, vec![conversation_id]);
            services.dispatch.execute_bulk(caller, &request(), bulk).await;
            Ok(())
        }
        Action::SignalTyping => {
            services.activity.type_in(principal, conversation_id, (ActivityState::Started, None)).await
        }
        Action::IssueTicket => {
            services.tickets.issue(caller, case.client.token().unwrap()).await?;
            Ok(())
        }
        Action::MarkRead => {
            let mark = services.receipts.mark(caller, case.thread_id(), 1_000_000).await?;
            run(services, caller, mark).await
        }
        Action::TransferChat => {
            run(services, caller, TransferChat { principal, conversation_id, group_id, reason: None }).await
        }
        Action::CloseChat => {
            let reason = Name::parse("done").unwrap();
            run(services, caller, CloseChat { principal, conversation_id, reason, notes: None }).await
        }
        Action::ReopenChat => {
            services.arrivals.reopen(from, context(), (conversation_id, known_version)).await?;
            Ok(())
        }
        Action::TagChat => run(services, caller, TagChat { principal, conversation_id, tag_id, on: true }).await,
        Action::UntagChat => run(services, caller, TagChat { principal, conversation_id, tag_id, on: false }).await,
        Action::ErasePersonalData => {
            services.visitors.erase(caller, &request(), case.visitor_id()).await?;
            Ok(())
        }
        other => panic!("{other:?} changes nothing"),
    }
}

fn request() -> ChangeRequest {
    ChangeRequest { request_id: Uuid::from_u128(1), repeatable: None, wait: Wait::ForViews }
}

async fn run<U: UseCase>(services: &Services, caller: &Caller, use_case: U) -> Result<(), Refusal> {
    let done = services.dispatch.execute(caller, &request(), use_case).await?;
    assert!(done.settled, "reads show the change");
    Ok(())
}

async fn send(services: &Services, caller: &Caller, place: Place) -> Result<(), Refusal> {
    let text = MessageText::parse("x").unwrap();
    let message = NewMessage { text, client_event_id: None, metadata: None };
    services.messages.send(caller, &request(), (place, message)).await?;
    Ok(())
}

async fn assign(services: &Services, caller: &Caller, (case, agent_id): (&Case<'_>, &str)) -> Result<(), Refusal> {
    let (conversation_id, agent_id): (_, AgentId) = (case.conversation_id(), agent_id.parse().unwrap());
    let chooser = Chooser::Person { principal: caller.principal, reason: None };
    run(services, caller, AssignAgent { conversation_id, agent_id, chooser }).await
}

fn registration(services: &Services, case: &Case<'_>) -> Registration {
    Registration {
        name: Name::parse("Hired").unwrap(),
        email: EmailAddress::parse(&case.email()).unwrap(),
        avatar: None,
        role: Role::Agent,
        status: AgentStatus::Offline,
        accepting_chats: true,
        chat_limit: ChatLimit::default(),
        at: services.dispatch.now(),
    }
}
