//! The codes of everything that can be wrong with a config file or a secret, and what each means to a person.

pub use safelight_core::codes::{Code, Page};

macro_rules! pages {
    ($($name:ident = $code:literal, $title:literal, $text:literal;)*) => {
        $(#[doc = $title] pub const $name: Code = Code($code);)*
        /// All pages, in the order of this file; `safelight explain CODE` prints one.
        pub const PAGES: &[Page] = &[$(Page { code: $name, title: $title, text: $text }),*];
    };
}

pages! {
    UNREADABLE = "config/unreadable", "The config file could not be read",
        "There is no file at the place named, or it may not be read, or it is not UTF-8 text. Safelight looks at \
         `--config`, then $SAFELIGHT_CONFIG, then ./safelight.toml, then the user's config folder; \
         `safelight config path` prints where.";
    SYNTAX = "config/syntax", "The config file is not valid TOML",
        "A bracket, quote or equals sign is missing or doubled near the spot shown. Text values stand in quotes. \
         Only the first mistake of each line is shown; settings are checked once the syntax is right.";
    NEWER_VERSION = "config/newer-version", "The config file is written for a newer Safelight",
        "The number after `version` is higher than this program knows. It does not guess what new settings mean; \
         install a newer Safelight.";
    UNKNOWN_SETTING = "config/unknown-setting", "There is no setting of this name here",
        "Unknown settings are never ignored: a misspelt safety setting that is silently left out would be worse \
         than an error. `safelight config schema` lists every setting.";
    UNKNOWN_DESTINATION = "config/unknown-destination", "No destination has this name",
        "A job names a destination for which there is no [destination.NAME] table in the file. Check the \
         spelling, or add the table.";
    NOT_AVAILABLE_YET = "config/not-available-yet", "This setting belongs to a part that does not exist yet",
        "The setting is planned and its name is taken, but this version does not act on it. It is refused rather \
         than ignored, so that nobody relies on a protection that is not there. Remove it, or put a `#` in front.";
    WRONG_TYPE = "config/wrong-type", "The value is of the wrong kind",
        "For example text where a number is expected, or a number without its unit. Sizes, times and shares are \
         written with their unit and in quotes: \"5 GB\", \"30 days\", \"2%\".";
    WRONG_VALUE = "config/wrong-value", "The value is not one of those possible",
        "It has the right kind, but it is not a word, unit, pattern or number that is accepted there. The help \
         below the spot shows what is.";
    MISSING_SETTING = "config/missing-setting", "A setting that is needed is not there",
        "The smallest file has `version = 1`, a [library] with `path`, and one [destination.NAME] with `type` and \
         the settings of that type.";
    BAD_NAME = "config/bad-name", "The name has letters that names cannot have",
        "Names of destinations and jobs consist of the letters a to z, digits, `-` and `_`, because they appear \
         on the command line and in the names of folders.";
    PLAIN_SECRET = "config/plain-secret", "A password is written in the config file",
        "Config files are copied, shared and put under version control, and the password goes along. Write where \
         the secret is instead: `keyring:NAME` for an entry of the system's keyring, `env:NAME` for an \
         environment variable, `file:PATH` for a file that only you can read (mode 0600), `cmd:PROGRAM ARG...` \
         for a program that prints it, `systemd:NAME` for a credential of a systemd service. A password that was \
         in the file for long is better changed.";
    SECRET_MISSING = "config/secret-missing", "A secret could not be fetched",
        "The file refers to an environment variable, a file, a program or a keyring, and that gave nothing usable. \
         If it is the sign-in to a service, `safelight auth login DESTINATION` puts it there. The library and the other destinations are not affected. Check the reference by hand.";
    SECRET_FILE_MODE = "config/secret-file-mode", "A file with a secret can be used by others",
        "Other accounts of this machine may read or change it. Safelight does not use it until only you can: \
         `chmod 600 FILE`.";
    NESTED_PATHS = "config/nested-paths", "Two folders lie inside each other",
        "A destination inside the library would be backed up into itself; a library inside a destination would \
         be taken for copies; a destination inside another would be seen as foreign files. Give each a folder of \
         its own, side by side.";
    DUPLICATE_DESTINATION = "config/duplicate-destination", "Two destinations are the same place",
        "They would be counted as two copies although there is only one. Give them different folders, or remove \
         one of them.";
    POOL_OVERLAP = "config/pool-overlap", "A media class counts against two pools",
        "Then it would be unclear how much room there is. Name each class in at most one pool of a destination.";
    NEVER_SAFE = "config/never-safe", "No file could ever be safe with these numbers",
        "[safety] asks for more copies than the library and all destinations together can be, or for more \
         off-site copies than there are destinations with `offsite = true`. Lower the number or add a destination.";
    ONLY_COPY = "config/only-copy", "Amazon Photos would hold the only copy",
        "There is no interface of Amazon Photos for programs: Safelight speaks as its web page does, which may stop \
         working on any day, and the account may be closed or its plan end. So at least one mirror job must copy to a \
         destination of another kind as well: a disk, a NAS, a bucket, Dropbox.";
    DANGEROUS = "config/dangerous", "These settings together destroy copies without a way back",
        "`propagate = \"at once\"` with `keep_in = \"nothing\"` means that a file deleted from the library by \
         mistake is gone everywhere with the next run. Keep the trash, or wait some days; if you really want \
         this, add `i_understand = true`.";
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_code_in_the_source_has_a_page() {
        // Constants are made together with their page, so it is enough that nobody writes a code by hand.
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() && !path.ends_with("codes.rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                assert!(!text.contains("\"config/"), "{}", path.display());
            }
        }
    }

    #[test]
    fn pages_are_whole_and_codes_unique() {
        for (at, page) in PAGES.iter().enumerate() {
            assert!(page.code.0.starts_with("config/"), "{}", page.code);
            assert!(!page.title.ends_with('.') && page.text.ends_with('.'), "{}", page.code);
            assert!(PAGES[..at].iter().all(|other| other.code != page.code), "{}", page.code);
        }
    }
}
