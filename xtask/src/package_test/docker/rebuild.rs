//! A second build, with nothing kept of the first, gives the same products.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};

use super::image::Image;
use crate::package_test::report::Report;

pub(super) fn check(image: &Image, report: &mut Report) {
    report.check("docker: products of a build without a cache", || {
        image.docker(&["build", "--no-cache", "-t", "liballocs-again", "."])?;
        compare(&image.products("liballocs")?, &image.products("liballocs-again")?)
    });
}

/// Compares two lists of products, and names the files that differ.
pub(super) fn compare(first: &[String], second: &[String]) -> Result<String> {
    let [one, two]: [BTreeSet<&String>; 2] = [first.iter().collect(), second.iter().collect()];
    let names: BTreeSet<&str> =
        one.symmetric_difference(&two).filter_map(|line| line.split_whitespace().nth(1)).collect();
    ensure!(names.is_empty(), "these differ: {}", names.into_iter().collect::<Vec<_>>().join(", "));
    Ok(format!("{} files are bit-identical", first.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_differ_are_named() {
        let list = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        let first = list(&["1  /a", "2  /b"]);
        assert_eq!(compare(&first, &first).unwrap(), "2 files are bit-identical");
        let error = compare(&first, &list(&["1  /a", "3  /b", "4  /c"])).unwrap_err();
        assert_eq!(error.to_string(), "these differ: /b, /c");
    }
}
