//! The end of a connection whose client is still sending (a lingering close).

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_io_timeout::TimeoutStream;

use super::phase::ConnectionPhase;

/// The longest silence of a client that is still to send something.
const QUIET: Duration = Duration::from_secs(2);

/// The longest time that a connection stays open after its answer.
const WHOLE: Duration = Duration::from_secs(10);

/// The most bytes that are read only to be thrown away.
const MOST: usize = 8 << 20;

/// A stream that does not close before its client has sent everything, within bounds: bytes that nobody has read make the
/// system reset the connection, and the answer before them is lost on its way (RFC 9112 §9.6).
pub(super) struct Lingering {
    stream: Pin<Box<TimeoutStream<TcpStream>>>,
    phase: ConnectionPhase,
    discarding: Option<Discarding>,
}

struct Discarding {
    since: Instant,
    left: usize,
}

impl Lingering {
    /// The answers of the stream must be read within this time.
    pub(super) fn new(stream: TcpStream, read_within: Duration, phase: ConnectionPhase) -> Self {
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(read_within));
        Self { stream: Box::pin(stream), phase, discarding: None }
    }

    /// Completes when the client has closed its end, or has had its chance to.
    fn poll_discard(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut space = [MaybeUninit::uninit(); 16 << 10];
        while let Some(Discarding { since, left }) = &mut self.discarding {
            let mut buffer = ReadBuf::uninit(&mut space);
            let read = ready!(self.stream.as_mut().poll_read(context, &mut buffer));
            *left = left.saturating_sub(buffer.filled().len());
            if read.is_err() || buffer.filled().is_empty() || *left == 0 || since.elapsed() > WHOLE {
                break;
            }
        }
        Poll::Ready(())
    }
}

impl AsyncRead for Lingering {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = self.stream.as_mut().poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.phase.receive();
        }
        read
    }
}

impl AsyncWrite for Lingering {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.discarding.is_none() {
            ready!(self.stream.as_mut().poll_shutdown(context))?;
            if !self.phase.client_may_be_sending() {
                return Poll::Ready(Ok(()));
            }
            self.stream.as_mut().set_read_timeout_pinned(Some(QUIET));
            self.discarding = Some(Discarding { since: Instant::now(), left: MOST });
        }
        self.poll_discard(context).map(Ok)
    }
}
