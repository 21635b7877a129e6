//! The names and dialogues of the demonstration.

/// The author of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// The person who asks.
    Visitor,
    /// The agent who serves the chat.
    Agent,
}

use Author::{Agent, Visitor};

/// A chat from its first message to its end.
pub struct Dialogue {
    /// The group that serves it.
    pub group: &'static str,
    /// The tag that the agent adds.
    pub tag: &'static str,
    /// Its share of the chats, relative to the other dialogues.
    pub weight: u32,
    /// The lines with their authors; `{thing}` stands for an article of the shop, `{order}` for an order number.
    pub lines: &'static [(Author, &'static str)],
    /// The reason for closing the chat.
    pub reason: &'static str,
}

/// The three groups: name, description and routing strategy.
pub const GROUPS: [(&str, &str, &str); 3] = [
    ("Sales", "Before somebody buys", "round_robin"),
    ("Support", "When something does not work", "least_loaded"),
    ("Orders", "Deliveries, bills and returns", "sticky"),
];

/// The group of chats whose visitors name no group.
pub const DEFAULT_GROUP: &str = "Support";

/// Name, group, whether they are a supervisor, chat limit, and working hours.
pub type Job = (&'static str, &'static str, bool, i64, (u64, u64));

/// The ten agents.
pub const TEAM: [Job; 10] = [
    ("Anna Berg", "Sales", true, 5, (8, 17)),
    ("Ben Okafor", "Sales", false, 4, (8, 16)),
    ("Carla Rossi", "Sales", false, 4, (10, 18)),
    ("Dmitri Petrov", "Support", true, 5, (8, 17)),
    ("Elif Kaya", "Support", false, 4, (8, 16)),
    ("Farid Haddad", "Support", false, 4, (9, 17)),
    ("Grace Lin", "Support", false, 3, (10, 18)),
    ("Hugo Martin", "Orders", false, 4, (8, 16)),
    ("Ines Costa", "Orders", false, 4, (9, 17)),
    ("Jonas Weber", "Orders", false, 3, (10, 18)),
];

/// The tags and their colours.
pub const TAGS: [(&str, &str); 6] = [
    ("question", "#2563EB"),
    ("bug", "#DC2626"),
    ("delivery", "#D97706"),
    ("refund", "#7C3AED"),
    ("praise", "#059669"),
    ("large order", "#0F766E"),
];

/// First names of visitors.
pub const FIRST_NAMES: [&str; 24] = [
    "Vera", "Oskar", "Mia", "Luca", "Zoé", "Amir", "Nadia", "Pavel", "Sofía", "Kenji", "Ruth", "Tomás", "Yara", "Erik",
    "Leila", "Marek", "Chloe", "Anton", "Priya", "Samuel", "Greta", "Idris", "Julia", "Noah",
];

/// Combined with the first names, in turn.
pub const LAST_NAMES: [&str; 16] = [
    "Novak", "Schmidt", "Dubois", "García", "Rossi", "Kowalski", "Tanaka", "Ali", "Jensen", "Moreau", "Silva", "Singh",
    "Brown", "Horváth", "Nguyen", "Keller",
];

/// What the shop sells.
pub const THINGS: [&str; 10] = [
    "the standing desk",
    "the desk lamp",
    "the noise-cancelling headset",
    "the oak shelf",
    "the office chair",
    "the monitor arm",
    "the cable tray",
    "the footrest",
    "the whiteboard",
    "the acoustic panel",
];

/// The chats.
pub const DIALOGUES: [Dialogue; 12] = [
    Dialogue {
        group: "Sales",
        tag: "question",
        weight: 4,
        lines: &[
            (Visitor, "Hello! Is {thing} in stock?"),
            (Agent, "Hello, thanks for asking. Yes, we have a few of {thing} here."),
            (Visitor, "Great. How long would delivery take?"),
            (Agent, "Two to three working days. If you order before noon it leaves our warehouse today."),
            (Visitor, "Perfect, I will order it then. Thank you!"),
        ],
        reason: "answered",
    },
    Dialogue {
        group: "Sales",
        tag: "large order",
        weight: 2,
        lines: &[
            (Visitor, "Good morning, we furnish a new office and need about 40 of {thing}. Is there a discount?"),
            (Agent, "Good morning! From 25 pieces on we take 12 % off, and delivery to the door is free."),
            (Visitor, "That sounds fair. Could you send me an offer in writing?"),
            (Agent, "Of course. It will be in your inbox within the hour."),
            (Visitor, "Wonderful, thanks."),
        ],
        reason: "offer sent",
    },
    Dialogue {
        group: "Sales",
        tag: "question",
        weight: 3,
        lines: &[
            (Visitor, "What is the difference between {thing} and the older model?"),
            (Agent, "The new one carries more and has a five-year warranty instead of two."),
            (Visitor, "Is the colour the same?"),
            (Agent, "Almost: the old one was a little darker. I can send you photos of both."),
            (Visitor, "No need, that helps already."),
        ],
        reason: "answered",
    },
    Dialogue {
        group: "Sales",
        tag: "question",
        weight: 1,
        lines: &[(Visitor, "Do you ship to Norway?"), (Agent, "We do. Customs are included in the price you see.")],
        reason: "visitor left",
    },
    Dialogue {
        group: "Support",
        tag: "bug",
        weight: 4,
        lines: &[
            (Visitor, "Your site shows an error when I want to pay for {thing}."),
            (Agent, "I am sorry about that. Which browser do you use, and what does the error say?"),
            (Visitor, "Firefox on a Mac. It only says \"payment could not be started\"."),
            (Agent, "Thank you, I can see it on our side too. A colleague restarts the payment service right now."),
            (Agent, "It should work again. Could you try once more?"),
            (Visitor, "Yes, it went through. Thanks for the quick help!"),
        ],
        reason: "solved",
    },
    Dialogue {
        group: "Support",
        tag: "question",
        weight: 3,
        lines: &[
            (Visitor, "I have lost the screws of {thing}. Can I get new ones?"),
            (Agent, "Certainly, and for free. To which address may I send them?"),
            (Visitor, "The one of my last order, please."),
            (Agent, "Done. They come as a letter, in about two days."),
            (Visitor, "You are the best."),
        ],
        reason: "solved",
    },
    Dialogue {
        group: "Support",
        tag: "bug",
        weight: 2,
        lines: &[
            (Visitor, "I cannot log in any more. It says my password is wrong, but it is not."),
            (Agent, "Let me see. Your account was locked after several attempts; I have unlocked it."),
            (Visitor, "Ah, that was my daughter. It works now, thank you."),
        ],
        reason: "solved",
    },
    Dialogue {
        group: "Support",
        tag: "praise",
        weight: 1,
        lines: &[
            (Visitor, "No question today: {thing} is simply great. Please tell whoever built it."),
            (Agent, "That makes our day. I will pass it on to the workshop!"),
        ],
        reason: "answered",
    },
    Dialogue {
        group: "Orders",
        tag: "delivery",
        weight: 5,
        lines: &[
            (Visitor, "Where is my order {order}? It should have been here yesterday."),
            (Agent, "I am looking it up, one moment please."),
            (Agent, "It is with the carrier in your town and comes today between two and four."),
            (Visitor, "Good to know. I will be at home then."),
        ],
        reason: "answered",
    },
    Dialogue {
        group: "Orders",
        tag: "refund",
        weight: 3,
        lines: &[
            (Visitor, "{thing} from order {order} arrived with a scratch."),
            (Agent, "I am sorry to hear that. Would you rather have a new one, or 20 % of the price back?"),
            (Visitor, "The refund is fine, the scratch is at the back."),
            (Agent, "The money is on its way and will be in your account in three days."),
            (Visitor, "Thanks, that was easy."),
        ],
        reason: "refunded",
    },
    Dialogue {
        group: "Orders",
        tag: "refund",
        weight: 2,
        lines: &[
            (Visitor, "I would like to send {thing} back. It does not fit."),
            (Agent, "No problem. Here is your label: it is valid for 14 days."),
            (Visitor, "Do I pay for the return?"),
            (Agent, "No, returns are free. The refund starts when the parcel is with us."),
        ],
        reason: "return started",
    },
    Dialogue {
        group: "Orders",
        tag: "delivery",
        weight: 2,
        lines: &[
            (Visitor, "Can I still change the address of order {order}?"),
            (Agent, "Yes, it has not left yet. What is the new one?"),
            (Visitor, "Lindenstraße 12, second floor."),
            (Agent, "Changed. You get a confirmation by e-mail."),
            (Visitor, "Thank you very much!"),
        ],
        reason: "solved",
    },
];
