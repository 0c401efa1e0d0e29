//! Shows a run while it goes: bars, plain lines, JSON Lines, or nothing.
//!
//! Events only change numbers or say one line; what is drawn at intervals is drawn by [`Progress::tick`], which
//! the command calls once a second by the clock it was handed.

mod bars;
mod board;
mod json;
mod listing;
mod plain;

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

use safelight_core::error::{Error, Kind, Result as CoreResult};
use safelight_core::mirror::RunReport;
use safelight_core::monitor::{Monitor, Silent};
use safelight_core::time::{Clock, Timestamp};

pub use json::heard;
pub use listing::Listing;

use crate::args::ProgressKind;
use crate::exit::Exit;
use crate::output::Output;
use crate::session::Session;
use crate::wiring::Bandwidth;

const SECOND: Duration = Duration::from_secs(1);

/// Listens to a run and shows it.
pub trait Progress: Monitor {
    /// A second went by.
    fn tick(&self);
    /// The run ended, or failed as a whole. Nothing is shown after this.
    fn end(&self, result: Result<&RunReport, &Error>, exit: Exit);
    /// As [`end`](Self::end), for what is not one run of the engine; `line` is what programs are told.
    fn close(&self, job: &str, line: serde_json::Value, exit: Exit);
    /// What is drawn goes away; nothing ended that would have to be told.
    fn clear(&self) {}
}

impl Progress for Silent {
    fn tick(&self) {}
    fn end(&self, _: Result<&RunReport, &Error>, _: Exit) {}
    fn close(&self, _: &str, _: serde_json::Value, _: Exit) {}
}

/// What a run is shown with.
pub struct Surroundings {
    /// Where to.
    pub out: Arc<Output>,
    /// The source of time.
    pub clock: Arc<dyn Clock>,
    /// When destinations that are away stop to be merely waiting.
    pub overdue: BTreeMap<String, Timestamp>,
    /// What is read: `the library`, or the name of a service.
    pub source: String,
}

/// Carries `work` out while the seconds go by.
///
/// # Errors
/// Those of the work.
pub async fn ticking<T>(
    clock: &dyn Clock,
    progress: &dyn Progress,
    bandwidth: Option<&Bandwidth>,
    work: impl Future<Output = CoreResult<T>>,
) -> CoreResult<T> {
    let seconds = async {
        loop {
            clock.sleep(SECOND).await;
            progress.tick();
            if let Some(bandwidth) = bandwidth {
                bandwidth.adjust(clock);
            }
        }
    };
    tokio::select! {
        done = work => done,
        () = seconds => Err(Error::new(Kind::Internal, "the clock stopped")),
    }
}

/// The way that flags and terminal ask for.
pub fn choose(session: &Session, with: Surroundings) -> Arc<dyn Progress> {
    let flags = &session.flags;
    if flags.json {
        return Arc::new(json::JsonLines::new(with));
    }
    let kind = match flags.progress {
        _ if flags.quiet => ProgressKind::None,
        ProgressKind::Auto if std::io::stderr().is_terminal() => ProgressKind::Bar,
        ProgressKind::Auto => ProgressKind::Plain,
        asked => asked,
    };
    match kind {
        ProgressKind::Bar => Arc::new(bars::Bars::new(with)),
        ProgressKind::None => Arc::new(Silent),
        ProgressKind::Auto | ProgressKind::Plain => Arc::new(plain::Plain::new(with)),
    }
}
