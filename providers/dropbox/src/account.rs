//! The account: whether it answers, and how much room there is.

use safelight_core::class::MediaClass;
use safelight_core::error::{Error, Kind, Result};
use safelight_core::provider::{Health, PoolUsage, Room, Root};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::Api;
use crate::store::Store;

/// What `users/get_space_usage` answers.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Usage {
    used: u64,
    allocation: Allocation,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Allocation {
    #[serde(rename = ".tag")]
    tag: String,
    /// Of a team: what all of its members use.
    used: u64,
    allocated: u64,
    /// Of a member of a team; 0 stands for no limit of his own.
    user_within_team_space_allocated: u64,
    user_within_team_space_used_cached: u64,
}

impl Store {
    /// One call that needs nothing but the right to see names.
    pub(crate) async fn health(&self) -> Result<Health> {
        let doing = "looking at the folder";
        let argument = json!({"path": self.names.root(), "limit": 1});
        let root = match self.api.rpc::<Value>("files/list_folder", &argument, doing).await {
            Ok(_) => Root::Ready,
            Err(trouble) if trouble.has("not_folder") => {
                let context = format!("{doing}: a file stands in its place");
                return Err(Error::new(Kind::NotOurs, context));
            }
            Err(trouble) if trouble.error.kind() == Kind::NotFound => Root::New,
            Err(trouble) => return Err(trouble.error),
        };
        Ok(Health { root, volume: None, signed_in_until: None })
    }
}

impl Api {
    pub(crate) async fn space(&self) -> Result<Vec<PoolUsage>> {
        let route = "users/get_space_usage";
        let usage: Usage = self.rpc(route, &Value::Null, "asking for the room").await?;
        Ok(vec![PoolUsage { counts: MediaClass::ALL.to_vec(), room: usage.room() }])
    }
}

impl Usage {
    /// The room of the account; of a team's, whichever is tighter: the team's or the member's.
    fn room(&self) -> Room {
        let of = &self.allocation;
        let account = Room::Limited { used: self.used, total: of.allocated };
        match of.tag.as_str() {
            "individual" => account,
            "team" => {
                let team = (of.used, of.allocated);
                let own = match of.user_within_team_space_used_cached {
                    0 => self.used,
                    used => used,
                };
                let member = (own, of.user_within_team_space_allocated);
                let left = |(used, total): (u64, u64)| total.saturating_sub(used);
                let tighter = if member.1 > 0 && left(member) < left(team) { member } else { team };
                Room::Limited { used: tighter.0, total: tighter.1 }
            }
            _ => Room::Unknown,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_tighter_limit_counts() {
        let room = |usage: Value| serde_json::from_value::<Usage>(usage).unwrap().room();
        let individual = json!({"used": 5, "allocation": {".tag": "individual", "allocated": 9}});
        assert_eq!(room(individual), Room::Limited { used: 5, total: 9 });
        let team = |own: u64| {
            json!({"used": 5, "allocation": {".tag": "team", "used": 70, "allocated": 100,
                "user_within_team_space_allocated": own}})
        };
        assert_eq!(room(team(0)), Room::Limited { used: 70, total: 100 });
        assert_eq!(room(team(20)), Room::Limited { used: 5, total: 20 });
        assert_eq!(room(team(90)), Room::Limited { used: 70, total: 100 });
        assert_eq!(room(json!({"used": 5, "allocation": {".tag": "other"}})), Room::Unknown);
    }
}
