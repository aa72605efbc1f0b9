//! A `lib.rs` is the architecture: its blank-line groups of modules are layers, top first, and imports only go down.
//!
//! The same holds for the modules of a folder. What a folder's `mod.rs` itself says is open to the modules in it; what
//! `lib.rs` re-exports is for users.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The crates that keep the rule, beside this one.
const CRATES: [(&str, Depth); 3] = [("core", Depth::Folders), ("sim", Depth::Folders), ("thalweg", Depth::Root)];

/// How deep a crate keeps it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// Between the modules of `lib.rs`.
    Root,
    /// Between the modules of every folder too.
    Folders,
}

/// Names from the crate root down.
type ModulePath = Vec<String>;

/// For each module that declares others (the root is the empty path): the layer of each, counted from the top.
type Layers = BTreeMap<ModulePath, BTreeMap<String, usize>>;

struct Source {
    path: PathBuf,
    module: ModulePath,
    code: String,
}

/// Every file but tests, without its comments.
fn sources(src: &Path) -> Vec<Source> {
    let mut found = vec![];
    let mut folders = vec![src.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("tests") {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
                let module = path.strip_prefix(src).unwrap().with_extension("");
                let names = module.iter().map(|name| name.to_string_lossy().into_owned());
                let module = names.filter(|name| !["lib", "main", "mod"].contains(&name.as_str())).collect();
                let text = fs::read_to_string(&path).unwrap();
                let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
                found.push(Source { code: code.collect::<Vec<_>>().join("\n"), path, module });
            }
        }
    }
    found
}

fn layers(sources: &[Source]) -> Layers {
    sources.iter().map(|source| (source.module.clone(), declared(&source.code))).collect()
}

/// The modules that a file declares; a blank line begins the next layer.
fn declared(code: &str) -> BTreeMap<String, usize> {
    let (mut modules, mut layer) = (BTreeMap::new(), 0);
    for line in code.lines() {
        let line = line.trim_start_matches("pub(crate) ").trim_start_matches("pub ");
        if line.is_empty() {
            layer += 1;
        } else if let Some(name) = line.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';')) {
            modules.insert(name.to_owned(), layer);
        }
    }
    modules
}

/// Every path that begins at the root, at a parent or at the module itself, from the root down.
fn imports(source: &Source) -> Vec<ModulePath> {
    let mut found = vec![];
    for (at, _) in source.code.match_indices("::") {
        let (before, rest) = source.code.split_at(at);
        let start = before.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |i| i + 1);
        if before[..start].ends_with("::") || before[..start].ends_with('$') {
            continue;
        }
        let mut base = match &before[start..] {
            "crate" => vec![],
            "self" => source.module.clone(),
            "super" => source.module[..source.module.len().saturating_sub(1)].to_vec(),
            _ => continue,
        };
        let mut rest = &rest[2..];
        while let Some(higher) = rest.strip_prefix("super::") {
            base.pop();
            rest = higher;
        }
        expand(&mut rest, &base, &mut found);
    }
    found
}

/// Reads one path, or a tree of paths in braces, from the front of `rest`.
fn expand(rest: &mut &str, base: &[String], found: &mut Vec<ModulePath>) {
    let trimmed = rest.trim_start();
    if let Some(tree) = trimmed.strip_prefix('{') {
        *rest = tree;
        while !rest.trim_start().is_empty() && !rest.trim_start().starts_with('}') {
            expand(rest, base, found);
            let end = rest.find([',', '}']).unwrap_or(rest.len());
            *rest = rest[end..].strip_prefix(',').unwrap_or_else(|| &rest[end..]);
        }
        *rest = rest.trim_start().strip_prefix('}').unwrap_or_default();
        return;
    }
    let end = trimmed.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(trimmed.len());
    let (name, after) = trimmed.split_at(end);
    let mut path = base.to_vec();
    if name != "self" && !name.is_empty() {
        path.push(name.to_owned());
    }
    *rest = after;
    match after.strip_prefix("::") {
        Some(deeper) => {
            *rest = deeper;
            expand(rest, &path, found);
        }
        None => found.push(path),
    }
}

/// What is wrong with `from` naming `to`, if anything is.
fn objection(layers: &Layers, from: &[String], to: &[String]) -> Option<String> {
    let common = from.iter().zip(to).take_while(|(a, b)| a == b).count();
    let (above, name) = (&to[..common], to.get(common)?);
    let modules = layers.get(above)?;
    let Some(theirs) = modules.get(name) else {
        let foreign = above.is_empty() && !from.is_empty();
        return foreign.then(|| format!("crate::{name} is a root re-export: name its module"));
    };
    let own = modules.get(from.get(common)?)?;
    (theirs <= own)
        .then(|| format!("{} imports {}, which is not below it", from[..=common].join("::"), to[..=common].join("::")))
}

#[test]
fn imports_only_go_down() {
    for (name, depth) in CRATES {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("src");
        let sources = sources(&src);
        let mut layers = layers(&sources);
        layers.retain(|module, _| depth == Depth::Folders || module.is_empty());
        assert!(layers[&vec![]].len() > 1, "{name}: found no modules in lib.rs");
        let objections: BTreeSet<String> = sources
            .iter()
            .flat_map(|source| imports(source).into_iter().map(move |to| (source, to)))
            .filter_map(|(source, to)| {
                Some(format!("{}: {}", source.path.display(), objection(&layers, &source.module, &to)?))
            })
            .collect();
        assert!(objections.is_empty(), "{objections:#?}");
    }
}

#[test]
fn an_import_that_goes_up_or_sideways_is_found() {
    let code = "use super::{low::Item, peer::Other};\nuse crate::{Reexport, top::{self}};\nstruct Item {}\nfn f() { crate::low::g() }";
    let file = |module: &[&str], code: &str| Source {
        path: PathBuf::new(),
        module: module.iter().map(ToString::to_string).collect(),
        code: code.to_owned(),
    };
    let sources = [file(&[], "pub mod top;\n\nmod mid;\nmod peer;\n\nmod low;"), file(&["mid"], code)];
    let layers = layers(&sources);
    let found: Vec<_> =
        imports(&sources[1]).iter().filter_map(|to| objection(&layers, &sources[1].module, to)).collect();
    assert_eq!(
        found,
        [
            "mid imports peer, which is not below it",
            "crate::Reexport is a root re-export: name its module",
            "mid imports top, which is not below it",
        ]
    );
}
