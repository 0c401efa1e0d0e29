//! The settings of `[job.NAME]` with `kind = "export"`.

use crate::definition::{Form, Setting, Word};
use crate::words::{EXPORT_PATH, NAME, SPLIT};

pub(super) const EXPORT: &[Setting] = &[
    Setting::new("from", Form::Words(&NAME), "The destination that is to be left.").required(),
    Setting::new(
        "to",
        Form::OneOrMore(&Form::Words(&NAME)),
        "Where everything goes: other destinations. Not needed when --to names a folder.",
    ),
    Setting::new(
        "path",
        Form::Words(&EXPORT_PATH),
        "The folder inside each of them; {today} is the day on which the export began. Default: \"Leaving\", the name \
         of `from`, and {today}.",
    ),
    Setting::new(
        "include",
        Form::List(&Form::Choice(&[
            Word::now("photo"),
            Word::now("raw"),
            Word::now("video"),
            Word::now("sidecar"),
            Word::now("other"),
        ])),
        "Only these media classes. Default: all.",
    ),
    Setting::new(
        "layout",
        Form::Text,
        "Folders and names, as \"{taken:%Y}/{taken:%m}/{name}\"; also {stem}, {ext}, {folder}, {class}, {album}. \
         Default: as they are at the service.",
    ),
    Setting::new(
        "albums",
        Form::Choice(&[Word::now("sidecar"), Word::now("lists"), Word::now("links")]),
        "Albums are always in albums.json and in the XMP sidecars; besides as .m3u8 lists, or as lists and as folders \
         with links to the files.",
    )
    .default("\"sidecar\""),
    Setting::new(
        "prove",
        Form::Choice(&[Word::now("hash-every-file")]),
        "How the result is proved.",
    )
    .default("\"hash-every-file\""),
    Setting::new(
        "skip_if_library_has",
        Form::Flag,
        "Only what is proven nowhere else; false: everything.",
    )
    .default("true"),
    Setting::new("bag", Form::Flag, "A BagIt bag, with the files below data/; false: a plain folder.")
        .default("true"),
    Setting::new(
        "split",
        Form::Words(&SPLIT),
        "\"none\": files as they are. Archives of some size are not available yet.",
    )
    .default("\"none\""),
];
