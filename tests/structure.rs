//! The structure of the library: the order of its modules, circles between files, files without logic, and the public API.
//!
//! All paths of the code count, not only `use` declarations, and re-exports are followed to the file of the item.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};

/// Each module imports only from modules before it.
const ORDER: [&str; 19] = [
    "fs", "units", "model", "stats", "clock", "meter", "sampler", "sim", "protocol", "bench", "registry", "plan",
    "runner", "workers", "store", "analysis", "report", "workload", "harness",
];

/// The facade of the crate. It re-exports modules of all layers and nothing imports it.
const FACADE: [&str; 3] = ["prelude", "summary", "__private"];

/// Modules that may import nothing but the listed ones.
const RESTRICTED: [(&str, &[&str]); 7] = [
    ("fs", &[]),
    ("units", &[]),
    ("stats", &[]),
    ("model", &["units"]),
    ("protocol", &["units", "model", "stats"]),
    ("analysis", &["units", "model", "stats"]),
    ("report", &["units", "model", "stats", "analysis"]),
];

/// The most files that may use each other in a circle: those of a larger one are hard to read and change separately.
const MAX_CIRCLE: usize = 3;

type ModulePath = Vec<String>;

/// One file of the library, without its tests.
struct Source {
    file: PathBuf,
    syntax: syn::File,
}

/// All files by module path. The crate root is the empty path.
struct Library {
    sources: BTreeMap<ModulePath, Source>,
}

impl Library {
    fn load(root: &Path) -> Self {
        let mut library = Self { sources: BTreeMap::new() };
        library.add(Vec::new(), root.join("lib.rs"), root);
        library
    }

    fn add(&mut self, module: ModulePath, file: PathBuf, folder: &Path) {
        let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let syntax = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        for item in &syntax.items {
            let syn::Item::Mod(child) = item else { continue };
            if child.content.is_some() || is_test(&child.attrs) {
                continue;
            }
            let name = child.ident.to_string();
            let mut path = module.clone();
            path.push(name.clone());
            let nested = folder.join(&name);
            let file =
                if nested.join("mod.rs").exists() { nested.join("mod.rs") } else { folder.join(format!("{name}.rs")) };
            self.add(path, file, &nested);
        }
        self.sources.insert(module, Source { file, syntax });
    }

    /// Returns the module of the file that defines the item of an absolute path, following re-exports.
    fn resolve(&self, path: &[String], depth: usize) -> Option<ModulePath> {
        let known = (0..=path.len()).rev().find(|&n| self.sources.contains_key(&path[..n]))?;
        let module = path[..known].to_vec();
        let Some(name) = path.get(known) else { return Some(module) };
        if depth < 8 {
            for (exported, target) in self.imports(&module, true) {
                if exported == *name || exported == "*" {
                    let mut target = target;
                    if exported == "*" {
                        target.push(name.clone());
                    }
                    target.extend_from_slice(&path[known + 1..]);
                    if exported == "*" && !self.defines(&target) {
                        continue;
                    }
                    return self.resolve(&target, depth + 1);
                }
            }
        }
        Some(module)
    }

    fn defines(&self, path: &[String]) -> bool {
        let Some((name, module)) = path.split_last() else { return false };
        self.sources.get(module).is_some_and(|source| {
            source.syntax.items.iter().any(|item| item_name(item).is_some_and(|ident| ident == *name))
        })
    }

    /// Returns name and absolute path of the imports of a module; with `exported` only those that others can see.
    fn imports(&self, module: &[String], exported: bool) -> Vec<(String, ModulePath)> {
        let mut found = Vec::new();
        for item in &self.sources[module].syntax.items {
            let syn::Item::Use(item) = item else { continue };
            let private = matches!(item.vis, syn::Visibility::Inherited);
            if is_test(&item.attrs) || (exported && private) {
                continue;
            }
            let mut leaves = Vec::new();
            flatten(&item.tree, &mut Vec::new(), &mut leaves);
            for (name, path) in leaves {
                found.extend(self.absolute(module, &path).map(|path| (name, path)));
            }
        }
        found
    }

    /// Makes a path absolute; `None` for paths into other crates.
    fn absolute(&self, module: &[String], path: &[String]) -> Option<ModulePath> {
        let mut rest = path;
        let mut base = match rest.first()?.as_str() {
            "crate" => Vec::new(),
            "self" => module.to_vec(),
            "super" => module.split_last()?.1.to_vec(),
            child => {
                let mut base = module.to_vec();
                base.push(child.to_owned());
                if !self.sources.contains_key(&base) {
                    return None;
                }
                base
            }
        };
        rest = &rest[1..];
        while rest.first().is_some_and(|segment| segment == "super") {
            base.pop();
            rest = &rest[1..];
        }
        base.extend_from_slice(rest);
        Some(base)
    }

    /// Returns the public items and their members, without hidden ones, each by the path that users write.
    fn public_items(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut modules = vec![ModulePath::new()];
        while let Some(module) = modules.pop() {
            let path = |name: &str| module.iter().map(String::as_str).chain([name]).collect::<Vec<_>>().join("::");
            for item in &self.sources[&module].syntax.items {
                match item {
                    syn::Item::Mod(child) if is_public(&child.vis, &child.attrs) => {
                        let name = child.ident.to_string();
                        found.insert(path(&name));
                        modules.push(module.iter().cloned().chain([name]).collect());
                    }
                    syn::Item::Use(import) if is_public(&import.vis, &import.attrs) => {
                        let mut leaves = Vec::new();
                        flatten(&import.tree, &mut Vec::new(), &mut leaves);
                        for (name, target) in leaves {
                            found.insert(path(&name));
                            let target = self.absolute(&module, &target).and_then(|target| self.resolve(&target, 0));
                            let members = target.map(|module| self.members(&module, &name)).unwrap_or_default();
                            found.extend(members.into_iter().map(|member| format!("{}::{member}", path(&name))));
                        }
                    }
                    _ => {
                        if let Some(name) = item_name(item).filter(|_| is_public_item(item)) {
                            found.insert(path(&name));
                            let members = self.members(&module, &name);
                            found.extend(members.into_iter().map(|member| format!("{}::{member}", path(&name))));
                        }
                    }
                }
            }
        }
        let macros = self.sources.values().flat_map(|source| &source.syntax.items).filter_map(|item| match item {
            syn::Item::Macro(item) if item.attrs.iter().any(|a| a.path().is_ident("macro_export")) => {
                item.ident.as_ref()
            }
            _ => None,
        });
        found.extend(macros.map(|name| format!("{name}!")));
        found
    }

    /// Returns the public fields, variants, and functions of a type, and the functions of a trait.
    fn members(&self, module: &ModulePath, name: &str) -> Vec<String> {
        let mut members = Vec::new();
        let own = &self.sources[module].syntax.items;
        // Files of the same folder can have further `impl` blocks.
        let is_sibling = |other: &ModulePath| {
            other != module
                && other.split_last().map(|(_, parent)| parent) == module.split_last().map(|(_, parent)| parent)
        };
        let siblings =
            self.sources.iter().filter(|(other, _)| is_sibling(other)).flat_map(|(_, source)| &source.syntax.items);
        for item in own.iter().chain(siblings.filter(|item| matches!(item, syn::Item::Impl(_)))) {
            match item {
                syn::Item::Struct(item) if item.ident == name => {
                    let fields = item.fields.iter().filter(|field| is_public(&field.vis, &field.attrs));
                    members.extend(fields.enumerate().map(|(index, field)| {
                        field.ident.as_ref().map_or_else(|| index.to_string(), ToString::to_string)
                    }));
                }
                syn::Item::Enum(item) if item.ident == name => {
                    members.extend(item.variants.iter().map(|variant| variant.ident.to_string()));
                }
                syn::Item::Trait(item) if item.ident == name => {
                    members.extend(item.items.iter().filter_map(|item| match item {
                        syn::TraitItem::Fn(function) => Some(format!("{}()", function.sig.ident)),
                        _ => None,
                    }));
                }
                syn::Item::Impl(block) if block.trait_.is_none() && is_type(&block.self_ty, name) => {
                    members.extend(block.items.iter().filter_map(|item| match item {
                        syn::ImplItem::Fn(function) if is_public(&function.vis, &function.attrs) => {
                            Some(format!("{}()", function.sig.ident))
                        }
                        syn::ImplItem::Const(item) if is_public(&item.vis, &item.attrs) => Some(item.ident.to_string()),
                        _ => None,
                    }));
                }
                _ => {}
            }
        }
        members
    }

    /// Returns the modules whose items a file uses.
    fn uses(&self, module: &ModulePath) -> BTreeSet<ModulePath> {
        let mut paths = Paths::default();
        paths.visit_file(&self.sources[module].syntax);
        let direct = paths.found.iter().filter_map(|path| self.absolute(module, path));
        direct
            .chain(self.imports(module, false).into_iter().map(|(_, path)| path))
            .filter_map(|path| self.resolve(&path, 0))
            .filter(|target| target != module)
            .collect()
    }
}

/// Collects the paths of the code that is not under `#[cfg(test)]`, also inside macro calls.
#[derive(Default)]
struct Paths {
    found: Vec<Vec<String>>,
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let skip = matches!(item, syn::Item::Mod(child) if is_test(&child.attrs))
            || matches!(item, syn::Item::Fn(function) if is_test(&function.attrs))
            || matches!(item, syn::Item::Impl(block) if is_test(&block.attrs));
        if !skip && !matches!(item, syn::Item::Use(_)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.found.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let text = call.tokens.to_string().replace(' ', "");
        for start in ["crate::", "super::"] {
            for (index, _) in text.match_indices(start) {
                let path: String =
                    text[index..].chars().take_while(|c| c.is_alphanumeric() || *c == '_' || *c == ':').collect();
                self.found.push(path.split("::").filter(|s| !s.is_empty()).map(str::to_owned).collect());
            }
        }
        visit::visit_macro(self, call);
    }
}

fn flatten(tree: &syn::UseTree, prefix: &mut Vec<String>, leaves: &mut Vec<(String, Vec<String>)>) {
    match tree {
        syn::UseTree::Path(path) => {
            prefix.push(path.ident.to_string());
            flatten(&path.tree, prefix, leaves);
            prefix.pop();
        }
        syn::UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, prefix, leaves)),
        syn::UseTree::Glob(_) => leaves.push(("*".to_owned(), prefix.clone())),
        syn::UseTree::Name(name) if name.ident == "self" => {
            leaves.push((prefix.last().cloned().unwrap_or_default(), prefix.clone()));
        }
        syn::UseTree::Name(name) => {
            let path = prefix.iter().cloned().chain([name.ident.to_string()]).collect();
            leaves.push((name.ident.to_string(), path));
        }
        syn::UseTree::Rename(rename) => {
            let path = prefix.iter().cloned().chain([rename.ident.to_string()]).collect();
            leaves.push((rename.rename.to_string(), path));
        }
    }
}

fn item_name(item: &syn::Item) -> Option<String> {
    Some(match item {
        syn::Item::Fn(item) => item.sig.ident.to_string(),
        syn::Item::Struct(item) => item.ident.to_string(),
        syn::Item::Enum(item) => item.ident.to_string(),
        syn::Item::Trait(item) => item.ident.to_string(),
        syn::Item::Type(item) => item.ident.to_string(),
        syn::Item::Const(item) => item.ident.to_string(),
        syn::Item::Static(item) => item.ident.to_string(),
        _ => return None,
    })
}

fn is_public(visibility: &syn::Visibility, attributes: &[syn::Attribute]) -> bool {
    let is_hidden = attributes.iter().any(|attribute| {
        attribute.path().is_ident("doc")
            && matches!(&attribute.meta, syn::Meta::List(list) if list.tokens.to_string() == "hidden")
    });
    matches!(visibility, syn::Visibility::Public(_)) && !is_hidden
}

fn is_public_item(item: &syn::Item) -> bool {
    match item {
        syn::Item::Fn(item) => is_public(&item.vis, &item.attrs),
        syn::Item::Struct(item) => is_public(&item.vis, &item.attrs),
        syn::Item::Enum(item) => is_public(&item.vis, &item.attrs),
        syn::Item::Trait(item) => is_public(&item.vis, &item.attrs),
        syn::Item::Type(item) => is_public(&item.vis, &item.attrs),
        syn::Item::Const(item) => is_public(&item.vis, &item.attrs),
        _ => false,
    }
}

fn is_type(ty: &syn::Type, name: &str) -> bool {
    matches!(ty, syn::Type::Path(path) if path.path.segments.last().is_some_and(|segment| segment.ident == name))
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && matches!(&attribute.meta, syn::Meta::List(list) if list.tokens.to_string().starts_with("test"))
    })
}

/// Returns groups of files that use each other (strongly connected components of Kosaraju's algorithm), largest first.
fn circles(arrows: &BTreeMap<ModulePath, BTreeSet<ModulePath>>) -> Vec<Vec<ModulePath>> {
    fn visit<'a>(
        node: &'a ModulePath,
        arrows: &'a BTreeMap<ModulePath, BTreeSet<ModulePath>>,
        seen: &mut BTreeSet<&'a ModulePath>,
        order: &mut Vec<&'a ModulePath>,
    ) {
        if !seen.insert(node) {
            return;
        }
        for next in arrows.get(node).into_iter().flatten() {
            if let Some((next, _)) = arrows.get_key_value(next) {
                visit(next, arrows, seen, order);
            }
        }
        order.push(node);
    }
    let mut order = Vec::new();
    let mut seen = BTreeSet::new();
    for node in arrows.keys() {
        visit(node, arrows, &mut seen, &mut order);
    }
    let mut reversed: BTreeMap<ModulePath, BTreeSet<ModulePath>> =
        arrows.keys().map(|node| (node.clone(), BTreeSet::new())).collect();
    for (from, targets) in arrows {
        for to in targets {
            if let Some(sources) = reversed.get_mut(to) {
                sources.insert(from.clone());
            }
        }
    }
    let mut seen = BTreeSet::new();
    let mut groups = Vec::new();
    for node in order.into_iter().rev() {
        let mut group = Vec::new();
        let node = reversed.get_key_value(node).map_or(node, |(node, _)| node);
        visit(node, &reversed, &mut seen, &mut group);
        if group.len() > 1 {
            groups.push(group.into_iter().cloned().collect::<Vec<_>>());
        }
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
    groups
}

fn is_mod_file(source: &Source) -> bool {
    source.file.ends_with("mod.rs")
}

fn library() -> Library {
    Library::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("lem-bench/src"))
}

#[test]
fn modules_import_only_earlier_modules() {
    let library = library();
    let mut wrong = Vec::new();
    for (module, source) in &library.sources {
        let Some(here) = module.first() else { continue };
        if FACADE.contains(&here.as_str()) {
            continue;
        }
        let position = ORDER.iter().position(|name| name == here);
        let Some(position) = position else {
            wrong.push(format!("{}: module `{here}` is not in the order", source.file.display()));
            continue;
        };
        let restricted = RESTRICTED.iter().find(|(name, _)| name == here).map(|(_, allowed)| *allowed);
        for target in library.uses(module) {
            let Some(there) = target.first().filter(|there| *there != here) else { continue };
            let earlier = ORDER.iter().position(|name| name == there).is_some_and(|other| other < position);
            let allowed = restricted.is_none_or(|allowed| allowed.contains(&there.as_str()));
            if !earlier || !allowed {
                wrong.push(format!("{} uses {}", source.file.display(), target.join("::")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn circles_are_small() {
    let library = library();
    // Files of declarations and re-exports are not part of a circle: items are followed to where they are defined.
    let arrows = library
        .sources
        .iter()
        .filter(|(module, source)| !module.is_empty() && !is_mod_file(source))
        .map(|(module, _)| (module.clone(), library.uses(module)))
        .collect();
    let large: Vec<String> = circles(&arrows)
        .into_iter()
        .filter(|group| group.len() > MAX_CIRCLE)
        .map(|group| group.iter().map(|module| module.join("::")).collect::<Vec<_>>().join(", "))
        .collect();
    assert!(large.is_empty(), "circles of more than {MAX_CIRCLE} files:\n{}", large.join("\n"));
}

#[test]
fn mod_files_have_no_logic() {
    let library = library();
    let mut wrong = Vec::new();
    for source in library.sources.values().filter(|source| is_mod_file(source)) {
        for item in &source.syntax.items {
            if !matches!(item, syn::Item::Mod(_) | syn::Item::Use(_) | syn::Item::Const(_) | syn::Item::Trait(_)) {
                let name = item_name(item).unwrap_or_else(|| "an item".to_owned());
                wrong.push(format!("{} defines {name}", source.file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A change here is a change of the public API: review it with `cargo insta review` and note it in the CHANGELOG.
#[test]
fn public_items() {
    let items: Vec<String> = library().public_items().into_iter().collect();
    insta::assert_snapshot!(items.join("\n"));
}

#[test]
fn finds_circles() {
    let node = |name: &str| vec![name.to_owned()];
    let arrows = [("a", vec!["b"]), ("b", vec!["c", "d"]), ("c", vec!["a"]), ("d", vec![])];
    let arrows =
        arrows.into_iter().map(|(from, to)| (node(from), to.into_iter().map(node).collect::<BTreeSet<_>>())).collect();
    let found = circles(&arrows);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].iter().cloned().collect::<BTreeSet<_>>(), ["a", "b", "c"].map(node).into());
}
