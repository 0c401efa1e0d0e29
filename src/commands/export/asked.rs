//! What an export is asked to do: a job of the config, a destination, and what the command line changes about them.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use safelight_config::{Albums, Config, Destination, DiskPlace, Storage, TODAY, usual_path};
use safelight_core::catalog::Catalog;
use safelight_core::error::{Error, Kind, Result as CoreResult};
use safelight_core::job::{Destination as Opened, DestinationRules};
use safelight_core::key::printable;
use safelight_core::marker;
use safelight_core::provider::Provider;
use safelight_core::time::Clock;
use safelight_core::wrap::{RetryPolicy, wrapped};
use safelight_disk::{Disk, Options};
use safelight_export::plan::{AlbumForm, Wishes};

use crate::args::{self, ExportArgs};
use crate::commands::names;
use crate::failure::Failure;
use crate::session::Session;
use crate::wiring::exports::{self, Remembered, Target};
use crate::wiring::{self, Opener};

/// See the module.
pub struct Asked<'a> {
    /// The job's name, or `export`.
    pub name: String,
    /// What is left.
    pub from: &'a Destination,
    /// What is wanted.
    pub wishes: Wishes,
    /// The command without what limits one run of it.
    pub command: String,
    aims: Vec<Aim<'a>>,
    path: String,
}

/// Where it goes.
enum Aim<'a> {
    /// A folder of this machine.
    Folder(PathBuf),
    /// A folder inside a destination.
    Inside(&'a Destination),
}

impl Aim<'_> {
    fn name(&self) -> String {
        match self {
            Self::Folder(folder) => folder.display().to_string(),
            Self::Inside(destination) => destination.name.clone(),
        }
    }
}

impl<'a> Asked<'a> {
    /// Puts job and command line together.
    ///
    /// # Errors
    /// A name that leads nowhere, no target, a folder inside the library or around it.
    pub fn new(session: &Session, config: &'a Config, args: &ExportArgs) -> Result<Self, Failure> {
        let job = config.exports.iter().find(|job| job.name == args.what);
        let from = match job {
            Some(job) => names::destination(config, &job.from)?,
            None => leaving(config, &args.what)?,
        };
        let absolute = |path: &PathBuf| {
            let path = session.env.current_dir().join(path);
            std::path::absolute(&path).unwrap_or(path)
        };
        let aims: Vec<Aim<'a>> = if args.to.is_empty() {
            let names = job.map(|job| job.to.as_slice()).unwrap_or_default();
            names.iter().filter_map(|name| config.destination(name)).map(Aim::Inside).collect()
        } else {
            args.to.iter().map(absolute).map(Aim::Folder).collect()
        };
        if aims.is_empty() {
            return Err(Failure::Usage {
                message: "it is not said where everything goes".to_owned(),
                help: Some(format!("safelight export {} --to DIR", args.what)),
            });
        }
        let usual = |albums| match albums {
            Albums::Sidecar => AlbumForm::Json,
            Albums::Lists => AlbumForm::Lists,
            Albums::Links => AlbumForm::Links,
        };
        let albums = match args.albums {
            Some(args::AlbumForm::Sidecar) => AlbumForm::Json,
            Some(args::AlbumForm::Lists) => AlbumForm::Lists,
            Some(args::AlbumForm::Links) => AlbumForm::Links,
            None => job.map(|job| usual(job.albums)).unwrap_or_default(),
        };
        let wishes = Wishes {
            everything: args.everything || job.is_some_and(|job| job.everything),
            classes: job.map(|job| job.include.clone()).unwrap_or_default(),
            template: args.layout.clone().or_else(|| job.and_then(|job| job.layout.clone())),
            plain: args.plain || job.is_some_and(|job| !job.bag),
            albums,
            sidecars: true,
        };
        let path = job.map_or_else(|| usual_path(&from.name), |job| job.path.clone());
        let mut command = format!("safelight export {}", args.what);
        for folder in &args.to {
            command += &format!(" --to '{}'", folder.display());
        }
        let asked = Self {
            name: job.map_or_else(|| "export".to_owned(), |job| job.name.clone()),
            from,
            wishes,
            command,
            aims,
            path,
        };
        asked.check_folders(config)?;
        Ok(asked)
    }

    fn check_folders(&self, config: &Config) -> CoreResult<()> {
        let mut places = vec![("the library", config.library.path.as_path())];
        places.extend(root(self.from).map(|path| (self.from.name.as_str(), path)));
        for aim in &self.aims {
            if let Aim::Folder(folder) = aim {
                wiring::check_folder(folder, &places)?;
            }
        }
        Ok(())
    }

    /// What was noted when this export began; without that, what is to be noted now. `today` is the day.
    ///
    /// # Errors
    /// Those of the file system; an export that began in another shape.
    pub fn remembered(&self, config: &Config, today: &str) -> Result<Remembered, Failure> {
        let identity = |aim: &Aim| match aim {
            Aim::Folder(folder) => format!("folder {}", folder.display()),
            Aim::Inside(destination) => format!("{} {}", destination.name, self.path),
        };
        let identities: Vec<String> = self.aims.iter().map(identity).collect();
        let folder = exports::folder_of(&config.state, &self.from.name, &identities);
        let shape = match (&self.wishes.template, self.wishes.plain) {
            (template, true) => format!("plain {template:?}"),
            (template, false) => format!("bag {template:?}"),
        };
        if let Some(known) = Remembered::load(&folder)? {
            if known.shape == shape {
                return Ok(known);
            }
            return Err(Failure::Usage {
                message: "this export began with another layout, or as a bag where a plain folder is asked for now"
                    .to_owned(),
                help: Some("go on as it began, or choose another folder".to_owned()),
            });
        }
        let path = self.path.replace(TODAY, today);
        let target = |aim: &Aim| {
            let folder = match aim {
                Aim::Folder(folder) => Some(folder.clone()),
                Aim::Inside(destination) => root(destination).map(|root| root.join(&path)),
            };
            Target::new(aim.name(), folder)
        };
        let targets = self.aims.iter().map(target).collect();
        let from = self.from.name.clone();
        Ok(Remembered { folder, from, targets, path, shape, finished: None })
    }

    /// Opens the targets; one that cannot be opened takes part all the same, with the reason. Answers also the names of
    /// those that were removed or emptied. `library` is what is known of the destinations. Unless it is a rehearsal,
    /// folders above the targets are made.
    pub async fn open_targets(
        &self,
        remembered: &Remembered,
        library: Option<&dyn Catalog>,
        opener: &mut Opener,
        clock: &Arc<dyn Clock>,
        rehearsal: bool,
    ) -> (Vec<Opened>, Vec<String>) {
        let (mut targets, mut lost) = (Vec::new(), Vec::new());
        for (aim, target) in self.aims.iter().zip(&remembered.targets) {
            let name = aim.name();
            let (provider, offsite) = match aim {
                Aim::Folder(folder) => {
                    if folder.parent().is_some_and(|above| target.is_lost(above)) {
                        lost.push(name.clone());
                    }
                    (Ok(open_folder(&name, folder.clone(), clock)), false)
                }
                Aim::Inside(destination) => {
                    let ready = async {
                        is_itself(destination, library, opener).await?;
                        if root(destination).is_some_and(|root| target.is_lost(root)) {
                            lost.push(name.clone());
                        }
                        if !rehearsal {
                            make_above(destination, target)?;
                        }
                        opener.open(&inside(destination, &remembered.path)).await
                    };
                    (ready.await, destination.offsite)
                }
            };
            let rules = DestinationRules { offsite, ..DestinationRules::default() };
            targets.push(Opened { name, opened: provider, renewal: None, rules });
        }
        (targets, lost)
    }

    /// The targets for people, in their order.
    pub fn places(&self) -> Vec<String> {
        self.aims.iter().map(|aim| printable(aim.name().as_bytes())).collect()
    }
}

/// A plain folder as a place to write into.
pub fn open_folder(name: &str, folder: PathBuf, clock: &Arc<dyn Clock>) -> Arc<dyn Provider> {
    let disk = Disk::destination(name, folder, Options::default(), Arc::clone(clock));
    wrapped(Arc::new(disk), clock, RetryPolicy::default(), None)
}

/// A disk that was mirrored to carries its marker. Without it, or with another, the path leads to some other disk, or to
/// the empty place where one is mounted; nothing is made there.
async fn is_itself(
    destination: &Destination,
    library: Option<&dyn Catalog>,
    opener: &mut Opener,
) -> CoreResult<()> {
    let (Storage::Disk(_), Some(library)) = (&destination.storage, library) else { return Ok(()) };
    let known = library.destinations().await?.into_iter();
    let mut used = known.filter(|one| one.name == destination.name && one.marker.is_some());
    let Some(record) = used.next() else { return Ok(()) };
    let disk = opener.open(destination).await?;
    let health = disk.check().await?;
    marker::check(&*disk, health.root, &record).await.map(|_| ())
}

/// The folder of a destination on this machine, unless it is known by its volume.
fn root(destination: &Destination) -> Option<&Path> {
    match &destination.storage {
        Storage::Disk(disk) => match &disk.place {
            DiskPlace::Folder(root) => Some(root),
            DiskPlace::Volume { .. } => None,
        },
        _ => None,
    }
}

/// Of a folder inside a destination on this machine, only the last part is made by the disk itself.
fn make_above(destination: &Destination, target: &Target) -> CoreResult<()> {
    let above = target.folder.as_deref().and_then(Path::parent);
    let (Some(root), Some(above)) = (root(destination), above) else { return Ok(()) };
    if !root.is_dir() || above == root {
        return Ok(());
    }
    let device = |path: &Path| std::fs::metadata(path).ok().map(|facts| facts.dev());
    if destination.removable && device(root) == device(Path::new("/")) {
        let context = format!("{} is on the system's own disk", root.display());
        return Err(Error::new(Kind::Absent, context));
    }
    let failed = |error| Error::io(error, format!("making {}", above.display()));
    std::fs::create_dir_all(above).map_err(failed)
}

fn leaving<'a>(config: &'a Config, name: &str) -> Result<&'a Destination, Failure> {
    names::destination(config, name).map_err(|failure| match failure {
        Failure::Usage { help, .. } => {
            let shown = printable(name.as_bytes());
            let message = format!("there is no export job and no destination `{shown}`");
            let jobs: Vec<&str> = config.exports.iter().map(|job| job.name.as_str()).collect();
            let more = if jobs.is_empty() {
                String::new()
            } else {
                format!("; export jobs: {}", jobs.join(", "))
            };
            Failure::Usage { message, help: help.map(|help| help + &more) }
        }
        other => other,
    })
}

/// The folder `path` of a destination as a destination of its own.
fn inside(destination: &Destination, path: &str) -> Destination {
    let mut inner = destination.clone();
    let join = |root: &mut String| {
        *root = if root.is_empty() { path.to_owned() } else { format!("{root}/{path}") };
    };
    match &mut inner.storage {
        Storage::Disk(disk) => match &mut disk.place {
            DiskPlace::Folder(folder) => folder.push(path),
            DiskPlace::Volume { path, .. } => join(path),
        },
        Storage::S3(s3) => join(&mut s3.root),
        Storage::OpenDal(service) => join(&mut service.root),
        Storage::Dropbox(dropbox) => join(&mut dropbox.root),
        Storage::AmazonPhotos(amazon) => join(&mut amazon.root),
    }
    inner
}
