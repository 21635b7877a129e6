//! What a connection is doing: how long it may go on like this, and whether its client may still be sending.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use futures::future::poll_fn;
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use super::ConnectionLimits;

/// The phase of one connection, shared by those who watch it.
#[derive(Clone, Debug)]
pub(super) struct ConnectionPhase(Arc<Mutex<State>>);

#[derive(Clone, Copy, Debug)]
struct State {
    phase: Phase,
    since: Instant,
    /// The body of the last request has not come to its end.
    body_is_open: bool,
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
        Self(Arc::new(Mutex::new(State { phase: Phase::New, since: Instant::now(), body_is_open: false })))
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
        state.phase = Phase::Request;
        state.body_is_open = !body.is_end_stream();
        let phase = self.clone();
        // Most requests have no body, or a small one that has come with the head.
        if state.body_is_open { Body::new(WatchedBody { body, phase }) } else { Body::new(body) }
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

/// The body of a request, which notes its end.
struct WatchedBody {
    body: Incoming,
    phase: ConnectionPhase,
}

impl HttpBody for WatchedBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if self.body.is_end_stream() || matches!(polled, Poll::Ready(None)) {
            self.phase.state().body_is_open = false;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
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
