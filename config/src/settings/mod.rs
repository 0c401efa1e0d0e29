//! The list of all settings, in the order of the manual.
//!
//! A setting marked `later` belongs to a part of Safelight that does not exist yet. It is listed all the same,
//! so that a file written for later is told apart from a slip, and so that nobody believes a protection is
//! active that is not: using one is an error.

mod destination;
mod export;
mod job;
mod later;

use crate::definition::{Form, Setting, Word};
use crate::words::{DURATION, FILTER_RULE, NAME};

pub(crate) use destination::{AMAZON_POOLS, POOLS};

/// The config format this program reads.
pub(crate) const VERSION: u64 = 1;

/// The top level of the file.
pub(crate) const ROOT: &[Setting] = &[
    Setting::new("version", Form::Count(1, VERSION), "Config format; a newer number is refused.")
        .required(),
    Setting::new(
        "state",
        Form::Path,
        "Where catalog, runs and sandbox data of this library are kept. Default: a folder of its own in the \
         user's state folder.",
    ),
    Setting::new("library", Form::Table(LIBRARY), "The one true copy; Safelight never changes it.")
        .required(),
    Setting::new("safety", Form::Table(SAFETY), "What \"safe\" means."),
    Setting::new(
        "destination",
        Form::Named(&Form::Variants(&destination::DESTINATION)),
        "Where copies go: one table per destination.",
    )
    .required(),
    Setting::new(
        "job",
        Form::Named(&Form::Variants(&job::JOB)),
        "What to do. Without a mirror job, there is one to every destination.",
    ),
    Setting::new("ingest", Form::Named(&Form::Variants(&later::INGEST)), "Phones and cameras.")
        .later(),
    Setting::new("web", Form::Table(later::WEB), "The dashboard.").later(),
    Setting::new("notify", Form::Table(later::NOTIFY), "Messages to other services.").later(),
    Setting::new("hook", Form::List(&Form::Table(later::HOOK)), "Programs run around jobs.")
        .later(),
    Setting::new("log", Form::Table(later::LOG), "What is written down while running.").later(),
];

const LIBRARY: &[Setting] = &[
    Setting::new(
        "name",
        Form::Words(&NAME),
        "A word for it in reports. Default: the folder's name.",
    ),
    Setting::new("path", Form::Path, "The folder; relative paths start at the config file.")
        .required(),
    Setting::new("filter", Form::Table(FILTER), "Which files belong to the library."),
    Setting::new("media", Form::Table(MEDIA), "Changes to the built-in lists of endings."),
    Setting::new("settle", Form::Words(&DURATION), "A file must have been quiet this long.")
        .default("\"0 seconds\""),
];

const FILTER: &[Setting] = &[
    Setting::new(
        "rules",
        Form::List(&Form::Words(&FILTER_RULE)),
        "\"- PATTERN\" leaves out, \"+ PATTERN\" keeps; gitignore syntax; the first match wins, no match keeps.",
    )
    .default("[]"),
    Setting::new("hidden", Form::Flag, "Files and folders whose names begin with a dot take part.")
        .default("false"),
    Setting::new(
        "symlinks",
        Form::Choice(&[Word::now("skip"), Word::later("follow")]),
        "What happens to symbolic links; they are reported either way.",
    )
    .default("\"skip\""),
    Setting::new(
        "sidecars",
        Form::Choice(&[Word::now("with-photo")]),
        "Sidecars and Live Photo films travel with their photo.",
    )
    .later(),
];

const MEDIA: &[Setting] = &[
    Setting::new("photo", Form::Table(MEDIA_CLASS), "Developed pictures."),
    Setting::new("raw", Form::Table(MEDIA_CLASS), "A camera's raw pictures."),
    Setting::new("video", Form::Table(MEDIA_CLASS), "Films."),
    Setting::new("sidecar", Form::Table(MEDIA_CLASS), "Small files that belong to a picture."),
    Setting::new("other", Form::Table(MEDIA_CLASS), "Everything else."),
];

const MEDIA_CLASS: &[Setting] = &[
    Setting::new(
        "add",
        Form::List(&Form::Words(&NAME)),
        "Endings that also mean this class, without the dot.",
    )
    .default("[]"),
    Setting::new("skip", Form::Flag, "Files of this class are not backed up.").default("false"),
];

const SAFETY: &[Setting] = &[
    Setting::new(
        "copies",
        Form::Count(1, 100),
        "How many copies make a file safe, the library counting as one. Default: 3, or one more than there are \
         destinations if that is less.",
    ),
    Setting::new(
        "offsite",
        Form::Count(0, 100),
        "How many of them outside the house. Default: 1 if any destination is offsite, else 0.",
    ),
    Setting::new(
        "checked",
        Form::Words(&DURATION),
        "A copy not checked for longer no longer counts.",
    )
    .default("\"180 days\""),
    Setting::new(
        "grace",
        Form::Words(&DURATION),
        "New files may lag this long before status turns amber.",
    )
    .default("\"2 days\""),
];
