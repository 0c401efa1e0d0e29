//! The settings of `[job.NAME]`.

use crate::definition::{Form, Kind, Setting, Variants, Word};
use crate::settings::export::EXPORT;
use crate::settings::later::{SCHEDULE, VERIFY, WHEN};
use crate::words::{BANDWIDTH, DURATION, GLOB, NAME, PROPAGATE, SHARE, SIZE};

pub(super) const JOB: Variants = Variants {
    tag: "kind",
    default: Some("mirror"),
    common: &[
        Setting::new("schedule", Form::Table(SCHEDULE), "When it runs by itself.").later(),
        Setting::new("when", Form::Table(WHEN), "Conditions for running.").later(),
    ],
    kinds: &[
        Kind { word: "mirror", help: "Copies what is new.", later: false, settings: MIRROR },
        Kind { word: "verify", help: "Proves the copies.", later: true, settings: VERIFY },
        Kind {
            word: "export",
            help: "Takes everything out of a service.",
            later: false,
            settings: EXPORT,
        },
    ],
};

const MIRROR: &[Setting] = &[
    Setting::new(
        "to",
        Form::List(&Form::Words(&NAME)),
        "The destinations. Default: all, in file order.",
    ),
    Setting::new(
        "only",
        Form::List(&Form::Words(&GLOB)),
        "Only files that match one of these patterns.",
    )
    .default("[]"),
    Setting::new("limits", Form::Table(LIMITS), "How fast and how much at once."),
    Setting::new("deletions", Form::Table(DELETIONS), "A file was deleted from the library."),
    Setting::new("changes", Form::Table(CHANGES), "A file has new content under the same path."),
];

const LIMITS: &[Setting] = &[
    Setting::new(
        "bandwidth",
        Form::List(&Form::Words(&BANDWIDTH)),
        "[HH:MM-HH:MM] [up|down] RATE or unlimited; the first that fits the hour holds.",
    )
    .default("[]"),
    Setting::new("parallel", Form::Named(&Form::Count(1, 256)), "Files in flight per destination."),
    Setting::new(
        "memory",
        Form::Words(&SIZE),
        "The byte budget for data on its way. While films go to Dropbox, up to 40 MiB more.",
    )
    .default("\"128 MiB\""),
];

const DELETIONS: &[Setting] = &[
    Setting::new(
        "propagate",
        Form::Words(&PROPAGATE),
        "When copies of a deleted file are removed.",
    )
    .default("\"after 30 days\""),
    Setting::new(
        "keep_in",
        Form::Choice(&[Word::now("trash"), Word::now("nothing")]),
        "Removed copies go to the destination's trash, or are gone.",
    )
    .default("\"trash\""),
    Setting::new("keep_for", Form::Words(&DURATION), "How long the trash keeps them.")
        .default("\"180 days\""),
    Setting::new(
        "guard",
        Form::Table(DELETIONS_GUARD),
        "A run that would remove more stops and asks.",
    ),
    Setting::new("i_understand", Form::Flag, "Needed for deleting at once without trash.")
        .default("false"),
];

const DELETIONS_GUARD: &[Setting] = &[
    Setting::new("files", Form::Count(0, u64::MAX), "At most this many files.").default("200"),
    Setting::new("share", Form::Words(&SHARE), "At most this share of the destination.")
        .default("\"2%\""),
];

const CHANGES: &[Setting] = &[
    Setting::new("keep_versions", Form::Count(0, 1_000), "How many replaced versions are kept.")
        .default("3"),
    Setting::new(
        "guard",
        Form::Table(CHANGES_GUARD),
        "A run that would replace more stops and asks.",
    ),
];

const CHANGES_GUARD: &[Setting] = &[
    Setting::new("files", Form::Count(0, u64::MAX), "At most this many files.").default("500"),
    Setting::new("share", Form::Words(&SHARE), "At most this share of the destination.")
        .default("\"5%\""),
];
