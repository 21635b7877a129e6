//! A year of chats, step by step in the order in which everything happens.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use application::agents::SetStatus;
use application::chat::{AssignAgent, ChatReceipt, Chooser, CloseChat, SendMessage, StartChat, TagChat};
use application::command_bus::CommandBus;
use application::ports::Principal;
use domain::agent::{AgentStatus, Role};
use domain::ids::{AgentId, VisitorId};
use domain::routing::{Candidate, RoutingDecision, RoutingStrategy, Verdict};
use domain::time::Timestamp;
use domain::visitor::VisitorDetails;

use super::company::{Company, LIMIT, carry_out};
use super::dice::{Dice, zipf};
use super::pipeline::Calendar;
use super::texts::{self, RARE, RARE_CHATS, TALKER, Texts};

const YEAR: Duration = Duration::from_secs(365 * 86_400);

/// The part of the year that is over when the agents of one group go away for good.
const DESERTED: f64 = 0.75;

/// From here on some chats stay open, until their agents have this many places left.
const LEFT_OPEN: f64 = 0.7;
const FREE_PLACES: usize = 2;

/// How much the visitor says whose chat never ends.
const LONG_TALK: usize = 3_000;

/// How many of those who were there last may come again: what is known of them is still in memory.
const REGULARS: usize = 1_000;

/// What happens to a chat next.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Start,
    Assign,
    Talk,
    Tag,
    Close,
}

struct Chat {
    visitor_id: VisitorId,
    details: VisitorDetails,
    team: usize,
    /// The place of their agent in the list of workers.
    worker: Option<usize>,
    receipt: Option<ChatReceipt>,
    messages_left: usize,
    also: Option<&'static str>,
}

pub struct Year<'a> {
    bus: &'a CommandBus,
    calendar: &'a Calendar,
    company: Company,
    dice: Dice,
    texts: Texts,
    team_weights: Vec<f64>,
    tag_weights: Vec<f64>,
    begin: Timestamp,
    total: usize,
    chats: Vec<Chat>,
    agenda: BinaryHeap<Reverse<(Timestamp, usize, Step)>>,
    regulars: Vec<(VisitorId, VisitorDetails)>,
    deserted: bool,
    messages: usize,
}

impl<'a> Year<'a> {
    pub fn new(bus: &'a CommandBus, calendar: &'a Calendar, company: Company, total: usize) -> Self {
        let mut dice = Dice::new(total as u64);
        let texts = Texts::new(&mut dice);
        let (team_weights, tag_weights) = (zipf(company.teams.len()), zipf(company.tags.len()));
        let begin = bus.now();
        Self {
            bus,
            calendar,
            company,
            dice,
            texts,
            team_weights,
            tag_weights,
            begin,
            total,
            chats: Vec::with_capacity(total),
            agenda: BinaryHeap::new(),
            regulars: vec![],
            deserted: false,
            messages: 0,
        }
    }

    /// Lets it pass; gives the number of messages.
    pub async fn pass(mut self) -> usize {
        let mut starts = self.starts();
        starts.sort_unstable();
        for (number, at) in starts.into_iter().enumerate() {
            self.agenda.push(Reverse((at, number, Step::Start)));
        }
        let mut said = std::time::Instant::now();
        while let Some(Reverse((at, number, step))) = self.agenda.pop() {
            self.calendar.set(at);
            self.desert(at).await;
            self.take(number, step).await;
            if said.elapsed() > Duration::from_secs(10) {
                said = std::time::Instant::now();
                eprintln!("  {} of {} conversations, {} messages", self.chats.len(), self.total, self.messages);
            }
        }
        self.go_home().await;
        self.messages
    }

    /// More by day than by night, and few on Sundays.
    fn starts(&mut self) -> Vec<Timestamp> {
        let hours: Vec<f64> = (0..24).map(|hour| if (8..20).contains(&hour) { 6.0 } else { 1.0 }).collect();
        let hours: Vec<f64> = hours
            .iter()
            .scan(0.0, |sum, weight| {
                *sum += weight;
                Some(*sum)
            })
            .collect();
        let days = YEAR.as_secs() / 86_400;
        let mut starts = Vec::with_capacity(self.total);
        while starts.len() < self.total {
            let day = self.dice.between(0, days - 1);
            if day % 7 == 6 && self.dice.chance(0.7) {
                continue;
            }
            let micros = (day * 24 + self.dice.place(&hours) as u64) * 3_600_000_000;
            starts.push(self.begin.plus(Duration::from_micros(micros + self.dice.between(0, 3_599_999_999))));
        }
        starts
    }

    async fn take(&mut self, number: usize, step: Step) {
        match step {
            Step::Start => self.start(number).await,
            Step::Assign => self.assign(number).await,
            Step::Talk => self.talk(number).await,
            Step::Tag => self.tag(number).await,
            Step::Close => self.close(number).await,
        }
    }

    async fn start(&mut self, number: usize) {
        let mut chat = self.somebody(number);
        let start = StartChat {
            visitor_id: chat.visitor_id,
            details: chat.details.clone(),
            group_id: (chat.team > 0).then(|| self.company.teams[chat.team].id),
            text: self.texts.message(&mut self.dice, chat.also),
            client_event_id: None,
            metadata: None,
        };
        let actor = Principal::Visitor { id: chat.visitor_id }.actor();
        chat.receipt = Some(carry_out(self.bus, &actor, start).await);
        self.chats.push(chat);
        self.messages += 1;
        self.after(10, 180, number, Step::Assign);
    }

    fn somebody(&mut self, number: usize) -> Chat {
        let returns = !self.regulars.is_empty() && self.dice.chance(0.25);
        let (visitor_id, details) = if returns {
            let place = self.dice.below(self.regulars.len());
            self.regulars.remove(place)
        } else {
            (VisitorId::new(self.bus.new_uuid()), texts::visitor(&mut self.dice))
        };
        let is_talker = number == self.total / 10;
        let is_rare = number % (self.total / RARE_CHATS) == 1;
        let messages = self.dice.between(2, 16) as usize;
        Chat {
            visitor_id,
            details: if is_talker { VisitorDetails { name: Some(texts::name(TALKER)), ..details } } else { details },
            team: self.dice.place(&self.team_weights),
            worker: None,
            receipt: None,
            messages_left: if is_talker { LONG_TALK } else { messages },
            also: is_rare.then_some(RARE),
        }
    }

    fn after(&mut self, least: u64, most: u64, number: usize, step: Step) {
        let seconds = self.dice.between(least, most);
        let at = self.bus.now().plus(Duration::from_secs(seconds));
        self.agenda.push(Reverse((at, number, step)));
    }

    /// The router chooses, or an agent takes the chat. Without an agent the chat waits.
    async fn assign(&mut self, number: usize) {
        let chat = &self.chats[number];
        let team = &self.company.teams[chat.team];
        let is_deserted = |worker: usize| self.deserted && self.last_team().contains(&worker);
        let free = |worker: &&usize| self.company.workers[**worker].slots < LIMIT && !is_deserted(**worker);
        let free: Vec<_> = team.members.iter().filter(free).copied().collect();
        if free.is_empty() {
            return;
        }
        let weights = free.iter().scan(0.0, |sum, worker| {
            *sum += self.company.workers[*worker].weight as f64;
            Some(*sum)
        });
        let weights: Vec<_> = weights.collect();
        let chosen = free[self.dice.place(&weights)];
        let agent_id = self.company.workers[chosen].id;
        let (chooser, actor) = if self.dice.chance(0.8) {
            let decision = self.decision(chosen, &self.company.teams[self.chats[number].team].members);
            (Chooser::Router { group_id: team.id, decision }, "system:router".to_owned())
        } else {
            let principal = Principal::Agent { id: agent_id, role: Role::Agent };
            (Chooser::Person { principal, reason: None }, principal.actor())
        };
        let receipt = self.chats[number].receipt.expect("it has begun");
        let assign = AssignAgent { conversation_id: receipt.conversation_id, agent_id, chooser };
        carry_out(self.bus, &actor, assign).await;
        self.company.workers[chosen].slots += 1;
        self.chats[number].worker = Some(chosen);
        self.after(5, 90, number, Step::Talk);
        if self.dice.chance(0.35) {
            self.after(60, 200, number, Step::Tag);
        }
    }

    fn last_team(&self) -> &[usize] {
        self.company.teams.last().map_or(&[], |team| &team.members)
    }

    fn decision(&self, chosen: usize, members: &[usize]) -> RoutingDecision {
        let candidate = |worker: usize| {
            let found = &self.company.workers[worker];
            let verdict = match found.slots {
                _ if worker == chosen => Verdict::Chosen,
                LIMIT.. => Verdict::AtLimit,
                _ => Verdict::NotPreferred,
            };
            Candidate { agent_id: found.id, verdict, active_chats: found.slots, chat_limit: LIMIT, gave_back: false }
        };
        let others = members.iter().filter(|worker| **worker != chosen).copied();
        let listed = std::iter::once(chosen).chain(others).take(RoutingDecision::MAX_CANDIDATES);
        let candidates: Vec<_> = listed.map(candidate).collect();
        let omitted_candidates = members.len().saturating_sub(candidates.len());
        RoutingDecision { strategy: RoutingStrategy::LeastLoaded, candidates, omitted_candidates, attempt: 1 }
    }

    async fn talk(&mut self, number: usize) {
        let chat = &mut self.chats[number];
        let receipt = chat.receipt.expect("it has begun");
        let agent = chat.worker.map(|worker| self.company.workers[worker].id);
        let visitor = Principal::Visitor { id: chat.visitor_id };
        let principal = agent.filter(|_| self.dice.chance(0.5)).map_or(visitor, of_agent);
        let send = SendMessage {
            principal,
            conversation_id: receipt.conversation_id,
            thread_id: Some(receipt.thread_id),
            text: self.texts.message(&mut self.dice, None),
            client_event_id: None,
            metadata: None,
        };
        carry_out(self.bus, &principal.actor(), send).await;
        self.messages += 1;
        chat.messages_left -= 1;
        let goes_on = chat.messages_left > 0;
        if goes_on {
            self.after(5, 120, number, Step::Talk);
        } else if !self.stays_open(number) {
            self.after(200, 900, number, Step::Close);
        }
    }

    fn stays_open(&mut self, number: usize) -> bool {
        let Some(worker) = self.chats[number].worker else { return true };
        let is_late = number as f64 > self.total as f64 * LEFT_OPEN;
        let is_talker = self.chats[number].details.name.as_ref().is_some_and(|name| name.as_str() == TALKER);
        is_talker || (is_late && self.company.workers[worker].slots + FREE_PLACES < LIMIT && self.dice.chance(0.15))
    }

    async fn tag(&mut self, number: usize) {
        let chat = &self.chats[number];
        let (Some(receipt), Some(worker)) = (chat.receipt, chat.worker) else { return };
        let principal = of_agent(self.company.workers[worker].id);
        let tag_id = self.company.tags[self.dice.place(&self.tag_weights)];
        let tag = TagChat { principal, conversation_id: receipt.conversation_id, tag_id, on: true };
        carry_out(self.bus, &principal.actor(), tag).await;
    }

    async fn close(&mut self, number: usize) {
        let chat = &self.chats[number];
        let (Some(receipt), Some(worker)) = (chat.receipt, chat.worker) else { return };
        let agent = of_agent(self.company.workers[worker].id);
        let principal = if self.dice.chance(0.7) { agent } else { Principal::Visitor { id: chat.visitor_id } };
        let conversation_id = receipt.conversation_id;
        let close = CloseChat { principal, conversation_id, reason: texts::name("solved"), notes: None };
        carry_out(self.bus, &principal.actor(), close).await;
        self.company.workers[worker].slots -= 1;
        self.regulars.push((chat.visitor_id, chat.details.clone()));
        if self.regulars.len() > REGULARS {
            self.regulars.remove(0);
        }
    }

    async fn desert(&mut self, now: Timestamp) {
        if !self.deserted && now.since(self.begin) > YEAR.mul_f64(DESERTED) {
            self.deserted = true;
            for worker in self.last_team().to_vec() {
                self.leave(worker).await;
            }
        }
    }

    /// Nobody takes new chats any more, so that those that wait go on waiting while they are listed.
    async fn go_home(&mut self) {
        let away = self.last_team().to_vec();
        for worker in 0..self.company.workers.len() {
            if !away.contains(&worker) {
                self.leave(worker).await;
            }
        }
    }

    async fn leave(&self, worker: usize) {
        let agent_id = self.company.workers[worker].id;
        let set = SetStatus {
            principal: of_agent(agent_id),
            agent_id,
            status: AgentStatus::Away,
            accepting_chats: None,
            known_version: None,
        };
        carry_out(self.bus, &of_agent(agent_id).actor(), set).await;
    }
}

const fn of_agent(id: AgentId) -> Principal {
    Principal::Agent { id, role: Role::Agent }
}
