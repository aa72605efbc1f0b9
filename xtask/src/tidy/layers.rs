//! The rule that `lib.rs` is the architecture: blank-line groups of modules are layers, and imports only go down.

use std::collections::BTreeMap;

use super::{Finding, Spot, paths, source::Source};

/// The layer of each top-level module of a crate, counted from the top.
type Layers<'a> = BTreeMap<&'a str, usize>;

/// Checks every crate whose `lib.rs` has layers.
pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    let roots = sources.iter().filter(|source| source.path.starts_with("crates/"));
    let roots = roots.filter_map(|source| Some((source.path.strip_suffix("/lib.rs")?, layers(&source.text))));
    let layered = roots.filter(|(_, layers)| layers.values().any(|layer| *layer > 0));
    layered.flat_map(|(folder, layers)| check_crate(folder, &layers, sources)).collect()
}

/// Reads the layers off the declarations in `lib.rs`.
fn layers(root: &str) -> Layers<'_> {
    let (mut layers, mut layer, mut open) = (Layers::new(), 0, false);
    for line in root.lines() {
        let declared = line.trim_start_matches("pub ").trim_start_matches("pub(crate) ");
        if let Some(name) = declared.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';')) {
            layers.insert(name, layer);
            open = true;
        } else if line.is_empty() && open {
            layer += 1;
            open = false;
        }
    }
    layers
}

fn check_crate(folder: &str, layers: &Layers<'_>, sources: &[Source]) -> Vec<Finding> {
    let files = sources.iter().filter(|source| source.is_product());
    let files = files.filter_map(|source| {
        let inside = source.path.strip_prefix(folder)?.strip_prefix('/')?;
        let module = inside.split('/').next()?.trim_end_matches(".rs");
        Some((
            source,
            module,
            *layers.get(module)?,
            inside == format!("{module}.rs") || inside == format!("{module}/mod.rs"),
        ))
    });
    files
        .flat_map(|(source, module, layer, is_top)| {
            let broken = paths::all(&source.code).into_iter().filter_map(move |named| {
                let what = offence(&named.path, (module, layer), is_top, layers)?;
                Some(Spot::new(named.line, what))
            });
            broken.map(|spot| finding(source, spot))
        })
        .collect()
}

/// What is wrong with naming this path in a module of this layer, if anything is.
fn offence(path: &str, (module, layer): (&str, usize), is_top: bool, layers: &Layers<'_>) -> Option<String> {
    if is_top && path.starts_with("super::") {
        return Some(format!("`{path}` reaches the crate's root: write `crate::`"));
    }
    let target = path.strip_prefix("crate::")?.split("::").next()?;
    match layers.get(target) {
        None => Some(format!("`{path}` is a re-export of the crate's root: name its module")),
        Some(below) if target != module && *below <= layer => {
            Some(format!("`{module}` imports `{target}`, which lib.rs does not list below it"))
        }
        Some(_) => None,
    }
}

fn finding(source: &Source, spot: Spot) -> Finding {
    Finding {
        path: source.path.clone(),
        spot,
        rule: "layers",
        why: "imports only go down, so that a layer can be understood without those above it",
    }
}
