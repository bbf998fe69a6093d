//! Directories and files in memory, each with what is durable of it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Component, Path, PathBuf};

use super::super::{Entry, EntryKind};
use super::Survival;

/// A file or directory; never reused.
pub(super) type NodeId = usize;

const ROOT: NodeId = 0;

#[derive(Clone, Debug)]
enum Node {
    File { content: Vec<u8>, durable: Vec<u8> },
    Dir { names: BTreeMap<OsString, NodeId>, durable: BTreeMap<OsString, NodeId> },
}

#[derive(Clone, Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    locks: BTreeSet<PathBuf>,
}

impl Default for Tree {
    fn default() -> Tree {
        Tree { nodes: vec![Node::dir()], locks: BTreeSet::new() }
    }
}

impl Node {
    fn dir() -> Node {
        Node::Dir { names: BTreeMap::new(), durable: BTreeMap::new() }
    }

    fn file() -> Node {
        Node::File { content: Vec::new(), durable: Vec::new() }
    }
}

fn error(kind: io::ErrorKind, path: &Path) -> io::Error {
    io::Error::new(kind, format!("{}: {kind}", path.display()))
}

/// The names of a path that matter.
fn steps(path: &Path) -> impl Iterator<Item = &OsStr> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name),
        _ => None,
    })
}

impl Tree {
    fn find(&self, path: &Path) -> Option<NodeId> {
        steps(path).try_fold(ROOT, |at, name| match &self.nodes[at] {
            Node::Dir { names, .. } => names.get(name).copied(),
            Node::File { .. } => None,
        })
    }

    fn names(&self, dir: NodeId) -> Option<&BTreeMap<OsString, NodeId>> {
        match &self.nodes[dir] {
            Node::Dir { names, .. } => Some(names),
            Node::File { .. } => None,
        }
    }

    fn names_mut(&mut self, dir: &Path) -> io::Result<&mut BTreeMap<OsString, NodeId>> {
        let found = self.find(dir).ok_or_else(|| error(io::ErrorKind::NotFound, dir))?;
        match &mut self.nodes[found] {
            Node::Dir { names, .. } => Ok(names),
            Node::File { .. } => Err(error(io::ErrorKind::NotADirectory, dir)),
        }
    }

    /// The directory of a path and the name in it.
    fn place(path: &Path) -> io::Result<(&Path, &OsStr)> {
        let name = path.file_name().ok_or_else(|| error(io::ErrorKind::InvalidInput, path))?;
        Ok((path.parent().unwrap_or(Path::new("")), name))
    }

    pub(super) fn exists(&self, path: &Path) -> bool {
        self.find(path).is_some()
    }

    pub(super) fn file(&self, path: &Path) -> io::Result<NodeId> {
        let found = self.find(path).ok_or_else(|| error(io::ErrorKind::NotFound, path))?;
        match self.nodes[found] {
            Node::File { .. } => Ok(found),
            Node::Dir { .. } => Err(error(io::ErrorKind::IsADirectory, path)),
        }
    }

    pub(super) fn content(&self, file: NodeId) -> &[u8] {
        match &self.nodes[file] {
            Node::File { content, .. } => content,
            Node::Dir { .. } => &[],
        }
    }

    pub(super) fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        let found = self.find(dir).ok_or_else(|| error(io::ErrorKind::NotFound, dir))?;
        let names = self.names(found).ok_or_else(|| error(io::ErrorKind::NotADirectory, dir))?;
        let entry = |(name, &node): (&OsString, &NodeId)| {
            let kind = self.names(node).map_or(EntryKind::File, |_| EntryKind::Directory);
            let len = self.content(node).len() as u64;
            Entry { name: name.to_string_lossy().into_owned(), kind, len }
        };
        Ok(names.iter().map(entry).collect())
    }

    pub(super) fn used_bytes(&self) -> u64 {
        self.reachable(ROOT).iter().map(|&node| self.content(node).len() as u64).sum()
    }

    fn reachable(&self, from: NodeId) -> Vec<NodeId> {
        let mut found = vec![from];
        let mut at = 0;
        while let Some(&node) = found.get(at) {
            found.extend(self.names(node).into_iter().flat_map(BTreeMap::values));
            at += 1;
        }
        found
    }

    fn add(&mut self, path: &Path, node: Node) -> io::Result<NodeId> {
        let number = self.nodes.len();
        let (dir, name) = Tree::place(path)?;
        let names = self.names_mut(dir)?;
        if names.contains_key(name) {
            return Err(error(io::ErrorKind::AlreadyExists, path));
        }
        names.insert(name.to_owned(), number);
        self.nodes.push(node);
        Ok(number)
    }

    pub(super) fn create(&mut self, path: &Path) -> io::Result<NodeId> {
        self.add(path, Node::file())
    }

    pub(super) fn create_dir_all(&mut self, dir: &Path) -> io::Result<()> {
        let mut path = PathBuf::new();
        for name in steps(dir) {
            path.push(name);
            if !self.exists(&path) {
                self.add(&path, Node::dir())?;
            }
        }
        self.names_mut(dir).map(|_| ())
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let moved = self.find(from).ok_or_else(|| error(io::ErrorKind::NotFound, from))?;
        let replaced = self.find(to);
        if replaced.is_some_and(|node| self.names(node).is_some_and(|names| !names.is_empty())) {
            return Err(error(io::ErrorKind::DirectoryNotEmpty, to));
        }
        let (to_dir, to_name) = Tree::place(to)?;
        self.names_mut(to_dir)?;
        let (from_dir, from_name) = Tree::place(from)?;
        self.names_mut(from_dir)?.remove(from_name);
        self.names_mut(to_dir)?.insert(to_name.to_owned(), moved);
        Ok(())
    }

    pub(super) fn remove_file(&mut self, path: &Path) -> io::Result<()> {
        self.file(path)?;
        let (dir, name) = Tree::place(path)?;
        self.names_mut(dir)?.remove(name);
        Ok(())
    }

    pub(super) fn remove_dir(&mut self, path: &Path) -> io::Result<()> {
        if !self.names_mut(path)?.is_empty() {
            return Err(error(io::ErrorKind::DirectoryNotEmpty, path));
        }
        let (dir, name) = Tree::place(path)?;
        self.names_mut(dir)?.remove(name);
        Ok(())
    }

    pub(super) fn append(&mut self, file: NodeId, bytes: &[u8]) {
        if let Node::File { content, .. } = &mut self.nodes[file] {
            content.extend_from_slice(bytes);
        }
    }

    pub(super) fn truncate(&mut self, file: NodeId, len: usize) {
        if let Node::File { content, .. } = &mut self.nodes[file] {
            content.resize(len, 0);
        }
    }

    pub(super) fn sync(&mut self, file: NodeId) {
        if let Node::File { content, durable } = &mut self.nodes[file] {
            durable.clone_from(content);
        }
    }

    pub(super) fn sync_dir(&mut self, dir: &Path) -> io::Result<()> {
        let found = self.find(dir).ok_or_else(|| error(io::ErrorKind::NotFound, dir))?;
        if let Node::Dir { names, durable } = &mut self.nodes[found] {
            durable.clone_from(names);
        }
        Ok(())
    }

    pub(super) fn damage(&mut self, file: NodeId, damage: impl FnOnce(&mut Vec<u8>)) {
        if let Node::File { content, durable } = &mut self.nodes[file] {
            damage(content);
            durable.clone_from(content);
        }
    }

    pub(super) fn lock(&mut self, path: &Path) -> io::Result<()> {
        if !self.exists(path) {
            self.create(path)?;
        }
        if self.locks.insert(path.to_owned()) {
            return Ok(());
        }
        Err(error(io::ErrorKind::WouldBlock, path))
    }

    pub(super) fn unlock(&mut self, path: &Path) {
        self.locks.remove(path);
    }

    pub(super) fn after_crash(&self, survival: Survival) -> Tree {
        let mut chance = Chance::new(survival);
        let nodes = self.nodes.iter().map(|node| survivor(node, survival, &mut chance));
        Tree { nodes: nodes.collect(), locks: BTreeSet::new() }
    }
}

/// What is left of one file or directory.
fn survivor(node: &Node, survival: Survival, chance: &mut Chance) -> Node {
    match (node, survival) {
        (Node::File { content, .. }, Survival::Written) => kept_file(content.clone()),
        (Node::File { durable, .. }, Survival::Synced) => kept_file(durable.clone()),
        (Node::File { content, durable }, Survival::Torn(_)) => kept_file(torn(content, durable, chance)),
        (Node::Dir { names, .. }, Survival::Written) => kept_dir(names),
        (Node::Dir { durable, .. }, Survival::Synced) => kept_dir(durable),
        (Node::Dir { names, durable }, Survival::Torn(_)) => {
            kept_dir(if chance.below(2) == 0 { names } else { durable })
        }
    }
}

fn kept_file(content: Vec<u8>) -> Node {
    Node::File { durable: content.clone(), content }
}

fn kept_dir(names: &BTreeMap<OsString, NodeId>) -> Node {
    Node::Dir { names: names.clone(), durable: names.clone() }
}

/// Some beginning of what was written behind the durable content, at times with zeros up to the length of the file:
/// the length is metadata and may reach the disk before the content does.
fn torn(content: &[u8], durable: &[u8], chance: &mut Chance) -> Vec<u8> {
    let Some(written) = content.strip_prefix(durable) else {
        return if chance.below(2) == 0 { content.to_vec() } else { durable.to_vec() };
    };
    let kept = chance.below(written.len() as u64 + 1) as usize;
    let mut left = content[..durable.len() + kept].to_vec();
    if chance.below(4) == 0 {
        left.resize(content.len(), 0);
    }
    left
}

/// Numbers that follow from the one of [`Survival::Torn`] (SplitMix64).
struct Chance(u64);

impl Chance {
    fn new(survival: Survival) -> Chance {
        Chance(if let Survival::Torn(seed) = survival { seed } else { 0 })
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}
