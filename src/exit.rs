//! The exit codes, and which one wins when several apply.

use std::process::ExitCode;

/// What the program answers to whoever started it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit(pub i32);

impl Exit {
    /// Done, or nothing to do.
    pub const OK: Self = Self(0);
    /// Not covered by the others.
    pub const FAILED: Self = Self(1);
    /// Unknown command, flag, job or destination.
    pub const USAGE: Self = Self(2);
    /// Finished, but something needs a person.
    pub const LEFT_OVER: Self = Self(3);
    /// Nothing could be done now; a later try may succeed.
    pub const LATER: Self = Self(5);
    /// The config is missing, unreadable or wrong.
    pub const CONFIG: Self = Self(6);
    /// A destination that is needed refused the sign-in.
    pub const SIGN_IN: Self = Self(7);
    /// A question could not be asked.
    pub const UNASKED: Self = Self(8);
    /// Stopped by a signal; the state is consistent.
    pub const INTERRUPTED: Self = Self(130);
}

/// All codes, the one that wins first: an interruption explains everything else, and an unknown failure must
/// not hide behind something that is merely left over.
const ORDER: [i32; 13] = [130, 8, 4, 6, 7, 9, 2, 1, 3, 5, 10, 75, 0];

/// The one code for several outcomes; none at all is fine.
pub fn combine(exits: impl IntoIterator<Item = Exit>) -> Exit {
    let rank = |exit: &Exit| ORDER.iter().position(|code| *code == exit.0);
    exits.into_iter().min_by_key(rank).unwrap_or(Exit::OK)
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        u8::try_from(exit.0).map_or(Self::FAILURE, Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_telling_code_wins() {
        let combined = |codes: &[i32]| combine(codes.iter().copied().map(Exit)).0;
        assert_eq!(combined(&[]), 0);
        assert_eq!(combined(&[0, 10, 5, 3]), 3);
        assert_eq!(combined(&[0, 10, 5]), 5);
        assert_eq!(combined(&[3, 7, 9]), 7);
        assert_eq!(combined(&[6, 4, 8]), 8);
        assert_eq!(combined(&[1, 3]), 1);
        assert_eq!(combined(&[0, 130, 8]), 130);
    }
}
