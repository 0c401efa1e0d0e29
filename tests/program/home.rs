//! A user with a home folder, a library and a config, who types commands.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// Two folders as destinations, which needs no server.
pub const TWO_DISKS: &str = r#"
[destination.disk]
type = "disk"
path = "disk"

[destination.nas]
type = "disk"
path = "nas"
"#;

/// A bucket in the S3 server that the program starts by itself.
pub const CLOUD: &str = r#"
[destination.cloud]
type = "s3"
endpoint = "sandbox"
sandbox = "cloud"
bucket = "photos"
offsite = true
"#;

/// See the module.
pub struct Home {
    folder: TempDir,
    config: PathBuf,
}

/// What came of a command.
#[derive(Debug)]
pub struct Ran {
    pub exit: i32,
    pub out: String,
    pub err: String,
}

impl Home {
    /// A library without files, and a config with these destinations that asks for no more than one copy.
    pub fn new(destinations: &str) -> Self {
        let home = Self::bare();
        std::fs::create_dir(home.path("library")).unwrap();
        home.configure(destinations);
        home
    }

    /// An empty home.
    pub fn bare() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // The path without links, as the program shows it.
        let config = folder.path().canonicalize().unwrap().join("safelight.toml");
        Self { folder, config }
    }

    /// Writes the config anew: the head and these tables.
    pub fn configure(&self, tables: &str) {
        let head = "version = 1\nstate = \"state\"\n[library]\npath = \"library\"\n\
                    [safety]\ncopies = 2\noffsite = 0\n";
        self.write("safelight.toml", format!("{head}{tables}"));
    }

    /// Uses this config file from now on.
    pub fn use_config(&mut self, path: impl AsRef<Path>) {
        self.config = self.path(path);
    }

    pub fn path(&self, below: impl AsRef<Path>) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(below)
    }

    /// Writes a file, with the folders above it.
    pub fn write(&self, path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    pub fn read(&self, path: impl AsRef<Path>) -> Vec<u8> {
        let path = self.path(path);
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// `count` small photos in the library, each unlike the others.
    pub fn photos(&self, count: usize) {
        for number in 0..count {
            let text = format!("photo {number} ").repeat(200 + number);
            self.write(format!("library/2024/IMG_{number:04}.jpg"), jpeg(text.as_bytes()));
        }
    }

    /// A command that was not started yet.
    pub fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_safelight"));
        command.args(args).env_clear().current_dir(self.folder.path());
        command.env("HOME", self.path("")).env("SAFELIGHT_CONFIG", &self.config);
        for (name, folder) in [
            ("XDG_CONFIG_HOME", "xdg/config"),
            ("XDG_STATE_HOME", "xdg/state"),
            ("XDG_CACHE_HOME", "xdg/cache"),
            ("XDG_RUNTIME_DIR", "xdg/run"),
        ] {
            command.env(name, self.path(folder));
        }
        for name in ["PATH", "TMPDIR", "LLVM_PROFILE_FILE"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        command.stdin(Stdio::null());
        command
    }

    /// Types a command and waits for its end.
    pub fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Ran {
        Ran::of(self.command(args).output().unwrap())
    }

    /// Types a command that must succeed; answers what it printed.
    pub fn good<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> String {
        let ran = self.run(args);
        assert_eq!(ran.exit, 0, "{ran:?}");
        ran.out
    }

    /// `safelight mirror`, and what must come of it.
    pub fn mirror(&self, exit: i32) -> Ran {
        let ran = self.run(["mirror"]);
        assert_eq!(ran.exit, exit, "{ran:?}");
        ran
    }

    /// The photos below a folder, by path; what Safelight keeps for itself is left out.
    pub fn photos_in(&self, folder: &str) -> Tree {
        let mut photos = tree(&self.path(folder));
        photos.retain(|path, _| !path.starts_with(".safelight"));
        photos
    }

    /// Both hold the same files with the same bytes and times.
    pub fn assert_same(&self, library: &str, copy: &str) {
        let (library, copy) = (self.photos_in(library), self.photos_in(copy));
        let names = |tree: &Tree| tree.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&library), names(&copy));
        for (path, file) in &library {
            assert!(copy[path] == *file, "{} differs", path.display());
        }
    }
}

impl Ran {
    pub fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("the output is UTF-8");
        let exit = output.status.code().unwrap_or(-1);
        Self { exit, out: text(output.stdout), err: text(output.stderr) }
    }

    /// Every line of stdout as JSON.
    pub fn json_lines(&self) -> Vec<Value> {
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        self.out.lines().map(parse).collect()
    }

    /// Stdout as one JSON document.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{self:?}"))
    }

    /// Every one of these stands in stdout or stderr.
    pub fn says(&self, words: &[&str]) -> &Self {
        for word in words {
            assert!(self.out.contains(word) || self.err.contains(word), "no {word:?} in {self:?}");
        }
        self
    }
}

/// Bytes and modification time, in nanoseconds, of every file.
pub type Tree = BTreeMap<PathBuf, (Vec<u8>, i128)>;

/// All files below a folder; empty if it is not there.
pub fn tree(root: &Path) -> Tree {
    let mut found = Tree::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            let facts = std::fs::symlink_metadata(&path).unwrap();
            if facts.is_dir() {
                folders.push(path);
            } else if facts.is_file() {
                let time =
                    i128::from(facts.mtime()) * 1_000_000_000 + i128::from(facts.mtime_nsec());
                let name = path.strip_prefix(root).unwrap().to_owned();
                found.insert(name, (std::fs::read(&path).unwrap(), time));
            }
        }
    }
    found
}

/// What passes for a small picture, with `bytes` behind it.
pub fn jpeg(bytes: &[u8]) -> Vec<u8> {
    const PICTURE: &[u8] =
        b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9";
    [PICTURE, bytes].concat()
}
