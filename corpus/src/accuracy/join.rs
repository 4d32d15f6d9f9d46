//! Joins the labels of a program with what the tool says: of each call in the executable, and of each block in a census.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::{Context, Result};

use super::calls;
use super::judge::{Claim, Verdict, judge};
use super::kept::Said;
use super::labels::{Label, Labels};
use super::metadata::{Kinds, Metadata, Site};
use super::sources::Text;
use crate::census::{Census, Line};

/// A label is about the block that a call gives.
const SEVERAL: Verdict =
    Verdict::Undecided("the function makes several blocks, and the claim is about another one");

/// A label, ready to be found by file and line.
struct Labelled {
    label: Label,
    said: Said,
    file: String,
    first_line: usize,
    /// Where its argument list ends.
    last_line: usize,
    /// A use of a macro.
    is_macro: bool,
    /// What else is called there that looks like an allocation.
    neighbours: BTreeSet<String>,
}

/// What was found of one label or of one line of a census.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The judgement.
    pub verdict: Verdict,
    /// The label's place.
    pub at: String,
    /// The label's function or macro.
    pub callee: String,
    /// The line, quoted.
    pub quote: String,
    /// What the label says.
    pub said: String,
    /// What the tool says.
    pub claimed: String,
    /// Calls that allocate there, or blocks and bytes.
    pub count: u64,
    /// Bytes of a census.
    pub bytes: u64,
}

/// The labels of a program.
pub struct Join<'a> {
    labelled: Vec<Labelled>,
    sites: &'a [Site],
    kinds: Kinds<'a>,
}

impl<'a> Join<'a> {
    /// Takes the labels that somebody has filled in.
    pub fn new(labels: &Labels, text: &Text, metadata: &'a Metadata) -> Result<Self> {
        let mut labelled = Vec::new();
        let mut calls_of: HashMap<&str, Vec<calls::Call>> = HashMap::new();
        for label in &labels.call {
            let place = label.place()?;
            let said = Said::parse(&label.type_text, &text.typedefs).with_context(|| label.at.clone())?;
            let Some(said) = said else { continue };
            let source = text.files.get(place.file).with_context(|| format!("{}: no such file", label.at))?;
            let last_line = calls::last_line(&source.text, place.line, place.column);
            let calls =
                calls_of.entry(place.file).or_insert_with(|| calls::calls(&source.text, &text.macros));
            let is_near = |call: &&calls::Call| {
                (place.line..=last_line).contains(&call.line) && call.callee != label.callee
            };
            labelled.push(Labelled {
                said,
                file: base(place.file).to_owned(),
                first_line: place.line,
                last_line,
                neighbours: calls.iter().filter(is_near).map(|call| call.callee.to_owned()).collect(),
                is_macro: text.macros.contains(&label.callee),
                label: label.clone(),
            });
        }
        Ok(Self { labelled, sites: &metadata.sites, kinds: metadata.kinds() })
    }

    /// Judges what the executable's metadata says of each label's call.
    pub fn calls(&self) -> Vec<Finding> {
        let finding = |labelled: &Labelled| {
            let sites = self.sites_of(labelled).into_iter();
            let judged: Vec<_> = sites
                .map(|site| match judge(&labelled.said, &self.claim_of(site, labelled)) {
                    Verdict::Wrong if self.makes_several(callee(site)) => (SEVERAL, site),
                    verdict => (verdict, site),
                })
                .collect();
            let worst = judged.iter().max_by_key(|(verdict, _)| *verdict);
            let (verdict, claimed) = match worst {
                Some((verdict, site)) => (*verdict, site.claimed()),
                // Agreed: nothing is allocated there.
                None if labelled.said == Said::None => (Verdict::Right, "no allocation".to_owned()),
                None => self.inside(labelled),
            };
            labelled.finding(verdict, claimed, judged.len() as u64, 0)
        };
        self.labelled.iter().map(finding).collect()
    }

    /// Whether a function makes blocks of its own beside those for its caller, such as a table and its rows: then the label is about what
    /// the call gives, and the tool may speak of the others.
    fn makes_several(&self, function: &str) -> bool {
        let has = |in_wrapper: bool| {
            self.sites.iter().any(|site| site.function == function && site.in_wrapper == in_wrapper)
        };
        has(true) && has(false)
    }

    /// Judges a call that is none of the executable's that allocate: the function that it calls may make the block.
    fn inside(&self, labelled: &Labelled) -> (Verdict, String) {
        let is_inside = |site: &&Site| site.function == labelled.label.callee && !site.in_wrapper;
        let sites: Vec<&Site> = self.sites.iter().filter(is_inside).collect();
        let judged = sites.iter().map(|site| (judge(&labelled.said, &self.claim_of(site, labelled)), site));
        match judged.max_by_key(|(verdict, _)| *verdict) {
            None => {
                (Verdict::Undecided("no call that allocates in the executable"), "no allocation".to_owned())
            }
            Some((verdict @ (Verdict::Right | Verdict::Buffer), site)) => (verdict, site.claimed()),
            // Whether it returns this block is not known, so that it may agree but cannot contradict.
            Some((_, site)) => {
                (Verdict::Undecided("made inside the function that is called"), site.claimed())
            }
        }
    }

    /// Judges the lines of a census that are about a labelled call.
    pub fn census(&self, census: &Census) -> Vec<Finding> {
        let mut labelled_at: BTreeMap<(&str, usize, &str), Vec<&Labelled>> = BTreeMap::new();
        for labelled in &self.labelled {
            for site in self.sites_of(labelled) {
                // That no block comes from a call says nothing of another one in the line.
                if labelled.said == Said::None && callee(site) != labelled.label.callee {
                    continue;
                }
                labelled_at.entry((base(&site.file), site.line, &site.function)).or_default().push(labelled);
            }
        }
        let finding = |line: &Line| {
            let labelled = labelled_at.get(&place(line.site_name())?)?.iter();
            // Where several labelled calls share a line, a census cannot tell them apart.
            let judged = labelled.map(|l| match judge(&l.said, &self.claim_in(line, l)) {
                Verdict::Wrong if self.sites_of(l).iter().any(|site| self.makes_several(callee(site))) => {
                    (SEVERAL, *l)
                }
                verdict => (verdict, *l),
            });
            let (verdict, labelled) = judged.min_by_key(|(verdict, _)| *verdict)?;
            let claimed = claimed(line.type_name(), &line.evidence, line.reason.as_deref(), "");
            Some(labelled.finding(verdict, claimed, line.total, line.total_bytes))
        };
        census.lines.iter().filter_map(finding).collect()
    }

    /// The calls of the executable that are a label's: those of its name, else, where a wrapper was inlined or a macro
    /// used, those that have not the name of another call there.
    fn sites_of(&self, labelled: &Labelled) -> Vec<&'a Site> {
        let is_there = |site: &&Site| {
            let lines = labelled.first_line..=labelled.last_line;
            base(&site.file) == labelled.file && lines.contains(&site.line)
        };
        let (named, others): (Vec<_>, Vec<_>) =
            self.sites.iter().filter(is_there).partition(|site| callee(site) == labelled.label.callee);
        if !named.is_empty() {
            return named;
        }
        others.into_iter().filter(|site| !labelled.neighbours.contains(callee(site))).collect()
    }

    fn claim_of(&self, site: &Site, labelled: &Labelled) -> Claim {
        let name = site.type_name.as_deref().filter(|_| site.evidence != "none");
        let callee = if site.callee.is_empty() { &labelled.label.callee } else { &site.callee };
        Claim {
            kept: name.map_or_else(Vec::new, |name| self.kinds.kept(name)),
            for_caller: site.in_wrapper,
            keeps: is_realloc(callee) && !site.retypes,
            by_wrapper: labelled.by_wrapper(),
            of_blocks: false,
        }
    }

    fn claim_in(&self, line: &Line, labelled: &Labelled) -> Claim {
        let name = line.type_name.as_deref().filter(|_| line.evidence != "none");
        Claim {
            kept: name.map_or_else(Vec::new, |name| self.kinds.kept(name)),
            for_caller: false,
            keeps: false,
            by_wrapper: labelled.by_wrapper(),
            of_blocks: true,
        }
    }
}

impl Labelled {
    fn by_wrapper(&self) -> bool {
        let standard = ["malloc", "calloc", "realloc", "reallocarray", "aligned_alloc", "posix_memalign"];
        self.is_macro || !standard.contains(&self.label.callee.as_str())
    }

    fn finding(&self, verdict: Verdict, claimed: String, count: u64, bytes: u64) -> Finding {
        Finding {
            verdict,
            at: self.label.at.clone(),
            callee: self.label.callee.clone(),
            quote: self.label.quote.clone(),
            said: self.label.type_text.clone(),
            claimed,
            count,
            bytes,
        }
    }
}

impl Site {
    fn claimed(&self) -> String {
        let words = [(self.retypes, ", retypes"), (self.in_wrapper, ", for the caller")];
        let words: String = words.iter().filter(|(is, _)| *is).map(|(_, word)| *word).collect();
        let name = self.type_name.as_deref().unwrap_or("(unknown)");
        claimed(name, &self.evidence, self.reason.as_deref(), &words)
    }
}

fn claimed(name: &str, evidence: &str, reason: Option<&str>, words: &str) -> String {
    let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{name}, evidence {evidence}{reason}{words}")
}

/// `f.part.0` is a part of `f`.
fn callee(site: &Site) -> &str {
    site.callee.split('.').next().unwrap_or_default()
}

/// `a.c:3 main`
fn place(site: &str) -> Option<(&str, usize, &str)> {
    let (file, rest) = site.split_once(':')?;
    let (line, function) = rest.split_once(' ').unwrap_or((rest, ""));
    Some((file, line.parse().ok()?, function))
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether a call may be about a block that was there before.
fn is_realloc(callee: &str) -> bool {
    callee.to_ascii_lowercase().contains("realloc")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accuracy::sources::Source;

    const SOURCE: &str =
        "f() {\n  p = malloc(\n    sizeof *p);\n  q = NEW(s); r = strdup(x);\n  s = pool_alloc(1);\n}\n";

    fn text() -> Text {
        let source = Source { text: SOURCE.to_owned(), ..Source::default() };
        Text {
            files: [("p/d/a.c".to_owned(), source)].into(),
            macros: ["NEW".to_owned()].into(),
            ..Text::default()
        }
    }

    fn labels() -> Labels {
        let label = |at: &str, callee: &str, ty: &str| Label {
            at: format!("p/d/a.c:{at}"),
            callee: callee.to_owned(),
            quote: String::new(),
            type_text: ty.to_owned(),
            why: String::new(),
        };
        Labels {
            call: vec![
                label("2:7", "malloc", "struct p"),
                label("4:7", "NEW", "struct s"),
                label("4:19", "strdup", "char"),
                label("5:7", "pool_alloc", "int"),
                label("1:1", "f", ""),
            ],
        }
    }

    fn site(line: usize, callee: &str, ty: &str) -> String {
        format!(
            r#"{{ "return_svma": 1, "type": "{ty}", "file": "src/d/a.c", "line": {line}, "function": "f", "callee": "{callee}",
                 "evidence": "sizeof", "retypes": false, "in_wrapper": false }}"#
        )
    }

    fn metadata(sites: &[String]) -> Metadata {
        serde_json::from_str(&format!(r#"{{ "types": [], "sites": [{}] }}"#, sites.join(", "))).unwrap()
    }

    fn verdicts(findings: &[Finding]) -> Vec<(&str, Verdict, u64)> {
        findings.iter().map(|finding| (&finding.at[8..], finding.verdict, finding.count)).collect()
    }

    #[test]
    fn calls_are_found_by_line_and_callee() {
        let metadata = metadata(&[
            site(3, "malloc", "__ARR0_p"),
            site(4, "my_new", "__ARR0_s"),
            site(4, "strdup", "__ARR0_signed_char$8"),
        ]);
        let join = Join::new(&labels(), &text(), &metadata).unwrap();
        let none = Verdict::Undecided("no call that allocates in the executable");
        let expected = [
            ("2:7", Verdict::Right, 1),
            ("4:7", Verdict::Right, 1),
            ("4:19", Verdict::Buffer, 1),
            ("5:7", none, 0),
        ];
        assert_eq!(verdicts(&join.calls()), expected);
    }

    #[test]
    fn a_wrapper_that_was_inlined_has_the_name_of_what_it_calls() {
        let metadata = metadata(&[site(5, "malloc", "__ARR0_int$32")]);
        let join = Join::new(&labels(), &text(), &metadata).unwrap();
        assert_eq!(verdicts(&join.calls())[3], ("5:7", Verdict::Right, 1));
    }

    #[test]
    fn what_a_function_makes_inside_can_only_agree() {
        let inside =
            |ty: &str| site(40, "malloc", ty).replace(r#""function": "f""#, r#""function": "pool_alloc""#);
        let verdict = |sites: &[String]| {
            let metadata = metadata(sites);
            Join::new(&labels(), &text(), &metadata).unwrap().calls()[3].verdict
        };
        let undecided = Verdict::Undecided("made inside the function that is called");
        assert_eq!(verdict(&[inside("__ARR0_int$32"), inside("__ARR0_int$32")]), Verdict::Right);
        assert_eq!(verdict(&[inside("__ARR0_int$32"), inside("__ARR0_q")]), undecided);
        assert_eq!(verdict(&[inside("__ARR0_q")]), undecided);
    }

    #[test]
    fn what_a_function_makes_beside_what_it_gives_is_not_what_the_label_is_about() {
        let called = |ty: &str| site(2, "rows", ty);
        let within = |in_wrapper: bool| {
            let site = site(40, "malloc", "__ARR0_q").replace(r#""function": "f""#, r#""function": "rows""#);
            site.replace(r#""in_wrapper": false"#, &format!(r#""in_wrapper": {in_wrapper}"#))
        };
        let verdict = |sites: &[String]| {
            let metadata = metadata(sites);
            Join::new(&labels(), &text(), &metadata).unwrap().calls()[0].verdict
        };
        assert_eq!(verdict(&[called("__ARR0_q"), within(true), within(false)]), SEVERAL);
        assert_eq!(verdict(&[called("__ARR0_p"), within(true), within(false)]), Verdict::Right);
        assert_eq!(verdict(&[called("__ARR0_q"), within(true)]), Verdict::Wrong);
    }

    #[test]
    fn a_copy_of_a_call_that_is_wrong_is_not_hidden() {
        let metadata = metadata(&[site(2, "malloc", "__ARR0_p"), site(2, "malloc", "__ARR0_q")]);
        let join = Join::new(&labels(), &text(), &metadata).unwrap();
        assert_eq!(verdicts(&join.calls())[0], ("2:7", Verdict::Wrong, 2));
    }

    fn census(lines: &[(usize, &str)]) -> Census {
        let line = |(line, ty): &(usize, &str)| {
            format!(
                r#"{{"allocator":"generic malloc","type":"{ty}","site":"/x/a.c:{line} f","evidence":"sizeof","live":0,"live_bytes":0,"total":3,"total_bytes":30}}"#
            )
        };
        let (count, bytes) = (3 * lines.len(), 30 * lines.len());
        let summary = format!(
            r#"{{"summary":{{"allocations":{count},"bytes":{bytes},"typed":{count},"typed_bytes":{bytes},"buffers":0,"buffers_bytes":0,"unknown":0,"unknown_bytes":0}}}}"#
        );
        let lines: Vec<String> = lines.iter().map(line).chain([summary]).collect();
        Census::parse(&lines.join("\n")).unwrap()
    }

    #[test]
    fn that_no_block_comes_from_a_call_says_nothing_of_another_one_in_the_line() {
        let mut labels = labels();
        labels.call.truncate(1);
        labels.call[0].callee = "size_of_table".to_owned();
        labels.call[0].type_text = "none".to_owned();
        let found = |callee: &str| {
            let metadata = metadata(&[site(2, callee, "__ARR0_p")]);
            Join::new(&labels, &text(), &metadata).unwrap().census(&census(&[(2, "__ARR0_p")]))
        };
        assert_eq!(verdicts(&found("malloc")), []);
        assert_eq!(verdicts(&found("size_of_table")), [("2:7", Verdict::Wrong, 3)]);
    }

    #[test]
    fn lines_of_a_census_are_joined() {
        let metadata = metadata(&[site(2, "malloc", "__ARR0_p"), site(4, "strdup", "__ARR0_p")]);
        let join = Join::new(&labels(), &text(), &metadata).unwrap();
        let found = join.census(&census(&[(2, "__ARR0_q"), (5, "__ARR0_p")]));
        assert_eq!(verdicts(&found), [("2:7", Verdict::Wrong, 3)]);
        assert_eq!((found[0].claimed.as_str(), found[0].bytes), ("__ARR0_q, evidence sizeof", 30));
    }
}
