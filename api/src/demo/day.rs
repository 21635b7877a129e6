//! The chats of the day.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use application::UseCaseError;
use application::agents::SetStatus;
use application::chat::{CloseChat, SendMessage, StartChat, TagChat};
use application::ports::{Clock as _, Principal};
use domain::agent::AgentStatus;
use domain::conversation::Conversation;
use domain::ids::{ConversationId, VisitorId};
use domain::text::{EmailAddress, MessageText, Name};
use domain::time::Timestamp;
use domain::visitor::VisitorDetails;

use super::team::Team;
use super::texts::{Author, DIALOGUES, Dialogue, FIRST_NAMES, LAST_NAMES, THINGS};
use super::{CHATS, DemoClock, DemoError, execute, hours};
use crate::service::ReadModel;
use crate::wiring::Internals;

/// The percentage of chats that begin in each hour from 8 to 18 o'clock: busy before noon, quiet at lunch.
const SHARES: [usize; 10] = [7, 11, 15, 14, 7, 9, 13, 11, 8, 5];

/// The chats that are still open when the demonstration ends: the last ones.
const OPEN_AT_THE_END: usize = 12;

/// The longest time that the router may take for the latest events.
const ROUTED_WITHIN: Duration = Duration::from_millis(500);

/// The number of chats and messages that were created.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Closed chats.
    pub closed: usize,
    /// Active and waiting chats.
    pub open: usize,
    /// Messages of visitors and agents.
    pub messages: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Comes(usize),
    Goes(usize),
    Begins(usize),
    Speaks { chat: usize, line: usize },
    Ends(usize),
}

struct Chat {
    dialogue: &'static Dialogue,
    visitor_id: VisitorId,
    details: VisitorDetails,
    thing: &'static str,
    order: u32,
    conversation_id: Option<ConversationId>,
}

struct Day<'a> {
    app: &'a Internals,
    clock: &'a DemoClock,
    team: &'a Team,
    chats: Vec<Chat>,
    /// The coming steps, the earliest first.
    plan: BinaryHeap<Reverse<(Timestamp, Step)>>,
    summary: Summary,
}

/// Plays the day as fast as the program can.
///
/// # Errors
/// See [`DemoError`].
pub async fn live(app: &Internals, clock: &DemoClock, team: &Team) -> Result<Summary, DemoError> {
    // The clock shows the beginning of the day.
    let midnight = Timestamp::of_day(clock.now().day());
    let mut day = Day { app, clock, team, chats: vec![], plan: BinaryHeap::new(), summary: Summary::default() };
    for (number, member) in team.members.iter().enumerate() {
        day.at(midnight.plus(hours(member.hours.0)), Step::Comes(number));
        day.at(midnight.plus(hours(member.hours.1)), Step::Goes(number));
    }
    for number in 0..CHATS {
        let chat = day.chat(number)?;
        day.chats.push(chat);
        day.at(midnight.plus(day.arrival(number)), Step::Begins(number));
    }
    while let Some(Reverse((time, step))) = day.plan.pop() {
        day.clock.set(time);
        day.take(step).await?;
        day.let_the_router_follow().await?;
    }
    day.summary.open = CHATS - day.summary.closed;
    Ok(day.summary)
}

impl Day<'_> {
    fn at(&mut self, time: Timestamp, step: Step) {
        self.plan.push(Reverse((time, step)));
    }

    fn after(&mut self, seconds: std::ops::Range<u32>, step: Step) {
        let time = self.app.clock.now().plus(Duration::from_secs(self.pick(seconds).into()));
        self.at(time, step);
    }

    fn pick(&self, range: std::ops::Range<u32>) -> u32 {
        let span = f64::from(range.end - range.start);
        // Truncation makes every number of the range equally likely.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 <= fraction < 1")]
        let offset = (self.app.ids.fraction() * span) as u32;
        range.start + offset
    }

    fn one_of<T: Copy>(&self, all: &[T]) -> T {
        all[self.pick(0..u32::try_from(all.len()).unwrap_or(u32::MAX)) as usize]
    }

    /// The time of the day at which a chat begins.
    fn arrival(&self, number: usize) -> Duration {
        let mut before = 0;
        for (hour, share) in (8..).zip(SHARES) {
            let in_this_hour = CHATS * share / 100;
            if number < before + in_this_hour || hour == 17 {
                return hours(hour) + Duration::from_secs(self.pick(0..3_600).into());
            }
            before += in_this_hour;
        }
        hours(17)
    }

    fn dialogue(&self, number: usize) -> &'static Dialogue {
        if let Some(open) = (number + OPEN_AT_THE_END).checked_sub(CHATS) {
            // One of each, so that every group has an open chat in the evening.
            return &DIALOGUES[open % DIALOGUES.len()];
        }
        let total = DIALOGUES.iter().map(|dialogue| dialogue.weight).sum();
        let mut place = self.pick(0..total);
        let mut dialogue = &DIALOGUES[0];
        for candidate in &DIALOGUES {
            dialogue = candidate;
            if place < candidate.weight {
                break;
            }
            place -= candidate.weight;
        }
        dialogue
    }

    fn chat(&self, number: usize) -> Result<Chat, DemoError> {
        let dialogue = self.dialogue(number);
        let (first, last) = (self.one_of(&FIRST_NAMES), self.one_of(&LAST_NAMES));
        let order = self.pick(10_000..99_999);
        let email = format!("visitor{order}@mail.example");
        Ok(Chat {
            dialogue,
            visitor_id: VisitorId::new(self.app.ids.new_uuid()),
            details: VisitorDetails {
                name: Some(Name::parse(&format!("{first} {last}"))?),
                email: Some(EmailAddress::parse(&email)?),
                phone: None,
            },
            thing: self.one_of(&THINGS),
            order,
            conversation_id: None,
        })
    }

    async fn take(&mut self, step: Step) -> Result<(), DemoError> {
        match step {
            Step::Comes(number) => self.set_status(number, AgentStatus::Online).await,
            Step::Goes(number) => self.go(number).await,
            Step::Begins(chat) => self.begin(chat).await,
            Step::Speaks { chat, line } => self.speak(chat, line).await,
            Step::Ends(chat) => self.end(chat).await,
        }
    }

    async fn set_status(&self, number: usize, status: AgentStatus) -> Result<(), DemoError> {
        let member = &self.team.members[number];
        let set = SetStatus {
            principal: member.principal,
            agent_id: member.id,
            status,
            accepting_chats: None,
            known_version: None,
        };
        execute(self.app, member.principal, set).await?;
        Ok(())
    }

    /// Agents who work until the evening stay online, so that the open chats have an agent.
    async fn go(&self, number: usize) -> Result<(), DemoError> {
        let works_late = self.team.members[number].hours.1 == 18;
        let status = if works_late { AgentStatus::Online } else { AgentStatus::Offline };
        self.set_status(number, status).await
    }

    fn says(&self, chat: usize, line: usize) -> Result<MessageText, DemoError> {
        let Chat { dialogue, thing, order, .. } = &self.chats[chat];
        let text = dialogue.lines[line].1.replace("{thing}", thing).replace("{order}", &format!("#{order}"));
        let mut letters = text.chars();
        let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
        Ok(MessageText::parse(&format!("{first}{}", letters.as_str()))?)
    }

    async fn begin(&mut self, chat: usize) -> Result<(), DemoError> {
        let text = self.says(chat, 0)?;
        let Chat { dialogue, visitor_id, details, .. } = &self.chats[chat];
        let (visitor_id, group_id) = (*visitor_id, Some(self.team.groups[dialogue.group]));
        let start =
            StartChat { visitor_id, details: details.clone(), group_id, text, client_event_id: None, metadata: None };
        let begun = execute(self.app, Principal::Visitor { id: visitor_id }, start).await?;
        self.chats[chat].conversation_id = Some(begun.conversation_id);
        self.summary.messages += 1;
        self.after(15..60, Step::Speaks { chat, line: 1 });
        Ok(())
    }

    /// Sends a line, or postpones it until the chat has an agent.
    async fn speak(&mut self, chat: usize, line: usize) -> Result<(), DemoError> {
        let Chat { dialogue, visitor_id, conversation_id, .. } = &self.chats[chat];
        let Some(conversation_id) = *conversation_id else { return Ok(()) };
        let Some(agent) = self.agent_of(conversation_id).await? else {
            // The chats that still wait in the evening stay as they are.
            if self.plan.iter().any(|Reverse((_, step))| !matches!(step, Step::Speaks { .. })) {
                self.after(40..90, Step::Speaks { chat, line });
            }
            return Ok(());
        };
        let lines = dialogue.lines;
        let principal = match lines[line].0 {
            Author::Visitor => Principal::Visitor { id: *visitor_id },
            Author::Agent => agent,
        };
        let text = self.says(chat, line)?;
        let send =
            SendMessage { principal, conversation_id, thread_id: None, text, client_event_id: None, metadata: None };
        execute(self.app, principal, send).await?;
        self.summary.messages += 1;
        if chat + OPEN_AT_THE_END >= CHATS && line + 2 >= lines.len() {
            return Ok(());
        }
        if line + 1 < lines.len() {
            self.after(20..150, Step::Speaks { chat, line: line + 1 });
        } else {
            self.after(20..90, Step::Ends(chat));
        }
        Ok(())
    }

    async fn end(&mut self, chat: usize) -> Result<(), DemoError> {
        let Chat { dialogue, conversation_id, .. } = &self.chats[chat];
        let Some(conversation_id) = *conversation_id else { return Ok(()) };
        let Some(principal) = self.agent_of(conversation_id).await? else {
            self.after(40..90, Step::Ends(chat));
            return Ok(());
        };
        let tag = TagChat { principal, conversation_id, tag_id: self.team.tags[dialogue.tag], on: true };
        execute(self.app, principal, tag).await?;
        let reason = Name::parse(dialogue.reason)?;
        execute(self.app, principal, CloseChat { principal, conversation_id, reason, notes: None }).await?;
        self.summary.closed += 1;
        Ok(())
    }

    async fn agent_of(&self, conversation_id: ConversationId) -> Result<Option<Principal>, UseCaseError> {
        let conversation = self.app.bus.read::<Conversation>(conversation_id).await?;
        Ok(conversation.agent_id.and_then(|id| self.team.member(id)).map(|member| member.principal))
    }

    /// The clock must not run ahead of the router, or chats would seem to wait for hours.
    async fn let_the_router_follow(&self) -> Result<(), DemoError> {
        let mut position = self.app.log.head().await.map_err(UseCaseError::from)?.position;
        loop {
            self.app.views.wait_for(&[ReadModel::Queue], position, ROUTED_WITHIN).await;
            self.app.clock.sleep(Duration::from_millis(3)).await;
            let now = self.app.log.head().await.map_err(UseCaseError::from)?.position;
            if now == position {
                return Ok(());
            }
            position = now;
        }
    }
}
