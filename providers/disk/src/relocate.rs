//! Moving and copying at the destination itself, without sending bytes.
//!
//! Invariant: the target is never overwritten, and the answer comes after the change is durable. A copy shares
//! the bytes with its original where the file system can; that is safe because stored files are only ever
//! replaced by other files, never written into.

use std::sync::{Arc, PoisonError, RwLock};

use rustix::fs::{AtFlags, linkat, renameat};
use rustix::io::Errno;
use safelight_core::digest::Digests;
use safelight_core::entry::Version;
use safelight_core::error::{Error, Kind, Result};
use safelight_core::key::Key;
use safelight_core::provider::{Proof, Receipt, Relocate};

use crate::facts::Stamp;
use crate::fault::{Act, fault, number};
use crate::remove::{expect, keep_time, move_to, prune};
use crate::root::{open_file, split};
use crate::space::Space;
use crate::sync;
use crate::temp::Temp;
use crate::workshop::Workshop;

/// What relocating needs.
pub(crate) struct Mover {
    pub(crate) workshop: Arc<Workshop>,
    pub(crate) space: Arc<Space>,
    pub(crate) shape: Arc<RwLock<()>>,
}

impl Mover {
    /// Moves or copies; see the contract of `Provider::relocate`. Blocks.
    pub(crate) fn relocate(
        &self,
        from: &Key,
        to: &Key,
        how: Relocate,
        pin: Option<&Version>,
    ) -> Result<Receipt> {
        let tree = &self.workshop.tree;
        let (source, target) = (tree.stored(from), tree.stored(to));
        let looked = |errno| fault(errno, Act::Read, format!("looking at {from}"));
        let found = match tree.root.stat(&source) {
            Ok(facts) => Some(facts),
            Err(Errno::NOENT | Errno::NOTDIR) => None,
            Err(errno) => return Err(looked(errno)),
        };
        let facts = expect(tree, from, found, pin)?;
        let occupant = tree.root.stat(&target).ok();
        let renames_itself = how == Relocate::Move
            && tree.rules.names.case_blind
            && occupant.is_some_and(|occupant| occupant.is_same_thing(&facts));
        if occupant.is_some() && !renames_itself {
            return Err(Error::new(Kind::Exists, format!("{to} is already there")));
        }
        match how {
            Relocate::Move if renames_itself => self.respell(&source, to)?,
            Relocate::Move => self.shift(&source, to)?,
            Relocate::Copy => self.copy(&source, to)?,
        }
        keep_time(tree, to, facts.stamp.modified);
        let facts = tree.root.stat(&target).map_err(looked)?;
        Ok(self.receipt(&facts.stamp))
    }

    fn receipt(&self, stamp: &Stamp) -> Receipt {
        Receipt {
            version: Some(self.workshop.tree.tag(stamp)),
            remote_id: None,
            modified: Some(stamp.modified),
            digests: Digests::default(),
            proof: Proof::SizeOnly,
        }
    }

    fn shift(&self, source: &[u8], to: &Key) -> Result<()> {
        let tree = &self.workshop.tree;
        let failed = |errno| fault(errno, Act::Write, format!("moving to {to}"));
        let (above, name) = split(source);
        let folder = tree.root.folder(above).map_err(failed)?;
        move_to(tree, &self.shape, (&folder, name), to)?;
        sync::folder(&folder).map_err(failed)?;
        drop(folder);
        prune(tree, &self.shape, above);
        Ok(())
    }

    /// Where `img.jpg` and `IMG.JPG` are one name, a plain rename between them does nothing. So the file goes
    /// through a third name.
    fn respell(&self, source: &[u8], to: &Key) -> Result<()> {
        let tree = &self.workshop.tree;
        let failed = |errno| fault(errno, Act::Write, format!("renaming to {to}"));
        let (above, name) = split(source);
        let folder = tree.root.folder(above).map_err(failed)?;
        let transit = self.workshop.transit_name();
        renameat(&folder, name, &self.workshop.folder, &*transit).map_err(failed)?;
        let moved = move_to(tree, &self.shape, (&self.workshop.folder, transit.as_bytes()), to);
        if moved.is_err() {
            // Back to the old name; if even that fails, the first error says why.
            let _ = renameat(&self.workshop.folder, &*transit, &folder, name);
        }
        moved?;
        sync::folder(&folder).map_err(failed)
    }

    fn copy(&self, source: &[u8], to: &Key) -> Result<()> {
        let tree = &self.workshop.tree;
        let failed = |errno| fault(errno, Act::Write, format!("copying to {to}"));
        let (source_above, source_name) = split(source);
        let source_folder = tree.root.folder(source_above).map_err(failed)?;
        let stored = tree.stored(to);
        let (above, name) = split(&stored);
        // Bytes first: the folder may vanish again while they are copied, the finished file may not.
        let linkable = tree.rules.stable_inodes;
        let mut temp = if linkable { None } else { Some(self.duplicate(source)?) };
        let shape = self.shape.read().unwrap_or_else(PoisonError::into_inner);
        let (mut folder, mut grown) = tree.root.make_folder(above).map_err(failed)?;
        if linkable {
            match linkat(&source_folder, source_name, &folder, name, AtFlags::empty()) {
                Err(Errno::PERM | Errno::NOTSUP | Errno::NOSYS | Errno::MLINK | Errno::XDEV) => {
                    drop(shape);
                    temp = Some(self.duplicate(source)?);
                    let again = self.shape.read().unwrap_or_else(PoisonError::into_inner);
                    (folder, grown) = tree.root.make_folder(above).map_err(failed)?;
                    drop(again);
                }
                answer => answer.map_err(failed)?,
            }
        }
        if let Some(mut temp) = temp {
            temp.place_new(&folder, name).map_err(failed)?;
        }
        std::iter::once(&folder).chain(&grown).try_for_each(sync::folder).map_err(failed)
    }

    /// A durable unfinished file with the same bytes and time.
    fn duplicate(&self, source: &[u8]) -> Result<Temp> {
        use std::io::Read as _;
        let tree = &self.workshop.tree;
        let failed = |errno| fault(errno, Act::Read, "reading what is to be copied");
        let (file, facts) = open_file(&tree.root, source).map_err(failed)?;
        let mut file = std::fs::File::from(file);
        let claim = self.space.claim(tree.root.handle(), facts.stamp.size)?;
        let mut temp = Temp::create(Arc::clone(&self.workshop), claim)?;
        let mut piece = vec![0; 1024 * 1024];
        loop {
            match file.read(&mut piece) {
                Ok(0) => break,
                Ok(read) => temp.append(&piece[..read])?,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(number(&error))),
            }
        }
        temp.set_modified(facts.stamp.modified)?;
        temp.sync()?;
        if temp.stamp()?.size == facts.stamp.size {
            Ok(temp)
        } else {
            Err(Error::new(Kind::Changed, "the original changed while it was copied"))
        }
    }
}
