//! What people write: words as frequent as words are, most of them rare.

use domain::text::{EmailAddress, MessageText, Name};
use domain::visitor::VisitorDetails;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::dice::{Dice, zipf};

/// In about every third conversation.
pub const FREQUENT: &str = "order";
/// In as many conversations of a small store as of a large one: [`RARE_CHATS`].
pub const RARE: &str = "zeppelin";
pub const RARE_CHATS: usize = 40;
/// In none.
pub const ABSENT: &str = "xylophone";
/// The visitor whose chat never ends.
pub const TALKER: &str = "Longfellow";

/// The frequent ones in their order; the rest is made up of syllables.
const COMMON: &str = "i you the to my is a it and can for on have not me in of do this with please order that be your \
    help hello thanks we what at was but account yes when no if how there from would delivery get email will are \
    payment has or just any an so ok again need number back problem still sent received week day refund password \
    address invoice wait now screen try already card see working about know page error address change site phone \
    customer service parcel money bank code link button click log open time today tomorrow yesterday minute hour \
    price product size color return send ship cancel confirm update check look find out up down new old first last \
    wrong right broken lost missing damaged late early quickly great good fine sorry sure maybe always never";

const SYLLABLES: [&str; 24] = [
    "ba", "ber", "cal", "da", "dor", "el", "fin", "ga", "hel", "in", "ka", "lor", "ma", "mon", "ne", "or", "pa", "ra",
    "sil", "ta", "tur", "vel", "wen", "zo",
];

const FIRST_NAMES: [&str; 24] = [
    "Vera", "Anna", "Ben", "Çelik", "Dora", "Emil", "Fatima", "Greta", "Hugo", "Ida", "Jonas", "Klara", "Liam", "Mia",
    "Noor", "Oskar", "Paula", "Quentin", "Rosa", "Sven", "Tomás", "Uma", "Viktor", "Zoë",
];

const LAST_NAMES: [&str; 24] = [
    "Albrecht", "Brown", "Costa", "Dubois", "Eriksen", "Fischer", "García", "Haddad", "Ivanova", "Jansen", "Kowalski",
    "Larsen", "Meyer", "Novák", "Okafor", "Petrov", "Quinn", "Rossi", "Schmidt", "Tanaka", "Usman", "Vogel", "Weiß",
    "Zhang",
];

/// The words that are used most, in their order.
pub fn common_words() -> impl Iterator<Item = &'static str> {
    COMMON.split_whitespace()
}

/// Some of the names that visitors have, as in a query.
pub fn full_names() -> impl Iterator<Item = String> {
    let names = FIRST_NAMES.iter().zip(&LAST_NAMES).map(|(first, last)| format!("{first} {last}"));
    names.map(|name| utf8_percent_encode(&name, NON_ALPHANUMERIC).to_string())
}

/// How many different words there are.
const WORDS: usize = 20_000;

pub struct Texts {
    words: Vec<String>,
    weights: Vec<f64>,
}

impl Texts {
    pub fn new(dice: &mut Dice) -> Self {
        let mut words: Vec<_> = COMMON.split_whitespace().map(str::to_owned).collect();
        while words.len() < WORDS {
            let syllables = dice.between(2, 4);
            words.push((0..syllables).map(|_| *dice.one_of(&SYLLABLES)).collect());
        }
        Self { words, weights: zipf(WORDS) }
    }

    /// A message of a few words, now and then of many.
    pub fn message(&self, dice: &mut Dice, also: Option<&str>) -> MessageText {
        let longest = if dice.chance(0.05) { 40 } else { 11 };
        let count = dice.between(1, longest);
        let chosen = (0..count).map(|_| self.words[dice.place(&self.weights)].as_str());
        let text = chosen.chain(also).collect::<Vec<_>>().join(" ");
        MessageText::parse(&text).expect("words are a text")
    }
}

/// Somebody: most give their name, some their address.
pub fn visitor(dice: &mut Dice) -> VisitorDetails {
    let (first, last) = (dice.one_of(&FIRST_NAMES), dice.one_of(&LAST_NAMES));
    let name = dice.chance(0.8).then(|| name(&format!("{first} {last}")));
    let number = dice.below(1_000_000);
    let address = dice.chance(0.4).then(|| format!("{}.{number}@example.com", last.to_lowercase()));
    VisitorDetails { name, email: address.map(|text| email(&text)), phone: None }
}

pub fn name(text: &str) -> Name {
    Name::parse(text).expect("a name")
}

pub fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(text).expect("an address")
}
