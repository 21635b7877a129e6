//! Log lines on their way to standard error. Somebody else has to read that, and may stop: then lines are lost, and nothing
//! waits for them.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// The most lines that wait to be written.
const MOST: usize = 4_096;

/// The longest wait for the last lines at the end of the program.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Takes lines without ever waiting. A thread of its own writes them.
#[derive(Clone)]
pub(super) struct LineQueue {
    lines: SyncSender<Message>,
    lost: Arc<AtomicU64>,
}

enum Message {
    Line(Vec<u8>),
    /// All lines before it are written when the sender is dropped.
    Flush(#[expect(dead_code, reason = "its drop is the answer")] mpsc::Sender<()>),
}

impl LineQueue {
    /// Starts the thread that writes.
    ///
    /// # Errors
    /// When the system has no thread for it.
    pub(super) fn start(output: impl Write + Send + 'static) -> io::Result<Self> {
        let (lines, taken) = sync_channel(MOST);
        let lost = Arc::new(AtomicU64::new(0));
        let queue = Self { lines, lost: Arc::clone(&lost) };
        thread::Builder::new().name("log".to_owned()).spawn(move || write_all(&taken, output, &lost))?;
        Ok(queue)
    }

    fn put(&self, line: &[u8]) {
        if self.lines.try_send(Message::Line(line.to_owned())).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
            metrics::counter!("livechatlog_log_lines_lost_total").increment(1);
        }
    }

    /// Waits until the lines so far are written, but not for long. Returns whether they are.
    pub(super) fn flush(&self) -> bool {
        let (written, wait) = mpsc::channel();
        if self.lines.try_send(Message::Flush(written)).is_err() {
            return false;
        }
        wait.recv_timeout(LAST_LINES) == Err(RecvTimeoutError::Disconnected)
    }
}

/// Writes lines until all queues are gone.
fn write_all(lines: &Receiver<Message>, mut output: impl Write, lost: &AtomicU64) {
    while let Some(message) = next(lines, lost) {
        if let Message::Line(line) = message {
            // An output that is closed takes no report of it either.
            drop(output.write_all(&line).and_then(|()| output.flush()));
        }
    }
}

/// The next message. When all lines are written, there is room to report those that were lost.
fn next(lines: &Receiver<Message>, lost: &AtomicU64) -> Option<Message> {
    match lines.try_recv() {
        Ok(message) => return Some(message),
        Err(TryRecvError::Disconnected) => return None,
        Err(TryRecvError::Empty) => {}
    }
    let lines_lost = lost.swap(0, Ordering::Relaxed);
    if lines_lost > 0 {
        tracing::warn!(lines = lines_lost, "log lines were lost, because nothing read them");
    }
    lines.recv().ok()
}

impl<'a> MakeWriter<'a> for LineQueue {
    type Writer = LineWriter<'a>;

    fn make_writer(&'a self) -> LineWriter<'a> {
        LineWriter(self)
    }
}

/// Writes one line: the subscriber writes each with a single call.
pub(super) struct LineWriter<'a>(&'a LineQueue);

impl Write for LineWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.put(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Condvar, Mutex};
    use std::time::Instant;

    use super::*;

    /// Whether it is open, and what was written.
    type Written = (bool, Vec<u8>);

    /// An output whose reader has stopped until it is opened.
    #[derive(Clone, Default)]
    struct Pipe(Arc<(Mutex<Written>, Condvar)>);

    impl Pipe {
        fn open(&self) {
            self.0.0.lock().unwrap().0 = true;
            self.0.1.notify_all();
        }

        fn text(&self) -> String {
            String::from_utf8(self.0.0.lock().unwrap().1.clone()).unwrap()
        }
    }

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut state = self.0.1.wait_while(self.0.0.lock().unwrap(), |(is_open, _)| !*is_open).unwrap();
            state.1.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_are_written_in_their_order_before_the_end() {
        let pipe = Pipe::default();
        pipe.open();
        let queue = LineQueue::start(pipe.clone()).unwrap();
        for number in 0..100 {
            queue.make_writer().write_all(format!("{number}\n").as_bytes()).unwrap();
        }
        assert!(queue.flush());
        assert_eq!(pipe.text(), (0..100).map(|number| format!("{number}\n")).collect::<String>());
    }

    /// A full disk, or a pipe whose reader has ended.
    struct Broken(io::ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    #[test]
    fn output_that_fails_stops_nothing() {
        for kind in [io::ErrorKind::StorageFull, io::ErrorKind::BrokenPipe] {
            let queue = LineQueue::start(Broken(kind)).unwrap();
            for _ in 0..1_000 {
                queue.make_writer().write_all(b"line\n").unwrap();
            }
            assert!(queue.flush(), "the thread goes on: {kind}");
        }
    }

    #[test]
    fn nothing_waits_for_a_reader_that_has_stopped_and_lost_lines_are_counted() {
        let pipe = Pipe::default();
        let queue = LineQueue::start(pipe.clone()).unwrap();
        let began = Instant::now();
        for _ in 0..MOST + 100 {
            queue.make_writer().write_all(b"line\n").unwrap();
        }
        assert!(!queue.flush());
        assert!(began.elapsed() < LAST_LINES * 3, "{:?}", began.elapsed());
        // The thread holds one line.
        let lost = queue.lost.load(Ordering::Relaxed);
        assert!((99..=100).contains(&lost), "{lost}");
        pipe.open();
        while !queue.flush() {
            thread::yield_now();
        }
        assert_eq!(pipe.text().lines().count() as u64 + lost, MOST as u64 + 100);
    }
}
