//! The codes of everything that can go wrong, and what each means to a person.
//!
//! Invariant: every code has a page; a code never changes its meaning once released.

use std::fmt;

/// A stable name for a cause, such as `run/changed-while-reading`. `safelight explain CODE` prints its page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(transparent)]
pub struct Code(pub &'static str);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// What `safelight explain` prints for a code.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// The code.
    pub code: Code,
    /// One line: what happened.
    pub title: &'static str,
    /// What it means for the photos and what to do.
    pub text: &'static str,
}

macro_rules! pages {
    ($($name:ident = $code:literal, $title:literal, $text:literal;)*) => {
        $(#[doc = $title] pub const $name: Code = Code($code);)*
        /// All pages, in the order of this file.
        pub const PAGES: &[Page] = &[$(Page { code: $name, title: $title, text: $text }),*];
    };
}

pages! {
    // --- one item
    CHANGED_WHILE_READING = "run/changed-while-reading", "The file changed while it was read",
        "Another program was writing the file. Nothing of it was stored, because half of one version and half of \
         another is no copy. The next run takes it when it is quiet.";
    VANISHED = "run/vanished", "The file disappeared during the run",
        "It was there when the library was listed and gone when it was to be read. If you deleted or moved it, \
         all is well; the next run notices.";
    UNREADABLE = "library/unreadable", "A file or folder of the library could not be read",
        "The rights or the disk do not allow reading it. It has no new copy, older copies stay. Check the \
         permissions (`ls -l`) or the health of the disk, then run `safelight mirror` again.";
    LINK_SKIPPED = "library/link-skipped", "A symbolic link was not followed",
        "Safelight copies files, not links: a link can lead out of the library or in circles. What it points to \
         is copied if it stands in the library itself.";
    NOT_A_FILE = "library/not-a-file", "A pipe, socket or device was left out",
        "Only ordinary files hold pictures. Nothing to do.";
    EMPTY_FILE = "library/empty-file", "The file has no bytes",
        "It was copied, but an empty picture usually is the leftover of a failed import or a power cut. Look \
         whether the original still exists on the card or phone.";
    ALL_ZERO = "library/all-zero", "The file holds nothing but zeros",
        "It was copied, but that is what a failed copy, a worn-out card or a failing disk leaves behind. Look whether \
         a good one still exists on the card or phone.";
    TRUNCATED = "library/truncated", "The file is cut off",
        "It was copied, but a part of it is missing: often a copy that was broken off, or a camera that lost power \
         while it recorded. Look whether the whole file still exists on the card or phone.";
    SETTLING = "library/settling", "The file changed a moment ago",
        "It may still be arriving, so it is taken once it has been quiet for the time set as `settle` in \
         [library].";
    SUSPECTED_DAMAGE = "library/suspected-damage", "The content changed although size and date did not",
        "That is how a failing disk looks, not an edit. The file is held back and the good copies stay as they \
         are. If it was a real edit, give it a new date (`touch FILE`) and run `safelight mirror`; if not, bring \
         a good copy back.";
    RESERVED_NAME = "library/reserved-name", "The library holds a folder named .safelight",
        "That name belongs to Safelight at every destination, so what stands in it is not copied. Rename the \
         folder if it holds photos.";
    LIBRARY_MISSING = "library/missing", "The library is not there",
        "The folder does not exist. Is the drive attached? Nothing was copied or removed anywhere.";
    LIBRARY_EMPTY = "library/empty", "The library has no files",
        "Nothing stands in the folder, or nothing is mounted there. Copies are never removed because of that. \
         Check the path with `safelight config show`.";
    LIBRARY_PART_MISSING = "library/part-missing", "A part of the library was not seen",
        "A folder could not be read or a drive below the library is not mounted. What is below it counts as not \
         seen, not as deleted: its copies stay.";
    TOO_LARGE = "destination/too-large", "The file is larger than the destination takes",
        "The file system or service has a limit for single files. The file is not stored there; its other copies \
         count.";
    NAME_REFUSED = "destination/name-refused", "The destination cannot hold a file of this name",
        "The name is too long or not allowed there, and no other name could be made for it. Rename the file, or \
         leave it: its other copies count.";
    CONTENT_REFUSED = "destination/content-refused", "The service refused this file",
        "It does not take files of this kind or content. Its other copies count.";
    CLASS_NOT_ACCEPTED = "destination/class-not-accepted", "The destination does not take this kind of file",
        "Neither its pools nor its abilities cover this media class. Its other copies count.";
    POOL_FULL = "destination/pool-full", "No room in the quota for this kind of file",
        "The pool that this media class counts against is full, so the file waits. `safelight about` shows the \
         room left.";
    GROUP_INCOMPLETE = "destination/group-incomplete", "A group is not complete at the destination",
        "Files that belong together, such as a still and the movie of a Live Photo, count against different quotas, and \
         the one that is named does not fit into its own. The others are there, and the one that is missing has its \
         copies elsewhere. Make room or raise the limit, then run `safelight mirror`.";
    CORRUPT_TRANSFER = "destination/corrupt-transfer", "The bytes that arrived are not the bytes that were sent",
        "Length or checksum differ. Nothing was kept of it; it is sent again. If it happens often, suspect the \
         memory, the cable or the disk.";
    ITEM_NOT_FOUND = "destination/not-found", "The file is not at the destination",
        "It was removed or renamed there by something other than Safelight. The next run stores it again.";
    ITEM_EXISTS = "destination/occupied", "Another file already stands under this name at the destination",
        "Safelight did not write it and does not overwrite it. `safelight adopt DESTINATION` looks whether it is \
         the same photo.";
    FOREIGN_VERSION = "destination/foreign-version", "The copy at the destination was changed by somebody else",
        "It is not the version that Safelight stored, so it was not overwritten. `safelight adopt DESTINATION` \
         compares it with the library.";
    DENIED = "destination/denied", "Access denied",
        "The account or user may not do this there. Check the rights of the folder or the keys.";
    UNSUPPORTED = "destination/unsupported", "The destination cannot do this",
        "Its service has no such operation.";
    IO = "destination/io-error", "The disk failed to read or write",
        "The device reported an error. Nothing unfinished is visible there. If it happens again, check the disk \
         (`smartctl -a`) and have another copy ready.";
    TIMEOUT = "destination/timeout", "It took too long",
        "The destination did not answer in time. The next run tries again.";
    PROTOCOL = "destination/bad-answer", "The service gave an answer that makes no sense",
        "It may be a passing fault, a proxy or sign-in page in between, or a change of the service.";
    RETRY_LATER = "destination/skipped", "Not tried, because the destination stopped before its turn",
        "An earlier problem stopped this destination for the rest of the run. The next run goes on.";
    // --- one destination
    ABSENT = "destination/not-attached", "The destination is not there",
        "The disk is not attached or the folder does not exist. Nothing was written anywhere else in its place. \
         Attach it and run `safelight mirror`.";
    OVERDUE = "destination/overdue", "The disk has been away for too long",
        "New photos have had no copy there since it was last attached. Attach it and run `safelight mirror`.";
    NOT_OURS = "destination/not-ours", "The destination holds files that Safelight did not put there",
        "To be safe, nothing was written. `safelight adopt DESTINATION` compares what is there with the library, \
         takes equal files over as copies and changes nothing.";
    WRONG_PLACE = "destination/wrong-disk", "Another disk or folder stands where the destination was",
        "The marker file there belongs to a different destination, or the marker that Safelight left is gone. \
         Nothing was written. Attach the right disk, or run `safelight adopt DESTINATION` to use this one.";
    NO_ROOM = "destination/full", "No room left",
        "The destination is full, counting the reserve that stays free. Make room, then run `safelight mirror`. \
         Copies that are there stay good.";
    READ_ONLY = "destination/read-only", "Nothing can be written there",
        "The file system is mounted read-only, often after an error. Check the disk, mount it for writing and \
         run `safelight mirror`.";
    SIGN_IN = "auth/expired", "The service no longer accepts the sign-in",
        "Nothing is lost; new files wait for this destination. `safelight auth login DESTINATION` signs in again; \
         for a destination with keys of its own, renew those. A run that is still busy elsewhere notices; otherwise \
         run `safelight mirror`.";
    SECRET_MISSING = "auth/secret-missing", "A secret could not be fetched",
        "The environment variable, file or command named in the config gave nothing. Nothing was sent.";
    SIGN_IN_DECLINED = "auth/declined", "The service did not let Safelight in",
        "Somebody said no on its page, or the code or token is wrong, used or too old. Nothing was kept and nothing \
         changed. Run `safelight auth login DESTINATION` again to try once more.";
    NO_KEYRING = "auth/no-keyring", "There is no keyring to keep the sign-in in",
        "No keyring of the system answers, or this Safelight was built without it (cargo feature `keyring`). On \
         servers and in containers there usually is none. `safelight auth login DESTINATION --store file` keeps \
         the sign-in in a file that only you can read. Nothing was kept anywhere.";
    RATE_LIMITED = "destination/rate-limited", "The service asked to slow down",
        "Too many requests. Safelight waits as long as the service says; what is left goes with the next run.";
    UNAVAILABLE = "destination/unavailable", "The service or the connection failed",
        "A passing fault, most likely. What is left goes with the next run.";
    NOT_FOUND_CONTAINER = "destination/no-such-bucket", "The bucket or container does not exist",
        "Create it at the service or correct its name in the config.";
    NO_VERSIONS = "destination/no-versions", "The destination cannot keep the replaced version",
        "It has no way to copy a file on its own side, so the old version could not be set aside and the new one \
         was not stored. Set `keep_versions = 0` in [job.NAME.changes] to replace without keeping.";
    // --- leaving a service
    OTHER_BYTES = "export/other-bytes", "The service gives other bytes than it says it holds",
        "The file was fetched twice, the same bytes came each time, and they do not have the checksum that the service \
         tells of. They were kept as they came: most likely there is nothing better to be had there. Look whether the \
         file opens, and whether a good copy exists elsewhere.";
    NOT_EXPORTED = "export/missing", "Listed by the service, but neither exported nor proven elsewhere",
        "The file is still only at the service. Run the same command again; if that does not help, fetch it by hand \
         before the membership ends.";
    // --- guards and the run
    GUARD_DELETIONS = "guard/deletions", "More files would be removed than the guard allows",
        "Nothing was removed. If a drive is missing, attach it. If you did delete them, run \
         `safelight mirror --accept-deletions RUN`; to keep the copies, `safelight mirror --keep-deleted`.";
    GUARD_CHANGES = "guard/changes", "More files changed their content than the guard allows",
        "Many files with new content under old names is how ransomware or a failing disk looks. No changed file \
         was sent. If the edits are yours, run `safelight mirror --accept-changes RUN`.";
    CANCELLED = "run/cancelled", "Stopped on request",
        "What was finished is recorded, nothing half-done is visible. The next run goes on.";
    LIMIT_REACHED = "run/limit", "The limit for this run was reached",
        "`--max-transfer` or `--max-duration` ended the run. What is left goes with the next run.";
    CATALOG_DAMAGED = "catalog/damaged", "The catalog is damaged",
        "It was set aside unchanged, with the date in its name. Photos and copies are not touched. A new catalog \
         is made by the next run, and `safelight adopt DESTINATION` recognises the copies.";
    CATALOG_NEWER = "catalog/newer", "The catalog was written by a newer Safelight",
        "This version does not know its format. Use the newer program.";
    CATALOG_FAILED = "catalog/failed", "The catalog could not be read or written",
        "Often the disk with the state folder is full. Without the catalog nothing is claimed and the run stops; \
         copies that were made are found again by the next run.";
    NO_CATALOG = "catalog/none", "There is no catalog yet",
        "The catalog is made by the first `safelight mirror` and knows from then on what is stored where. If you \
         had one, check `state` with `safelight config show`.";
    LOCKED = "run/locked", "Another Safelight is working on this library",
        "Two runs on one catalog would get in each other's way. Wait for the other one, or stop it.";
    INTERNAL = "safelight/internal", "A mistake in Safelight",
        "Please report it with the output of `safelight log` and the command that was run.";
}

/// Whether a code only tells something; it does not make a run fail.
pub fn is_note(code: Code) -> bool {
    [
        VANISHED,
        LINK_SKIPPED,
        NOT_A_FILE,
        EMPTY_FILE,
        ALL_ZERO,
        TRUNCATED,
        SETTLING,
        POOL_FULL,
        GROUP_INCOMPLETE,
        CLASS_NOT_ACCEPTED,
        OTHER_BYTES,
    ]
    .contains(&code)
}

/// The code with this name, if there is one.
pub fn find(name: &str) -> Option<Code> {
    page(name).map(|page| page.code)
}

/// The page of `code`.
pub fn page(code: &str) -> Option<&'static Page> {
    PAGES.iter().find(|page| page.code.0 == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_pages_say_something() {
        for (index, page) in PAGES.iter().enumerate() {
            assert!(page.code.0.contains('/') && page.text.len() > 20, "{page:?}");
            assert!(PAGES[..index].iter().all(|other| other.code != page.code), "{page:?}");
        }
    }
}
