//! What a connection is doing: how long it may go on like this, and whether its client may still be sending.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use futures::future::poll_fn;
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use super::ConnectionLimits;

/// How many turns of the connection's task, and how many bytes, are spent on the rest of a body that nobody wants. A client
/// that has sent a small body with its head may go on using the connection; to read more would serve nobody.
const DISCARD_TURNS: u32 = 8;
const MOST_DISCARDED: usize = 64 * 1024;

/// The phase of one connection, shared by those who watch it.
#[derive(Clone, Debug)]
pub(super) struct ConnectionPhase(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    phase: Phase,
    since: Instant,
    /// The body of the last request has not come to its end.
    body_is_open: bool,
    /// The rest of that body, once nobody wants it any more.
    rest: Option<Incoming>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// A new connection, of which no byte has come.
    New,
    /// A head is on its way. The first one counts from the beginning of the connection.
    Head,
    /// A request is being answered, or the connection is upgraded.
    Request,
    /// The last request was answered, and no byte of the next one has come.
    Idle,
}

impl ConnectionPhase {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(State { phase: Phase::New, since: Instant::now(), body_is_open: false, rest: None })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that bytes have come.
    pub(super) fn receive(&self) {
        let mut state = self.state();
        match state.phase {
            Phase::New => state.phase = Phase::Head,
            Phase::Idle => (state.phase, state.since) = (Phase::Head, Instant::now()),
            Phase::Head | Phase::Request => {}
        }
    }

    /// Notes that a head is complete. The body is the request's.
    pub(super) fn begin_request(&self, body: Incoming) -> Body {
        let mut state = self.state();
        (state.phase, state.rest) = (Phase::Request, None);
        state.body_is_open = !body.is_end_stream();
        let phase = self.clone();
        // Most requests have no body, or a small one that has come with the head.
        if state.body_is_open { Body::new(WatchedBody { body: Some(body), phase }) } else { Body::new(body) }
    }

    /// Whether the next request may come on this connection: the body of the last one has come to its end. What has come
    /// of a body that nobody has read is thrown away; a client that waits to be asked for its body (`asks_first`) is not
    /// asked. Otherwise what follows could be taken for a request.
    pub(super) async fn may_go_on(&self, asks_first: bool) -> bool {
        let mut discarded = 0;
        for _ in 0..DISCARD_TURNS {
            let rest = self.state().rest.take();
            let Some(mut rest) = rest.filter(|_| !asks_first) else { break };
            match futures::poll!(poll_fn(|context| poll_discard(&mut rest, &mut discarded, context))) {
                Poll::Pending => {
                    self.state().rest = Some(rest);
                    tokio::task::yield_now().await;
                }
                Poll::Ready(is_over) => {
                    self.state().body_is_open = !is_over;
                    break;
                }
            }
        }
        let mut state = self.state();
        // HTTP would wait for the end of a body that somebody holds.
        state.rest = None;
        !state.body_is_open
    }

    /// The answer to the request: when it has been sent, the connection is idle.
    pub(super) fn answer_with(&self, body: Body) -> Body {
        Body::new(Answer { body, _end: AnswerEnd(self.clone()) })
    }

    /// Whether the client may be sending what nobody will read. If the connection is closed then, the client's system
    /// reports a failure, and the client may never see the answer.
    pub(super) fn client_may_be_sending(&self) -> bool {
        let state = self.state();
        state.body_is_open || state.phase == Phase::Head
    }

    fn deadline(&self, limits: &ConnectionLimits) -> Option<Instant> {
        let state = self.state();
        match state.phase {
            Phase::New | Phase::Head => Some(state.since + limits.head_within),
            Phase::Idle => Some(state.since + limits.idle_within),
            Phase::Request => None,
        }
    }

    /// Completes when a head takes too long, or when the connection has been idle for too long. It must be polled whenever
    /// the connection is: what changes the phase wakes the task of the connection anyway.
    pub(super) async fn expired(&self, limits: &ConnectionLimits) {
        let mut timer: Option<Pin<Box<Sleep>>> = None;
        poll_fn(move |context| {
            let Some(deadline) = self.deadline(limits) else { return Poll::Pending };
            let timer = timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
            if timer.deadline() != deadline {
                timer.as_mut().reset(deadline);
            }
            timer.as_mut().poll(context)
        })
        .await;
    }
}

/// Throws a body away, as far as it has come. `false`: it is too large, or broken.
fn poll_discard(rest: &mut Incoming, discarded: &mut usize, context: &mut Context<'_>) -> Poll<bool> {
    while let Some(frame) = ready!(Pin::new(&mut *rest).poll_frame(context)) {
        *discarded += frame.as_ref().ok().and_then(Frame::data_ref).map_or(0, Bytes::len);
        if frame.is_err() || *discarded > MOST_DISCARDED {
            return Poll::Ready(false);
        }
    }
    Poll::Ready(true)
}

/// The body of a request, which notes its end. Dropped before that, it leaves the rest to the connection.
struct WatchedBody {
    /// Present until it is dropped.
    body: Option<Incoming>,
    phase: ConnectionPhase,
}

impl Drop for WatchedBody {
    fn drop(&mut self) {
        let mut state = self.phase.state();
        if state.body_is_open {
            state.rest = self.body.take();
        }
    }
}

impl HttpBody for WatchedBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let polled = Pin::new(&mut *body).poll_frame(context);
        if body.is_end_stream() || matches!(polled, Poll::Ready(None)) {
            self.phase.state().body_is_open = false;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, HttpBody::size_hint)
    }
}

/// The body of an answer, which is dropped when it has been written.
struct Answer {
    body: Body,
    _end: AnswerEnd,
}

struct AnswerEnd(ConnectionPhase);

impl Drop for AnswerEnd {
    fn drop(&mut self) {
        let mut state = self.0.state();
        (state.phase, state.since) = (Phase::Idle, Instant::now());
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
