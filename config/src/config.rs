//! One config file, read and checked.

use std::path::{Path, PathBuf};

use toml::de::DeTable;

use crate::check::Walk;
use crate::codes;
use crate::complete::complete;
use crate::definition::Setting;
use crate::destination::Destination;
use crate::env::Env;
use crate::export::Export;
use crate::hide::{hide, suspects};
use crate::job::Mirror;
use crate::library::{Library, Safety};
use crate::place::{Base, tidy};
use crate::report::{Problem, Report, position};
use crate::settings::{ROOT, VERSION};
use crate::show::{Style, write};
use crate::tree::{Entry, Table, Value};
use crate::{export, read, rules};

/// Everything a config file says, with every default filled in. Whoever has one knows: all names lead
/// somewhere, no two places overlap by their text, nothing in the file is ignored.
#[derive(Debug, Clone)]
pub struct Config {
    /// The config format, 1.
    pub version: u64,
    /// Where catalog, runs and sandbox data are kept; absolute, need not exist.
    pub state: PathBuf,
    /// What is backed up.
    pub library: Library,
    /// What "safe" means.
    pub safety: Safety,
    /// Where to, in file order; at least one.
    pub destinations: Vec<Destination>,
    /// The mirror jobs in file order.
    pub jobs: Vec<Mirror>,
    /// The export jobs in file order.
    pub exports: Vec<Export>,
    file: PathBuf,
    home: Option<PathBuf>,
    tree: Table,
}

impl Config {
    /// Reads the file at `path`, the only file that is touched, and checks it.
    pub fn load(path: &Path, env: &Env) -> Result<Self, Report> {
        let failed = |reason: String| {
            let message = format!("cannot read the config file: {reason}");
            let help = "safelight config path      prints where config files are looked for";
            let problem = Problem::new(codes::UNREADABLE, message).help(help);
            Report::new(path, "", vec![problem])
        };
        let bytes = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
        let text =
            String::from_utf8(bytes).map_err(|_| failed("it is not UTF-8 text".to_owned()))?;
        Self::parse(&text, path, env)
    }

    /// Checks `text` as the content of the file at `path`; looks at no file and no secret. All problems come
    /// in one report, except that settings are looked at only when the syntax is right and the version known.
    pub fn parse(text: &str, path: &Path, env: &Env) -> Result<Self, Report> {
        let file = tidy(&env.current_dir().join(path));
        let folder = file.parent().unwrap_or(&file).to_owned();
        let base = Base { folder, home: env.home() };
        let (document, errors) = DeTable::parse_recoverable(text);
        let document = document.into_inner();

        if !errors.is_empty() {
            let problems = first_per_line(text, &errors);
            return Err(Report::new(path, &hide(text, &suspects(text)), problems));
        }
        if let Some(problem) = newer_version(&document) {
            return Err(Report::new(path, &hide(text, &suspects(text)), vec![problem]));
        }

        let mut walk = Walk::new(text, &base);
        let settings: Vec<&Setting> = ROOT.iter().collect();
        let mut tree = walk.table(Some(&document), &(0..0), &settings);
        add_default_job(&mut walk, &mut tree, &document);
        let Walk { mut problems, hidden, .. } = walk;
        problems.extend(complete(&mut tree, &file, env, &base));
        problems.extend(rules::check(&tree));
        if !problems.is_empty() {
            return Err(Report::new(path, &hide(text, &hidden), problems));
        }
        Ok(Self::from_tree(tree, path, env))
    }

    fn from_tree(tree: Table, path: &Path, env: &Env) -> Self {
        let empty = Table::default();
        let part = |name: &str| tree.table(name).unwrap_or(&empty);
        Self {
            version: tree.get("version").unwrap_or(VERSION),
            state: tree.get("state").unwrap_or_default(),
            library: read::library(part("library")),
            safety: read::safety(part("safety")),
            destinations: part("destination")
                .named()
                .filter_map(|(name, table)| read::destination(name, table))
                .collect(),
            jobs: part("job")
                .named()
                .filter_map(|(name, table)| read::mirror(name, table))
                .collect(),
            exports: part("job")
                .named()
                .filter_map(|(name, table)| export::read(name, table))
                .collect(),
            file: path.to_owned(),
            home: env.home(),
            tree,
        }
    }

    /// The file this was read from, as it was named.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The destination of this name.
    pub fn destination(&self, name: &str) -> Option<&Destination> {
        self.destinations.iter().find(|destination| destination.name == name)
    }

    /// The effective settings as a config file that means the same; with `origins`, each line says in which
    /// line of the file it was written, or that it is the default.
    pub fn show(&self, origins: bool) -> String {
        let name = self.file.display().to_string();
        write(&self.tree, &Style::Effective { origins_in: origins.then_some(name.as_str()) })
    }

    /// What the file says in a form for strangers: no remarks; secret references, accounts, hosts, volumes
    /// and the user's name masked.
    pub fn redacted(&self) -> String {
        write(&self.tree, &Style::Redacted { home: self.home.as_deref() })
    }
}

/// Without a mirror job in the file, there is one to every destination.
fn add_default_job(walk: &mut Walk<'_>, tree: &mut Table, document: &DeTable<'_>) {
    let exports = |job: &Table| job.get::<String>("kind").as_deref() == Some("export");
    let written = tree.table("job");
    let only_exports = written.is_some_and(|jobs| {
        !jobs.entries.is_empty() && jobs.named().all(|(name, job)| exports(job) && name != "mirror")
    });
    if document.get("job").is_some() && !only_exports {
        return;
    }
    let Some(job) = ROOT.iter().find(|setting| setting.name == "job") else { return };
    let Some(jobs) = walk.default_value(&job.form, "{ mirror = {} }") else { return };
    match (tree.table_mut("job"), jobs) {
        (Some(written), Value::Table(mut jobs)) => written.entries.append(&mut jobs.entries),
        (_, jobs) => tree.set("job", Entry::default(jobs)),
    }
}

/// One mistake makes the parser stumble several times; only the first stumble of a line helps.
fn first_per_line(text: &str, errors: &[toml::de::Error]) -> Vec<Problem> {
    let mut lines = Vec::new();
    let mut problems = Vec::new();
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let (line, _) = position(text, span.start);
        if !lines.contains(&line) {
            lines.push(line);
            let message = error.message().lines().next().unwrap_or("this is not TOML").to_owned();
            problems.push(Problem::new(codes::SYNTAX, message).at(span));
        }
    }
    problems
}

/// A file for a newer program would only give a long list of unknown settings.
fn newer_version(document: &DeTable<'_>) -> Option<Problem> {
    let node = document.get("version")?;
    let number = node.get_ref().as_integer()?;
    let version = u64::from_str_radix(number.as_str(), number.radix()).ok()?;
    (version > VERSION).then(|| {
        let message = format!(
            "this file is written for config format {version}, this program knows {VERSION}"
        );
        Problem::new(codes::NEWER_VERSION, message)
            .at(node.span())
            .help("install a newer safelight")
    })
}
