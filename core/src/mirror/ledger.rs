//! The ledger: how much room is left in the pools of one destination, bytes on their way included.
//!
//! Invariant: what is reserved at any moment never exceeds the room that was measured, by not a byte, however many
//! items are under way; a pool that is full stops no other pool.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::catalog::{Catalog, DestinationId, ItemId};
use crate::class::MediaClass;
use crate::error::Result;
use crate::job::{KeepFree, Pool, PoolLimit, WhenFull};
use crate::provider::{PoolUsage, Provider, Room};

/// The pools of one destination.
#[derive(Debug)]
pub struct Ledger {
    pools: Vec<Pool>,
    accounts: Mutex<Accounts>,
}

#[derive(Debug, Default)]
struct Accounts {
    /// Bytes left in each pool; `None` is no limit.
    left: Vec<Option<u64>>,
    /// What is reserved for which item, and in which pool.
    reserved: HashMap<ItemId, (usize, u64)>,
}

impl Accounts {
    fn give_back(&mut self, item: ItemId) {
        if let Some((at, bytes)) = self.reserved.remove(&item)
            && let Some(room) = &mut self.left[at]
        {
            *room = room.saturating_add(bytes);
        }
    }
}

/// A pool with a limit, as it was at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitedPool {
    /// Its place among the pools.
    pub at: usize,
    /// Bytes left in it.
    pub room: u64,
    /// What goes first when not all fit.
    pub when_full: WhenFull,
}

/// There is no room for an item of this class and size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

impl Ledger {
    /// Measures the room in `pools`: the service is asked where a limit is set, and whoever counts more is believed.
    /// A limit that the service was to tell and does not is none, until it refuses something.
    ///
    /// # Errors
    /// The catalog's. A service that does not answer here is as good as one that does not say.
    pub async fn measure(
        pools: &[Pool],
        provider: &dyn Provider,
        catalog: &dyn Catalog,
        destination: DestinationId,
    ) -> Result<Self> {
        let mut left = Vec::with_capacity(pools.len());
        let is_limited = |pool: &Pool| pool.limit != PoolLimit::Unlimited;
        if pools.iter().any(is_limited) {
            let usage = provider.quota().await.unwrap_or_default();
            let stored = catalog.stored(destination).await?;
            let ours = |pool: &Pool| {
                let counted = stored.iter().filter(|(class, _)| pool.counts.contains(class));
                counted.map(|(_, amount)| amount.bytes).sum()
            };
            left.extend(pools.iter().map(|pool| room(pool, ours(pool), &usage)));
        } else {
            left.resize(pools.len(), None);
        }
        let accounts = Mutex::new(Accounts { left, reserved: HashMap::new() });
        Ok(Self { pools: pools.to_vec(), accounts })
    }

    fn accounts(&self) -> MutexGuard<'_, Accounts> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pool_of(&self, class: MediaClass) -> Option<usize> {
        self.pools.iter().position(|pool| pool.counts.contains(&class))
    }

    /// The limited pools.
    pub fn limited(&self) -> Vec<LimitedPool> {
        let accounts = self.accounts();
        let limited = self.pools.iter().zip(&accounts.left).enumerate();
        let limited = limited.filter_map(|(at, (pool, left))| {
            Some(LimitedPool { at, room: (*left)?, when_full: pool.when_full })
        });
        limited.collect()
    }

    /// The place of the limited pool that a class counts against.
    pub fn limited_pool(&self, class: MediaClass) -> Option<usize> {
        self.pool_of(class).filter(|at| self.accounts().left[*at].is_some())
    }

    /// Reserves room for an item that is about to be sent, instead of what was reserved for it before.
    ///
    /// # Errors
    /// [`Full`]; nothing is reserved for it then.
    pub fn reserve(
        &self,
        item: ItemId,
        class: MediaClass,
        bytes: u64,
    ) -> std::result::Result<(), Full> {
        let mut accounts = self.accounts();
        accounts.give_back(item);
        let Some(at) = self.pool_of(class) else { return Ok(()) };
        if let Some(room) = &mut accounts.left[at] {
            *room = room.checked_sub(bytes).ok_or(Full)?;
            accounts.reserved.insert(item, (at, bytes));
        }
        Ok(())
    }

    /// Gives back what was reserved for an item that surely did not arrive.
    pub fn give_back(&self, item: ItemId) {
        self.accounts().give_back(item);
    }

    /// The service has no room for this class, whatever was measured: its pool takes nothing more. Answers whether
    /// there is such a pool, so that nothing else has to stop.
    pub fn close(&self, class: MediaClass) -> bool {
        let Some(at) = self.pool_of(class) else { return false };
        let mut accounts = self.accounts();
        accounts.left[at] = Some(0);
        // What is given back from now on does not open it again.
        accounts.reserved.retain(|_, (pool, _)| *pool != at);
        true
    }
}

/// Bytes left in a pool of which our copies use `ours`; `None` is no limit.
fn room(pool: &Pool, ours: u64, usage: &[PoolUsage]) -> Option<u64> {
    let told = Told::of(pool, usage);
    let (used, total) = match pool.limit {
        PoolLimit::Unlimited => return None,
        PoolLimit::Ask => (told.used, told.total?),
        PoolLimit::Bytes(total) => {
            (told.used.max(ours), told.total.map_or(total, |told| total.min(told)))
        }
    };
    Some(total.saturating_sub(used).saturating_sub(kept_free(pool.keep_free, total)))
}

/// What the service says of what counts against one pool. Its own pools may be cut otherwise.
struct Told {
    /// Used by the classes that are limited there too.
    used: u64,
    /// The limit, if one of its pools counts all that ours does.
    total: Option<u64>,
}

impl Told {
    fn of(pool: &Pool, usage: &[PoolUsage]) -> Self {
        let mut told = Self { used: 0, total: None };
        for one in usage {
            let Room::Limited { used, total } = one.room else { continue };
            let shared = pool.counts.iter().filter(|class| one.counts.contains(class)).count();
            if shared > 0 {
                told.used = told.used.saturating_add(used);
            }
            if shared == pool.counts.len() {
                told.total = Some(total);
            }
        }
        told
    }
}

/// The bytes of `total` that are to stay free.
fn kept_free(keep: KeepFree, total: u64) -> u64 {
    match keep {
        KeepFree::Bytes(bytes) => bytes,
        KeepFree::Share(share) => {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let bytes = (total as f64 * share) as u64;
            bytes
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(counts: &[MediaClass], limit: PoolLimit) -> Pool {
        let (keep_free, when_full) = (KeepFree::Bytes(10), WhenFull::NewestFirst);
        Pool { counts: counts.to_vec(), limit, keep_free, when_full }
    }

    fn films(limit: PoolLimit) -> Pool {
        pool(&[MediaClass::Video, MediaClass::Other], limit)
    }

    #[test]
    fn whoever_counts_more_is_believed() {
        let says = |used, total| {
            let part = |class, used| PoolUsage {
                counts: vec![class, MediaClass::Other],
                room: Room::Limited { used, total },
            };
            vec![part(MediaClass::Video, used), part(MediaClass::Sidecar, 0)]
        };
        for (limit, ours, usage, left) in [
            (PoolLimit::Unlimited, 500, says(1, 2), None),
            (PoolLimit::Ask, 500, Vec::new(), None),
            (PoolLimit::Ask, 500, says(40, 100), Some(50)),
            (PoolLimit::Bytes(100), 30, Vec::new(), Some(60)),
            (PoolLimit::Bytes(100), 30, says(40, 1000), Some(50)),
            (PoolLimit::Bytes(100), 60, says(40, 90), Some(20)),
            (PoolLimit::Bytes(100), 99, says(40, 90), Some(0)),
        ] {
            assert_eq!(room(&films(limit), ours, &usage), left, "{limit:?} {ours} {usage:?}");
        }
    }

    #[test]
    fn what_stays_free_may_be_bytes_or_a_share() {
        assert_eq!(kept_free(KeepFree::Bytes(7), 100), 7);
        assert_eq!(kept_free(KeepFree::Share(0.05), 2000), 100);
    }

    fn ledger(left: Option<u64>) -> Ledger {
        let pools =
            vec![pool(&[MediaClass::Photo], PoolLimit::Unlimited), films(PoolLimit::Bytes(1))];
        let accounts = Accounts { left: vec![None, left], reserved: HashMap::new() };
        Ledger { pools, accounts: Mutex::new(accounts) }
    }

    const VIDEO: MediaClass = MediaClass::Video;

    #[test]
    fn a_full_pool_stops_no_other() {
        let ledger = ledger(Some(100));
        assert_eq!(ledger.reserve(ItemId(1), VIDEO, 100), Ok(()));
        assert_eq!(ledger.reserve(ItemId(2), MediaClass::Other, 1), Err(Full));
        assert_eq!(ledger.reserve(ItemId(3), MediaClass::Photo, u64::MAX), Ok(()));
        assert_eq!(ledger.reserve(ItemId(4), MediaClass::Raw, u64::MAX), Ok(()));
    }

    #[test]
    fn an_item_that_is_tried_again_takes_room_once() {
        let ledger = ledger(Some(100));
        for bytes in [90, 90, 70] {
            assert_eq!(ledger.reserve(ItemId(1), VIDEO, bytes), Ok(()));
        }
        assert_eq!(ledger.reserve(ItemId(2), VIDEO, 31), Err(Full));
        ledger.give_back(ItemId(1));
        ledger.give_back(ItemId(1));
        assert_eq!(ledger.limited()[0].room, 100);
    }

    #[test]
    fn a_pool_that_the_service_calls_full_is_full() {
        let ledger = ledger(None);
        assert_eq!(ledger.limited_pool(VIDEO), None);
        assert!(ledger.close(VIDEO) && !ledger.close(MediaClass::Raw));
        assert_eq!(ledger.reserve(ItemId(1), MediaClass::Other, 1), Err(Full));
        assert_eq!(ledger.limited_pool(VIDEO), Some(1));
        assert_eq!(ledger.reserve(ItemId(1), MediaClass::Photo, 1), Ok(()));
    }

    #[test]
    fn not_a_byte_too_much_is_promised_to_many_at_once() {
        let ledger = ledger(Some(1000));
        let promised: u64 = std::thread::scope(|scope| {
            let racing = (0..8).map(|turn: i64| {
                let ledger = &ledger;
                scope.spawn(move || {
                    let wants = (1..200).map(|n: i64| (n, (n.unsigned_abs() * 7) % 23 + 1));
                    let got = wants.filter(|(n, bytes)| {
                        ledger.reserve(ItemId(turn * 1000 + n), VIDEO, *bytes).is_ok()
                    });
                    got.map(|(_, bytes)| bytes).sum()
                })
            });
            let racing: Vec<_> = racing.collect();
            racing.into_iter().map(|one| one.join().unwrap_or(u64::MAX)).sum()
        });
        let left = ledger.limited()[0].room;
        assert_eq!(promised + left, 1000);
        assert!(left < 23);
    }
}
