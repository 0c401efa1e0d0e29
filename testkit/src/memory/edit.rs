//! What tests do to a library behind Safelight's back.

use bytes::Bytes;
use safelight_core::class::{Classifier, MediaClass};
use safelight_core::codes::Code;
use safelight_core::digest::{Digests, Hasher};
use safelight_core::error::Kind;
use safelight_core::key::Key;
use safelight_core::provider::Root;
use safelight_core::time::Timestamp;

use super::MemoryProvider;
use super::store::{Content, Node, Object, Quirk};

impl MemoryProvider {
    /// Writes a file as another program would: new content, modification time now, same inode if it was
    /// there.
    ///
    /// # Panics
    /// If `path` is not a key.
    pub fn write(&self, path: impl AsRef<[u8]>, bytes: impl Into<Bytes>) -> Key {
        let bytes = bytes.into();
        let digests = Hasher::of(&bytes, self.shared.capabilities.digests);
        self.set_content(&key(path), Content::Kept(bytes), digests)
    }

    /// Writes a file of any size whose bytes are made while it is read: those of
    /// [`content::part`](crate::content::part) for `seed`. It takes no memory.
    ///
    /// # Panics
    /// If `path` is not a key.
    pub fn write_made(&self, path: impl AsRef<[u8]>, seed: u64, length: u64) -> Key {
        self.set_content(&key(path), Content::Made { seed, length }, Digests::default())
    }

    fn set_content(&self, key: &Key, content: Content, digests: Digests) -> Key {
        let now = self.now();
        let mut state = self.state();
        let stamp = state.next_stamp();
        let file_id = state.object(key).map_or(stamp, |old| old.file_id);
        let class = Classifier::default().classify(key.name());
        let object = Object {
            content,
            class,
            modified: Some(now),
            changed: now,
            file_id,
            stamp,
            digests,
            quirk: None,
        };
        state.insert(key, Node::Object(object));
        key.clone()
    }

    /// Damages a file as a failing disk would: other bytes, everything else as before.
    pub fn rot(&self, key: &Key, bytes: impl Into<Bytes>) {
        let content = Content::Kept(bytes.into());
        self.edit(key, |object| object.content = content, false);
    }

    /// Sets the modification time; the `ctime` becomes now, as on a disk.
    pub fn set_modified(&self, key: &Key, modified: Timestamp) {
        self.edit(key, |object| object.modified = Some(modified), true);
    }

    /// Sets the `ctime`, as moving the disk to another machine might.
    pub fn set_changed(&self, key: &Key, changed: Timestamp) {
        self.edit(key, |object| object.changed = changed, false);
    }

    /// Sets the inode, as copying the library to another disk does.
    pub fn set_file_id(&self, key: &Key, file_id: u64) {
        self.edit(key, |object| object.file_id = file_id, false);
    }

    /// Sets the media class that quotas count it for.
    pub fn set_class(&self, key: &Key, class: MediaClass) {
        self.edit(key, |object| object.class = class, false);
    }

    /// From now on opening the file fails with this kind.
    pub fn make_unreadable(&self, key: &Key, kind: Kind) {
        self.edit(key, |object| object.quirk = Some(Quirk::Unreadable(kind)), false);
    }

    /// From now on the file changes each time it is read.
    pub fn make_restless(&self, key: &Key) {
        self.edit(key, |object| object.quirk = Some(Quirk::ChangesWhileRead), false);
    }

    /// The file disappears when it is opened.
    pub fn make_vanish(&self, key: &Key) {
        self.edit(key, |object| object.quirk = Some(Quirk::VanishesWhenRead), false);
    }

    /// The file can be read as usual again.
    pub fn make_quiet(&self, key: &Key) {
        self.edit(key, |object| object.quirk = None, false);
    }

    /// Renames a file; inode and modification time stay, the `ctime` becomes now.
    ///
    /// # Panics
    /// If there is no such file or `to` is not a key.
    pub fn rename(&self, from: &Key, to: impl AsRef<[u8]>) -> Key {
        let to = key(to);
        let now = self.now();
        let mut state = self.state();
        let node = state.take(from);
        let Some(Node::Object(object)) = node else { panic!("{from} is no file") };
        state.insert(&to, Node::Object(Object { changed: now, ..object }));
        to
    }

    /// Deletes whatever is under the key; says whether anything was.
    pub fn delete(&self, key: &Key) -> bool {
        self.state().take(key).is_some()
    }

    /// Something that is not copied stands at `path`: a link, a pipe.
    ///
    /// # Panics
    /// If `path` is not a key.
    pub fn add_passed(&self, path: impl AsRef<[u8]>, code: Code) {
        self.state().insert(&key(path), Node::Passed(code));
    }

    /// The folder at `path` cannot be seen into; what was below it stays but is not listed.
    ///
    /// # Panics
    /// If `path` is not a key.
    pub fn add_unseen(&self, path: impl AsRef<[u8]>, kind: Kind) {
        self.state().insert(&key(path), Node::Unseen(kind));
    }

    /// Another file system is mounted at `path`.
    ///
    /// # Panics
    /// If `path` is not a key.
    pub fn add_mount(&self, path: impl AsRef<[u8]>, volume: &str) {
        self.state().insert(&key(path), Node::Mount(volume.to_owned()));
    }

    /// Nothing at all can be seen by listings, or everything again.
    pub fn set_blind(&self, kind: Option<Kind>) {
        self.state().blind = kind;
    }

    /// The whole storage is taken away, or comes back with what it held.
    pub fn set_absent(&self, absent: bool) {
        self.state().absent = absent;
    }

    /// What `check` says about the root.
    pub fn set_root(&self, root: Root) {
        self.state().root = root;
    }

    /// What `check` says about the file system.
    pub fn set_volume(&self, volume: Option<&str>) {
        self.state().volume = volume.map(str::to_owned);
    }

    /// The whole content under the key, without counting as a read.
    pub fn content(&self, key: &Key) -> Option<Bytes> {
        let content = self.state().object(key)?.content.clone();
        Some(content.part(0, usize::MAX))
    }

    /// The keys of all objects in order, reserved ones too.
    pub fn keys(&self) -> Vec<Key> {
        self.state().objects().map(|(key, _)| key.clone()).collect()
    }

    /// The keys in the provider's own trash, in the order of removal.
    pub fn trashed(&self) -> Vec<Key> {
        self.state().trash.iter().map(|(key, _)| key.clone()).collect()
    }

    fn edit(&self, key: &Key, change: impl FnOnce(&mut Object), touches: bool) {
        let now = self.now();
        let mut state = self.state();
        let stamp = state.next_stamp();
        let object = state.object_mut(key);
        let Some(object) = object else { panic!("{key} is no file") };
        if touches {
            object.changed = now;
            object.stamp = stamp;
        }
        change(object);
    }
}

fn key(path: impl AsRef<[u8]>) -> Key {
    let path = path.as_ref();
    Key::new(path).unwrap_or_else(|_| panic!("{} is no key", path.escape_ascii()))
}
