//! What the censuses of a workload say: types of sites, and totals of types.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::census::{Line, Summary};
use crate::workload::Step;

/// What is said of the blocks of a site.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Claim {
    /// Their type.
    pub type_name: String,
    /// How that is known.
    pub evidence: String,
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.type_name, self.evidence)
    }
}

/// Allocations and bytes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Allocations.
    pub count: u64,
    /// Bytes that they asked for.
    pub bytes: u64,
}

impl Totals {
    fn add(&mut self, line: &Line) {
        self.count += line.total;
        self.bytes += line.total_bytes;
    }
}

/// What all steps of a workload say together.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Claims {
    /// By site (`file.c:3 function`) and claim.
    pub sites: BTreeMap<String, BTreeMap<Claim, Totals>>,
    /// Totals of the run.
    pub summary: Summary,
}

impl Claims {
    /// Adds the censuses of all steps up.
    pub fn of(steps: &[Step]) -> Self {
        let mut claims = Self::default();
        for census in steps.iter().filter_map(|step| step.seen.census()) {
            census.lines.iter().for_each(|line| claims.add(line));
            claims.summary += census.summary;
        }
        claims
    }

    /// Adds a line of a census.
    pub fn add(&mut self, line: &Line) {
        let type_name = line.type_name().to_owned();
        let claim = Claim { type_name, evidence: line.evidence.clone() };
        let site = self.sites.entry(line.site_name().to_owned()).or_default();
        site.entry(claim).or_default().add(line);
    }

    /// Totals of the types at the sites that are chosen.
    pub fn by_type(&self, is_chosen: impl Fn(&str) -> bool) -> BTreeMap<&str, Totals> {
        let mut types: BTreeMap<&str, Totals> = BTreeMap::new();
        for (claim, totals) in self.sites.iter().filter(|(site, _)| is_chosen(site)).flat_map(|(_, all)| all)
        {
            let of_type = types.entry(&claim.type_name).or_default();
            of_type.count += totals.count;
            of_type.bytes += totals.bytes;
        }
        types
    }

    /// What is said of a site, without how often.
    pub fn of_site(&self, site: &str) -> BTreeSet<&Claim> {
        self.sites.get(site).into_iter().flat_map(BTreeMap::keys).collect()
    }
}
