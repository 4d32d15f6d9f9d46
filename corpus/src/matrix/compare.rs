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
