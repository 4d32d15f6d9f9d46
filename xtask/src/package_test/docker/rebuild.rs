//! Builds that keep nothing of the first give the same products: one without a cache, and one by another builder.

use std::collections::BTreeSet;
use std::thread;

use anyhow::{Context, Result, bail, ensure};

use super::buildah;
use super::image::Image;

/// Makes both at the same time, because much of a build keeps one processor busy at most.
pub(super) fn compare_builds(image: &Image) -> Result<String> {
    let (again, other) = thread::scope(|scope| {
        let other = scope.spawn(|| buildah::products(image));
        let again = image
            .docker(&["build", "--no-cache", "-t", "liballocs-again", "."])
            .and_then(|_| image.products("liballocs-again"));
        (again, other.join().unwrap_or_else(|_| bail!("the thread panicked")))
    });
    let first = image.products("liballocs")?;
    let judge = |builder: &str, products: Result<Vec<String>>| {
        products.and_then(|products| compare(&first, &products)).with_context(|| builder.to_owned()).err()
    };
    let failures = [judge("docker build --no-cache", again), judge("buildah", other)];
    let failures: Vec<String> = failures.iter().flatten().map(|error| format!("{error:#}")).collect();
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(format!("{} files are bit-identical without a cache, and by buildah", first.len()))
}

/// Compares two lists of products, and names the files that differ.
fn compare(first: &[String], second: &[String]) -> Result<()> {
    let [one, two]: [BTreeSet<&String>; 2] = [first.iter().collect(), second.iter().collect()];
    let names: BTreeSet<&str> =
        one.symmetric_difference(&two).filter_map(|line| line.split_whitespace().nth(1)).collect();
    ensure!(names.is_empty(), "these differ: {}", names.into_iter().collect::<Vec<_>>().join(", "));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_differ_are_named() {
        let list = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        let first = list(&["1  /a", "2  /b"]);
        compare(&first, &first).unwrap();
        let error = compare(&first, &list(&["1  /a", "3  /b", "4  /c"])).unwrap_err();
        assert_eq!(error.to_string(), "these differ: /b, /c");
    }
}
