//! Where chats wait.

use super::queue::RoutingState;
use crate::ids::{ConversationId, GroupId};

impl RoutingState {
    /// The groups in whose queue a chat stands: its own while it waits, else none.
    pub fn queues_with(&self, id: ConversationId) -> impl Iterator<Item = GroupId> + '_ {
        let arrival = self.waiting(id).map(|chat| chat.arrival);
        let stands = move |queue: &std::collections::BTreeSet<(i64, ConversationId)>| match arrival {
            Some(arrival) => queue.contains(&(arrival, id)),
            None => queue.iter().any(|(_, queued)| *queued == id),
        };
        self.queues.iter().filter(move |(_, queue)| stands(queue)).map(|(group_id, _)| *group_id)
    }
}
