//! The provider: a folder, seen through the contract of `safelight_core::provider`.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use async_trait::async_trait;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use rustix::fs::{Access, AtFlags, StatVfsMountFlags, accessat, fstatvfs};
use safelight_core::body::Body;
use safelight_core::capability::Capabilities;
use safelight_core::entry::{Entry, Page, Scope, Version};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::key::Key;
use safelight_core::permit::RemovalPermit;
use safelight_core::provider::{
    Health, Identity, Opened, PoolUsage, Provider, PutRequest, Receipt, Relocate, Removed,
    Root as RootState,
};
use safelight_core::time::{Clock, SystemClock};

use crate::commit::Commits;
use crate::fault::{Act, fault};
use crate::feed::blocking;
use crate::filesystem::Rules;
use crate::options::Options;
use crate::place::{Found, Place, absent};
use crate::relocate::Mover;
use crate::root::Root;
use crate::space::Space;
use crate::tree::{Tree, Use};
use crate::workshop::Workshop;
use crate::write::Writer;
use crate::{read, remove, volume, walk, write};

/// How many items at once are sensible: a disk makes several durable in little more time than one.
const CONCURRENCY: usize = 8;
/// How many more may wait for the common commit.
const BATCH: usize = 56;

/// A folder or an external disk, or the library itself.
pub struct Disk {
    identity: Identity,
    capabilities: Capabilities,
    site: Arc<Site>,
}

/// What all operations share.
struct Site {
    usage: Use,
    place: Place,
    options: Options,
    /// The rules by which the capabilities were declared.
    rules: Rules,
    clock: Arc<dyn Clock>,
    space: Arc<Space>,
    shape: Arc<RwLock<()>>,
    opened: Mutex<OpenedParts>,
}

#[derive(Default)]
struct OpenedParts {
    tree: Option<Arc<Tree>>,
    tools: Option<(Arc<Workshop>, Arc<Commits>)>,
}

impl Disk {
    /// The library at `path`. It is only read: nothing is ever written, not even made.
    pub fn library(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let identity =
            Identity { name: "library".to_owned(), kind: "disk", location: shown(&path) };
        let clock = Arc::new(SystemClock::start());
        Self::new(identity, Use::Library, Place::Path(path), Options::default(), clock)
    }

    /// A destination called `name` in the folder `path`. The last folder of the path is made by the first
    /// `put`; nothing else of it ever is. Changes nothing yet.
    pub fn destination(
        name: impl Into<String>,
        path: impl Into<PathBuf>,
        options: Options,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let path = path.into();
        let identity = Identity { name: name.into(), kind: "disk", location: shown(&path) };
        Self::new(identity, Use::Destination, Place::Path(path), options, clock)
    }

    pub(crate) fn new(
        identity: Identity,
        usage: Use,
        place: Place,
        options: Options,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let rules = declared_rules(&place, usage, &options);
        let capabilities = match usage {
            Use::Library => capabilities_of_library(),
            Use::Destination => capabilities_by(&rules),
        };
        let space = Arc::new(Space::new(options.reserve));
        let shape = Arc::default();
        let opened = Mutex::default();
        let site = Site { usage, place, options, rules, clock, space, shape, opened };
        Self { identity, capabilities, site: Arc::new(site) }
    }

    /// Runs `work` on a blocking thread.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Site) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let site = Arc::clone(&self.site);
        blocking(move || work(&site).map_err(|error| site.or_absent(error))).await
    }
}

fn shown(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    safelight_core::key::printable(path.as_os_str().as_bytes())
}

/// The rules of the file system on which the root stands or would be made; where there is none yet, those of
/// an exact one, which are checked when it appears.
fn declared_rules(place: &Place, usage: Use, options: &Options) -> Rules {
    let found = place.find(usage, options.removable);
    let path = match found {
        Ok(Found::Root(path)) => path,
        Ok(Found::Base { base, .. }) => base,
        Err(_) => return Rules::exact(),
    };
    let rules = Root::open(&path).and_then(|root| Tree::rules(&root, usage));
    rules.map_or(Rules::exact(), |(rules, _)| rules)
}

fn capabilities_of_library() -> Capabilities {
    Capabilities {
        writes: false,
        sorted_listing: true,
        keeps_modified: true,
        concurrency: CONCURRENCY,
        ..Capabilities::default()
    }
}

fn capabilities_by(rules: &Rules) -> Capabilities {
    Capabilities {
        moves: true,
        copies: true,
        sorted_listing: true,
        keeps_modified: true,
        time_granularity_ns: rules.granularity_ns,
        max_item_bytes: rules.max_item_bytes,
        names: rules.names,
        atomic_replace: rules.replaces_at_once,
        concurrency: CONCURRENCY,
        batch: BATCH,
        ..Capabilities::default()
    }
}

impl Site {
    fn parts(&self) -> MutexGuard<'_, OpenedParts> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The opened root, if it is there.
    fn tree(&self) -> Result<Arc<Tree>> {
        let mut parts = self.parts();
        match &parts.tree {
            Some(tree) => Ok(Arc::clone(tree)),
            None => match self.place.find(self.usage, self.options.removable)? {
                Found::Root(path) => self.open(&mut parts, &path),
                Found::Base { .. } => {
                    let context = "the destination's folder does not exist yet";
                    Err(Error::new(Kind::NotFound, context))
                }
            },
        }
    }

    /// The opened root; `None` if it would be made by the first `put`.
    fn tree_if_made(&self) -> Result<Option<Arc<Tree>>> {
        match self.tree() {
            Ok(tree) => Ok(Some(tree)),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn open(&self, parts: &mut OpenedParts, path: &Path) -> Result<Arc<Tree>> {
        let opened = Tree::open(path, self.usage);
        let tree = opened
            .map_err(|errno| fault(errno, Act::Read, format!("opening {}", path.display())))?;
        let expected = self.usage == Use::Library || tree.rules.promises_like(&self.rules);
        if !expected {
            let context = format!(
                "{} appeared after the start and is of another kind than expected",
                path.display()
            );
            return Err(Error::new(Kind::Absent, context));
        }
        let tree = Arc::new(tree);
        parts.tree = Some(Arc::clone(&tree));
        Ok(tree)
    }

    /// What writing needs. Makes the root if it is not there and may be made.
    fn tools(&self) -> Result<(Arc<Workshop>, Arc<Commits>)> {
        self.writable()?;
        let mut parts = self.parts();
        if let Some(tools) = &parts.tools {
            return Ok(tools.clone());
        }
        let tree = if let Some(tree) = &parts.tree {
            Arc::clone(tree)
        } else {
            let path = self.place.find(self.usage, self.options.removable)?.make()?;
            self.open(&mut parts, &path)?
        };
        let mut workshop = Workshop::open(tree)?;
        workshop.learn()?;
        let tree = Arc::clone(&workshop.tree);
        parts.tree = Some(Arc::clone(&tree));
        if tree.rules.names != self.rules.names {
            let context = format!(
                "{} holds fewer names than its kind of file system promises; \
                 that is noted there, and the next run goes by it",
                tree.path().display()
            );
            return Err(Error::new(Kind::Absent, context));
        }
        let commits = Arc::new(Commits::new(tree, Arc::clone(&self.shape)));
        Ok(parts.tools.insert((Arc::new(workshop), commits)).clone())
    }

    /// Below a root that was removed while it was open everything is missing; the root is what to report.
    fn or_absent(&self, error: Error) -> Error {
        let tree = self.parts().tree.clone().filter(|_| error.kind() == Kind::NotFound);
        tree.and_then(|tree| tree.still_there().err()).unwrap_or(error)
    }

    fn writable(&self) -> Result<()> {
        match self.usage {
            Use::Destination => Ok(()),
            Use::Library => {
                Err(Error::new(Kind::Unsupported, "the library is only read, never changed"))
            }
        }
    }

    fn check(&self) -> Result<Health> {
        let Some(tree) = self.tree_if_made()? else {
            return self.check_new();
        };
        if !tree.is_in_its_place() {
            let context =
                format!("{} is not what it was when it was opened", tree.path().display());
            return Err(absent(self.usage, context));
        }
        if self.usage == Use::Destination {
            check_writable(&tree.root, tree.path())?;
        }
        let volume = volume::identity(tree.root.facts().device, &tree.root, &tree.rules);
        Ok(Health { root: RootState::Ready, volume, signed_in_until: None })
    }

    fn check_new(&self) -> Result<Health> {
        if let Found::Base { base, .. } = self.place.find(self.usage, self.options.removable)? {
            let looked = |errno| fault(errno, Act::Read, format!("opening {}", base.display()));
            check_writable(&Root::open(&base).map_err(looked)?, &base)?;
        }
        Ok(Health { root: RootState::New, volume: None, signed_in_until: None })
    }

    fn quota(&self) -> Result<Vec<PoolUsage>> {
        if let Some(tree) = self.tree_if_made()? {
            return Ok(vec![self.space.pool(tree.root.handle())?]);
        }
        let found = self.place.find(self.usage, self.options.removable)?;
        let (Found::Root(path) | Found::Base { base: path, .. }) = found;
        let looked = |errno| fault(errno, Act::Read, format!("opening {}", path.display()));
        Ok(vec![self.space.pool(Root::open(&path).map_err(looked)?.handle())?])
    }
}

/// Whether the folder can be written to, as far as that can be told without writing.
fn check_writable(root: &Root, path: &Path) -> Result<()> {
    let looked = |errno| fault(errno, Act::Read, format!("looking at {}", path.display()));
    let mounted = fstatvfs(root.handle()).map_err(looked)?;
    if mounted.f_flag.contains(StatVfsMountFlags::RDONLY) {
        let context = format!("{} is mounted read-only", path.display());
        return Err(Error::new(Kind::ReadOnly, context));
    }
    accessat(root.handle(), ".", Access::WRITE_OK | Access::EXEC_OK, AtFlags::empty()).map_err(
        |errno| {
            let context = format!("{} may not be written to", path.display());
            Error::new(Kind::ReadOnly, context).source(std::io::Error::from(errno))
        },
    )
}

#[async_trait]
impl Provider for Disk {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn check(&self) -> Result<Health> {
        self.run(Site::check).await
    }

    async fn quota(&self) -> Result<Vec<PoolUsage>> {
        self.run(Site::quota).await
    }

    fn list(&self, scope: Scope) -> BoxStream<'static, Result<Page>> {
        let site = Arc::clone(&self.site);
        let opened = async move {
            match blocking(move || site.tree_if_made()).await {
                Ok(Some(tree)) => walk::list(tree, scope),
                // A destination that was never used holds nothing.
                Ok(None) => stream::empty().boxed(),
                Err(error) => stream::iter([Err(error)]).boxed(),
            }
        };
        stream::once(opened).flatten().boxed()
    }

    async fn stat(&self, key: &Key) -> Result<Option<Entry>> {
        let key = key.clone();
        self.run(move |site| {
            let Some(tree) = site.tree_if_made()? else {
                return Ok(None);
            };
            Ok(tree.stat(&key)?.map(|facts| tree.entry(key, &facts.stamp)))
        })
        .await
    }

    async fn read(
        &self,
        key: &Key,
        range: Option<Range<u64>>,
        pin: Option<&Version>,
    ) -> Result<Opened> {
        let (key, pin) = (key.clone(), pin.cloned());
        self.run(move |site| read::open(site.tree()?, &key, range, pin.as_ref())).await
    }

    async fn put(&self, request: PutRequest, body: Body) -> Result<Receipt> {
        let writer = self.run(|site| {
            let (workshop, commits) = site.tools()?;
            let (space, read_back) = (Arc::clone(&site.space), site.options.read_back);
            Ok(Writer { workshop, space, commits, read_back })
        });
        let stored = write::put(writer.await?, request, body).await;
        stored.map_err(|error| self.site.or_absent(error))
    }

    async fn remove(&self, permit: RemovalPermit) -> Result<Removed> {
        self.run(move |site| {
            site.writable()?;
            remove::remove(&*site.tree()?, &site.shape, &permit, &*site.clock)
        })
        .await
    }

    async fn relocate(
        &self,
        from: &Key,
        to: &Key,
        how: Relocate,
        pin: Option<&Version>,
    ) -> Result<Receipt> {
        let (from, to, pin) = (from.clone(), to.clone(), pin.cloned());
        self.run(move |site| {
            site.writable()?;
            // A missing root holds nothing to move and is not made for that.
            site.tree()?;
            let (workshop, _) = site.tools()?;
            let (space, shape) = (Arc::clone(&site.space), Arc::clone(&site.shape));
            Mover { workshop, space, shape }.relocate(&from, &to, how, pin.as_ref())
        })
        .await
    }
}
