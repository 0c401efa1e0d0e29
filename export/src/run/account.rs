//! The account: what became of every item of the inventory.

use std::collections::{BTreeMap, HashMap};

use safelight_core::catalog::{Amount, Held, ItemDetail};
use safelight_core::class::MediaClass;
use safelight_core::codes::{self, Code};
use safelight_core::error::Result;
use safelight_core::job::Tools;
use safelight_core::key::Key;
use safelight_core::mirror::RunReport;

use crate::layout::Placed;
use crate::leave::{Reckoning, reckon};
use crate::papers::index::Fate;
use crate::plan::{Export, Plan};

const PAGE: usize = 4096;

/// What became of the items of one class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClassAccount {
    /// Listed by the service.
    pub listed: Amount,
    /// Stored at every target.
    pub exported: Amount,
    /// Not at every target, but proven elsewhere.
    pub elsewhere: Amount,
    /// Not asked for.
    pub left_out: Amount,
    /// None of these.
    pub missing: Amount,
}

impl ClassAccount {
    /// Whether every listed item is accounted for once.
    pub fn adds_up(&self) -> bool {
        let parts = [self.exported, self.elsewhere, self.left_out, self.missing];
        self.listed.files == parts.iter().map(|part| part.files).sum::<u64>()
    }
}

/// An item that is neither exported nor proven elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Its place in the inventory.
    pub item: usize,
    /// Its key at the service.
    pub key: Key,
    /// Why.
    pub code: Code,
    /// For people.
    pub message: String,
}

/// What became of everything.
#[derive(Debug, Clone, Default)]
pub struct Account {
    /// By class.
    pub classes: BTreeMap<MediaClass, ClassAccount>,
    /// Everything that is missing, by name.
    pub missing: Vec<Missing>,
    /// Parts of the service that were not seen.
    pub unseen: usize,
    /// Objects that albums name and no listing shows.
    pub unlisted: usize,
    /// The service's own numbers beside what was listed.
    pub reckonings: Vec<Reckoning>,
    /// Per item of the inventory and target: what is stored there.
    pub(crate) held: Vec<Vec<Option<Held>>>,
    pub(crate) fates: Vec<Fate>,
}

impl Account {
    /// Whether nothing is missing, everything was seen, and the sums are right.
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty()
            && self.unseen == 0
            && self.unlisted == 0
            && self.classes.values().all(ClassAccount::adds_up)
    }

    /// All classes together.
    pub fn all(&self) -> ClassAccount {
        let mut all = ClassAccount::default();
        let sum = |to: &mut Amount, from: Amount| {
            to.files += from.files;
            to.bytes += from.bytes;
        };
        for class in self.classes.values() {
            sum(&mut all.listed, class.listed);
            sum(&mut all.exported, class.exported);
            sum(&mut all.elsewhere, class.elsewhere);
            sum(&mut all.left_out, class.left_out);
            sum(&mut all.missing, class.missing);
        }
        all
    }
}

/// Why items were not stored, by their key in this export.
type Reasons = HashMap<Key, (Code, String)>;

impl Export {
    /// Looks up in the catalog what became of every item.
    pub(super) async fn account(
        &self,
        plan: &Plan,
        reports: &[RunReport],
        tools: &Tools,
    ) -> Result<Account> {
        let mut reasons = Reasons::new();
        for report in reports {
            for problem in tools.catalog.problems(report.run).await? {
                if let Some(key) = problem
                    .key
                    .filter(|_| !codes::is_note(problem.code) || problem.code == codes::VANISHED)
                {
                    reasons.insert(key, (problem.code, problem.message));
                }
            }
        }
        let count = self.inventory.items.len();
        let mut account = Account {
            unseen: self.inventory.unseen.len(),
            unlisted: self.inventory.unlisted.len(),
            held: vec![Vec::new(); count],
            ..Account::default()
        };
        let by_key: HashMap<&Key, &Placed> =
            plan.placed.iter().map(|placed| (&placed.key, placed)).collect();
        let mut after = None;
        loop {
            let details = tools.catalog.browse(None, after, PAGE).await?;
            let Some(last) = details.last() else { break };
            after = Some(last.key.clone());
            for detail in details {
                let placed = by_key.get(&detail.key);
                // What stands under the key may be an older content, which has another number.
                let Some(placed) = placed.filter(|one| Some(one.content) == detail.stat.file_id)
                else {
                    continue;
                };
                account.held[placed.item] = self.held(&detail);
                let hold = detail.legs.iter().find_map(|leg| leg.leg.hold);
                if let Some(code) = hold {
                    reasons.entry(detail.key).or_insert((code, String::new()));
                }
            }
        }
        let mut keys: Vec<Option<&Key>> = vec![None; count];
        plan.placed.iter().for_each(|placed| keys[placed.item] = Some(&placed.key));
        for (at, key) in keys.into_iter().enumerate() {
            let fate = self.fate(at, key, &reasons, &mut account);
            account.fates.push(fate);
        }
        let listed = account.classes.iter().map(|(class, one)| (*class, one.listed)).collect();
        account.reckonings = reckon(&self.inventory, &listed);
        Ok(account)
    }

    /// What is stored at each target, in their order.
    fn held(&self, detail: &ItemDetail) -> Vec<Option<Held>> {
        let at = |name: &String| {
            let mut legs = detail.legs.iter();
            legs.find(|leg| !leg.todo && leg.destination == *name)?.leg.held.clone()
        };
        self.targets.iter().map(|target| at(&target.name)).collect()
    }

    fn fate(&self, at: usize, key: Option<&Key>, reasons: &Reasons, account: &mut Account) -> Fate {
        let item = &self.inventory.items[at];
        let bytes = item.entry.size;
        let class = account.classes.entry(item.class).or_default();
        class.listed.add(bytes);
        let held = &account.held[at];
        if !held.is_empty() && held.iter().all(Option::is_some) {
            class.exported.add(bytes);
            if let Some(held) = held.iter().flatten().next() {
                return Fate::Exported(Box::new(held.clone()));
            }
        }
        if self.is_elsewhere(at) {
            class.elsewhere.add(bytes);
            return Fate::Elsewhere;
        }
        let Some(key) = key else {
            class.left_out.add(bytes);
            return Fate::LeftOut;
        };
        class.missing.add(bytes);
        let not_reached = || {
            let missing = held.iter().position(Option::is_none).unwrap_or_default();
            let target = self.targets.get(missing).map_or("any target", |target| &target.name);
            (codes::NOT_EXPORTED, format!("not yet at {target}"))
        };
        let (code, message) = reasons.get(key).cloned().unwrap_or_else(not_reached);
        let key = item.entry.key.clone();
        account.missing.push(Missing { item: at, key, code, message });
        Fate::Missing(code.0)
    }
}
