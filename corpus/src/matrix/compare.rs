//! What a cell says against what the baseline says.

use std::collections::{BTreeMap, BTreeSet};
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
    /// The compiler made one call of several, so that the blocks of a site are of one of their types, the baseline's among them.
    Merged {
        /// `file.c:3 function`.
        site: String,
        /// The baseline's claims.
        baseline: Vec<Claim>,
        /// The cell's.
        cell: Vec<Claim>,
    },
    /// How much there is of a type, at sites that nothing was merged with.
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
            Self::Site { site, baseline, cell } | Self::Merged { site, baseline, cell } => {
                write!(f, "{site}: {}, in the baseline {}", listed(cell), listed(baseline))
            }
            Self::Type { name, baseline, cell } => {
                let figures = |(count, bytes): (u64, u64)| format!("{count} of {bytes} bytes");
                write!(f, "{name}: {}, in the baseline {}", figures(*cell), figures(*baseline))
            }
        }
    }
}

impl Difference {
    /// Whether it is a defect: what the compiler has merged is known no better.
    pub fn is_defect(&self) -> bool {
        !matches!(self, Self::Merged { .. })
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
    let mut found: Vec<Difference> =
        sites.into_iter().filter_map(|site| of_site(site, baseline, cell)).collect();
    let merged = |site: &str| {
        found
            .iter()
            .any(|difference| matches!(difference, Difference::Merged { site: other, .. } if other == site))
    };
    let (theirs, ours) = (baseline.by_type(|site| !merged(site)), cell.by_type(|site| !merged(site)));
    let types: BTreeSet<&str> = theirs.keys().chain(ours.keys()).copied().collect();
    let of_type = |name: &str| {
        let figures = |of: &BTreeMap<&str, Totals>| {
            let Totals { count, bytes } = of.get(name).copied().unwrap_or_default();
            (count, bytes)
        };
        let (baseline, cell) = (figures(&theirs), figures(&ours));
        (baseline != cell).then(|| Difference::Type { name: name.to_owned(), baseline, cell })
    };
    let of_types: Vec<Difference> = types.into_iter().filter_map(of_type).collect();
    found.extend(of_types);
    found
}

fn of_site(site: &str, baseline: &Claims, cell: &Claims) -> Option<Difference> {
    let (theirs, ours) = (baseline.of_site(site), cell.of_site(site));
    if theirs == ours {
        return None;
    }
    let is_merged = |claim: &&Claim| {
        claim.type_name.starts_with(UNION)
            && theirs.iter().any(|known| claim.type_name.contains(&known.type_name))
    };
    let is_explained =
        !ours.is_empty() && ours.iter().all(|claim| theirs.contains(claim) || is_merged(claim));
    let owned = |claims: &BTreeSet<&Claim>| claims.iter().copied().cloned().collect();
    let (site, baseline, cell) = (site.to_owned(), owned(&theirs), owned(&ours));
    Some(if is_explained {
        Difference::Merged { site, baseline, cell }
    } else {
        Difference::Site { site, baseline, cell }
    })
}

/// What the name of a type that is one of several begins with.
const UNION: &str = "__SYNTHUNION_";

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

    #[test]
    fn one_of_several_types_is_no_defect_if_the_baselines_is_among_them() {
        let merged = "a.c:3 f __SYNTHUNION___ARR0_T___ARR0_U both 2 16";
        let found =
            |baseline: &[&str]| differences(&claims(baseline), &claims(&[merged, "b.c:1 g V both 1 8"]));
        let explained = found(&["a.c:3 f __ARR0_T both 2 16", "b.c:1 g V both 1 8"]);
        assert!(matches!(explained[..], [Difference::Merged { .. }]), "{explained:?}");
        assert!(!explained[0].is_defect());
        let other = found(&["a.c:3 f __ARR0_W both 2 16", "b.c:1 g V both 1 8"]);
        assert!(other.iter().all(Difference::is_defect), "{other:?}");
        let elsewhere = found(&["a.c:3 f __ARR0_T both 2 16", "b.c:1 g V both 2 16"]);
        assert_eq!(elsewhere.iter().filter(|difference| difference.is_defect()).count(), 1, "{elsewhere:?}");
    }
}
