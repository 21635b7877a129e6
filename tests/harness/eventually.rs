//! Waiting for what other tasks and processes bring about.

use std::fmt::Display;
use std::time::{Duration, Instant};

use application::ports::Clock as _;
use infrastructure::system::SystemClock;

/// Long enough for anything on a busy machine; what fails takes this long to say so.
pub const DEADLINE: Duration = Duration::from_secs(20);

const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// Tries until it succeeds, and answers with what it gave. At least two attempts are made.
///
/// ```no_run
/// # async fn example(client: harness::Client) {
/// harness::eventually(harness::DEADLINE, "the chat is assigned", async || {
///     let chat = client.get("/v1/conversations/1").await.body;
///     if chat["status"] == "active" { Ok(()) } else { Err(chat) }
/// })
/// .await;
/// # }
/// ```
///
/// # Panics
/// When the deadline passes; the message holds what was awaited and the last error.
pub async fn eventually<T, E: Display>(
    deadline: Duration,
    what: &str,
    mut attempt: impl AsyncFnMut() -> Result<T, E>,
) -> T {
    let start = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let is_last = start.elapsed() >= deadline;
        match attempt().await {
            Ok(outcome) => return outcome,
            Err(error) if is_last => panic!("not within {deadline:?}: {what}; at last: {error}"),
            Err(_) => SystemClock.sleep(pause).await,
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn gives_what_the_first_success_gave() {
        let mut attempts = 0;
        let outcome = eventually(DEADLINE, "three attempts", async || {
            attempts += 1;
            if attempts == 3 { Ok(attempts) } else { Err("too few") }
        });
        assert_eq!(outcome.await, 3);
    }

    #[tokio::test]
    #[should_panic(expected = "not within 10ms: pigs fly; at last: no wings")]
    async fn says_what_did_not_come_about() {
        eventually(Duration::from_millis(10), "pigs fly", async || Err::<(), _>("no wings")).await;
    }
}
