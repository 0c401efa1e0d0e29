//! Settings of parts that do not exist yet: known to the schema, refused when used.

use crate::definition::{Form, Kind, Setting, Variants, Word};
use crate::words::{DURATION, NAME, SHARE, SIZE};

const TEXT: Form = Form::Text;
const TIME: Form = Form::Words(&DURATION);
const NAMES: Form = Form::List(&Form::Words(&NAME));

pub(super) const SCHEDULE: &[Setting] = &[
    Setting::new("on_change", TIME, "After the library has been quiet this long."),
    Setting::new("every", TIME, "At least this often."),
    Setting::new("on_attach", NAMES, "When one of these disks is plugged in."),
];

pub(super) const WHEN: &[Setting] = &[
    Setting::new("metered", Form::Flag, "Also on a metered connection."),
    Setting::new(
        "power",
        Form::Choice(&[Word::now("ac"), Word::now("any")]),
        "Which power is needed.",
    ),
    Setting::new("battery_min", Form::Count(0, 100), "Percent of battery needed."),
    Setting::new("hours", TEXT, "\"any\", or hours such as \"22:00-07:00\"."),
];

pub(super) const VERIFY: &[Setting] = &[
    Setting::new("of", NAMES, "The destinations."),
    Setting::new("quick", TEXT, "How often to compare listings."),
    Setting::new("sample", Form::Table(SAMPLE), "How much to read back, and how often."),
    Setting::new("full", Form::Table(FULL), "How often to read back everything."),
    Setting::new(
        "repair",
        Form::Choice(&[Word::now("from-good-copy"), Word::now("report")]),
        "What to do.",
    ),
];

const SAMPLE: &[Setting] = &[
    Setting::new("share", Form::Words(&SHARE), "How much."),
    Setting::new("every", TIME, "How often."),
];

const FULL: &[Setting] =
    &[Setting::new("every", TIME, "How often."), Setting::new("only", NAMES, "Where.")];

const INTO: Setting = Setting::new("into", TEXT, "Where in the library files go.");
const SETTLE: Setting = Setting::new("settle", TIME, "A file must have been quiet this long.");

pub(super) const INGEST: Variants = Variants {
    tag: "kind",
    default: None,
    common: &[INTO, SETTLE],
    kinds: &[
        Kind {
            word: "webdav",
            help: "Phones upload by WebDAV.",
            later: false,
            settings: &[
                Setting::new("user", TEXT, "The user's name.").private(),
                Setting::new("password", Form::Secret, "The user's password."),
            ],
        },
        Kind {
            word: "folder",
            help: "A folder that others fill.",
            later: false,
            settings: &[
                Setting::new("path", Form::Path, "The folder."),
                Setting::new(
                    "mode",
                    Form::Choice(&[Word::now("copy"), Word::now("move")]),
                    "What to do.",
                ),
            ],
        },
    ],
};

pub(super) const WEB: &[Setting] = &[
    Setting::new("listen", TEXT, "Address and port.").private(),
    Setting::new("password", Form::Secret, "Needed beyond this machine."),
    Setting::new("thumbnails", Form::Table(THUMBNAILS), "Small pictures."),
];

const THUMBNAILS: &[Setting] = &[
    Setting::new("size", Form::Count(1, 4096), "Pixels."),
    Setting::new("cache", Form::Words(&SIZE), "Room for them."),
];

pub(super) const NOTIFY: &[Setting] = &[
    Setting::new(
        "healthchecks",
        Form::Table(&[
            Setting::new("url", Form::TextOrSecret, "Where to report.").private(),
            Setting::new("send", NAMES, "Which events."),
        ]),
        "A dead-man switch.",
    ),
    Setting::new(
        "ntfy",
        Form::Table(&[
            Setting::new("url", Form::TextOrSecret, "The server.").private(),
            Setting::new("topic", Form::Secret, "The topic."),
            Setting::new("send", NAMES, "Which events."),
        ]),
        "Messages to a phone.",
    ),
];

pub(super) const HOOK: &[Setting] = &[
    Setting::new("on", TEXT, "The event."),
    Setting::new("job", Form::Words(&NAME), "Only for this job."),
    Setting::new("run", Form::List(&TEXT), "Program and arguments."),
    Setting::new("timeout", TIME, "How long it may take."),
];

pub(super) const LOG: &[Setting] =
    &[Setting::new("level", TEXT, "How much is written."), Setting::new("file", TEXT, "Where.")];
