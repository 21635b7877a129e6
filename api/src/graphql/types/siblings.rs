use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use async_graphql::{Error, ID};
use tokio::sync::Mutex;

use super::{ThreadEvent, shown};
use crate::graphql::errors::error_of;
use crate::graphql::scope::Scope;
use crate::service::Action;
use crate::service::reading::{NamedConversation, ShownThread};

type Events = Arc<BTreeMap<String, Vec<ThreadEvent>>>;

/// The conversations of one page: what one of them asks for is read for all, by one statement.
#[derive(Debug, Default)]
pub(in crate::graphql) struct Siblings {
    threads: Vec<ShownThread>,
    events: Mutex<HashMap<u32, Events>>,
}

impl Siblings {
    /// The siblings of a page.
    pub(in crate::graphql) fn of<'a>(page: impl IntoIterator<Item = &'a NamedConversation>) -> Arc<Self> {
        let threads = page.into_iter().filter_map(NamedConversation::last_thread).collect();
        Arc::new(Self { threads, events: Mutex::default() })
    }

    /// The last events of a thread of the page.
    pub(super) async fn last_events(&self, scope: &Scope, thread: &ID, last: u32) -> Result<Vec<ThreadEvent>, Error> {
        // Held while reading: the siblings wait for the first one, and find what it has read.
        let mut events = self.events.lock().await;
        let of_page = match events.get(&last) {
            Some(known) => Arc::clone(known),
            None => {
                let read = self.read(scope, last).await?;
                events.insert(last, Arc::clone(&read));
                read
            }
        };
        Ok(of_page.get(thread.as_str()).cloned().unwrap_or_default())
    }

    async fn read(&self, scope: &Scope, last: u32) -> Result<Events, Error> {
        let caller = scope.caller_of(Action::ReadEvents).map_err(|refusal| error_of(&refusal))?;
        let threads = (self.threads.as_slice(), last);
        let read = scope.services.conversations.last_events(&caller, threads, scope.at_least).await;
        let read = read.map_err(|refusal| error_of(&refusal))?;
        let shown = read.into_iter().map(|(thread, events)| Ok((thread.to_string(), shown(&events)?)));
        Ok(Arc::new(shown.collect::<Result<_, Error>>()?))
    }
}
