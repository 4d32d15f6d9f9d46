//! What a cell says against what the baseline says.

use std::collections::BTreeSet;
use std::fmt;

use super::claims::{Claim, Claims, Totals};

/// One thing of which the two say different things.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// What the blocks of a site are.
    Site {
        /// `file.c:3 function`.
        site: String,
        /// The baseline's claims; none if it does not name the site.
        baseline: Vec<Claim>,
        /// The cell's.
        cell: Vec<Claim>,
    },
    /// How much there is of a type.
    Type {
        /// The type.
        name: String,
        /// Allocations and bytes in the baseline.
        baseline: (u64, u64),
        /// The same in the cell.
        cell: (u64, u64),
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Site { site, baseline, cell } => {
                write!(f, "{site}: {}, in the baseline {}", listed(cell), listed(baseline))
            }
            Self::Type { name, baseline, cell } => {
                let figures = |(count, bytes): (u64, u64)| format!("{count} of {bytes} bytes");
                write!(f, "{name}: {}, in the baseline {}", figures(*cell), figures(*baseline))
            }
        }
    }
}

fn listed(claims: &[Claim]) -> String {
    if claims.is_empty() {
        return "no site".to_owned();
    }
    claims.iter().map(Claim::to_string).collect::<Vec<_>>().join(" and ")
}

/// All differences, those of sites first.
pub fn differences(baseline: &Claims, cell: &Claims) -> Vec<Difference> {
    let sites: BTreeSet<&String> = baseline.sites.keys().chain(cell.sites.keys()).collect();
    let of_site = sites.into_iter().filter_map(|site| {
        let (ours, theirs) = (cell.of_site(site), baseline.of_site(site));
        let owned = |claims: BTreeSet<&Claim>| claims.into_iter().cloned().collect();
        (ours != theirs).then(|| Difference::Site {
            site: site.clone(),
            baseline: owned(theirs),
            cell: owned(ours),
        })
    });
    let types: BTreeSet<&String> = baseline.types.keys().chain(cell.types.keys()).collect();
    let of_type = types.into_iter().filter_map(|name| {
        let figures = |claims: &Claims| {
            let Totals { count, bytes } = claims.types.get(name).copied().unwrap_or_default();
            (count, bytes)
        };
        let (ours, theirs) = (figures(cell), figures(baseline));
        (ours != theirs).then(|| Difference::Type { name: name.clone(), baseline: theirs, cell: ours })
    });
    of_site.chain(of_type).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::census::Line;

    /// Lines of censuses as `site type evidence count bytes`.
    fn claims(lines: &[&str]) -> Claims {
        let mut claims = Claims::default();
        for line in lines {
            let [file, function, type_name, evidence, total, total_bytes] =
                line.split(' ').collect::<Vec<_>>()[..]
            else {
                panic!("{line}")
            };
            claims.add(&Line {
                allocator: "generic malloc".into(),
                type_name: Some(type_name.into()),
                site: Some(format!("/src/{file} {function}")),
                evidence: evidence.into(),
                total: total.parse().unwrap(),
                total_bytes: total_bytes.parse().unwrap(),
                ..Line::default()
            });
        }
        claims
    }

    fn check(baseline: &[&str], cell: &[&str], expected: &[&str]) {
        let found = differences(&claims(baseline), &claims(cell));
        assert_eq!(found.iter().map(Difference::to_string).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn the_same_lines_in_another_order_are_the_same() {
        let lines = ["a.c:3 f __ARR0_T both 2 16", "a.c:9 g __ARR0_U sizeof 1 8"];
        check(&lines, &[lines[1], lines[0]], &[]);
    }

    #[test]
    fn a_site_of_several_instructions_is_one() {
        check(
            &["a.c:3 f __ARR0_T both 3 24"],
            &["a.c:3 f __ARR0_T both 1 8", "a.c:3 f __ARR0_T both 2 16"],
            &[],
        );
    }

    #[test]
    fn another_type_is_a_difference_of_the_site_and_of_both_types() {
        check(
            &["a.c:3 f __ARR0_T both 2 16"],
            &["a.c:3 f __ARR0_U both 2 16"],
            &[
                "a.c:3 f: __ARR0_U (both), in the baseline __ARR0_T (both)",
                "__ARR0_T: 0 of 0 bytes, in the baseline 2 of 16 bytes",
                "__ARR0_U: 2 of 16 bytes, in the baseline 0 of 0 bytes",
            ],
        );
    }

    #[test]
    fn other_evidence_another_line_and_another_count_are_differences() {
        let baseline = ["a.c:3 f T both 2 16"];
        check(&baseline, &["a.c:3 f T sizeof 2 16"], &["a.c:3 f: T (sizeof), in the baseline T (both)"]);
        check(
            &baseline,
            &["a.c:4 f T both 2 16"],
            &["a.c:3 f: no site, in the baseline T (both)", "a.c:4 f: T (both), in the baseline no site"],
        );
        check(&baseline, &["a.c:3 f T both 1 8"], &["T: 1 of 8 bytes, in the baseline 2 of 16 bytes"]);
    }

    #[test]
    fn both_claims_of_a_site_are_listed() {
        check(
            &["a.c:3 f T both 1 8"],
            &["a.c:3 f T both 1 8", "a.c:3 f U none 1 4"],
            &[
                "a.c:3 f: T (both) and U (none), in the baseline T (both)",
                "U: 1 of 4 bytes, in the baseline 0 of 0 bytes",
            ],
        );
    }
}
