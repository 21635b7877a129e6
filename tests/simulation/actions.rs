//! What people do and what befalls the processes.

use domain::agent::AgentStatus;
use domain::routing::RoutingStrategy;
use harness::Rng;

pub const AGENTS: usize = 5;
pub const GROUPS: usize = 3;
pub const VISITORS: usize = 9;

const STATUSES: [AgentStatus; 5] =
    [AgentStatus::Online, AgentStatus::Online, AgentStatus::Online, AgentStatus::Away, AgentStatus::Offline];
const STRATEGIES: [RoutingStrategy; 3] =
    [RoutingStrategy::LeastLoaded, RoutingStrategy::RoundRobin, RoutingStrategy::Sticky];

/// Chats are counted among those that could be meant, when it happens.
#[derive(Clone, Copy, Debug)]
pub enum Action {
    Begin { visitor: usize, group: usize },
    Say { chat: usize, by_agent: bool },
    Close { chat: usize, by_agent: bool },
    Reopen { chat: usize },
    Status { agent: usize, status: AgentStatus },
    Accept { agent: usize, accepting: bool },
    Limit { agent: usize, chats: i64 },
    DeleteAgent { agent: usize, deleted: bool },
    Join { group: usize, agent: usize },
    Leave { group: usize, agent: usize },
    Strategy { group: usize, strategy: RoutingStrategy },
    DeleteGroup { group: usize, deleted: bool },
    MakeDefault { group: usize },
    Take { chat: usize, agent: usize },
    Give { chat: usize, agent: usize },
    Hand { chat: usize, agent: usize },
    Transfer { chat: usize, group: usize },
    Crash { node: usize },
    Usurp,
    Storm { millis: u64 },
    Deaf { millis: u64 },
    Slow { millis: u64 },
}

/// An action, how long after the one before, and whether its command comes twice.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    pub millis: u64,
    pub twice: bool,
    pub action: Action,
}

/// The steps of a seed.
pub fn plan(seed: u64) -> Vec<Step> {
    let mut rng = Rng::new(seed, 1);
    let count = 25 + rng.below(40);
    (0..count)
        .map(|_| {
            // Mostly in quick succession, sometimes with time to come to rest.
            let millis = if rng.percent(85) { rng.below(60) } else { rng.below(2_500) } as u64;
            Step { millis, twice: rng.percent(12), action: action(&mut rng) }
        })
        .collect()
}

fn action(rng: &mut Rng) -> Action {
    let (agent, group, chat) = (rng.below(AGENTS), rng.below(GROUPS), rng.below(64));
    let by_agent = rng.percent(50);
    match rng.below(100) {
        0..28 => Action::Begin { visitor: rng.below(VISITORS), group },
        28..32 => Action::Say { chat, by_agent },
        32..44 => Action::Close { chat, by_agent },
        44..48 => Action::Reopen { chat },
        48..60 => Action::Status { agent, status: STATUSES[rng.below(STATUSES.len())] },
        60..63 => Action::Accept { agent, accepting: by_agent },
        63..66 => Action::Limit { agent, chats: 1 + rng.below(3) as i64 },
        66..69 => Action::DeleteAgent { agent, deleted: by_agent },
        69..72 => Action::Join { group, agent },
        72..75 => Action::Leave { group, agent },
        75..76 => Action::Strategy { group, strategy: STRATEGIES[rng.below(STRATEGIES.len())] },
        76..79 => Action::DeleteGroup { group, deleted: by_agent },
        79..80 => Action::MakeDefault { group },
        80..83 => Action::Take { chat, agent },
        83..86 => Action::Give { chat, agent },
        86..88 => Action::Hand { chat, agent },
        88..91 => Action::Transfer { chat, group },
        91..93 => Action::Crash { node: rng.below(2) },
        93..95 => Action::Usurp,
        95..97 => Action::Storm { millis: rng.below(3_000) as u64 },
        97..99 => Action::Deaf { millis: rng.below(4_000) as u64 },
        _ => Action::Slow { millis: rng.below(4_000) as u64 },
    }
}
