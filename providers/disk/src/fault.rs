//! What the operating system's errors mean here.

use rustix::io::Errno;
use safelight_core::error::{Error, Kind, Retry, Scope};

/// What was being done when the error came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Looking or reading: a failing medium concerns the one thing that was looked at.
    Read,
    /// Changing something: a failing medium concerns everything that would be written after it.
    Write,
}

/// The error for `errno`, met while doing `context`.
pub(crate) fn fault(errno: Errno, act: Act, context: impl Into<String>) -> Error {
    let kind = match errno {
        Errno::EXIST | Errno::NOTDIR | Errno::ISDIR | Errno::NOTEMPTY if act == Act::Write => {
            Kind::Exists
        }
        Errno::NOENT | Errno::NOTDIR | Errno::ISDIR => Kind::NotFound,
        Errno::NOSPC | Errno::DQUOT => Kind::NoRoom,
        Errno::ROFS => Kind::ReadOnly,
        Errno::NODEV | Errno::STALE | Errno::NOTCONN | Errno::NXIO => Kind::Absent,
        Errno::NAMETOOLONG | Errno::ILSEQ => Kind::Name,
        Errno::INVAL if act == Act::Write => Kind::Name,
        Errno::FBIG => Kind::TooLarge,
        // A symbolic link where none may be is refused, not followed.
        Errno::ACCESS | Errno::PERM | Errno::LOOP | Errno::XDEV => Kind::Denied,
        Errno::TIMEDOUT => Kind::Timeout,
        Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::AGAIN => Kind::Unavailable,
        Errno::NOTSUP | Errno::NOSYS => Kind::Unsupported,
        _ => Kind::Io,
    };
    let error = Error::new(kind, context).source(std::io::Error::from(errno));
    match (kind, act) {
        (Kind::Io, Act::Write) => error.scope(Scope::Destination).retry(Retry::NeedsPerson),
        _ => error,
    }
}

/// The operating system's number inside an error of the standard library.
pub(crate) fn number(error: &std::io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_what_they_concern() {
        let cases = [
            (Errno::NOSPC, Act::Write, Kind::NoRoom, Scope::Destination),
            (Errno::DQUOT, Act::Write, Kind::NoRoom, Scope::Destination),
            (Errno::ROFS, Act::Write, Kind::ReadOnly, Scope::Destination),
            (Errno::IO, Act::Read, Kind::Io, Scope::Item),
            (Errno::IO, Act::Write, Kind::Io, Scope::Destination),
            (Errno::STALE, Act::Read, Kind::Absent, Scope::Destination),
            (Errno::NODEV, Act::Write, Kind::Absent, Scope::Destination),
            (Errno::NAMETOOLONG, Act::Write, Kind::Name, Scope::Item),
            (Errno::INVAL, Act::Write, Kind::Name, Scope::Item),
            (Errno::FBIG, Act::Write, Kind::TooLarge, Scope::Item),
            (Errno::ACCESS, Act::Read, Kind::Denied, Scope::Item),
            (Errno::NOTDIR, Act::Write, Kind::Exists, Scope::Item),
        ];
        for (errno, act, kind, reach) in cases {
            let error = fault(errno, act, "test");
            assert_eq!((error.kind(), error.reach()), (kind, reach), "{errno:?}");
        }
    }
}
