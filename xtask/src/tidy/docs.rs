//! Rules on documents: the book is complete, and every relative link leads somewhere.

use std::{collections::BTreeSet, path::Path};

use super::{
    Finding, Spot,
    source::{Source, line_of},
};

const BOOK: &str = "docs/src";
const SUMMARY: &str = "docs/src/SUMMARY.md";

/// Checks all documents against all files.
pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    let known: BTreeSet<&str> =
        sources.iter().flat_map(|source| Path::new(&source.path).ancestors()).filter_map(Path::to_str).collect();
    let markdown = || sources.iter().filter(|source| source.path.ends_with(".md"));
    let mut findings: Vec<Finding> = markdown().flat_map(|page| dead_links(page, &known)).collect();
    let Some(summary) = markdown().find(|page| page.path == SUMMARY) else { return findings };
    let listed: Vec<String> = links(summary).into_iter().filter_map(|(_, link)| resolve(SUMMARY, link)).collect();
    let lost = markdown().filter(|page| page.is_under(BOOK) && page.path != SUMMARY && !listed.contains(&page.path));
    findings.extend(lost.map(|page| Finding {
        path: page.path.clone(),
        spot: Spot::new(1, "SUMMARY.md does not list it"),
        rule: "lost-chapter",
        why: "a chapter that the summary does not list is not in the book",
    }));
    findings
}

fn dead_links(page: &Source, known: &BTreeSet<&str>) -> Vec<Finding> {
    let dead = links(page).into_iter().filter_map(|(at, link)| {
        let target = resolve(&page.path, link);
        let alive = target.as_deref().is_some_and(|target| known.contains(target));
        (!alive).then(|| Finding {
            path: page.path.clone(),
            spot: Spot::new(line_of(&page.text, at), format!("`{link}` leads nowhere")),
            rule: "dead-link",
            why: "a link in a document leads to a file of this repository or to the web",
        })
    });
    dead.collect()
}

/// Every relative link of a page with its place, without the fragment; links in code fences don't count.
fn links(page: &Source) -> Vec<(usize, &str)> {
    let (mut found, mut start, mut fenced) = (vec![], 0, false);
    for line in page.text.split_inclusive('\n') {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        let targets = line.match_indices("](").filter_map(|(at, open)| {
            let rest = &line[at + open.len()..];
            let link = rest[..rest.find(')')?].split(['#', ' ']).next()?;
            let relative = !link.is_empty() && !link.contains(':');
            relative.then_some((start + at, link))
        });
        if !fenced {
            found.extend(targets);
        }
        start += line.len();
    }
    found
}

/// The path from the root of the workspace to which a link on a page leads, if it stays inside.
fn resolve(page: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
