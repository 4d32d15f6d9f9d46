//! Whether pointers in live objects point to what their types say: what `probe/pointers.c` writes, added up.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result};

use super::metadata::{Metadata, Site};

/// What was found of the pointers of a program, over the steps of its workload.
#[derive(Debug, Default)]
pub struct Pointers {
    /// How many pointers are in each relation to what they point to.
    pub relations: BTreeMap<String, u64>,
    /// Pointers that are inconsistent, or point nowhere, by what they have in common.
    pub groups: BTreeMap<Group, u64>,
}

/// What pointers have in common that are not consistent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// `inconsistent` or `nowhere`.
    pub relation: String,
    /// The struct and its member, or the variable, that holds the pointer.
    pub holder: String,
    /// The type that it points to.
    pub wanted: String,
    /// The type of what is there, without the lengths of arrays.
    pub found: String,
    /// Where the block that holds the pointer was allocated.
    pub holder_site: String,
    /// Where the block that is pointed to was allocated.
    pub target_site: String,
}

/// Consistent.
const CONSISTENT: [&str; 9] = [
    "the object",
    "inside an object",
    "first member",
    "larger struct that begins so",
    "struct with the same first members",
    "other sign",
    "union member",
    "the end of an array",
    "function",
];

/// To a block of which the tool does not know the type: it answers bytes, which is no claim.
const UNTYPED: &str = "to an untyped block";

impl Pointers {
    /// Adds what a probe wrote.
    pub fn add(&mut self, seen: &str, metadata: &Metadata) -> Result<()> {
        let sites: HashMap<u64, &Site> = metadata.sites.iter().map(|site| (site.return_svma, site)).collect();
        for line in seen.lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            match fields[..] {
                [relation, count] => {
                    let count: u64 = count.parse().with_context(|| format!("not a count: {line}"))?;
                    *self.relations.entry(relation.to_owned()).or_default() += count;
                }
                [relation, holder, wanted, found, holder_site, target_site] => {
                    let site = |svma: &str| sites.get(&svma.parse().unwrap_or(0)).copied();
                    self.one(relation, holder, wanted, found, [site(holder_site), site(target_site)]);
                }
                _ => anyhow::bail!("not a line of the probe: {line}"),
            }
        }
        Ok(())
    }

    fn one(&mut self, relation: &str, holder: &str, wanted: &str, found: &str, sites: [Option<&Site>; 2]) {
        let is_no_claim = sites[1].is_some_and(|site| site.evidence == "none" && !site.in_wrapper);
        let relation = if relation == "inconsistent" && is_no_claim { UNTYPED } else { relation };
        *self.relations.entry(relation.to_owned()).or_default() += 1;
        if relation != UNTYPED {
            let [holder_site, target_site] =
                sites.map(|site| site.map_or("-".to_owned(), |site| format!("{}:{}", site.file, site.line)));
            let group = Group {
                relation: relation.to_owned(),
                holder: without_lengths(holder),
                wanted: wanted.to_owned(),
                found: without_lengths(found),
                holder_site,
                target_site,
            };
            *self.groups.entry(group).or_default() += 1;
        }
    }

    /// Adds those of another program.
    pub fn merge(&mut self, other: &Self) {
        for (relation, count) in &other.relations {
            *self.relations.entry(relation.clone()).or_default() += count;
        }
    }

    /// The pointers that are consistent, and those that are not.
    pub fn decided(&self) -> [u64; 2] {
        let count = |relation: &str| self.relations.get(relation).copied().unwrap_or(0);
        [CONSISTENT.iter().map(|relation| count(relation)).sum(), count("inconsistent")]
    }

    /// The groups of a relation, the largest first.
    pub fn largest(&self, relation: &str) -> Vec<(&Group, u64)> {
        let of_relation = self.groups.iter().filter(|(group, _)| group.relation == relation);
        let mut groups: Vec<_> = of_relation.map(|(group, count)| (group, *count)).collect();
        groups.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        groups
    }
}

/// A type name with each array's length left out: `__ARR0_T` for `__ARR12_T`.
fn without_lengths(name: &str) -> String {
    let mut parts = name.split("__ARR");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        out += if rest.len() < part.len() && rest.starts_with('_') { "__ARR0" } else { "__ARR" };
        out += if rest.starts_with('_') { rest } else { part };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(svma: u64, line: usize, evidence: &str) -> String {
        format!(
            r#"{{ "return_svma": {svma}, "type": null, "file": "a.c", "line": {line}, "function": "f", "callee": "malloc",
                 "evidence": "{evidence}", "retypes": false, "in_wrapper": false }}"#
        )
    }

    #[test]
    fn what_the_probe_writes_is_added_up() {
        let sites = [site(16, 1, "sizeof"), site(32, 2, "none")].join(",");
        let metadata = serde_json::from_str(&format!(r#"{{ "types": [], "sites": [{sites}] }}"#)).unwrap();
        let mut pointers = Pointers::default();
        let text = "inconsistent\ts.next\ts\t__ARR3_t\t16\t16\ninconsistent\ts.next\ts\t__ARR4_t\t16\t16\n\
                    inconsistent\ts.next\ts\t__ARR4_unsigned_char$8\t16\t32\nnowhere\ts.next\ts\t(unknown)\t16\t0\n\
                    null\t7\nthe object\t5\nother sign\t1\n";
        pointers.add(text, &metadata).unwrap();
        assert_eq!(pointers.decided(), [6, 2]);
        assert_eq!(pointers.relations[UNTYPED], 1);
        let [(group, 2)] = pointers.largest("inconsistent")[..] else { panic!("{:?}", pointers.groups) };
        assert_eq!((group.found.as_str(), group.target_site.as_str()), ("__ARR0_t", "a.c:1"));
        assert_eq!(pointers.largest("nowhere")[0].0.target_site, "-");
        assert!(pointers.add("what\tis\tthis", &metadata).is_err());
    }

    #[test]
    fn lengths_are_left_out() {
        for (name, expect) in [
            ("__ARR12_foo", "__ARR0_foo"),
            ("__SYNTH_a__ARR7___PTR_b", "__SYNTH_a__ARR0___PTR_b"),
            ("__ARRAY", "__ARRAY"),
            ("__ARR2___ARR3_c", "__ARR0___ARR0_c"),
        ] {
            assert_eq!(without_lengths(name), expect);
        }
    }
}
