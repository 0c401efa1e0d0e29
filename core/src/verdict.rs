//! The verdict: safe, waiting, or needs you. A pure function of what the catalog proves and of how the
//! destinations stand.
//!
//! Invariant: what is not proved is not called safe, and what will not mend itself is not called waiting.

use std::time::Duration;

use crate::catalog::Survey;
use crate::codes::{self, Code};
use crate::time::Timestamp;

/// The answer to "are my photos safe?" in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Every file fulfils the rules, or is new and within its time of grace.
    Safe,
    /// Something is missing, but nobody has to act.
    Waiting,
    /// Somebody has to act.
    NeedsYou,
}

impl Verdict {
    /// The word for it in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Waiting => "waiting",
            Self::NeedsYou => "needs-you",
        }
    }
}

/// How a destination stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is known to be wrong.
    Fine,
    /// It is not there or failed in passing; a later run goes on by itself.
    Waiting {
        /// Why.
        code: Code,
        /// When that stops to be all right.
        overdue_at: Option<Timestamp>,
    },
    /// It takes nothing until somebody acts.
    NeedsYou {
        /// Why.
        code: Code,
    },
}

impl Standing {
    /// How a destination stands that was stopped, or waited, because of `code`. `overdue_at` is when being away
    /// stops to be all right; only what may be away has one.
    pub fn because_of(code: Code, overdue_at: Option<Timestamp>, now: Timestamp) -> Self {
        const PASSING: [Code; 6] = [
            codes::UNAVAILABLE,
            codes::RATE_LIMITED,
            codes::TIMEOUT,
            codes::PROTOCOL,
            codes::RETRY_LATER,
            codes::CANCELLED,
        ];
        let away = code == codes::ABSENT || code == codes::OVERDUE;
        match overdue_at {
            Some(due) if away && due <= now => Self::NeedsYou { code: codes::OVERDUE },
            Some(_) if away => Self::Waiting { code: codes::ABSENT, overdue_at },
            _ if PASSING.contains(&code) => Self::Waiting { code, overdue_at: None },
            _ => Self::NeedsYou { code },
        }
    }
}

/// One thing that somebody has to do something about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// A destination.
    Destination {
        /// Its name.
        name: String,
        /// What is wrong.
        code: Code,
    },
    /// So many files look damaged in the library.
    Damage(u64),
    /// So many files lack copies and no run will bring them.
    Stuck(u64),
}

/// A destination as the verdict sees it.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its name.
    pub name: String,
    /// How it stands.
    pub standing: Standing,
    /// Files that are still to go there.
    pub behind: u64,
    /// When a run last finished everything there.
    pub last_done: Option<Timestamp>,
}

/// Judges. `grace` is for how long after the last complete run new files may lag without that being a matter.
pub fn judge(
    survey: &Survey,
    places: &[Place],
    grace: Duration,
    now: Timestamp,
) -> (Verdict, Vec<Need>) {
    let mut needs: Vec<Need> = places
        .iter()
        .filter_map(|place| match place.standing {
            Standing::NeedsYou { code } => {
                Some(Need::Destination { name: place.name.clone(), code })
            }
            _ => None,
        })
        .collect();
    if survey.suspect > 0 {
        needs.push(Need::Damage(survey.suspect));
    }
    let lacking = survey.files.files.saturating_sub(survey.safe + survey.suspect);
    let coming: u64 = places.iter().map(|place| place.behind).sum();
    if lacking > coming {
        needs.push(Need::Stuck(lacking - coming));
    }
    let recent = |place: &Place| {
        place.behind == 0
            || (place.standing == Standing::Fine
                && place.last_done.is_some_and(|done| now.since(done) <= grace))
    };
    let verdict = if !needs.is_empty() {
        Verdict::NeedsYou
    } else if lacking == 0 || places.iter().all(recent) {
        Verdict::Safe
    } else {
        Verdict::Waiting
    };
    (verdict, needs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Amount;

    const NOW: Timestamp = Timestamp::from_nanos(1_000_000_000_000_000_000);
    const DAY: Duration = Duration::from_hours(24);

    fn survey(files: u64, safe: u64, suspect: u64) -> Survey {
        Survey { files: Amount { files, bytes: files }, safe, suspect, ..Survey::default() }
    }

    fn place(standing: Standing, behind: u64, done_days_ago: u32) -> Place {
        let nanos = i64::from(done_days_ago) * 86_400_000_000_000;
        let last_done = Some(Timestamp::from_nanos(NOW.as_nanos() - nanos));
        Place { name: "disk".to_owned(), standing, behind, last_done }
    }

    fn judged(survey: &Survey, place: Place) -> Verdict {
        judge(survey, &[place], 2 * DAY, NOW).0
    }

    #[test]
    fn the_table_of_verdicts() {
        let away = Standing::Waiting { code: codes::ABSENT, overdue_at: None };
        let full = Standing::NeedsYou { code: codes::NO_ROOM };
        let cases = [
            ("all is well", survey(5, 5, 0), place(Standing::Fine, 0, 9), Verdict::Safe),
            ("all is safe without the disk", survey(5, 5, 0), place(away, 3, 9), Verdict::Safe),
            ("new files within grace", survey(5, 3, 0), place(Standing::Fine, 2, 1), Verdict::Safe),
            ("they lag too long", survey(5, 3, 0), place(Standing::Fine, 2, 3), Verdict::Waiting),
            ("the disk is away", survey(5, 3, 0), place(away, 2, 1), Verdict::Waiting),
            (
                "nothing is on its way",
                survey(5, 3, 0),
                place(Standing::Fine, 0, 1),
                Verdict::NeedsYou,
            ),
            ("a destination is full", survey(5, 5, 0), place(full, 0, 1), Verdict::NeedsYou),
            (
                "a file looks damaged",
                survey(5, 4, 1),
                place(Standing::Fine, 0, 1),
                Verdict::NeedsYou,
            ),
        ];
        for (name, survey, place, verdict) in cases {
            assert_eq!(judged(&survey, place), verdict, "{name}");
        }
    }

    #[test]
    fn being_away_is_all_right_until_it_is_overdue() {
        let (soon, past) = (Some(NOW.plus(DAY)), Some(Timestamp::from_nanos(0)));
        let because = |code, due| Standing::because_of(code, due, NOW);
        let waiting = Standing::Waiting { code: codes::ABSENT, overdue_at: soon };
        assert_eq!(because(codes::ABSENT, soon), waiting);
        assert_eq!(because(codes::ABSENT, past), Standing::NeedsYou { code: codes::OVERDUE });
        assert_eq!(because(codes::ABSENT, None), Standing::NeedsYou { code: codes::ABSENT });
        assert!(matches!(because(codes::UNAVAILABLE, None), Standing::Waiting { .. }));
    }
}
