//! The steps that may follow one another in any order.

use domain::agent::{AgentCommand, AgentStatus, ChatLimit};
use domain::conversation::ConversationStatus;
use domain::group::GroupCommand;
use domain::ids::ConversationId;
use proptest::prelude::{Just, Strategy, any};
use proptest::prop_oneof;
use proptest::sample::select;
use std::collections::BTreeSet;
use std::time::Duration;

use super::{AGENTS, GROUPS, Refusal, STRATEGIES, VISITORS, World, agent_id};

/// Numbers choose among what there is.
#[derive(Clone, Debug)]
pub enum Step {
    Start {
        visitor: usize,
        group: usize,
    },
    Assign {
        chat: usize,
        agent: usize,
        over_limit: bool,
    },
    Close {
        chat: usize,
        by_agent: bool,
    },
    Reopen {
        chat: usize,
    },
    ComeBack {
        chat: usize,
    },
    Transfer {
        chat: usize,
        group: usize,
    },
    Say {
        chat: usize,
        thread: usize,
        by_agent: bool,
    },
    SetStatus {
        agent: usize,
        status: AgentStatus,
    },
    Accept {
        agent: usize,
        accepting_chats: bool,
    },
    Limit {
        agent: usize,
        chats: i64,
    },
    DeleteAgent {
        agent: usize,
    },
    RestoreAgent {
        agent: usize,
    },
    Join {
        group: usize,
        agent: usize,
    },
    Leave {
        group: usize,
        agent: usize,
    },
    ChangeStrategy {
        group: usize,
        strategy: usize,
    },
    DeleteGroup {
        group: usize,
    },
    RestoreGroup {
        group: usize,
    },
    Read {
        most: usize,
    },
    Propose,
    /// Reads everything and proposes.
    Decide,
    CarryOut {
        errand: usize,
    },
    Lose {
        errand: usize,
    },
    Pass {
        seconds: u64,
    },
    Restart,
    /// The router comes to rest: from there on only a new event wakes it.
    Settle,
}

/// A world with agents and groups, and no chats yet.
pub fn beginning() -> impl Strategy<Value = World> {
    let limits = [1..=2i64, 1..=2, 1..=2, 1..=2];
    (limits, [0..16u8, 0..16, 0..16], any::<bool>())
        .prop_map(|(limits, members, agents_first)| World::new(limits, members).with_agents_first(agents_first))
}

/// What people do.
pub fn peoples_steps() -> impl Strategy<Value = Step> {
    let (agent, group, chat) = (0..AGENTS, 0..GROUPS, 0..16usize);
    let people = prop_oneof![
        6 => (0..VISITORS, group.clone()).prop_map(|(visitor, group)| Step::Start { visitor, group }),
        2 => (chat.clone(), agent.clone(), any::<bool>())
            .prop_map(|(chat, agent, over_limit)| Step::Assign { chat, agent, over_limit }),
        3 => (chat.clone(), any::<bool>()).prop_map(|(chat, by_agent)| Step::Close { chat, by_agent }),
        1 => chat.clone().prop_map(|chat| Step::Reopen { chat }),
        1 => chat.clone().prop_map(|chat| Step::ComeBack { chat }),
        1 => (chat.clone(), group.clone()).prop_map(|(chat, group)| Step::Transfer { chat, group }),
        1 => (chat, 0..3usize, any::<bool>())
            .prop_map(|(chat, thread, by_agent)| Step::Say { chat, thread, by_agent }),
    ];
    let status = select(vec![AgentStatus::Online, AgentStatus::Online, AgentStatus::Away, AgentStatus::Offline]);
    let staff = prop_oneof![
        4 => (agent.clone(), status).prop_map(|(agent, status)| Step::SetStatus { agent, status }),
        2 => (agent.clone(), any::<bool>())
            .prop_map(|(agent, accepting_chats)| Step::Accept { agent, accepting_chats }),
        2 => (agent.clone(), 1..=4i64).prop_map(|(agent, chats)| Step::Limit { agent, chats }),
        1 => agent.clone().prop_map(|agent| Step::DeleteAgent { agent }),
        1 => agent.clone().prop_map(|agent| Step::RestoreAgent { agent }),
        2 => (group.clone(), agent.clone()).prop_map(|(group, agent)| Step::Join { group, agent }),
        1 => (group.clone(), agent).prop_map(|(group, agent)| Step::Leave { group, agent }),
        1 => (group.clone(), 0..STRATEGIES.len())
            .prop_map(|(group, strategy)| Step::ChangeStrategy { group, strategy }),
        1 => group.clone().prop_map(|group| Step::DeleteGroup { group }),
        1 => group.prop_map(|group| Step::RestoreGroup { group }),
    ];
    prop_oneof![2 => people, 1 => staff]
}

/// What people do, and what happens to the router meanwhile.
pub fn steps() -> impl Strategy<Value = Step> {
    let router = prop_oneof![
        2 => (1..8usize).prop_map(|most| Step::Read { most }),
        2 => Just(Step::Propose),
        5 => Just(Step::Decide),
        4 => (0..8usize).prop_map(|errand| Step::CarryOut { errand }),
        1 => (0..8usize).prop_map(|errand| Step::Lose { errand }),
        1 => (1..5u64).prop_map(|seconds| Step::Pass { seconds }),
        1 => Just(Step::Restart),
        2 => Just(Step::Settle),
    ];
    prop_oneof![6 => peoples_steps(), 5 => router]
}

impl World {
    /// Does it, or is refused: both are fine.
    pub fn perform(&mut self, step: Step) {
        let at = self.now;
        let open = |status| status != ConversationStatus::Closed;
        let _ = match step {
            Step::Start { visitor, group } => self.start(visitor, group),
            Step::Assign { chat, agent, over_limit } => {
                self.with_chat(chat, open, |world, id| world.assign_manually(id, agent, over_limit))
            }
            Step::Close { chat, by_agent } => self.with_chat(chat, open, |world, id| world.close(id, by_agent)),
            Step::Reopen { chat } => self.with_chat(chat, |status| !open(status), Self::reopen),
            Step::ComeBack { chat } => self.with_chat(chat, |_| true, Self::come_back),
            Step::Transfer { chat, group } => self.with_chat(chat, open, |world, id| world.transfer(id, group)),
            Step::Say { chat, thread, by_agent } => {
                self.with_chat(chat, |_| true, |world, id| world.say(id, thread, by_agent))
            }
            Step::SetStatus { agent, status } => self.set_status(agent, status),
            Step::Accept { agent, accepting_chats } => {
                self.tell_agent(agent, AgentCommand::SetAcceptingChats { accepting_chats, at })
            }
            Step::Limit { agent, chats } => {
                let chat_limit = ChatLimit::new(chats).expect("within 1 to 20");
                self.tell_agent(agent, AgentCommand::ChangeLimit { chat_limit, at })
            }
            Step::DeleteAgent { agent } => self.delete_agent(agent),
            Step::RestoreAgent { agent } => self.tell_agent(agent, AgentCommand::Restore { at }),
            Step::Join { group, agent } => {
                self.tell_group(group, GroupCommand::AddAgents { agent_ids: BTreeSet::from([agent_id(agent)]), at })
            }
            Step::Leave { group, agent } => self.leave_group(group, agent),
            Step::ChangeStrategy { group, strategy } => {
                self.tell_group(group, GroupCommand::ChangeStrategy { strategy: STRATEGIES[strategy], at })
            }
            Step::DeleteGroup { group } => self.tell_group(group, GroupCommand::Delete { at }),
            Step::RestoreGroup { group } => self.tell_group(group, GroupCommand::Restore { at }),
            Step::Read { most } => {
                self.read(most);
                Ok(())
            }
            Step::Propose => {
                self.propose();
                Ok(())
            }
            Step::Decide => {
                self.read(usize::MAX);
                self.propose();
                Ok(())
            }
            Step::CarryOut { errand } => {
                self.carry_out(errand);
                Ok(())
            }
            Step::Lose { errand } => {
                self.lose(errand);
                Ok(())
            }
            Step::Pass { seconds } => {
                self.now = self.now.plus(Duration::from_secs(seconds));
                Ok(())
            }
            Step::Restart => {
                self.restart();
                Ok(())
            }
            Step::Settle => {
                self.settle();
                self.nobody_waits_in_vain();
                Ok(())
            }
        };
    }
    /// Mostly with a chat that stands so, sometimes with any: refusals belong to life too.
    fn with_chat(
        &mut self,
        index: usize,
        wanted: impl Fn(ConversationStatus) -> bool,
        use_case: impl FnOnce(&mut Self, ConversationId) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let any = index % 8 == 7;
        let chats = self.streams.conversations.iter().filter(|(_, chat)| any || wanted(chat.status));
        let chats: Vec<_> = chats.map(|(id, _)| *id).collect();
        chats.get(index % chats.len().max(1)).copied().map_or(Ok(()), |id| use_case(self, id))
    }
}
