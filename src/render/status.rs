//! "Are my photos safe?", for people and for programs.

use safelight_core::catalog::{Amount, DestinationSurvey, Survey};
use safelight_core::class::MediaClass;
use safelight_core::codes::{self, Code};
use safelight_core::provider::Room;
use safelight_core::time::Timestamp;
use safelight_core::verdict::{Need, Place, Standing, Verdict};
use serde_json::{Map, Value, json};

use super::codes::{reason, title};
use super::moment;
use super::paint::Paint;
use super::pools::{self, PoolLine};
use super::safety::{fewer, misfits};
use super::sign_in::remedy;
use super::table::{Table, left, loose, right};
use super::text::{count, files, size, span};

/// Everything that `status` tells.
pub struct Status {
    /// What is judged.
    pub verdict: Verdict,
    /// What somebody has to do.
    pub needs: Vec<Need>,
    /// Guards that stopped a part of the last run of a job: run and code.
    pub guards: Vec<(i64, Code)>,
    /// What the catalog proves.
    pub survey: Survey,
    /// The destinations of the config.
    pub rows: Vec<Row>,
    /// The destinations to whose services people sign in.
    pub sign_in: Vec<String>,
    /// Copies that count as safe.
    pub copies: u32,
    /// Now.
    pub now: Timestamp,
}

/// One destination.
pub struct Row {
    /// How it stands.
    pub place: Place,
    /// What the catalog counts there.
    pub survey: DestinationSurvey,
    /// Room left on a disk that was looked at.
    pub room: Option<Room>,
    /// Room left in the pools, as far as config and catalog tell.
    pub pools: Vec<PoolLine>,
}

impl Status {
    /// The one sentence at the top.
    pub fn sentence(&self) -> String {
        let (total, safe) = (self.survey.files.files, self.survey.safe);
        if total == 0 {
            return "There are no files in the library.".to_owned();
        }
        let of = format!("{} of {} are safe", count(safe), files(total));
        match self.verdict {
            Verdict::Safe if safe == total && total == 1 => "Yes: the one file is safe.".to_owned(),
            Verdict::Safe if safe == total => format!("Yes: all {} are safe.", files(total)),
            Verdict::Safe => format!("So far so good: {of}; the others are new and on their way."),
            Verdict::Waiting => {
                format!("Almost: {of}. {} wait for {}.", count(total - safe), self.awaited())
            }
            Verdict::NeedsYou if safe == total => {
                format!("All {} are safe, but something needs you.", files(total))
            }
            Verdict::NeedsYou => format!("No: {of}, and something needs you."),
        }
    }

    fn awaited(&self) -> String {
        let waits = |row: &&Row| matches!(row.place.standing, Standing::Waiting { .. });
        let names = |rows: Vec<&Row>| {
            rows.iter().map(|row| row.place.name.as_str()).collect::<Vec<_>>().join(", ")
        };
        let waiting = names(self.rows.iter().filter(waits).collect());
        if waiting.is_empty() {
            names(self.rows.iter().filter(|row| row.place.behind > 0).collect())
        } else {
            waiting
        }
    }

    /// For people.
    pub fn text(&self, colours: bool) -> String {
        let paint = match self.verdict {
            Verdict::Safe => Paint::Good,
            Verdict::Waiting => Paint::Waiting,
            Verdict::NeedsYou => Paint::Bad,
        };
        let mut text = format!("{}\n\n", paint.on(&self.sentence(), colours));
        let mut table = Table::default();
        let head = [
            "destination",
            "state",
            "photos",
            "videos",
            "behind",
            "last run",
            "oldest check",
            "room left",
        ];
        table.row(head.iter().enumerate().map(|(at, word)| match at {
            2..=4 => right(*word),
            _ => left(*word),
        }));
        for row in &self.rows {
            table.row(row.cells(self.now));
        }
        text += &table.render("  ");
        let mut remarks: Vec<String> = fewer(&self.survey.by_copies, self.copies).collect();
        for row in &self.rows {
            for (code, amount) in
                row.survey.held.iter().filter(|(code, _)| **code != codes::POOL_FULL)
            {
                let verb = if amount.files == 1 { "is" } else { "are" };
                let why = title(*code);
                remarks.push(format!(
                    "{} {verb} held back at {}: {why}.",
                    files(amount.files),
                    row.place.name
                ));
            }
        }
        remarks.extend(misfits(&self.survey));
        remarks.extend(self.needs.iter().map(|one| need(one, &self.sign_in)));
        for (run, code) in &self.guards {
            remarks
                .push(format!("run {run}: {}   [{code}]   safelight explain {code}", title(*code)));
        }
        if !remarks.is_empty() {
            text += &format!("\n{}\n", remarks.join("\n"));
        }
        text
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let most = self.survey.by_copies.keys().next_back().copied().unwrap_or(0);
        let by_copies: Map<String, Value> = (0..=most.max(1))
            .map(|copies| (copies, self.survey.by_copies.get(&copies).copied().unwrap_or(0)))
            .filter(|(copies, number)| *copies > 0 || *number > 0)
            .map(|(copies, number)| (copies.to_string(), json!(number)))
            .collect();
        let needs = self.needs.iter().map(need_json).chain(
            self.guards
                .iter()
                .map(|(run, code)| json!({ "code": code, "run": run, "message": title(*code) })),
        );
        json!({
            "v": 1, "safe": self.verdict == Verdict::Safe && self.survey.safe == self.survey.files.files, "verdict": self.verdict.word(),
            "sentence": self.sentence(), "files": self.survey.files.files,
            "bytes": self.survey.files.bytes, "safe_files": self.survey.safe,
            "damaged_files": self.survey.suspect, "by_copies": by_copies,
            "destinations": self.rows.iter().map(Row::json).collect::<Vec<_>>(),
            "needs_you": needs.collect::<Vec<_>>(),
        })
    }
}

impl Row {
    fn cells(&self, now: Timestamp) -> Vec<super::table::Cell> {
        let of = |classes: &[MediaClass]| -> u64 {
            let stored = classes.iter().filter_map(|class| self.survey.stored.get(class));
            stored.map(|amount: &Amount| amount.files).sum()
        };
        let (state, remark) = match self.place.standing {
            Standing::Fine => ("ok", String::new()),
            Standing::Waiting { code, overdue_at } => {
                let due = overdue_at
                    .map(|at| format!(", overdue in {}", span(at.since(now))))
                    .unwrap_or_default();
                ("waiting", format!("{}{due}", title(code)))
            }
            Standing::NeedsYou { code } => ("needs you", title(code)),
        };
        let room = match self.room {
            Some(Room::Unlimited) => "unlimited".to_owned(),
            Some(Room::Limited { used, total }) => size(total.saturating_sub(used)),
            Some(Room::Unknown) | None => {
                pools::words(&self.pools).unwrap_or_else(|| "-".to_owned())
            }
        };
        let never = || "-".to_owned();
        vec![
            left(&self.place.name),
            left(state),
            right(count(of(&[MediaClass::Photo, MediaClass::Raw]))),
            right(count(of(&[MediaClass::Video]))),
            right(count(self.place.behind)),
            left(self.survey.last_seen.map_or_else(never, |at| moment::ago(at, now))),
            left(self.survey.oldest_proof.map_or_else(never, |at| moment::ago(at, now))),
            left(room),
            loose(remark),
        ]
    }

    fn json(&self) -> Value {
        let (state, code, overdue_at) = match self.place.standing {
            Standing::Fine => ("ok", None, None),
            Standing::Waiting { code, overdue_at } => ("waiting", Some(code), overdue_at),
            Standing::NeedsYou { code } => ("needs-you", Some(code), None),
        };
        let stored: Map<String, Value> = self
            .survey
            .stored
            .iter()
            .map(|(class, amount)| (class.word().to_owned(), json!(amount)))
            .collect();
        let held: Map<String, Value> = self
            .survey
            .held
            .iter()
            .map(|(code, amount)| (code.0.to_owned(), json!(amount)))
            .collect();
        json!({
            "name": self.place.name, "state": state, "code": code, "reason": code.map(reason),
            "overdue_at": overdue_at.map(moment::stamp), "behind": self.place.behind,
            "pools": self.pools.iter().map(PoolLine::json).collect::<Vec<_>>(),
            "stored": stored, "held": held, "unproved": self.survey.unproved,
            "last_seen": self.survey.last_seen.map(moment::stamp),
            "last_done": self.survey.last_done.map(moment::stamp),
            "oldest_check": self.survey.oldest_proof.map(moment::stamp),
        })
    }
}

fn need(need: &Need, sign_in: &[String]) -> String {
    match need {
        Need::Destination { name, code } => {
            let command = Some(name).filter(|name| sign_in.contains(name));
            let command = command.and_then(|name| remedy(name, *code));
            let command = command.unwrap_or_else(|| format!("safelight explain {code}"));
            format!("{name}: {}   [{code}]   {command}", title(*code))
        }
        Need::Damage(number) => {
            let code = codes::SUSPECTED_DAMAGE;
            let verb = if *number == 1 { "looks" } else { "look" };
            format!(
                "{} {verb} damaged in the library   [{code}]   safelight explain {code}",
                files(*number)
            )
        }
        Need::Stuck(number) => {
            let verb = if *number == 1 { "lacks" } else { "lack" };
            format!(
                "{} {verb} copies and nothing is on its way: make room, add a destination, or see  \
                 safelight explain PATH",
                files(*number)
            )
        }
    }
}

fn need_json(one: &Need) -> Value {
    let message = need(one, &[]);
    match one {
        Need::Destination { name, code } => {
            json!({ "destination": name, "code": code, "message": title(*code) })
        }
        Need::Damage(number) => {
            json!({ "code": codes::SUSPECTED_DAMAGE, "files": number, "message": message })
        }
        Need::Stuck(number) => json!({ "files": number, "message": message }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(verdict: Verdict, safe: u64, standing: Standing) -> Status {
        let now = Timestamp::from_nanos(1_800_000_000_000_000_000);
        let place = Place { name: "disk".to_owned(), standing, behind: 65, last_done: None };
        let survey = DestinationSurvey { name: "disk".to_owned(), ..DestinationSurvey::default() };
        Status {
            verdict,
            needs: Vec::new(),
            guards: Vec::new(),
            survey: Survey {
                files: Amount { files: 48_390, bytes: 1 },
                safe,
                by_copies: [(2, 65), (4, 48_325)].into(),
                ..Survey::default()
            },
            rows: vec![Row { place, survey, room: None, pools: Vec::new() }],
            sign_in: vec!["dropbox".to_owned()],
            copies: 3,
            now,
        }
    }

    #[test]
    fn who_is_signed_out_is_told_the_command_where_there_is_one() {
        let of = |name: &str, code| {
            need(&Need::Destination { name: name.to_owned(), code }, &["dropbox".to_owned()])
        };
        assert!(of("dropbox", codes::SIGN_IN).ends_with("   safelight auth login dropbox"));
        assert!(of("bucket", codes::SIGN_IN).ends_with("   safelight explain auth/expired"));
        assert!(of("dropbox", codes::NO_ROOM).ends_with("   safelight explain destination/full"));
    }

    #[test]
    fn the_sentence_is_on_top_and_the_reasons_follow() {
        let now = Timestamp::from_nanos(1_800_000_000_000_000_000);
        let overdue_at = Some(now.plus(std::time::Duration::from_hours(5 * 24)));
        let away = Standing::Waiting { code: codes::ABSENT, overdue_at };
        assert_eq!(
            status(Verdict::Waiting, 48_325, away).text(false),
            "Almost: 48,325 of 48,390 files are safe. 65 wait for disk.\n\n\
             destination  state    photos  videos  behind  last run  oldest check  room left\n\
             disk         waiting       0       0      65  -         -             -          \
             the destination is not there, overdue in 5 days\n\
             \n65 files have 2 copies.\n"
        );
    }

    #[test]
    fn programs_get_the_same_in_the_documented_fields() {
        let json = status(Verdict::Safe, 48_390, Standing::Fine).json();
        assert_eq!(json["safe"], true);
        assert_eq!(json["verdict"], "safe");
        assert_eq!(json["by_copies"], json!({ "1": 0, "2": 65, "3": 0, "4": 48_325 }));
        assert_eq!(json["destinations"][0]["behind"], 65);
    }
}
