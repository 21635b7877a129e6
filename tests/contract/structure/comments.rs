//! A doc comment says more than the name that it stands at.

use std::collections::BTreeSet;

/// Words that say nothing by themselves.
const STOP_WORDS: &str = "
    a an and are as at be been by can do does for from had has have here how in into is it its of on one or s so some
    something than that the their them then there these they this those to was were what when where which who whom
    whose why will with you your";

/// Whether every word of the comment that says something stands in one of the names, too.
pub fn repeats(comment: &str, names: &[&str]) -> bool {
    let known: BTreeSet<String> = names.iter().flat_map(|name| words(&split_identifier(name))).collect();
    let stop: BTreeSet<&str> = STOP_WORDS.split_whitespace().collect();
    let repeated = |word: &String| known.contains(word) || known.contains(&stem(word));
    words(comment).iter().filter(|word| !stop.contains(word.as_str())).all(repeated)
}

fn words(text: &str) -> Vec<String> {
    let text = text.to_lowercase().replace("e-mail", "email");
    let parts = text.split(|character: char| !character.is_alphanumeric());
    parts.filter(|part| !part.is_empty()).flat_map(|part| [part.to_owned(), stem(part)]).collect()
}

/// Plural and singular count as one word.
fn stem(word: &str) -> String {
    let stem = word.strip_suffix('s').filter(|stem| stem.len() > 2);
    stem.unwrap_or(word).to_owned()
}

/// `chatLimit`, `ChatLimit` and `chat_limit` are `chat limit`.
fn split_identifier(name: &str) -> String {
    let mut split = String::new();
    let mut after_lower = false;
    for character in name.chars() {
        if after_lower && character.is_uppercase() {
            split.push(' ');
        }
        after_lower = character.is_lowercase();
        split.push(character);
    }
    split
}

#[test]
fn comment_that_only_repeats_the_name_is_found() {
    for (comment, names) in [
        ("When.", vec!["at", "Timestamp"]),
        ("Who.", vec!["agent_id", "AgentId"]),
        ("Its name.", vec!["name", "Name"]),
        ("The agent.", vec!["agent_id"]),
        ("The agents.", vec!["agent_ids"]),
        ("Their e-mail address.", vec!["email", "Option<EmailAddress>"]),
        ("The chat limit was changed.", vec!["ChatLimitChanged", "AgentEvent"]),
    ] {
        assert!(repeats(comment, &names), "{comment}");
    }
}

#[test]
fn comment_that_adds_something_stays() {
    for (comment, names) in [
        ("The agent who served the chat at its end.", vec!["agent_id"]),
        ("Not at work.", vec!["Offline", "AgentStatus"]),
        ("The name, unique in any case.", vec!["name", "Name"]),
        ("Microseconds since 1970.", vec!["at", "Timestamp"]),
    ] {
        assert!(!repeats(comment, &names), "{comment}");
    }
}
