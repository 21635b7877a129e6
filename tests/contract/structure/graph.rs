//! Which module uses which, at every level of a crate's module tree.

use std::collections::{BTreeMap, BTreeSet};

use super::paths::{Mentions, Segments, mentions};
use super::sources::Source;

/// A module's path from the crate's root.
type Module = Vec<String>;

/// The modules of one folder that use each other: pairs of a user and the used one, by the folder's module.
pub type Levels = BTreeMap<Module, BTreeSet<(String, String)>>;

/// Follows re-exports no farther than this: a longer chain is one that leads back to itself.
const LONGEST_CHAIN: usize = 8;

struct Tree {
    modules: BTreeMap<Module, Mentions>,
}

/// The edges between the modules of each folder. A module stands for everything below it.
pub fn levels(sources: &[Source]) -> Levels {
    let tree = Tree::of(sources);
    let mut levels = Levels::new();
    for (module, mentions) in &tree.modules {
        for (around, path) in &mentions.paths {
            let Some(target) = tree.resolve(module, around.len(), path) else { continue };
            let shared = module.iter().zip(&target).take_while(|(a, b)| a == b).count();
            if let (Some(from), Some(to)) = (module.get(shared), target.get(shared)) {
                levels.entry(module[..shared].to_vec()).or_default().insert((from.clone(), to.clone()));
            }
        }
    }
    levels
}

impl Tree {
    fn of(sources: &[Source]) -> Self {
        let mut modules: BTreeMap<Module, Mentions> =
            sources.iter().map(|source| (source.module.clone(), mentions(&source.text))).collect();
        for test_module in Self::test_modules(&modules) {
            modules.retain(|module, _| !module.starts_with(&test_module));
        }
        Self { modules }
    }

    fn test_modules(modules: &BTreeMap<Module, Mentions>) -> Vec<Module> {
        let children = |(module, mentions): (&Module, &Mentions)| {
            let child = |name: &String| [module.as_slice(), std::slice::from_ref(name)].concat();
            mentions.test_modules.iter().map(child).collect::<Vec<_>>()
        };
        modules.iter().flat_map(children).collect()
    }

    /// The module that defines what the path names; none when a path leads out of the crate.
    fn resolve(&self, module: &Module, inline: usize, path: &Segments) -> Option<Module> {
        let mut rest = path.as_slice();
        let mut start = module.clone();
        let mut inline = inline;
        while let Some((first, tail)) = rest.split_first() {
            match first.as_str() {
                "crate" => start.clear(),
                "self" => {}
                // An inline module's parent is the file that it stands in.
                "super" if inline > 0 => inline -= 1,
                "super" => {
                    start.pop()?;
                }
                _ => break,
            }
            rest = tail;
        }
        self.descend(start, rest, LONGEST_CHAIN)
    }

    fn descend(&self, module: Module, rest: &[String], chain: usize) -> Option<Module> {
        let Some((name, tail)) = rest.split_first() else { return Some(module) };
        let child = [module.as_slice(), std::slice::from_ref(name)].concat();
        if self.modules.contains_key(&child) {
            return self.descend(child, tail, chain);
        }
        let import = self.modules.get(&module)?.imports.iter().find(|(known, _)| known == name);
        match import {
            Some((_, path)) if chain > 0 => self.follow(&module, path, tail, chain - 1).or(Some(module)),
            _ => Some(module),
        }
    }

    /// Where a name that `use` brought into a module comes from, if it is from this crate.
    fn follow(&self, module: &Module, path: &Segments, tail: &[String], chain: usize) -> Option<Module> {
        let whole: Segments = path.iter().chain(tail).cloned().collect();
        let first = whole.first()?;
        let child = [module.as_slice(), std::slice::from_ref(first)].concat();
        if self.modules.contains_key(&child) {
            return self.descend(module.clone(), &whole, chain);
        }
        let is_own = ["crate", "self", "super"].contains(&first.as_str());
        if is_own { self.resolve(module, 0, &whole) } else { None }
    }
}
