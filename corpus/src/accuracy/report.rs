//! What was found of one program, as a table and as JSON.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::join::Finding;
use super::judge::Verdict;
use super::pointers::Pointers;

/// What was found of one program.
#[derive(Debug, Default)]
pub struct Report {
    /// The program.
    pub program: String,
    /// How many of its calls were drawn.
    pub drawn: usize,
    /// The labelled calls, judged by the metadata.
    pub calls: Vec<Finding>,
    /// What a census says of labelled calls, over the steps.
    pub census: Vec<Finding>,
    /// Allocations of the census.
    pub allocations: u64,
    /// Bytes of the census.
    pub bytes: u64,
    /// The typed pointers in live objects.
    pub pointers: Pointers,
    /// Addresses of which it was checked where in the tree of allocations they are.
    pub tree_addresses: u64,
    /// How often the tree disagreed with the kernel, the dynamic linker or itself.
    pub tree_disagreements: u64,
}

/// How much there is of each verdict.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    right: u64,
    buffer: u64,
    wrong: u64,
    untyped: u64,
    undecided: u64,
}

impl Tally {
    fn of(findings: &[Finding], weight: impl Fn(&Finding) -> u64) -> Self {
        let mut tally = Self::default();
        for finding in findings {
            *match finding.verdict {
                Verdict::Right => &mut tally.right,
                Verdict::Buffer => &mut tally.buffer,
                Verdict::Wrong => &mut tally.wrong,
                Verdict::Untyped(_) => &mut tally.untyped,
                Verdict::Undecided(_) => &mut tally.undecided,
            } += weight(finding);
        }
        tally
    }

    fn all(&self) -> u64 {
        self.right + self.buffer + self.wrong + self.untyped + self.undecided
    }

    fn parts(&self) -> [u64; 5] {
        [self.right, self.buffer, self.wrong, self.untyped, self.undecided]
    }
}

/// At least this share of the pointers of which it can be said is consistent.
pub const CONSISTENT_BAR: f64 = 0.995;

impl Report {
    /// One of all programs.
    pub fn of_all(reports: &[Self]) -> Self {
        let mut all = Self { program: "all".to_owned(), ..Self::default() };
        for report in reports {
            all.drawn += report.drawn;
            all.calls.extend(report.calls.iter().cloned());
            all.census.extend(report.census.iter().cloned());
            all.allocations += report.allocations;
            all.bytes += report.bytes;
            all.pointers.merge(&report.pointers);
            all.tree_addresses += report.tree_addresses;
            all.tree_disagreements += report.tree_disagreements;
        }
        all
    }

    /// Labelled calls that are wrong, in the executable or in a census.
    pub fn wrong(&self) -> impl Iterator<Item = &Finding> {
        self.calls.iter().chain(&self.census).filter(|finding| finding.verdict == Verdict::Wrong)
    }

    /// The share of consistent pointers, if it can be said of any.
    pub fn consistent(&self) -> Option<f64> {
        let [consistent, inconsistent] = self.pointers.decided();
        (consistent + inconsistent > 0).then(|| consistent as f64 / (consistent + inconsistent) as f64)
    }

    /// The head of the table.
    pub fn head() -> String {
        format!(
            "{:10} {:12} {:>9} {:>8} {:>8} {:>8} {:>8} {:>9}",
            "program", "labelled", "of all", "right", "buffer", "wrong", "untyped", "undecided"
        )
    }

    /// Three rows: by call, by allocations, by bytes.
    pub fn rows(&self) -> Vec<String> {
        let calls = Tally::of(&self.calls, |_| 1);
        let row = |by: &str, tally: &Tally, all: u64, show: &dyn Fn(u64) -> String| {
            let of_all = share(tally.all(), all);
            let [right, buffer, wrong, untyped, undecided] = tally.parts().map(show);
            format!(
                "{:10} {by:12} {of_all:>9} {right:>8} {buffer:>8} {wrong:>8} {untyped:>8} {undecided:>9}",
                self.program
            )
        };
        let mut rows = vec![row("calls", &calls, self.drawn as u64, &|n| n.to_string())];
        let count = Tally::of(&self.census, |finding| finding.count);
        let bytes = Tally::of(&self.census, |finding| finding.bytes);
        for (by, tally, all) in [("allocations", count, self.allocations), ("bytes", bytes, self.bytes)] {
            rows.push(row(by, &tally, all, &|n| share(n, tally.all())));
        }
        rows
    }

    /// One row about pointers.
    pub fn pointer_row(&self) -> String {
        let [consistent, inconsistent] = self.pointers.decided();
        let share = self.consistent().map_or("-".to_owned(), |share| format!("{:.3} %", 100.0 * share));
        format!("{:10} {consistent:>10} {inconsistent:>12} {share:>10}", self.program)
    }

    /// The head of the table of pointers.
    pub fn pointer_head() -> String {
        format!("{:10} {:>10} {:>12} {:>10}", "program", "consistent", "inconsistent", "share")
    }

    /// One row about the tree of allocations.
    pub fn tree_row(&self) -> String {
        format!("{:10} {:>10} {:>13}", self.program, self.tree_addresses, self.tree_disagreements)
    }

    /// The head of the table of the tree.
    pub fn tree_head() -> String {
        format!("{:10} {:>10} {:>13}", "program", "addresses", "disagreements")
    }

    /// What stands behind the figures: reasons, both claims of each disagreement, groups of pointers.
    pub fn details(&self, with_untyped: bool) -> String {
        let mut out = Vec::new();
        for (what, findings) in [("calls", &self.calls), ("census", &self.census)] {
            for (reason, callees) in reasons(findings) {
                let all: u64 = callees.values().sum();
                let callees: Vec<String> =
                    callees.iter().map(|(callee, n)| format!("{callee} {n}")).collect();
                out.push(format!("{} {what}: {reason}: {all}: {}", self.program, callees.join(", ")));
            }
            let is_listed = |finding: &&Finding| match finding.verdict {
                Verdict::Wrong => true,
                Verdict::Untyped(_) | Verdict::Undecided(_) => with_untyped,
                Verdict::Right | Verdict::Buffer => false,
            };
            for finding in findings.iter().filter(is_listed) {
                out.push(format!(
                    "{} {what}: {}: {}\n    {}\n    label: {}\n    tool:  {}",
                    self.program,
                    verdict(finding.verdict),
                    finding.at,
                    finding.quote,
                    finding.said,
                    finding.claimed
                ));
            }
        }
        for (relation, count) in &self.pointers.relations {
            out.push(format!("{} pointers: {relation}: {count}", self.program));
        }
        for relation in ["inconsistent", "nowhere"] {
            for (group, count) in self.pointers.largest(relation).into_iter().take(MOST_GROUPS) {
                out.push(format!(
                    "{} pointers: {relation}: {count} of {} (block of {}) to {} reach {} (block of {})",
                    self.program,
                    group.holder,
                    group.holder_site,
                    group.wanted,
                    group.found,
                    group.target_site
                ));
            }
        }
        out.join("\n")
    }

    /// All of it.
    pub fn json(&self) -> Value {
        let finding = |finding: &Finding| {
            json!({
                "at": finding.at, "quote": finding.quote, "label": finding.said, "tool": finding.claimed,
                "verdict": verdict(finding.verdict), "count": finding.count, "bytes": finding.bytes,
            })
        };
        let group = |(group, count): (&super::pointers::Group, &u64)| {
            json!({
                "relation": group.relation, "holder": group.holder, "wanted": group.wanted, "found": group.found,
                "holder_site": group.holder_site, "target_site": group.target_site, "count": count,
            })
        };
        json!({
            "program": self.program, "drawn": self.drawn, "allocations": self.allocations, "bytes": self.bytes,
            "calls": self.calls.iter().map(finding).collect::<Vec<_>>(),
            "census": self.census.iter().map(finding).collect::<Vec<_>>(),
            "tree_addresses": self.tree_addresses, "tree_disagreements": self.tree_disagreements,
            "pointers": self.pointers.relations,
            "pointer_groups": self.pointers.groups.iter().map(group).collect::<Vec<_>>(),
        })
    }
}

/// So many groups of pointers are printed; all are in the JSON.
const MOST_GROUPS: usize = 20;

/// How many calls have no verdict, by reason, and what they call.
fn reasons(findings: &[Finding]) -> BTreeMap<String, BTreeMap<&str, u64>> {
    let mut reasons: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for finding in findings {
        if matches!(finding.verdict, Verdict::Untyped(_) | Verdict::Undecided(_)) {
            let callees = reasons.entry(verdict(finding.verdict)).or_default();
            *callees.entry(finding.callee.as_str()).or_default() += 1;
        }
    }
    reasons
}

fn verdict(verdict: Verdict) -> String {
    match verdict {
        Verdict::Right => "right".to_owned(),
        Verdict::Buffer => "byte buffer".to_owned(),
        Verdict::Wrong => "wrong".to_owned(),
        Verdict::Untyped(reason) => format!("untyped, {reason}"),
        Verdict::Undecided(reason) => format!("undecided, {reason}"),
    }
}

fn share(part: u64, whole: u64) -> String {
    if whole == 0 { "-".to_owned() } else { format!("{:.1} %", 100.0 * part as f64 / whole as f64) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(verdict: Verdict, count: u64, bytes: u64) -> Finding {
        let text = String::new;
        Finding {
            verdict,
            callee: text(),
            at: text(),
            quote: text(),
            said: text(),
            claimed: text(),
            count,
            bytes,
        }
    }

    #[test]
    fn shares_are_of_what_is_labelled() {
        let census = vec![
            finding(Verdict::Right, 3, 10),
            finding(Verdict::Buffer, 1, 20),
            finding(Verdict::Wrong, 1, 30),
            finding(Verdict::Untyped("why"), 5, 40),
        ];
        let calls = vec![finding(Verdict::Right, 2, 0), finding(Verdict::Undecided("why"), 0, 0)];
        let report = Report { drawn: 4, calls, census, allocations: 20, bytes: 100, ..Report::default() };
        let rows: Vec<String> =
            report.rows().iter().map(|row| row.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(
            rows,
            [
                "calls 50.0 % 1 0 0 0 1",
                "allocations 50.0 % 30.0 % 10.0 % 10.0 % 50.0 % 0.0 %",
                "bytes 100.0 % 10.0 % 20.0 % 30.0 % 40.0 % 0.0 %",
            ]
        );
        assert_eq!(report.wrong().count(), 1);
        assert_eq!(report.consistent(), None);
    }
}
