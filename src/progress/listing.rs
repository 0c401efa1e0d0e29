//! Names every file of a rehearsal as it is planned, and hands all events on.

use std::sync::Arc;

use safelight_core::error::Error;
use safelight_core::mirror::RunReport;
use safelight_core::monitor::{Event, Monitor};

use super::Progress;
use crate::exit::Exit;
use crate::output::Output;
use crate::render::codes::title;
use crate::render::text::size;

/// See the module.
pub struct Listing {
    /// Where the names go.
    pub out: Arc<Output>,
    /// What else listens.
    pub next: Arc<dyn Progress>,
}

impl Monitor for Listing {
    fn event(&self, event: &Event<'_>) {
        if let Event::Intended { destination, key, bytes, hold } = event {
            match hold {
                None => {
                    self.out.line(format_args!("copy  {key} -> {destination}   {}", size(*bytes)));
                }
                Some(code) => self.out.line(format_args!(
                    "hold  {key} -> {destination}   {}   [{code}]",
                    title(*code)
                )),
            }
        }
        self.next.event(event);
    }
}

impl Progress for Listing {
    fn tick(&self) {
        self.next.tick();
    }

    fn end(&self, result: Result<&RunReport, &Error>, exit: Exit) {
        self.next.end(result, exit);
    }

    fn close(&self, job: &str, line: serde_json::Value, exit: Exit) {
        self.next.close(job, line, exit);
    }
}
