//! The stream over a WebSocket: one task a socket, which reads and writes in turns and queues nothing.

use std::time::{Duration, Instant};

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use futures::{FutureExt as _, SinkExt as _};
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};

use super::close::code_of;
use super::inbound::{FRAMES_PER_MINUTE, Inbound};
use super::{Context, PROTOCOL, meters};
use crate::server::{OpenConnection, READ_WITHIN, Stranger};
use crate::service::stream::frames::{ClientFrame, MAX_FRAME, ServerFrame, StreamLimits};
use crate::service::stream::{End, Follower, Taken, Welcome};

/// The library's default would be 128 KiB for each socket, from the start.
const READ_BUFFER: usize = 4 * 1024;

/// Frames gather up to here before they are written.
const WRITE_BUFFER: usize = 16 * 1024;

/// The most that waits to be written, a frame more than the buffer.
const MAX_WRITE_BUFFER: usize = WRITE_BUFFER + 2 * MAX_FRAME;

/// How long a client may take for its first frame.
const HELLO_WITHIN: Duration = Duration::from_secs(10);

/// How long a client may take nothing of what is sent: ended before its connection is cut, it gets the reason.
const TAKEN_WITHIN: Duration = Duration::from_secs(READ_WITHIN.as_secs() - 5);

/// How long a client may take for its part of the closing.
const CLOSED_WITHIN: Duration = Duration::from_secs(2);

/// Every other tick is a ping, and a silent client learns its position.
const TICK: Duration = Duration::from_secs(10);

/// The pause between two pings.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// A client from which nothing has come for this long, not even an answer to a ping, is lost.
const LOST_AFTER: Duration = Duration::from_secs(45);

/// Why a socket is closed.
enum Closing {
    /// For a reason that the client gets.
    For(End),
    /// The client has closed it, or is gone.
    Gone,
}

impl From<End> for Closing {
    fn from(end: End) -> Self {
        Self::For(end)
    }
}

/// Accepts the upgrade and serves the stream until it ends.
#[must_use]
pub fn accept(upgrade: WebSocketUpgrade, context: Context) -> Response {
    upgrade
        .protocols([PROTOCOL])
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(MAX_WRITE_BUFFER)
        .max_message_size(MAX_FRAME)
        .max_frame_size(MAX_FRAME)
        .on_upgrade(async |socket| {
            let (connection, _open) = (context.connection.clone(), meters::Open::count("websocket"));
            let protocol = Socket::new(socket, context).serve();
            match connection {
                Some(connection) => drop(connection.run(protocol).await),
                None => protocol.await,
            }
        })
}

struct Socket {
    socket: WebSocket,
    context: Context,
    inbound: Inbound,
    heard: Instant,
    pinged: Instant,
}

impl Socket {
    fn new(socket: WebSocket, context: Context) -> Self {
        let now = Instant::now();
        Self { socket, context, inbound: Inbound::new(now), heard: now, pinged: now }
    }

    async fn serve(mut self) {
        let closing = self.run().await.err().unwrap_or(Closing::Gone);
        match closing {
            Closing::Gone => meters::ended(None),
            Closing::For(end) => {
                meters::ended(Some(end));
                // A client that does not take the farewell either is cut.
                drop(timeout(CLOSED_WITHIN, self.close(end)).await);
            }
        }
    }

    async fn run(&mut self) -> Result<(), Closing> {
        let stranger = self.context.edge.strangers.admit(self.context.address.to_string());
        let stranger = stranger.ok_or(End::TooManyStrangers)?;
        let mut follower = self.greet(stranger).await?;
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.turn(&mut follower, &mut ticks).await?;
        }
    }

    /// Waits for the first frame and answers it.
    async fn greet(&mut self, stranger: Stranger) -> Result<Follower, Closing> {
        let draining = draining(self.context.connection.clone());
        let hello = tokio::select! {
            hello = timeout(HELLO_WITHIN, self.receive()) => hello.map_err(|_| End::NoHello)??,
            () = draining => return Err(End::Draining.into()),
        };
        let ClientFrame::Hello { token, after } = hello else { return Err(End::BadFrame.into()) };
        let hub = &self.context.services.stream;
        let (welcome, follower) = hub.join(&token, after.as_deref()).await?;
        drop(stranger);
        self.send_frame(&welcome_frame(&welcome, HEARTBEAT.as_secs())).await?;
        Ok(follower)
    }

    /// Does one thing: what the client has sent, what there is to send, or what the time demands.
    async fn turn(&mut self, follower: &mut Follower, ticks: &mut Interval) -> Result<(), Closing> {
        if let Some(end) = follower.verdict() {
            return Err(end.into());
        }
        if follower.has_more() {
            // What the client has sent meanwhile comes first, but does not hold the rest up.
            if let Some(frame) = self.receive().now_or_never() {
                return self.obey(follower, frame?).await;
            }
            if let Some(()) = draining(self.context.connection.clone()).now_or_never() {
                return Err(End::Draining.into());
            }
            return self.forward(follower).await;
        }
        let draining = draining(self.context.connection.clone());
        tokio::select! {
            frame = self.receive() => { let frame = frame?; self.obey(follower, frame).await }
            () = draining => Err(End::Draining.into()),
            () = follower.message() => {
                if let Some(in_seconds) = follower.take_warning() {
                    self.send_frame(&ServerFrame::Expiring { in_seconds }).await?;
                }
                // First: a message ends the typing before it.
                self.send_all(follower.take_moments().iter().map(|frame| frame.to_string()).collect()).await?;
                self.forward(follower).await
            }
            _ = ticks.tick() => self.tick(follower).await,
        }
    }

    /// Sends what the follower has.
    async fn forward(&mut self, follower: &mut Follower) -> Result<(), Closing> {
        let Taken { events, live, end } = follower.take().await;
        let mut frames: Vec<_> = events.iter().map(|event| event.to_json()).collect();
        frames.extend(live.map(|position| ServerFrame::Live { position }.to_json()));
        if !frames.is_empty() {
            self.send_all(frames).await?;
        }
        end.map_or(Ok(()), |end| Err(end.into()))
    }

    async fn tick(&mut self, follower: &mut Follower) -> Result<(), Closing> {
        let now = Instant::now();
        if now.duration_since(self.heard) >= LOST_AFTER {
            return Err(Closing::Gone);
        }
        self.forward(follower).await?;
        if let Some(position) = follower.checkpoint() {
            self.send_frame(&ServerFrame::Position { position }).await?;
        }
        if now.duration_since(self.pinged) >= HEARTBEAT {
            self.pinged = now;
            self.write(async |socket| socket.send(Message::Ping(vec![].into())).await).await?;
        }
        Ok(())
    }

    async fn obey(&mut self, follower: &Follower, frame: ClientFrame) -> Result<(), Closing> {
        match frame {
            ClientFrame::Hello { .. } => Err(End::BadFrame.into()),
            ClientFrame::Token { token } => {
                follower.renew(&token).await?;
                self.send_frame(&ServerFrame::Renewed {}).await
            }
            ClientFrame::Typing { conversation_id, state, draft } => {
                let activity = &self.context.services.activity;
                // A refusal, such as of a chat that has just ended, is no reason to end the stream.
                drop(activity.type_in(follower.principal(), conversation_id, (state, draft.as_deref())).await);
                Ok(())
            }
            ClientFrame::Looking { conversation_id, state } => {
                drop(self.context.services.activity.look_at(follower.principal(), conversation_id, state).await);
                Ok(())
            }
            ClientFrame::Ping { id } => self.send_frame(&ServerFrame::Pong { id }).await,
        }
    }

    /// The next frame of the client. Dropping the future loses nothing.
    async fn receive(&mut self) -> Result<ClientFrame, Closing> {
        loop {
            let message = self.socket.recv().await.ok_or(Closing::Gone)?;
            let message = message.map_err(|error| closing_of(&error))?;
            let now = Instant::now();
            self.heard = now;
            if !matches!(message, Message::Close(_)) && !self.inbound.admit(now) {
                return Err(End::TooManyFrames.into());
            }
            match message {
                Message::Text(text) => {
                    return serde_json::from_str(&text).map_err(|_| End::BadFrame.into());
                }
                Message::Binary(_) => return Err(End::BadFrame.into()),
                // The library answers pings and closings.
                Message::Ping(_) | Message::Pong(_) => {}
                Message::Close(_) => return Err(Closing::Gone),
            }
        }
    }

    async fn send_frame(&mut self, frame: &ServerFrame) -> Result<(), Closing> {
        self.send_all(vec![frame.to_json()]).await
    }

    async fn send_all(&mut self, frames: Vec<String>) -> Result<(), Closing> {
        if frames.is_empty() {
            return Ok(());
        }
        for frame in frames {
            meters::sent(frame.len());
            self.write(async |socket| socket.feed(Message::Text(frame.into())).await).await?;
        }
        self.write(async |socket| socket.flush().await).await
    }

    /// Writes, unless the client takes nothing for too long.
    async fn write(
        &mut self,
        write: impl AsyncFnOnce(&mut WebSocket) -> Result<(), axum::Error>,
    ) -> Result<(), Closing> {
        match timeout(TAKEN_WITHIN, write(&mut self.socket)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Closing::Gone),
            Err(_) => Err(End::TooSlow.into()),
        }
    }

    /// Says why, and waits for the client's part, so that the reason arrives before the connection ends.
    async fn close(&mut self, end: End) {
        let retry_in_ms = self.context.edge.retry_in_ms();
        let frame = CloseFrame { code: code_of(end), reason: end.code().into() };
        let error = ServerFrame::error(end, retry_in_ms).to_json();
        let said = async {
            self.socket.feed(Message::Text(error.into())).await?;
            self.socket.send(Message::Close(Some(frame))).await
        };
        if said.await.is_ok() {
            while let Some(Ok(_)) = self.socket.recv().await {}
        }
    }
}

/// The first frame of a stream.
pub(super) fn welcome_frame(welcome: &Welcome, heartbeat_seconds: u64) -> ServerFrame {
    let Welcome { epoch, head, position, streams } = *welcome;
    let limits = StreamLimits { max_frame_bytes: MAX_FRAME, frames_per_minute: FRAMES_PER_MINUTE, streams };
    ServerFrame::Welcome { epoch, head, position, heartbeat_seconds, limits }
}

/// Completes when the server drains.
pub(super) async fn draining(connection: Option<OpenConnection>) {
    match connection {
        Some(connection) => connection.draining().await,
        None => std::future::pending().await,
    }
}

/// A frame beyond the limit is an error of the library; with every other one the connection is gone.
fn closing_of(error: &axum::Error) -> Closing {
    use std::error::Error as _;
    let is_too_large = error.source().is_some_and(|source| source.to_string().starts_with("Space limit exceeded"));
    if is_too_large { End::FrameTooLarge.into() } else { Closing::Gone }
}
