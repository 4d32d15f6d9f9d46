//! The commands of the README, so that a check runs them word for word.

use std::fs;

use anyhow::{Context, Result};

use crate::cargo;

/// The first shell block below a heading, given without its number signs.
pub(super) fn block(heading: &str) -> Result<String> {
    let text = fs::read_to_string(cargo::root()?.join("README.md")).context("cannot read README.md")?;
    block_of(&text, heading).with_context(|| format!("README.md has no `sh` block below `{heading}`"))
}

fn block_of(text: &str, heading: &str) -> Option<String> {
    let is_heading = |line: &str| line.starts_with('#') && line.trim_start_matches('#').trim() == heading;
    let below = text.lines().skip_while(|line| !is_heading(line)).skip(1);
    let mut section = below.take_while(|line| !line.starts_with("##")).skip_while(|line| *line != "```sh");
    section.next()?;
    Some(section.take_while(|line| *line != "```").fold(String::new(), |block, line| block + line + "\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_found_below_its_heading_and_no_other() {
        let text = "# A\n## B\n```sh\none\n# two\n```\n### C\ntext\n## D\n```sh\nthree\n```\n";
        assert_eq!(block_of(text, "B").unwrap(), "one\n# two\n");
        assert_eq!(block_of(text, "C"), None);
        assert_eq!(block_of(text, "D").unwrap(), "three\n");
        assert_eq!(block_of(text, "E"), None);
    }

    #[test]
    fn the_readme_says_how_to_install_in_each_way() {
        for way in ["From the tarball", "From the .deb", "With Docker", "With Nix"] {
            assert!(block(way).unwrap().contains("allocscc"), "{way}");
        }
    }
}
