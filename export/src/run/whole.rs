//! The passes of an export, told as one run: it begins once, and what each target has to get is the whole of it. So a
//! progress that counts bytes shows how far the export is, not how far a pass of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use safelight_core::catalog::Amount;
use safelight_core::codes::Code;
use safelight_core::monitor::{Event, Monitor};

use crate::plan::Plan;

pub(super) struct Whole {
    inner: Arc<dyn Monitor>,
    files: u64,
    new: Amount,
    targets: HashMap<String, Amount>,
    told: Mutex<Told>,
}

/// What is told only once.
#[derive(Default)]
struct Told {
    begun: bool,
    planned: Vec<String>,
    halted: Vec<(String, Code)>,
}

impl Whole {
    pub(super) fn new(plan: &Plan, inner: Arc<dyn Monitor>) -> Self {
        let targets = plan.rooms.iter().map(|room| (room.target.clone(), room.send)).collect();
        let files = plan.chosen.len() as u64;
        Self { inner, files, new: plan.send, targets, told: Mutex::default() }
    }

    /// Whether this is the first time.
    fn is_news(&self, event: &Event<'_>) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Scanning { .. } => !told.begun,
            Event::Started { .. } => !std::mem::replace(&mut told.begun, true),
            Event::Planned { destination, .. } => {
                once(&mut told.planned, (*destination).to_owned())
            }
            Event::Waiting { destination, code, .. } | Event::Stopped { destination, code, .. } => {
                once(&mut told.halted, ((*destination).to_owned(), *code))
            }
            Event::Resumed { destination } => {
                told.halted.retain(|(name, _)| name != destination);
                true
            }
            _ => true,
        }
    }
}

fn once<T: PartialEq>(all: &mut Vec<T>, one: T) -> bool {
    let new = !all.contains(&one);
    if new {
        all.push(one);
    }
    new
}

impl Monitor for Whole {
    fn event(&self, event: &Event<'_>) {
        if !self.is_news(event) {
            return;
        }
        match *event {
            Event::Started { run, job, .. } => {
                let (files, new) = (self.files, self.new);
                self.inner.event(&Event::Started { run, job, files, new });
            }
            Event::Planned { destination, send } => {
                let send = self.targets.get(destination).copied().unwrap_or(send);
                self.inner.event(&Event::Planned { destination, send });
            }
            _ => self.inner.event(event),
        }
    }
}
