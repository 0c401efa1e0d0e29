//! The two ways out: results on stdout, talk on stderr.
//!
//! Invariant: nothing else in the program prints. A reader of stdout that goes away is no failure; from then on
//! nothing more is written there.

use std::fmt::Display;
use std::io::{BufWriter, ErrorKind, IsTerminal as _, Stdout, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::MultiProgress;

use crate::args::Colour;
use crate::exit::Exit;

/// Where everything that is printed goes.
pub struct Output {
    results: Mutex<BufWriter<Stdout>>,
    closed: AtomicBool,
    failed: AtomicBool,
    bars: Mutex<Option<MultiProgress>>,
    colours: (bool, bool),
    quiet: bool,
}

impl Output {
    /// `quiet` leaves only problems on stderr.
    pub fn new(colour: Colour, quiet: bool) -> Arc<Self> {
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let forced = std::env::var_os("CLICOLOR_FORCE").is_some_and(|v| !v.is_empty() && v != "0");
        let decide = |terminal: bool| match colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => !is_set("NO_COLOR") && (terminal || forced),
        };
        let colours =
            (decide(std::io::stdout().is_terminal()), decide(std::io::stderr().is_terminal()));
        Arc::new(Self {
            results: Mutex::new(BufWriter::new(std::io::stdout())),
            closed: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            bars: Mutex::new(None),
            colours,
            quiet,
        })
    }

    /// One line of a result.
    pub fn line(&self, text: impl Display) {
        self.bytes(format!("{text}\n").as_bytes());
    }

    /// A result of several lines, each ended.
    pub fn text(&self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// One line that a reader gets at once.
    pub fn line_now(&self, text: impl Display) {
        self.line(text);
        self.flush();
    }

    /// Raw bytes of a result, for scripts.
    pub fn bytes(&self, bytes: &[u8]) {
        self.write(|results| results.write_all(bytes));
    }

    /// Hands everything on that was written so far.
    pub fn flush(&self) {
        self.write(Write::flush);
    }

    fn write(&self, act: impl FnOnce(&mut BufWriter<Stdout>) -> std::io::Result<()>) {
        if self.is_closed() {
            return;
        }
        let mut results = self.results.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = act(&mut results) {
            self.closed.store(true, Ordering::Relaxed);
            self.failed.store(error.kind() != ErrorKind::BrokenPipe, Ordering::Relaxed);
        }
    }

    /// Whether nobody reads the results any more.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// A remark; left out when only problems are wanted.
    pub fn talk(&self, text: impl Display) {
        if !self.quiet {
            self.problem(&format!("{text}\n"));
        }
    }

    /// Something that has to be said; `text` ends with a line end.
    pub fn problem(&self, text: &str) {
        let bars = self.bars.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody is left to be told that stderr is gone.
        let say = || drop(std::io::stderr().lock().write_all(text.as_bytes()));
        match &*bars {
            Some(bars) => bars.suspend(say),
            None => say(),
        }
    }

    /// From now on remarks go above these bars; `None`: there are none any more.
    pub fn put_bars(&self, bars: Option<MultiProgress>) {
        *self.bars.lock().unwrap_or_else(PoisonError::into_inner) = bars;
    }

    /// Whether results are coloured.
    pub fn colours_results(&self) -> bool {
        self.colours.0
    }

    /// Whether remarks are coloured.
    pub fn colours_talk(&self) -> bool {
        self.colours.1
    }

    /// The end: a result that could not be written is a failure after all.
    pub fn finish(&self, exit: Exit) -> Exit {
        self.flush();
        let failed = self.failed.load(Ordering::Relaxed);
        if failed && exit == Exit::OK { Exit::FAILED } else { exit }
    }
}

/// Lets the log write through an [`Output`].
#[derive(Clone)]
pub struct LogWriter(pub Arc<Output>);

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.problem(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
