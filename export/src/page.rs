//! The answer of `leave` as a page to keep: one file that needs nothing else, with a row for each item.
//!
//! Invariant: nothing in it comes from anywhere else, and no name or caption of a service can become anything but text.

use std::io::{self, Write};

use safelight_core::catalog::Amount;
use safelight_core::key::printable;
use safelight_core::time::Timestamp;

use crate::inventory::{Inventory, Item};
use crate::leave::{Answer, Reason};
use crate::papers::sidecar::escaped;
use crate::weigh::{Place, Standing};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem;\
color:#222;background:#fff}h1{font-size:1.6rem}table{border-collapse:collapse;width:100%;font-size:.85rem}\
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid #ddd}\
th{position:sticky;top:0;background:#fff}code{font-size:.8rem;word-break:break-all}.no{background:#fdecea}\
.few{background:#fff8e1}.verdict{font-size:1.3rem;font-weight:600}\
@media(prefers-color-scheme:dark){body,th{background:#16181c;color:#ddd}td,th{border-color:#333}\
.no{background:#4a1f1c}.few{background:#453a16}}";

/// Writes the page, row by row.
///
/// # Errors
/// What the writer says.
pub fn write(
    out: &mut dyn Write,
    inventory: &Inventory,
    standings: &[Standing],
    answer: &Answer,
    copies: u32,
) -> io::Result<()> {
    let service = text(&inventory.service.name);
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>Leaving {service}</title>\n\
         <style>{STYLE}</style></head><body>\n<h1>Leaving {service}</h1>\n\
         <p>Looked at on {}.</p>\n<p class=\"verdict\">{}</p>\n",
        date(inventory.at),
        if answer.is_safe() { "Safe to cancel." } else { "Not safe to cancel yet." },
    )?;
    summary(out, inventory, answer, copies)?;
    out.write_all(
        b"<table><thead><tr><th>File<th>Size<th>SHA-256<th>Where else<th>Last checked</tr></thead><tbody>\n",
    )?;
    let unknown = Standing::default();
    for (at, item) in inventory.items.iter().enumerate() {
        row(out, item, standings.get(at).unwrap_or(&unknown), copies)?;
    }
    out.write_all(b"</tbody></table>\n</body></html>\n")
}

fn summary(
    out: &mut dyn Write,
    inventory: &Inventory,
    answer: &Answer,
    copies: u32,
) -> io::Result<()> {
    out.write_all(b"<ul>\n")?;
    let mut say = |line: String| writeln!(out, "<li>{line}</li>");
    let amount = |amount: Amount| format!("{} files, {} bytes", amount.files, amount.bytes);
    say(format!("At the service: {}.", amount(answer.all)))?;
    for (class, one) in &answer.classes {
        say(format!("Of these {class}: {}.", amount(*one)))?;
    }
    say(format!("With {copies} or more other proven copies: {}.", amount(answer.enough)))?;
    say(format!("With fewer, but at least one: {}.", amount(answer.fewer)))?;
    say(format!("Proven nowhere else: {}.", amount(answer.only_there)))?;
    for reason in &answer.reasons {
        say(match reason {
            Reason::OnlyThere => "Some files are proven nowhere else.".to_owned(),
            Reason::NotSeen => "Parts of the service could not be seen.".to_owned(),
            Reason::Unlisted => "Albums name files that the service does not list.".to_owned(),
            Reason::CountsMore => "The service counts more than it lists.".to_owned(),
        })?;
    }
    for part in &inventory.unseen {
        let place = part.key.as_ref().map_or("everything".to_owned(), |key| text(&key.to_string()));
        say(format!("Not seen: {place}: {}.", text(&part.message)))?;
    }
    let losses = &answer.losses;
    for (count, what) in [
        (losses.albums, "albums"),
        (losses.favourites, "favourites"),
        (losses.captions, "captions"),
        (losses.keywords, "files with keywords"),
        (losses.hidden, "hidden files"),
        (losses.dates, "dates that only the service knows"),
        (losses.live_pairs, "live photos kept as one"),
    ] {
        if count > 0 {
            say(format!("Lost with the service unless an export wrote it down: {count} {what}."))?;
        }
    }
    for beyond in &answer.beyond {
        let (limit, more) = (beyond.limit, beyond.bytes());
        say(format!("Without membership: {limit} bytes are allowed, {more} more are there now."))?;
    }
    out.write_all(b"</ul>\n")
}

fn row(out: &mut dyn Write, item: &Item, standing: &Standing, copies: u32) -> io::Result<()> {
    let class = match standing.copies() {
        0 => " class=\"no\"",
        few if few < copies => " class=\"few\"",
        _ => "",
    };
    let counting: Vec<&Place> = standing.places.iter().filter(|place| place.counts).collect();
    let sha256 = counting.iter().find_map(|place| place.sha256).or(item.entry.digests.sha256);
    let places: Vec<_> = counting
        .iter()
        .map(|place| format!("{}: {}", text(&place.name), text(&place.key.to_string())))
        .collect();
    let checked: Vec<_> = counting
        .iter()
        .map(|place| place.proof.map_or_else(|| "when it was read".to_owned(), |(_, at)| date(at)))
        .collect();
    writeln!(
        out,
        "<tr{class}><td>{}<td>{}<td><code>{}</code><td>{}<td>{}</tr>",
        text(&item.entry.key.to_string()),
        item.entry.size,
        sha256.map(hex::encode).unwrap_or_default(),
        if places.is_empty() { "nowhere".to_owned() } else { places.join("<br>") },
        checked.join("<br>"),
    )
}

fn text(from_outside: &str) -> String {
    escaped(&printable(from_outside.as_bytes()))
}

fn date(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_nanosecond(i128::from(at.as_nanos())).unwrap_or_default();
    jiff::tz::Offset::UTC.to_datetime(at).strftime("%Y-%m-%d").to_string()
}
