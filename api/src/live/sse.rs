//! The stream as server-sent events: for clients that only read.
//!
//! Clients differ in what they make of unusual events (an id without data, data without an id, a comment with a blank line,
//! `retry` alone), so every event has an id and data, and a heartbeat is one bare comment line.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;
use futures::stream::unfold;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::socket::{draining, welcome_frame};
use super::{Context, meters};
use crate::service::stream::frames::ServerFrame;
use crate::service::stream::{Admission, Cursor, End, Follower, Taken};

/// The longest pause that a client is asked to make: after a reason that another attempt does not cure.
const RETRY_OF_TERMINAL: u64 = 60_000;

const NO_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// What a client has shown, which has been admitted.
pub enum Proof {
    /// The bearer's right to everything, which came in a header.
    Token(String),
    /// A ticket, which this connection has got.
    Ticket(Admission),
    /// A ticket that could not be looked up: no status but 200 for what passes.
    UnknownTicket,
}

/// What the client asks for.
pub struct Wanted {
    /// What it has shown.
    pub proof: Proof,
    /// The id of the last event, or the query's position.
    pub after: Option<String>,
    /// The pause between two heartbeats.
    pub heartbeat: Duration,
}

/// Answers at once; the stream begins in the body, so that no client waits for the headers.
#[must_use]
pub fn answer(wanted: Wanted, context: Context) -> Response {
    let stream = Stream { context, wanted, phase: Phase::Begins, _open: meters::Open::count("sse") };
    let mut response = Response::new(Body::from_stream(unfold(stream, Stream::next)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(NO_BUFFERING, HeaderValue::from_static("no"));
    response
}

struct Stream {
    context: Context,
    wanted: Wanted,
    phase: Phase,
    _open: meters::Open,
}

enum Phase {
    Begins,
    Follows(Box<Following>),
    Over,
}

struct Following {
    follower: Follower,
    /// The client's cursor.
    cursor: Cursor,
    ticks: Interval,
}

type Chunk = Result<Bytes, Infallible>;

impl Stream {
    /// The next events; none after the last one.
    async fn next(mut self) -> Option<(Chunk, Self)> {
        let text = match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Begins => self.begin().await,
            Phase::Follows(following) => self.follow(following).await,
            Phase::Over => return None,
        };
        Some((Ok(text.into()), self))
    }

    async fn begin(&mut self) -> String {
        let Wanted { proof, after, heartbeat } = &self.wanted;
        let hub = &self.context.services.stream;
        let joining = async {
            match proof {
                Proof::Token(token) => hub.join(token, after.as_deref()).await,
                Proof::Ticket(admission) => hub.join_with(*admission, after.as_deref()).await,
                Proof::UnknownTicket => Err(End::Overloaded),
            }
        };
        let joined = tokio::select! {
            joined = joining => joined,
            () = draining(self.context.connection.clone()) => Err(End::Draining),
        };
        let (welcome, follower) = match joined {
            Ok(joined) => joined,
            Err(end) => return self.end(end, after.as_deref().unwrap_or_default()),
        };
        let cursor = Cursor { epoch: welcome.epoch, position: welcome.position };
        let mut ticks = interval(*heartbeat);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first tick comes at once.
        ticks.tick().await;
        let frame = welcome_frame(&welcome, heartbeat.as_secs());
        self.phase = Phase::Follows(Box::new(Following { follower, cursor, ticks }));
        event("welcome", &cursor.to_string(), Some(self.context.edge.retry_in_ms()), &frame.to_json())
    }

    async fn follow(&mut self, mut following: Box<Following>) -> String {
        loop {
            match self.turn(&mut following).await {
                Ok(text) if text.is_empty() => {}
                Ok(text) => {
                    self.phase = Phase::Follows(following);
                    return text;
                }
                Err((mut text, end)) => {
                    text.push_str(&self.end(end, &following.cursor.to_string()));
                    return text;
                }
            }
        }
    }

    /// Does one thing. The result is the text to send; with an error, before the stream ends.
    async fn turn(&self, following: &mut Following) -> Result<String, (String, End)> {
        if let Some(end) = following.follower.verdict() {
            return Err((String::new(), end));
        }
        if following.follower.has_more() {
            return following.forward().await;
        }
        tokio::select! {
            () = draining(self.context.connection.clone()) => Err((String::new(), End::Draining)),
            () = following.follower.message() => {
                let mut text = following.warning();
                text.push_str(&following.moments());
                text.push_str(&following.forward().await?);
                Ok(text)
            }
            _ = following.ticks.tick() => {
                let mut text = following.forward().await?;
                text.push_str(&following.heartbeat());
                Ok(text)
            }
        }
    }

    /// The last event: named after the reason, with the id that the client had.
    fn end(&self, end: End, id: &str) -> String {
        meters::ended(Some(end));
        let retry = if end.is_passing() { self.context.edge.retry_in_ms() } else { RETRY_OF_TERMINAL };
        event(end.code(), id, Some(retry), &ServerFrame::error(end, retry).to_json())
    }
}

impl Following {
    async fn forward(&mut self) -> Result<String, (String, End)> {
        let Taken { events, live, end } = self.follower.take().await;
        let mut text = String::new();
        for one in &events {
            text.push_str(&self.at(one.position, "event", &one.to_json()));
        }
        if let Some(position) = live {
            text.push_str(&self.at(position, "live", &ServerFrame::Live { position }.to_json()));
        }
        match end {
            Some(end) => Err((text, end)),
            None => Ok(text),
        }
    }

    fn at(&mut self, position: i64, name: &str, data: &str) -> String {
        self.cursor.position = position;
        event(name, &self.cursor.to_string(), None, data)
    }

    fn warning(&self) -> String {
        let frame = self.follower.take_warning().map(|in_seconds| ServerFrame::Expiring { in_seconds });
        frame.map(|frame| event("expiring", &self.cursor.to_string(), None, &frame.to_json())).unwrap_or_default()
    }

    /// What is about the moment. The id is the client's own position, which it does not move.
    fn moments(&self) -> String {
        let moments = self.follower.take_moments();
        moments.iter().map(|frame| event("ephemeral", &self.cursor.to_string(), None, frame)).collect()
    }

    /// The client's position if it has grown; a comment otherwise.
    fn heartbeat(&mut self) -> String {
        match self.follower.checkpoint() {
            Some(position) => self.at(position, "position", &ServerFrame::Position { position }.to_json()),
            None => ":\n".to_owned(),
        }
    }
}

/// One event. JSON has no line breaks.
fn event(name: &str, id: &str, retry: Option<u64>, data: &str) -> String {
    meters::sent(data.len());
    let retry = retry.map(|millis| format!("retry: {millis}\n")).unwrap_or_default();
    format!("id: {}\n{retry}event: {name}\ndata: {data}\n\n", harmless(id))
}

/// The id as it may come back in a header: what a client has made up is not repeated.
fn harmless(id: &str) -> &str {
    let is_harmless = id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".:-".contains(&byte));
    if is_harmless { id } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_has_id_and_data_and_ends_with_an_empty_line() {
        assert_eq!(event("live", "a:1", None, "{}"), "id: a:1\nevent: live\ndata: {}\n\n");
        assert_eq!(event("welcome", "a:1", Some(7), "{}"), "id: a:1\nretry: 7\nevent: welcome\ndata: {}\n\n");
    }

    #[test]
    fn made_up_ids_are_not_repeated() {
        assert_eq!(harmless("00000000-0000-7000-8000-000000000007:42"), "00000000-0000-7000-8000-000000000007:42");
        for id in ["a b", "a\nb", "ä", &"x".repeat(65)] {
            assert_eq!(harmless(id), "");
        }
    }

    #[test]
    fn no_event_has_a_name_that_clients_use_for_their_connection() {
        for end in End::ALL {
            assert!(!["error", "open", "message", "close"].contains(&end.code()));
        }
    }
}
