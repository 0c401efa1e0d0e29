//! One folder's items by name, and ties turned into groups.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::class::MediaClass;

use super::links::Link;
use super::names::Name;
use super::{Evidence, Group, Kind, Member, Role, Subject};

/// The items in the order of their keys, and ways to find them. Items are meant by their place in that order.
pub(super) struct Folder<'a> {
    pub subjects: Vec<Subject<'a>>,
    pub names: Vec<Name>,
    stems: HashMap<Vec<u8>, Vec<usize>>,
    wholes: HashMap<Vec<u8>, Vec<usize>>,
}

/// What was found out about ties.
#[derive(Default)]
pub(super) struct Links {
    /// Ties between two items.
    pub ties: Vec<Link>,
    /// Items that are edited copies.
    pub edits: BTreeSet<usize>,
    /// Items that say that something belongs to them which is not there, and what kind of group lacks it.
    pub lacking: Vec<(usize, Kind, Evidence)>,
}

impl<'a> Folder<'a> {
    pub fn new(subjects: &[Subject<'a>]) -> Self {
        let mut subjects = subjects.to_vec();
        subjects.sort_by_key(|subject| subject.key);
        subjects.dedup_by_key(|subject| subject.key);
        let names: Vec<Name> =
            subjects.iter().map(|subject| Name::new(subject.key.name())).collect();
        let (mut stems, mut wholes) = (HashMap::new(), HashMap::new());
        for (at, name) in names.iter().enumerate() {
            stems.entry(name.stem.clone()).or_insert_with(Vec::new).push(at);
            wholes.entry(name.whole.clone()).or_insert_with(Vec::new).push(at);
        }
        Self { subjects, names, stems, wholes }
    }

    /// All items of these classes, in order.
    pub fn of(&self, classes: &[MediaClass]) -> Vec<usize> {
        let wanted = |at: &usize| classes.contains(&self.subjects[*at].class);
        (0..self.subjects.len()).filter(wanted).collect()
    }

    /// The items with this stem, of the first class that has any.
    pub fn with_stem(&self, stem: &[u8], classes: &[MediaClass]) -> Vec<usize> {
        let there = self.stems.get(stem).map(Vec::as_slice).unwrap_or_default();
        let of = |class| there.iter().copied().filter(move |at| self.subjects[*at].class == class);
        let found = classes.iter().map(|class| of(*class).collect::<Vec<_>>());
        found.into_iter().find(|found| !found.is_empty()).unwrap_or_default()
    }

    /// The first item with this name that is not a sidecar itself.
    pub fn called(&self, whole: &[u8]) -> Option<usize> {
        let there = self.wholes.get(whole)?;
        there.iter().copied().find(|at| self.subjects[*at].class != MediaClass::Sidecar)
    }

    /// The first sidecar with this name.
    pub fn sidecar_called(&self, whole: &[u8]) -> Option<usize> {
        let there = self.wholes.get(whole)?;
        there.iter().copied().find(|at| self.subjects[*at].class == MediaClass::Sidecar)
    }

    fn role(&self, at: usize, edits: &BTreeSet<usize>) -> Role {
        let name = &self.names[at];
        match self.subjects[at].class {
            _ if edits.contains(&at) => Role::Edit,
            MediaClass::Photo => Role::Still,
            MediaClass::Raw => Role::Raw,
            MediaClass::Video if name.ends(&["lrv"]) => Role::Preview,
            MediaClass::Video => Role::Movie,
            MediaClass::Sidecar if name.ends(&["aae"]) => Role::Recipe,
            MediaClass::Sidecar if name.ends(&["thm", "lrv"]) => Role::Preview,
            MediaClass::Sidecar => Role::Sidecar,
            MediaClass::Other => Role::Other,
        }
    }

    /// Joins what is tied.
    pub fn groups(&self, links: &Links) -> Vec<Group<'a>> {
        let mut heads: Vec<usize> = (0..self.subjects.len()).collect();
        for link in &links.ties {
            let (a, b) = (head(&mut heads, link.a), head(&mut heads, link.b));
            heads[a.max(b)] = a.min(b);
        }
        let mut evidence: BTreeMap<usize, Vec<(Kind, Evidence, bool)>> = BTreeMap::new();
        for link in &links.ties {
            let group = evidence.entry(head(&mut heads, link.a)).or_default();
            group.push((link.kind, link.by, true));
        }
        for (at, kind, by) in &links.lacking {
            evidence.entry(head(&mut heads, *at)).or_default().push((*kind, *by, false));
        }
        let mut members: BTreeMap<usize, Vec<Member<'a>>> = BTreeMap::new();
        for at in 0..self.subjects.len() {
            let group = head(&mut heads, at);
            if evidence.contains_key(&group) {
                let role = self.role(at, &links.edits);
                members.entry(group).or_default().push(Member { key: self.subjects[at].key, role });
            }
        }
        let build = |(group, members): (usize, Vec<Member<'a>>)| {
            let ties = evidence.get(&group)?;
            let kind = ties.iter().map(|(kind, ..)| *kind).min()?;
            let by = ties.iter().filter(|tie| tie.0 == kind).map(|tie| tie.1).max()?;
            let complete = ties.iter().all(|(.., complete)| *complete);
            Some(Group { kind, by, complete, members })
        };
        members.into_iter().filter_map(build).collect()
    }
}

fn head(heads: &mut [usize], mut at: usize) -> usize {
    while heads[at] != at {
        heads[at] = heads[heads[at]];
        at = heads[at];
    }
    at
}
