//! The account: whether it answers, and how much room there is for what.

use safelight_core::class::MediaClass;
use safelight_core::error::{Error, Kind, Result};
use safelight_core::provider::{Health, PoolUsage, Room, Root};
use serde_json::Value;

use crate::api::Api;
use crate::folders::Place;
use crate::node::number;
use crate::session;
use crate::store::Store;

/// What a membership makes free.
const FREE: [MediaClass; 2] = [MediaClass::Photo, MediaClass::Raw];
const OTHERS: [MediaClass; 3] = [MediaClass::Video, MediaClass::Sidecar, MediaClass::Other];

impl Store {
    /// Looks for the root; for a folder in the account's root that takes two calls, and one when asked again.
    pub(crate) async fn health(&self) -> Result<Health> {
        // What was found before says nothing of the session now.
        if self.folders.is_at_home() {
            let filter = [("filters", "isRoot:true")];
            self.api.ask("nodes", &filter, "looking at the account").await?;
        }
        let names = self.names.root();
        let root = match self.folders.place(&self.api, names).await? {
            Place::Folder(_) => Root::Ready,
            Place::Nothing => Root::New,
            Place::File => {
                let context = "looking at the folder: a file stands in its place";
                return Err(Error::new(Kind::NotOurs, context));
            }
        };
        let clock = &**self.api.pace.clock();
        let signed_in_until = session::until(&self.api.cookies, &*self.notebook, clock).await;
        Ok(Health { root, volume: None, signed_in_until })
    }
}

impl Api {
    /// The room by class. With a membership photos are free, which shows in that none of theirs is billed.
    pub(crate) async fn room(&self) -> Result<Vec<PoolUsage>> {
        let usage = self.ask("account/usage", &[], "asking for the usage").await?;
        let quota = self.ask("account/quota", &[], "asking for the quota").await?;
        Ok(pools(&usage, &quota))
    }
}

fn pools(usage: &Value, quota: &Value) -> Vec<PoolUsage> {
    let bytes = |class: &str, side: &str| number(usage.get(class)?.get(side)?.get("bytes")?);
    let billed: Option<u64> =
        ["photo", "video", "doc", "other"].iter().map(|class| bytes(class, "billable")).sum();
    let total = quota.get("quota").and_then(number);
    let available = quota.get("available").and_then(number);
    // Both are calculated now and then; the larger one is the safer.
    let free = total.zip(available).map(|(total, available)| total.saturating_sub(available));
    let used = billed.into_iter().chain(free).max();
    let limited = match (used, total) {
        (Some(used), Some(total)) => Room::Limited { used, total },
        _ => Room::Unknown,
    };
    let pool = |counts: &[MediaClass], room| PoolUsage { counts: counts.to_vec(), room };
    match (bytes("photo", "billable"), bytes("photo", "total")) {
        (Some(0), Some(stored)) if stored > 0 => {
            vec![pool(&FREE, Room::Unlimited), pool(&OTHERS, limited)]
        }
        (Some(billed), _) if billed > 0 => vec![pool(&MediaClass::ALL, limited)],
        // As long as no photo is there, nobody can tell.
        _ => vec![pool(&FREE, Room::Unknown), pool(&OTHERS, limited)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn side(billable: impl Into<Value>, total: impl Into<Value>) -> Value {
        let (billable, total) = (billable.into(), total.into());
        json!({"billable": {"bytes": billable, "count": 1}, "total": {"bytes": total}})
    }

    #[test]
    fn photos_are_free_when_none_of_them_is_billed() {
        let quota = json!({"quota": 100, "available": 60});
        let prime = json!({"photo": side("0", "900"), "video": side(30, 30),
            "doc": side(0, 0), "other": side("12", 12)});
        let found = pools(&prime, &quota);
        assert_eq!(found[0], PoolUsage { counts: FREE.to_vec(), room: Room::Unlimited });
        let room = Room::Limited { used: 42, total: 100 };
        assert_eq!(found[1], PoolUsage { counts: OTHERS.to_vec(), room });
    }

    #[test]
    fn without_a_membership_everything_counts_and_what_is_missing_is_unknown() {
        let none = json!({"photo": side(7, 7)});
        let found = pools(&none, &json!({"quota": 100, "available": 60}));
        let room = Room::Limited { used: 40, total: 100 };
        assert_eq!(found, [PoolUsage { counts: MediaClass::ALL.to_vec(), room }]);
        for pool in pools(&json!({}), &json!({"quota": "x"})) {
            assert_eq!(pool.room, Room::Unknown);
        }
        let fresh = json!({"photo": side(0, 0)});
        assert_eq!(pools(&fresh, &json!({}))[0].room, Room::Unknown);
    }
}
