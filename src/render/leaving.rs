//! "May the membership end?", for people and for programs.

use std::collections::BTreeMap;

use safelight_core::catalog::Amount;
use safelight_core::class::MediaClass;
use safelight_core::key::printable;
use safelight_export::inventory::Inventory;
use safelight_export::leave::{Answer, Losses, Reason};
use safelight_export::weigh::Rules;
use serde_json::{Value, json};

use super::table::{Table, loose, right};
use super::text::{count, files, plural, size};
use super::{key, moment};

/// Most names of a kind that are printed.
pub const NAMED: usize = 20;

/// An answer and what is needed to say it.
pub struct Leaving<'a> {
    /// The service's name in the config.
    pub name: &'a str,
    /// What it holds.
    pub inventory: &'a Inventory,
    /// The answer.
    pub answer: &'a Answer,
    /// What counted.
    pub rules: Rules,
    /// How long a check is good, in words.
    pub checked: String,
    /// What did not count, in words.
    pub remarks: &'a [String],
    /// Where finished exports wrote things down, and when.
    pub written_down: Vec<(String, String)>,
    /// What to type next.
    pub next: String,
}

/// `46,102 photos, 611 videos`.
pub fn classes(classes: &BTreeMap<MediaClass, Amount>) -> String {
    let some = classes.iter().filter(|(_, amount)| amount.files > 0);
    let words = some.map(|(class, amount)| {
        let word = match class {
            MediaClass::Photo => "photo",
            MediaClass::Raw => "raw photo",
            MediaClass::Video => "video",
            MediaClass::Sidecar => "sidecar",
            MediaClass::Other => "other file",
        };
        plural(amount.files, word)
    });
    words.collect::<Vec<_>>().join(", ")
}

impl Leaving<'_> {
    /// For people.
    pub fn text(&self) -> String {
        let (name, answer) = (self.name, self.answer);
        let all = answer.all;
        let mut text = match all.files {
            0 => format!("Nothing is at {name}.\n"),
            1 => format!(
                "1 file is at {name}: {} ({}).\n",
                classes(&answer.classes),
                size(all.bytes)
            ),
            number => format!(
                "{} files are at {name}: {} ({}).\n",
                count(number),
                classes(&answer.classes),
                size(all.bytes)
            ),
        };
        text += &self.copies();
        text += &self.troubles();
        text += &self.losses();
        for remark in self.remarks {
            text += &format!("{}\n", printable(remark.as_bytes()));
        }
        text += if answer.is_safe() { "Safe to cancel.\n" } else { "Not safe to cancel yet.\n" };
        if answer.only_there.files > 0 {
            let only = answer.only_there;
            text += &format!("  {}   {}, {}\n", self.next, files(only.files), size(only.bytes));
        } else if !answer.is_safe() {
            text += &format!("  safelight leave {name}   once the rest can be seen\n");
        }
        for beyond in &answer.beyond {
            text += &format!(
                "Without the membership the account holds {} in all; {} more is there now.\n",
                size(beyond.limit),
                size(beyond.bytes())
            );
        }
        text
    }

    fn copies(&self) -> String {
        let (answer, wanted) = (self.answer, self.rules.copies);
        let have = |number: u64| if number == 1 { "has" } else { "have" };
        let mut table = Table::default();
        let enough = answer.enough.files;
        if enough > 0 {
            let copies = if wanted == 1 {
                "another copy that was".to_owned()
            } else {
                format!("{wanted} or more other copies that were")
            };
            let words = format!("{} {copies} checked in the last {}.", have(enough), self.checked);
            table.row([right(count(enough)), loose(words)]);
        }
        let fewer = answer.fewer.files;
        if fewer > 0 {
            let words = format!("{} other copies, but fewer than {wanted}.", have(fewer));
            table.row([right(count(fewer)), loose(words)]);
        }
        let only = answer.only_there.files;
        if only > 0 {
            let words = if only == 1 { "is nowhere else:" } else { "are nowhere else:" };
            table.row([right(count(only)), loose(words)]);
        }
        let mut text = table.render(" ");
        for named in &answer.named {
            let item = &self.inventory.items[named.item];
            let perhaps = if named.perhaps {
                "   (something as large is, but nothing to compare)"
            } else {
                ""
            };
            text += &format!("    {}   {}{perhaps}\n", item.entry.key, size(item.entry.size));
        }
        let shown = answer.named.len() as u64;
        if only > shown {
            text += &format!("    and {} more\n", count(only - shown));
        }
        text
    }

    fn troubles(&self) -> String {
        let (answer, inventory) = (self.answer, self.inventory);
        let mut text = String::new();
        for part in inventory.unseen.iter().take(NAMED) {
            let place = part.key.as_ref().map(|key| format!("{key}: ")).unwrap_or_default();
            let message = printable(part.message.as_bytes());
            text += &format!("Not seen: {place}{message}   [{}]\n", part.code);
        }
        let more = inventory.unseen.len().saturating_sub(NAMED) as u64;
        if more > 0 {
            text += &format!("and {} more that were not seen.\n", count(more));
        }
        if answer.reasons.contains(&Reason::Unlisted) {
            let number = plural(inventory.unlisted.len() as u64, "file");
            text += &format!("Albums name {number} that the service does not list.\n");
        }
        if answer.reasons.contains(&Reason::CountsMore) {
            for one in answer.reckonings.iter().filter(|one| one.lacks()) {
                text += &format!(
                    "The service counts {}, but only {} were listed.\n",
                    size(one.service),
                    size(one.listed)
                );
            }
        }
        if answer.flagged > 0 {
            text += &format!(
                "{} of them came out other than the service says, and are proven elsewhere as they came.\n",
                files(answer.flagged)
            );
        }
        text
    }

    fn losses(&self) -> String {
        let lost = losses(&self.answer.losses);
        if lost.is_empty() {
            return String::new();
        }
        let mut text = format!("Besides, only {} knows {}.", self.name, lost.join(", "));
        if self.written_down.is_empty() {
            text += " An export writes them down.\n";
        } else {
            text += " What was there then is written down:\n";
            for (place, when) in &self.written_down {
                text += &format!("    {}   finished {when}\n", printable(place.as_bytes()));
            }
        }
        text
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let (answer, inventory) = (self.answer, self.inventory);
        let named = answer.named.iter().map(|named| {
            let item = &inventory.items[named.item];
            let mut object = json!({
                "bytes": item.entry.size, "class": item.class, "perhaps": named.perhaps,
            });
            key::put(&mut object, &item.entry.key);
            object
        });
        let unseen = inventory.unseen.iter().map(|part| {
            let mut object = json!({ "code": part.code, "message": part.message });
            if let Some(at) = &part.key {
                key::put(&mut object, at);
            }
            object
        });
        let classes: BTreeMap<_, _> =
            answer.classes.iter().map(|(class, amount)| (class.word(), amount)).collect();
        json!({
            "v": 1, "service": self.name, "at": moment::stamp(inventory.at), "safe": answer.is_safe(),
            "files": answer.all, "classes": classes, "copies_wanted": self.rules.copies,
            "checked_since": moment::stamp(self.rules.checked_since), "enough": answer.enough,
            "fewer": answer.fewer, "only_there": answer.only_there, "perhaps": answer.perhaps,
            "flagged": answer.flagged, "named": named.collect::<Vec<_>>(), "losses": answer.losses,
            "beyond": answer.beyond, "counts": answer.reckonings, "reasons": answer.reasons,
            "unseen": unseen.collect::<Vec<_>>(), "unlisted": inventory.unlisted.iter().map(|id| &**id).collect::<Vec<_>>(), "remarks": self.remarks,
            "next": (!answer.is_safe()).then_some(&self.next),
        })
    }
}

/// What would be lost besides the bytes, in words.
pub fn losses(losses: &Losses) -> Vec<String> {
    let mut words = Vec::new();
    let mut add = |number: u64, word: &str| {
        if number > 0 {
            words.push(plural(number, word));
        }
    };
    add(losses.albums, "album");
    add(losses.favourites, "favourite");
    add(losses.captions, "caption");
    add(losses.hidden, "hidden file");
    add(losses.dates, "date");
    add(losses.live_pairs, "live photo");
    if losses.keywords > 0 {
        words.push(format!("the keywords of {}", files(losses.keywords)));
    }
    words
}
