//! The settings of `[destination.NAME]`.

use crate::definition::{Form, Kind, Setting, Variants, Word};
use crate::words::{ADDRESS, AMOUNT, DURATION, ENDPOINT, LIMIT, NAME, ROOT};

pub(super) const DESTINATION: Variants = Variants {
    tag: "type",
    default: None,
    common: &[
        Setting::new("offsite", Form::Flag, "It is not in the same house as the library.")
            .default("false"),
        Setting::new("removable", Form::Flag, "Being absent is waiting, not an error.")
            .default("false"),
        Setting::new(
            "overdue",
            Form::Words(&DURATION),
            "How long it may be absent before you have to act.",
        )
        .default("\"14 days\""),
        POOLS.default("[]"),
    ],
    kinds: &[
        Kind { word: "disk", help: "A folder or an external disk.", later: false, settings: DISK },
        Kind { word: "s3", help: "Amazon S3 or a compatible service.", later: false, settings: S3 },
        Kind {
            word: "opendal",
            help: "Another service of OpenDAL.",
            later: false,
            settings: OPENDAL,
        },
        Kind { word: "dropbox", help: "Dropbox.", later: false, settings: DROPBOX },
        Kind {
            word: "amazon-photos",
            help: "Amazon Photos, as its web page speaks: unofficial, best effort, never the only copy.",
            later: false,
            settings: AMAZON_PHOTOS,
        },
    ],
};

pub(crate) const POOLS: Setting = Setting::new(
    "pool",
    Form::List(&Form::Table(POOL)),
    "Quotas: media classes that share a limit. A class that no pool counts has no limit.",
);

const CLASSES: &[Word] = &[
    Word::now("photo"),
    Word::now("raw"),
    Word::now("video"),
    Word::now("sidecar"),
    Word::now("other"),
];

const POOL: &[Setting] = &[
    Setting::new(
        "counts",
        Form::List(&Form::Choice(CLASSES)),
        "The media classes that count against it.",
    )
    .required(),
    Setting::new("limit", Form::Words(&LIMIT), "How much room there is; \"ask\" asks the service.")
        .required(),
    Setting::new("keep_free", Form::Words(&AMOUNT), "Room that is left free.").default("\"0 B\""),
    Setting::new(
        "when_full",
        Form::Choice(&[Word::now("newest-first"), Word::now("smallest-first"), Word::now("stop")]),
        "Which files go first when not all fit; the rest is reported.",
    )
    .default("\"newest-first\""),
];

const DISK: &[Setting] = &[
    Setting::new("path", Form::Text, "The folder; with `volume`, the folder inside the volume.")
        .required(),
    Setting::new(
        "volume",
        Form::Table(VOLUME),
        "The disk is found by this wherever it is mounted.",
    ),
    Setting::new("reserve", Form::Words(&AMOUNT), "Room that is left free on the file system.")
        .default("\"1%\""),
    Setting::new(
        "read_back",
        Form::Flag,
        "Every new copy is read again before it counts as proved.",
    )
    .default("true"),
];

const VOLUME: &[Setting] = &[
    Setting::new("label", Form::Words(&NAME), "The file system's label.").private(),
    Setting::new("id", Form::Words(&NAME), "The file system's id.").private(),
];

const S3: &[Setting] = &[
    Setting::new("bucket", Form::Words(&NAME), "The bucket.").required().private(),
    Setting::new("region", Form::Words(&NAME), "The region; needed for Amazon, else us-east-1."),
    Setting::new(
        "endpoint",
        Form::Words(&ENDPOINT),
        "The service's address; absent for Amazon; \"sandbox\" is a server inside the program for trying out.",
    )
    .private(),
    Setting::new("sandbox", Form::Path, "Where the sandbox keeps its objects."),
    Setting::new("access_key_id", Form::Secret, "The public half of the key."),
    Setting::new("secret_access_key", Form::Secret, "The secret half of the key."),
    Setting::new("session_token", Form::Secret, "For keys that expire."),
    Setting::new("root", Form::Words(&ROOT), "The prefix of all objects.").default("\"\""),
    Setting::new("path_style", Form::Flag, "The bucket stands in the path, not in the host name.")
        .default("false"),
    Setting::new("storage_class", Form::Words(&NAME), "The storage class of new objects."),
    Setting::new(
        "checksum",
        Form::Choice(&[Word::now("crc32c"), Word::now("none")]),
        "\"none\" for a service that refuses CRC-32C; then only ETags that are MD5 prove what arrived.",
    )
    .default("\"crc32c\""),
    Setting::new(
        "conditional_writes",
        Form::Flag,
        "false for a service that refuses or ignores If-Match and If-None-Match.",
    )
    .default("true"),
];

const OPENDAL: &[Setting] = &[
    Setting::new("service", Form::Words(&NAME), "OpenDAL's name of the service.").required(),
    Setting::new(
        "options",
        Form::Named(&Form::TextOrSecret),
        "The service's own options, passed on as they are; secrets as references.",
    )
    .private(),
    Setting::new("root", Form::Words(&ROOT), "The folder inside the service.").default("\"\""),
];

const DROPBOX: &[Setting] = &[
    Setting::new(
        "app_key",
        Form::Words(&NAME),
        "The key of your app in the Dropbox App Console; not needed for the sandbox.",
    )
    .private(),
    Setting::new(
        "token",
        Form::Secret,
        "The sign-in that lasts; `safelight auth login` puts it there.",
    ),
    Setting::new("access_token", Form::Secret, "Instead of `token`: one that lasts a few hours."),
    Setting::new("root", Form::Words(&ROOT), "The folder inside Dropbox, or inside the app's folder.")
        .default("\"\""),
    Setting::new("path_root", Form::Words(&NAME), "The namespace id of a team space.").private(),
    Setting::new(
        "endpoint",
        Form::ChoiceOrTable(&[Word::now("sandbox")], DROPBOX_HOSTS),
        "\"sandbox\" is a stand-in inside the program for trying out; a table has other addresses.",
    )
    .private(),
    Setting::new("sandbox", Form::Path, "Where the sandbox keeps its files."),
    // One account, one quota: everything counts against it.
    POOLS.default(
        "[{ counts = [\"photo\", \"raw\", \"video\", \"sidecar\", \"other\"], limit = \"ask\", keep_free = \"5%\" }]",
    ),
];

const DROPBOX_HOSTS: &[Setting] = &[
    Setting::new("api", Form::Words(&ADDRESS), "Where calls go."),
    Setting::new("content", Form::Words(&ADDRESS), "Where files go."),
    Setting::new("notify", Form::Words(&ADDRESS), "Where changes are waited for."),
    Setting::new("www", Form::Words(&ADDRESS), "Where people sign in."),
];

const AMAZON_PHOTOS: &[Setting] = &[
    Setting::new(
        "account",
        Form::Secret,
        "The cookies of a browser that is signed in; `safelight auth login` puts them there. Not needed for the \
         sandbox.",
    ),
    Setting::new(
        "country",
        Form::Choice(&[
            Word::now("com"),
            Word::now("ca"),
            Word::now("co.uk"),
            Word::now("de"),
            Word::now("fr"),
            Word::now("it"),
            Word::now("es"),
            Word::now("co.jp"),
        ]),
        "Where the account is: what follows `amazon.` in the address of its page.",
    )
    .default("\"com\""),
    Setting::new(
        "root",
        Form::Words(&ROOT),
        "The folder inside Amazon Photos; empty: the account's root.",
    )
    .default("\"Safelight\""),
    Setting::new(
        "plan",
        Form::Choice(&[Word::now("prime"), Word::now("none")]),
        "What the account pays for. \"prime\": photos and raw without limit, 5 GB for the rest; \"none\": 5 GB \
         for everything. It fills in the pools; pools that you write yourself win over it.",
    )
    .default("\"prime\""),
    Setting::new(
        "pool",
        Form::List(&Form::Table(POOL)),
        "Quotas: media classes that share a limit. Default: those of the `plan`, with 250 MB kept free.",
    ),
    Setting::new(
        "endpoint",
        Form::ChoiceOrTable(&[Word::now("sandbox")], AMAZON_HOSTS),
        "\"sandbox\" is a stand-in inside the program for trying out; a table has other addresses.",
    )
    .private(),
    Setting::new("sandbox", Form::Path, "Where the sandbox keeps its files."),
];

const AMAZON_HOSTS: &[Setting] = &[
    Setting::new("metadata", Form::Words(&ADDRESS), "Where calls go."),
    Setting::new("content", Form::Words(&ADDRESS), "Where files go."),
    Setting::new("thumbnail", Form::Words(&ADDRESS), "Where small pictures are."),
];

/// The pools of each plan of Amazon Photos. Some room is kept free, because the service counts what is used only now
/// and then.
pub(crate) const AMAZON_POOLS: &[(&str, &str)] = &[
    (
        "prime",
        "[{ counts = [\"photo\", \"raw\"], limit = \"unlimited\" }, \
          { counts = [\"video\", \"sidecar\", \"other\"], limit = \"5 GB\", keep_free = \"250 MB\" }]",
    ),
    (
        "none",
        "[{ counts = [\"photo\", \"raw\", \"video\", \"sidecar\", \"other\"], limit = \"5 GB\", keep_free = \"250 MB\" }]",
    ),
];
