//! The documents say what is there.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "in a test, what is not as it must be should panic where it is found"
)]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().expect("the tree is there")
}

fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder)
        .expect("the tree is readable")
        .flatten()
    {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            files(&path, ending, found);
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
}

/// What stands between `before` and the next `after`, everywhere in a text.
fn between<'a>(text: &'a str, before: &'a str, after: char) -> impl Iterator<Item = &'a str> {
    text.split(before)
        .skip(1)
        .filter_map(move |rest| rest.split(after).next())
}

#[test]
fn every_error_page_that_the_code_names_exists() {
    let mut sources = Vec::new();
    files(&root().join("crates"), ".rs", &mut sources);
    let mut named = 0;
    for source in sources
        .iter()
        .filter(|source| !source.to_string_lossy().contains("xtask"))
    {
        let text = fs::read_to_string(source).expect("a source is text");
        let pages = between(&text, "with_page(\"", '"').chain(between(&text, "(docs/errors/", '.'));
        for page in pages {
            named += 1;
            let path = root().join(format!("docs/errors/{page}.md"));
            assert!(path.exists(), "{} names {page}", source.display());
        }
    }
    assert!(
        named > 8,
        "the pages are found where they are named: {named}"
    );
}

#[test]
fn every_link_within_the_documents_leads_somewhere() {
    let mut pages = Vec::new();
    files(&root(), ".md", &mut pages);
    for page in pages {
        let text = fs::read_to_string(&page).expect("a page is text");
        for link in between(&text, "](", ')') {
            let target = link.split('#').next().unwrap_or_default();
            let elsewhere = target.is_empty() || target.contains("://");
            let path = page.parent().expect("a page has a folder").join(target);
            assert!(
                elsewhere || path.exists(),
                "{} links to {link}",
                page.display()
            );
        }
    }
}
