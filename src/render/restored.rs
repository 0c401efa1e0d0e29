//! What a restore is going to do, and what came of it; for people and for programs.

use std::path::Path;

use safelight_core::codes;
use safelight_core::error::Error;
use safelight_core::key::{Key, printable};
use safelight_export::restore::{Outcome, Plan};
use serde_json::{Value, json};

use super::codes::{shown_path, title};
use super::exported::stopped;
use super::key;
use super::leaving::NAMED;
use super::sign_in::remedy_for;
use super::text::{count, files, size};

/// A restore and its surroundings.
pub struct Restored<'a> {
    /// The destination's name.
    pub from: &'a str,
    /// The folder.
    pub to: &'a Path,
    /// What was planned.
    pub plan: &'a Plan,
}

impl Restored<'_> {
    /// What a rehearsal found.
    pub fn rehearsal(&self, listed: bool) -> String {
        let (plan, to) = (self.plan, shown_path(self.to));
        let send = plan.send;
        let mut text = format!(
            "Would restore   {}, {}   from {} to {to}\n",
            files(send.files),
            size(send.bytes),
            self.from
        );
        if listed {
            for (key, bytes) in plan.files() {
                text += &format!("restore  {key}   {}\n", size(bytes));
            }
        }
        text += &self.rest();
        text + "Nothing was changed.\n"
    }

    /// What came of it.
    pub fn summary(&self, outcome: &Outcome) -> String {
        let restored = outcome.restored;
        let mut text = format!(
            "{} restored from {} to {} ({}), each compared with its recorded hash.\n",
            files(restored.files),
            self.from,
            shown_path(self.to),
            size(restored.bytes)
        );
        text += &self.rest();
        for (key, error) in outcome.failed.iter().take(NAMED) {
            let why = printable(error.to_string().as_bytes());
            text += &format!("  {key}   {} ({why})   [{}]\n", title(error.id()), error.id());
        }
        if outcome.failed.len() > NAMED {
            text += &format!("  and {} more\n", count((outcome.failed.len() - NAMED) as u64));
        }
        if let Some(error) = &outcome.halted {
            text += &stopped(&shown_path(self.to), error);
        }
        if let Some(error) = &outcome.down {
            text += &stopped(self.from, error);
            if let Some(command) = remedy_for(self.from, error) {
                text += &format!("fix: {command}\n");
            }
        }
        if outcome.left > 0 {
            let left = files(outcome.left);
            text += &format!("Run the same command again to go on: {left} left.\n");
        }
        text
    }

    fn rest(&self) -> String {
        let plan = self.plan;
        let mut text = String::new();
        if plan.there.files > 0 {
            text += &format!("{} there already, with the same content.\n", files(plan.there.files));
        }
        if plan.deleted > 0 {
            text += &format!("Among them: {} deleted from the library.\n", files(plan.deleted));
        }
        if plan.older > 0 {
            text += &format!(
                "Among them: {} older than the library had last; the newer ones never went to {}.\n",
                files(plan.older),
                self.from
            );
        }
        let code = codes::ITEM_EXISTS;
        text += &list(
            &plan.occupied,
            &format!("not restored, because something else stands there   [{code}]"),
        );
        text + &list(&plan.without, &format!("of which {} has no copy", self.from))
    }

    /// The last line for programs.
    pub fn json(&self, outcome: Option<&Outcome>) -> Value {
        let plan = self.plan;
        let named = |keys: &[Key]| -> Vec<Value> {
            let object = |at: &Key| {
                let mut object = json!({});
                key::put(&mut object, at);
                object
            };
            keys.iter().map(object).collect()
        };
        let mut line = json!({
            "from": self.from, "to": shown_path(self.to), "dry_run": outcome.is_none(),
            "planned": plan.send, "there": plan.there, "occupied": named(&plan.occupied),
            "without": named(&plan.without), "deleted": plan.deleted, "older": plan.older,
        });
        if let Some(outcome) = outcome {
            let failed = |(at, error): &(Key, Error)| {
                let mut object = json!({ "code": error.id(), "message": error.to_string() });
                key::put(&mut object, at);
                object
            };
            line["restored"] = json!(outcome.restored);
            line["failed"] = outcome.failed.iter().map(failed).collect();
            line["left"] = json!(outcome.left);
            let why = outcome.down.as_ref().or(outcome.halted.as_ref());
            line["code"] = json!(why.map(Error::id));
        }
        line
    }
}

fn list(keys: &[Key], what: &str) -> String {
    if keys.is_empty() {
        return String::new();
    }
    let mut text = format!("{} {what}\n", files(keys.len() as u64));
    for key in keys.iter().take(NAMED) {
        text += &format!("  {key}\n");
    }
    if keys.len() > NAMED {
        text += &format!("  and {} more\n", count((keys.len() - NAMED) as u64));
    }
    text
}
