//! Who the account belongs to, and how full it is.

use serde_json::{Value, json};

use super::behaviour::{Behaviour, Quota};
use super::json::tag;
use super::state::{Root, Store};

/// The id of the user.
pub(super) const ACCOUNT: &str = "dbid:AAHsafelight_sandbox_account_000000";
/// The id of the namespace of the user's own files.
const HOME: &str = "1000001";

/// The root of everything that the user can see, and that of the user's own files.
pub(super) fn roots(behaviour: &Behaviour) -> (Root, Root) {
    let namespace = HOME.to_owned();
    match &behaviour.team_space {
        None => {
            let home = Root { prefix: String::new(), namespace };
            (home.clone(), home)
        }
        Some(team) => {
            let prefix = dbxcase::dbx_str_lowercase(&format!("/{}", team.home));
            let whole = Root { prefix: String::new(), namespace: team.root_namespace.clone() };
            (whole, Root { prefix, namespace })
        }
    }
}

/// `root_info`, as the account and errors about roots tell it.
pub(super) fn root_info(behaviour: &Behaviour) -> Value {
    let (whole, home) = roots(behaviour);
    let mut info = json!({
        ".tag": "user",
        "root_namespace_id": whole.namespace,
        "home_namespace_id": home.namespace,
    });
    if let Some(team) = &behaviour.team_space {
        info[".tag"] = "team".into();
        info["home_path"] = format!("/{}", team.home).into();
    }
    info
}

/// `users/get_current_account`.
pub(super) fn account(behaviour: &Behaviour) -> Value {
    let kind = if behaviour.team_space.is_some() { "business" } else { "basic" };
    let mut account = json!({
        "account_id": ACCOUNT,
        "name": {
            "given_name": "Sandy", "surname": "Box", "familiar_name": "Sandy",
            "display_name": "Sandy Box", "abbreviated_name": "SB",
        },
        "email": "sandy@example.com",
        "email_verified": true,
        "disabled": false,
        "locale": "en",
        "referral_link": "https://example.com/",
        "is_paired": false,
        "account_type": tag(kind),
        "root_info": root_info(behaviour),
    });
    if behaviour.team_space.is_some() {
        account["team_member_id"] = "dbmid:AAHsafelight_sandbox_member".into();
    }
    account
}

/// `users/get_space_usage`.
pub(super) fn space(store: &Store) -> Value {
    let used = store.used();
    let allocation = match store.behaviour.quota {
        Quota::Individual(allocated) => json!({".tag": "individual", "allocated": allocated}),
        Quota::Team { allocated, used_by_others, member_limit } => json!({
            ".tag": "team",
            "used": used + used_by_others,
            "allocated": allocated,
            "user_within_team_space_allocated": member_limit,
            "user_within_team_space_limit_type": tag(if member_limit == 0 { "off" } else { "stop_sync" }),
            "user_within_team_space_used_cached": used,
        }),
    };
    json!({"used": used, "allocation": allocation})
}
