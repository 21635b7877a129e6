use std::sync::Arc;

use application::InstallationKey;
use application::agents::Sessions;
use application::ports::{Fanout, ReadError, TicketStore};
use infrastructure::auth::SqlTicketStore;
use infrastructure::fanout::{LocalFanout, OnMessage};
use infrastructure::redis::{ChannelOptions, RedisFanout};
use projections::agents::AgentQueries;
use projections::conversations::ConversationQueries;
use projections::tags::TagQueries;
use tokio::sync::mpsc;

use super::{Core, StartError};
use crate::service::reading::Reading;
use crate::service::stream::{Hub, HubPorts, Notice, Tickets};
use crate::service::{Activity, Authenticator, Views};

/// The live stream, with what makes it work.
pub(super) struct Live {
    pub(super) hub: Arc<Hub>,
    /// Notices of this and of other nodes.
    pub(super) notices: mpsc::Receiver<Notice>,
    pub(super) activity: Activity,
    pub(super) tickets: Tickets,
}

/// Builds the live stream.
pub(super) async fn build(core: &Core, views: &Arc<Views>, sessions: &Sessions) -> Result<Live, StartError> {
    let store: Arc<dyn TicketStore> = Arc::new(SqlTicketStore::new(core.database.clone()));
    let key = InstallationKey::new("stream tickets", &core.settings.jwt_secret);
    let (sessions, tokens) = (sessions.clone(), Arc::clone(&sessions.tokens));
    let authenticator = Authenticator::new(core.bus.clone(), sessions, tokens);
    let tickets =
        Tickets { authenticator: authenticator.clone(), bus: core.bus.clone(), store: Arc::clone(&store), key };
    let (hub, notices) = hub(core, views, (authenticator, store)).await?;
    let receiver = Arc::clone(&hub);
    // Two installations may share a Redis.
    let channel = format!("{}:{}", RedisFanout::CHANNEL, hub.epoch());
    let fanout = fanout(core, channel, Arc::new(move |message: &str| receiver.note(message)))?;
    let activity = Activity { bus: core.bus.clone(), fanout, sneak_peek: core.settings.sneak_peek };
    Ok(Live { hub, notices, activity, tickets })
}

fn fanout(core: &Core, channel: String, on_message: OnMessage) -> Result<Arc<dyn Fanout>, StartError> {
    let Some(url) = core.settings.redis_url.clone() else { return Ok(Arc::new(LocalFanout::new(on_message))) };
    let (clock, ids) = (Arc::clone(&core.clock), Arc::clone(&core.ids));
    let options = ChannelOptions { url, channel, clock, ids };
    let redis = RedisFanout::start(options, on_message).map_err(|error| StartError::Redis(Box::new(error)))?;
    Ok(Arc::new(redis))
}

async fn hub(
    core: &Core,
    views: &Arc<Views>,
    (authenticator, tickets): (Authenticator, Arc<dyn TicketStore>),
) -> Result<(Arc<Hub>, mpsc::Receiver<Notice>), ReadError> {
    let Core { database, clock, log, bus, .. } = core;
    Ok(Hub::new(HubPorts {
        bus: bus.clone(),
        log: Arc::clone(log),
        views: Arc::clone(views),
        reading: Reading::new(bus.clone(), Arc::clone(log), database),
        conversations: ConversationQueries::new(database.clone()),
        agents: AgentQueries::new(database.clone()),
        tags: TagQueries::new(database.clone()),
        authenticator,
        tickets,
        clock: Arc::clone(clock),
        epoch: log.head().await?.epoch,
    }))
}
