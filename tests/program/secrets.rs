//! No secret is ever shown or kept.

use std::os::unix::fs::PermissionsExt as _;

use crate::home::{Home, Ran, tree};

const CANARY: &str = "wJalrXUtnFEMIcanaryKEY";

fn assert_unseen(home: &Home, ran: &Ran) {
    assert!(!ran.out.contains(CANARY) && !ran.err.contains(CANARY), "{ran:?}");
    for (path, (bytes, _)) in tree(&home.path("state")) {
        let seen = bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes());
        assert!(!seen, "{}", path.display());
    }
}

#[test]
fn a_secret_in_the_config_is_refused_and_not_echoed() {
    let keys = format!("access_key_id = \"{CANARY}\"\nsecret_access_key = \"{CANARY}\"\n");
    let home =
        Home::new(&format!("[destination.away]\ntype = \"s3\"\nbucket = \"photos\"\n{keys}"));
    home.photos(1);
    for args in [
        vec!["mirror"],
        vec!["mirror", "--json"],
        vec!["mirror", "-vv"],
        vec!["config", "check"],
        vec!["config", "check", "--json"],
        vec!["config", "show"],
        vec!["config", "redacted"],
        vec!["status"],
    ] {
        let ran = home.run(&args);
        assert_eq!(ran.exit, 6, "{args:?}: {ran:?}");
        ran.says(&["config/plain-secret"]);
        assert_unseen(&home, &ran);
    }
}

#[test]
fn a_secret_that_is_used_is_not_echoed_either() {
    // Nobody listens on port 1, so the run ends soon; the keys are used to sign nevertheless.
    let away = "[destination.away]\ntype = \"s3\"\nbucket = \"photos\"\nendpoint = \"http://127.0.0.1:1\"\n\
                path_style = true\n                access_key_id = \"env:KEY_ID\"\nsecret_access_key = \"file:key\"\n";
    let home = Home::new(away);
    home.photos(1);
    home.write("key", CANARY);
    let key = home.path("key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let run = || {
        let mut command = home.command(["mirror", "-vv", "--max-duration", "1s"]);
        Ran::of(command.env("KEY_ID", CANARY).env("SAFELIGHT_LOG", "trace").output().unwrap())
    };
    let open = run();
    assert_eq!(open.exit, 7, "{open:?}");
    open.says(&["config/secret-file-mode"]);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let ran = run();
    assert_eq!(ran.exit, 5, "every destination failed and may work later: {ran:?}");
    assert_unseen(&home, &ran);
}
