//! Secrets are fetched only by reference, and never shown.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{bad, codes, good, with};
use safelight_config::secrets::{forget, keep, resolve};
use safelight_config::{Env, SecretRef};
use safelight_core::error::Kind;
use safelight_core::secret::Secret;

const CANARY: &str = "hunter2canary";

/// Every way to write a secret where none may be.
fn leaks() -> Vec<String> {
    let s3 = "[destination.s]\ntype = \"s3\"\nbucket = \"b\"\nregion = \"r\"\n";
    let opendal = "[destination.o]\ntype = \"opendal\"\nservice = \"webdav\"\n";
    let tables = [
        format!("{s3}access_key_id = \"env:X\"\nsecret_access_key = \"{CANARY}\"\n"),
        format!("{s3}secret_access_key = \"\"\"\n{CANARY}\"\"\"\n"),
        format!("{s3}secret_access_key = [\"{CANARY}\"]\n"),
        format!("{s3}secret_access_key = {{ comd = [\"{CANARY}\"] }}\n"),
        format!("{s3}secret_acces_key = \"{CANARY}\"\n"),
        format!("{s3}auth_tokn = \"{CANARY}\"\npassword = {{ value = \"{CANARY}\" }}\n"),
        format!("{s3}endpoint = \"https://anna:{CANARY}@example.org\"\n"),
        format!("{opendal}options = {{ password = \"{CANARY}\", username = \"anna\" }}\n"),
        format!("{opendal}options = {{ endpoint = \"https://u:{CANARY}@nas\" }}\n"),
        format!("{opendal}options = {{ account_key = 5, token = [\"{CANARY}\"] }}\n"),
        format!("[destination.d]\ntype = \"dropbox\"\ntoken = \"{CANARY}\"\n"),
        format!(
            "[destination.d]\ntype = \"dropbx\"\ntoken = \"{CANARY}\"\naccount = \"{CANARY}\"\n"
        ),
        format!("[web]\npassword = \"{CANARY}\"\n"),
        format!("token = \"{CANARY}\" = 3\n"),
        format!("secret_access_key = \"{CANARY}\n"),
        format!("auth_tokn = \"{CANARY}\" x\n"),
        format!("tokn = \"{CANARY}\"\n"),
        format!("destination.d = {{ type = \"dropbx\", tokn = \"{CANARY}\" }}\n"),
        format!("[x\npassword = '''\n{CANARY}''' x\n"),
    ];
    tables.iter().map(|table| with(table)).collect()
}

#[test]
fn no_report_shows_a_secret_in_any_form() {
    for text in leaks() {
        let report = bad(&text);
        let all = format!(
            "{}{}{}{report:?}",
            report.render(true),
            report.render(false),
            report.to_json()
        );
        assert!(!all.contains(CANARY), "{all}");
        assert!(!all.contains(&CANARY[1..CANARY.len() - 1]), "{all}");
    }
    let newer = format!("version = 9\n[destination.a]\ntoken = \"{CANARY}\"\n");
    assert!(!format!("{:?}", bad(&newer)).contains(CANARY));
}

#[test]
fn a_secret_is_masked_in_the_report_about_its_neighbour() {
    let text = with(&format!(
        "[destination.o]\ntype = \"opendal\"\nservice = \"webdav\"\noptions = {{ a = 1, password = \"{CANARY}\" }}\n"
    ));
    let report = bad(&text);
    assert_eq!(codes(&report), ["config/wrong-type", "config/plain-secret"]);
    assert!(!report.render(false).contains(CANARY));
}

#[test]
fn references_are_fetched_from_variable_file_and_program() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, "from file\r\n").unwrap();
    private(&path);
    let env = Env::new("/", [("KEY", "from variable")]);
    let command = ["printf", "from\\nprogram\\n"].map(str::to_owned).to_vec();
    for (reference, secret) in [
        (SecretRef::Env("KEY".into()), "from variable"),
        (SecretRef::File(path), "from file"),
        (SecretRef::Command(command), "from\nprogram"),
    ] {
        let fetched = resolve(&reference, &env).unwrap();
        assert_eq!(fetched.expose(), secret);
        assert!(!format!("{fetched:?}").contains(secret));
    }
}

#[test]
fn what_cannot_be_fetched_says_which_reference() {
    let folder = tempfile::tempdir().unwrap();
    let command =
        |words: &[&str]| SecretRef::Command(words.iter().map(|w| (*w).to_owned()).collect());
    for (reference, named) in [
        (SecretRef::Env("NOT_SET".into()), "NOT_SET"),
        (SecretRef::File(folder.path().join("none")), "none"),
        (SecretRef::File(folder.path().to_owned()), "not a plain file"),
        (command(&["false"]), "`false`"),
        (command(&["true"]), "cmd:true is empty"),
        (command(&["/no/such/program"]), "/no/such/program"),
        (command(&["head", "-c", "70000", "/dev/zero"]), "far too long"),
    ] {
        let error = resolve(&reference, &common::env()).unwrap_err();
        assert_eq!(error.id().0, "config/secret-missing", "{error}");
        assert!(error.to_string().contains(named), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_others_can_use_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, CANARY).unwrap();
    for mode in [0o640, 0o604, 0o620, 0o644, 0o777] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let error = resolve(&SecretRef::File(path.clone()), &common::env()).unwrap_err();
        assert_eq!(error.id().0, "config/secret-file-mode", "{mode:o}");
        assert!(!format!("{error} {error:?}").contains(CANARY));
    }
}

#[test]
fn a_credential_of_systemd_is_read_whatever_its_mode() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("dropbox"), "from systemd\n").unwrap();
    let env = Env::new("/", [("CREDENTIALS_DIRECTORY", folder.path())]);
    let of = |name: &str| SecretRef::Systemd(name.to_owned());
    assert_eq!(resolve(&of("dropbox"), &env).unwrap().expose(), "from systemd");
    for (name, env) in [("none", &env), ("dropbox", &common::env())] {
        let error = resolve(&of(name), env).unwrap_err();
        assert_eq!(error.id().0, "config/secret-missing", "{error}");
    }
}

#[cfg(unix)]
#[test]
fn a_kept_file_is_whole_private_and_replaced_at_once() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/deep/token");
    let reference = SecretRef::File(path.clone());
    for secret in ["first", "second"] {
        keep(&reference, &Secret::new(secret)).unwrap();
        assert_eq!(resolve(&reference, &common::env()).unwrap().expose(), secret);
    }
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing beside it");
    assert!(forget(&reference).unwrap());
    assert!(!forget(&reference).unwrap());
    assert!(!path.exists());
}

#[cfg(unix)]
#[test]
fn a_file_that_others_could_use_is_private_after_keeping() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let folder = tempfile::tempdir().unwrap();
    let (path, link) = (folder.path().join("token"), folder.path().join("link"));
    std::fs::write(&path, "old").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    symlink(&path, &link).unwrap();
    keep(&SecretRef::File(link.clone()), &Secret::new("new")).unwrap();
    assert!(link.symlink_metadata().unwrap().is_symlink());
    assert_eq!(resolve(&SecretRef::File(path), &common::env()).unwrap().expose(), "new");
}

#[test]
fn what_can_only_be_read_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    for reference in [
        SecretRef::Env("X".into()),
        SecretRef::Command(vec!["true".into()]),
        SecretRef::Systemd("x".into()),
        SecretRef::File(folder.path().to_owned()),
    ] {
        let error = keep(&reference, &Secret::new(CANARY)).unwrap_err();
        assert_eq!(error.kind(), Kind::Unsupported, "{error}");
        assert!(!format!("{error} {error:?}").contains(CANARY));
    }
    assert_eq!(forget(&SecretRef::Env("X".into())).unwrap_err().kind(), Kind::Unsupported);
}

#[cfg(not(feature = "keyring"))]
#[test]
fn without_a_keyring_built_in_the_error_names_the_way_out() {
    let reference = SecretRef::Keyring("dropbox".into());
    let failed = [
        resolve(&reference, &common::env()).map(drop).unwrap_err(),
        keep(&reference, &Secret::new(CANARY)).unwrap_err(),
        forget(&reference).map(drop).unwrap_err(),
    ];
    for error in failed {
        assert_eq!((error.kind(), error.id().0), (Kind::SignIn, "auth/no-keyring"));
    }
    let page = safelight_core::codes::page("auth/no-keyring").unwrap();
    assert!(page.text.contains("--store file"));
}

#[test]
fn checking_a_file_fetches_nothing() {
    let text = with(
        "[destination.s]\ntype = \"s3\"\nbucket = \"b\"\nregion = \"r\"\naccess_key_id = \"file:/no/such/file\"\nsecret_access_key = \"cmd:/no/such/program\"\n",
    );
    good(&text);
}

#[cfg(unix)]
fn private(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[cfg(not(unix))]
fn private(_: &std::path::Path) {}
