//! The progress of long work: a bar on a terminal, and otherwise a line every few seconds.

use std::fmt;
use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use application::ports::Position;
use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use projections::rebuild::RebuildObserver;

/// The pause between two lines.
const LINE_EVERY: Duration = Duration::from_secs(2);

const BAR: &str = "{msg:12} {wide_bar} {human_pos}/{human_len} events  {rate}  {eta} left";

/// The bar of work whose size is unknown.
const COUNT: &str = "{msg:12} {human_pos} events  {rate}";

/// Shows progress on standard error, so that the outcome can be piped.
pub struct Progress {
    bar: ProgressBar,
    lines: Option<Mutex<Lines>>,
}

struct Lines {
    begun: Instant,
    printed: Instant,
}

impl Progress {
    /// Shows nothing if the output must stay quiet.
    #[must_use]
    pub fn new(is_quiet: bool) -> Self {
        let on_terminal = std::io::stderr().is_terminal();
        let target = if on_terminal && !is_quiet { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target).with_style(style(BAR));
        let now = Instant::now();
        let lines = (!on_terminal && !is_quiet).then(|| Mutex::new(Lines { begun: now, printed: now }));
        Self { bar, lines }
    }

    /// Shows the number of processed events, of a known total, with a name for the work.
    pub fn show(&self, done: Position, of: Position, what: &'static str) {
        let (done, of) = (u64::try_from(done).unwrap_or(0), u64::try_from(of.max(done)).unwrap_or(0));
        self.bar.set_message(what);
        self.bar.set_length(of);
        self.bar.set_position(done);
        self.line(done, |rate| {
            let left = (of - done) as f64 / rate.max(1.0);
            eprintln!("{what}: {done} of {of} events, {rate:.0}/s, {left:.0} s left");
        });
    }

    /// Shows the number of processed events, of an unknown total.
    pub fn count(&self, done: u64, what: &'static str) {
        self.bar.set_style(style(COUNT));
        self.bar.set_message(what);
        self.bar.set_position(done);
        self.line(done, |rate| eprintln!("{what}: {done} events, {rate:.0}/s"));
    }

    /// Prints a line with the number of events per second, if one is due.
    fn line(&self, done: u64, print: impl FnOnce(f64)) {
        let Some(lines) = &self.lines else { return };
        let Ok(mut lines) = lines.lock() else { return };
        if lines.printed.elapsed() >= LINE_EVERY {
            lines.printed = Instant::now();
            print(done as f64 / lines.begun.elapsed().as_secs_f64());
        }
    }

    /// Lets `print` write without garbling the bar.
    pub fn aside(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }

    /// Removes the bar.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).with_key("rate", rate)
}

/// Whole events per second.
fn rate(state: &ProgressState, out: &mut dyn fmt::Write) {
    // The bar ignores errors of the terminal, too.
    let _ = write!(out, "{}/s", HumanCount(state.per_sec() as u64));
}

impl RebuildObserver for Progress {
    fn reached(&self, position: Position, end: Position) {
        self.show(position, end, "replaying");
    }

    fn does(&self, what: &'static str) {
        self.bar.set_message(what);
        if self.lines.is_some() {
            eprintln!("{what}");
        }
    }
}
