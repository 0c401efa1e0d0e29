//! What an export is going to do, and what came of it; for people and for programs.

use safelight_core::catalog::Amount;
use safelight_core::codes;
use safelight_core::error::Error;
use safelight_core::key::printable;
use safelight_core::mirror::DestinationState;
use safelight_export::plan::{Export, Plan};
use safelight_export::run::Outcome;
use serde_json::{Value, json};

use super::codes::title;
use super::key;
use super::leaving::NAMED;
use super::sign_in::remedy_for;
use super::table::{Table, left, loose, right};
use super::text::{count, files, plural, size, span};

/// An export and its surroundings.
pub struct Exported<'a> {
    /// The service's name in the config.
    pub from: &'a str,
    /// The export.
    pub export: &'a Export,
    /// What was planned.
    pub plan: &'a Plan,
    /// The targets for people, in their order.
    pub places: Vec<String>,
    /// Bytes per second of earlier runs.
    pub speed: Option<u64>,
}

impl Exported<'_> {
    /// What a rehearsal found; `command` is what was typed.
    pub fn rehearsal(&self, listed: bool, command: &str) -> String {
        let plan = self.plan;
        let mut table = Table::default();
        let mut row = |what: &str, amount: Amount, why: String| {
            if amount.files > 0 {
                let amount = format!("{}, {}", files(amount.files), size(amount.bytes));
                table.row([left(what), left(amount), loose(why)]);
            }
        };
        let time = self
            .speed
            .map(|speed| format!("   about {} at {}/s", span(plan.time_at(speed)), size(speed)));
        let to = format!("to {}{}", self.places.join(", "), time.unwrap_or_default());
        row("Would fetch", plan.send, to);
        row("Is there", plan.done, "fetched before".to_owned());
        row(
            "Would leave",
            plan.elsewhere,
            "proven elsewhere; --everything fetches them".to_owned(),
        );
        row("Would leave", plan.left_out, "of kinds that were not asked for".to_owned());
        for room in plan.rooms.iter().filter(|room| room.send.bytes > 0) {
            let needed = format!("{} needed", size(room.send.bytes));
            let why = match room.short.first() {
                Some((_, free)) => format!("only {} are free", size(*free)),
                None => "there is room, as far as it says".to_owned(),
            };
            table.row([
                left("Room"),
                left(needed),
                loose(format!("{}: {why}", shown(&room.target))),
            ]);
        }
        let mut text = table.render("   ");
        text += &self.names(listed);
        text += &self.unseen();
        if plan.send.files == 0 {
            text += "There is nothing to fetch.\n";
        }
        let more = if listed || plan.send.files == 0 {
            String::new()
        } else {
            format!(" Every file: {command} -n --list")
        };
        text + &format!("Nothing was changed.{more}\n")
    }

    fn names(&self, listed: bool) -> String {
        let inventory = &self.export.inventory;
        let renamed: Vec<_> = self.plan.renamed(inventory).collect();
        let mut text = String::new();
        if !renamed.is_empty() {
            let number = plural(renamed.len() as u64, "name");
            text += &format!("{number} would change, because not every disk can hold them:\n");
            for (old, new) in renamed.iter().take(NAMED) {
                text += &format!("    {old} -> {new}\n");
            }
            if renamed.len() > NAMED {
                text += &format!("    and {} more\n", count((renamed.len() - NAMED) as u64));
            }
        }
        if listed {
            for at in &self.plan.chosen {
                let placed = &self.plan.placed[*at];
                let entry = &inventory.items[placed.item].entry;
                text += &format!("fetch  {} -> {}   {}\n", entry.key, placed.key, size(entry.size));
            }
        }
        text
    }

    fn unseen(&self) -> String {
        let inventory = &self.export.inventory;
        let mut text = String::new();
        for part in inventory.unseen.iter().take(NAMED) {
            let place = part.key.as_ref().map(|key| format!("{key}: ")).unwrap_or_default();
            let message = printable(part.message.as_bytes());
            text += &format!("Not seen: {place}{message}   [{}]\n", part.code);
        }
        if !inventory.unlisted.is_empty() {
            let number = plural(inventory.unlisted.len() as u64, "file");
            text += &format!("Albums name {number} that the service does not list.\n");
        }
        text
    }

    /// Why it did not begin.
    pub fn too_small(&self) -> String {
        let mut text =
            format!("error: {}   [{}]\n", "There is not room for everything", codes::NO_ROOM);
        for room in &self.plan.rooms {
            for (needed, free) in &room.short {
                text += &format!(
                    "  {}: {} are needed, {} are free\n",
                    shown(&room.target),
                    size(*needed),
                    size(*free)
                );
            }
        }
        text + "  Nothing was fetched. --despite-room begins all the same.\n"
    }

    /// What came of it.
    pub fn summary(&self, outcome: &Outcome) -> String {
        let all = outcome.account.all();
        let mut text =
            format!("{} at {} ({}).\n", files(all.listed.files), self.from, size(all.listed.bytes));
        let mut table = Table::default();
        let mut row = |amount: Amount, words: &str| {
            if amount.files > 0 {
                let words = format!("{words} ({})", size(amount.bytes));
                table.row([right(count(amount.files)), loose(words)]);
            }
        };
        row(all.exported, "exported");
        row(all.elsewhere, "proven elsewhere and not fetched");
        row(all.left_out, "of kinds that were not asked for");
        row(all.missing, "missing");
        text += &table.render(" ");
        for missing in outcome.account.missing.iter().take(NAMED) {
            let why = if missing.message.is_empty() {
                title(missing.code)
            } else {
                printable(missing.message.as_bytes())
            };
            text += &format!("    {}   {why}   [{}]\n", missing.key, missing.code);
        }
        let shown_missing = outcome.account.missing.len().min(NAMED);
        if outcome.account.missing.len() > shown_missing {
            let more = (outcome.account.missing.len() - shown_missing) as u64;
            text += &format!("    and {} more, in safelight-export.json\n", count(more));
        }
        for name in &outcome.flagged {
            text +=
                &format!("    {name}   {}   [{}]\n", title(codes::OTHER_BYTES), codes::OTHER_BYTES);
        }
        text += &self.unseen();
        text += &self.targets(outcome);
        text + &self.verdict(outcome)
    }

    fn targets(&self, outcome: &Outcome) -> String {
        let mut text = String::new();
        if let Some(report) = outcome.reports.last() {
            for one in &report.destinations {
                if let DestinationState::Stopped(error) = &one.state {
                    text += &stopped(&one.name, error);
                }
            }
        }
        for (name, papers) in &outcome.papers {
            match papers {
                Ok(papers) => {
                    for (key, error) in &papers.failed {
                        let error = printable(error.to_string().as_bytes());
                        text += &format!("{}: {key} could not be written: {error}\n", shown(name));
                    }
                    if papers.failed.is_empty() && !papers.there.is_empty() {
                        text += &format!(
                            "{}: check it with `sha256sum -c CHECKSUMS.sha256`; safelight-export.json describes it.\n",
                            shown(name)
                        );
                    }
                }
                Err(error) if outcome.reports.is_empty() => text += &stopped(name, error),
                Err(_) => {}
            }
        }
        if let Some(error) = &outcome.down {
            text += &stopped(self.from, error);
            if let Some(command) = remedy_for(self.from, error) {
                text += &format!("fix: {command}\n");
            }
        }
        text
    }

    fn verdict(&self, outcome: &Outcome) -> String {
        if outcome.cut().is_some() {
            let left = files(outcome.account.all().missing.files);
            format!("Stopped before the end. Run the same command again to go on: {left} left.\n")
        } else if outcome.exit_code() == 0 {
            format!("Complete. May you cancel? safelight leave {}\n", self.from)
        } else {
            "Not complete. Run the same command again to try what is missing.\n".to_owned()
        }
    }

    /// The last line for programs.
    pub fn end(&self, outcome: &Outcome) -> Value {
        let all = outcome.account.all();
        let missing = outcome.account.missing.iter().map(|one| {
            let mut object = json!({ "code": one.code, "message": one.message });
            key::put(&mut object, &one.key);
            object
        });
        let target = |(name, papers): &(String, Result<_, Error>)| {
            json!({ "name": name, "papers": papers.is_ok(),
                    "code": papers.as_ref().err().map(Error::id) })
        };
        json!({
            "from": self.from, "dry_run": false, "listed": all.listed, "exported": all.exported,
            "elsewhere": all.elsewhere, "left_out": all.left_out, "missing": all.missing,
            "missing_files": missing.collect::<Vec<_>>(), "flagged": outcome.flagged.len(),
            "unseen": outcome.account.unseen, "unlisted": outcome.account.unlisted,
            "targets": outcome.papers.iter().map(target).collect::<Vec<_>>(), "cut": outcome.cut(),
            "bytes_sent": outcome.reports.iter().map(|report| report.bytes_sent).sum::<u64>(),
        })
    }

    /// The last line for programs where nothing was fetched.
    pub fn planned(&self, dry_run: bool) -> Value {
        let plan = self.plan;
        let renamed = plan
            .renamed(&self.export.inventory)
            .map(|(old, new)| json!({ "from": old.to_string(), "to": new.to_string() }));
        let room = |room: &safelight_export::plan::RoomFor| json!({ "name": room.target, "needed": room.send.bytes, "fits": room.short.is_empty() });
        json!({
            "from": self.from, "dry_run": dry_run, "fetch": plan.send, "there": plan.done,
            "elsewhere": plan.elsewhere, "left_out": plan.left_out,
            "targets": plan.rooms.iter().map(room).collect::<Vec<_>>(),
            "renamed": renamed.collect::<Vec<_>>(),
            "seconds_expected": self.speed.map(|speed| plan.time_at(speed).as_secs()),
        })
    }
}

fn shown(name: &str) -> String {
    printable(name.as_bytes())
}

/// That nothing more is asked of a place, and why.
pub fn stopped(name: &str, error: &Error) -> String {
    let (code, why) = (error.id(), printable(error.to_string().as_bytes()));
    format!("{}   stopped: {} ({why})   [{code}]\n", shown(name), title(code))
}
