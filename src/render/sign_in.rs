//! The command that puts a refused sign-in right.

use safelight_config::codes::{SECRET_FILE_MODE, SECRET_MISSING};
use safelight_core::codes::{self, Code};
use safelight_core::error::{Error, Kind};

/// What to type when the destination `name`, to whose service people sign in, stopped because of `code`; `None` if
/// signing in anew does not help.
pub fn remedy(name: &str, code: Code) -> Option<String> {
    let missing = [codes::SIGN_IN, codes::SIGN_IN_DECLINED, codes::SECRET_MISSING, SECRET_MISSING];
    match code {
        codes::NO_KEYRING => Some(format!("safelight auth login {name} --store file")),
        code if missing.contains(&code) => Some(format!("safelight auth login {name}")),
        _ => None,
    }
}

/// The same for an error; whatever a service calls a refusal, signing in anew is worth a try.
pub fn remedy_for(name: &str, error: &Error) -> Option<String> {
    let refused = error.kind() == Kind::SignIn && error.id() != SECRET_FILE_MODE;
    let any = || refused.then(|| format!("safelight auth login {name}"));
    remedy(name, error.id()).or_else(any)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_offered_where_there_is_no_keyring_and_nothing_where_it_would_not_help() {
        let of = |code| remedy_for("box", &Error::new(Kind::SignIn, "").code(code));
        assert_eq!(of(codes::SIGN_IN).as_deref(), Some("safelight auth login box"));
        assert_eq!(of(codes::NO_KEYRING).as_deref(), Some("safelight auth login box --store file"));
        assert_eq!(of(Code("auth/new")).as_deref(), Some("safelight auth login box"));
        assert_eq!(of(SECRET_FILE_MODE), None);
        assert_eq!(remedy_for("box", &Error::new(Kind::NoRoom, "")), None);
    }
}
