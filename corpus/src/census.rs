//! The census that the library writes at exit: one JSON object a line, the summary last.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

/// A census file.
#[derive(Debug, PartialEq, Eq)]
pub struct Census {
    /// One line for each allocator, type and site.
    pub lines: Vec<Line>,
    /// Totals over the run.
    pub summary: Summary,
}

/// What one site allocated of one type.
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of the documented format")]
pub struct Line {
    pub allocator: String,
    #[serde(rename = "type")]
    pub type_name: Option<String>,
    pub site: Option<String>,
    pub evidence: String,
    #[serde(default)]
    pub reason: Option<String>,
    pub live: u64,
    pub live_bytes: u64,
    pub total: u64,
    pub total_bytes: u64,
}

/// Totals over the run. Typed, buffers and unknown add up to allocations.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of the documented format")]
pub struct Summary {
    pub allocations: u64,
    pub bytes: u64,
    pub typed: u64,
    pub typed_bytes: u64,
    pub buffers: u64,
    pub buffers_bytes: u64,
    pub unknown: u64,
    pub unknown_bytes: u64,
    /// Of the unknown, those that files without metadata made, such as the C library for itself. From the lines: the census does not
    /// add them up.
    #[serde(default)]
    pub foreign: u64,
    #[serde(default)]
    pub foreign_bytes: u64,
}

impl std::ops::AddAssign for Summary {
    fn add_assign(&mut self, other: Self) {
        self.allocations += other.allocations;
        self.bytes += other.bytes;
        self.typed += other.typed;
        self.typed_bytes += other.typed_bytes;
        self.buffers += other.buffers;
        self.buffers_bytes += other.buffers_bytes;
        self.unknown += other.unknown;
        self.unknown_bytes += other.unknown_bytes;
        self.foreign += other.foreign;
        self.foreign_bytes += other.foreign_bytes;
    }
}

/// The figures of one allocator and type.
#[derive(Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of a line, added up")]
pub struct Figures {
    pub sites: u64,
    pub live: u64,
    pub live_bytes: u64,
    pub total: u64,
    pub total_bytes: u64,
}

#[derive(Deserialize)]
struct Last {
    summary: Summary,
}

impl Census {
    /// Reads a census and checks that it adds up.
    pub fn parse(text: &str) -> Result<Self> {
        let (body, last) = text.trim_end().rsplit_once('\n').unwrap_or(("", text));
        let Last { mut summary } =
            serde_json::from_str(last).with_context(|| format!("not a summary: {last}"))?;
        let mut lines: Vec<Line> = body
            .lines()
            .map(|line| serde_json::from_str(line).with_context(|| format!("not a census line: {line}")))
            .collect::<Result<_>>()?;
        for line in lines.iter().filter(|line| line.is_foreign()) {
            summary.foreign += line.total;
            summary.foreign_bytes += line.total_bytes;
        }
        lines.sort();
        // They differ in the reason why the type is unknown: which of the host's libraries it was.
        lines.dedup_by(|line, first| {
            let is_one = line.key() == first.key();
            if is_one {
                first.live += line.live;
                first.live_bytes += line.live_bytes;
                first.total += line.total;
                first.total_bytes += line.total_bytes;
            }
            is_one
        });
        let census = Self { lines, summary };
        let total: u64 = census.lines.iter().map(|line| line.total).sum();
        let bytes: u64 = census.lines.iter().map(|line| line.total_bytes).sum();
        ensure!(
            (total, bytes) == (summary.allocations, summary.bytes),
            "the census does not add up: lines {total} allocations and {bytes} bytes, summary {} and {}",
            summary.allocations,
            summary.bytes
        );
        let parts = summary.typed + summary.buffers + summary.unknown;
        ensure!(parts == total, "typed, buffers and unknown are {parts} of {total} allocations");
        Ok(census)
    }

    /// The figures by allocator and type.
    pub fn by_type(&self) -> BTreeMap<(&str, &str), Figures> {
        let mut map: BTreeMap<_, Figures> = BTreeMap::new();
        for line in &self.lines {
            let figures = map.entry((line.allocator.as_str(), line.type_name())).or_default();
            figures.sites += 1;
            figures.live += line.live;
            figures.live_bytes += line.live_bytes;
            figures.total += line.total;
            figures.total_bytes += line.total_bytes;
        }
        map
    }
}

impl Line {
    /// Whether a file without metadata made the blocks.
    fn is_foreign(&self) -> bool {
        self.reason.as_deref().is_some_and(|reason| reason.starts_with("no metadata: "))
    }

    fn key(&self) -> (&str, Option<&str>, Option<&str>, &str) {
        (&self.allocator, self.type_name.as_deref(), self.site.as_deref(), &self.evidence)
    }

    /// The type's name, or a word for a type that is not known.
    pub fn type_name(&self) -> &str {
        self.type_name.as_deref().unwrap_or("(unknown)")
    }

    /// The site without the directories of its file: they are those of the machine.
    pub fn site_name(&self) -> &str {
        let site = self.site.as_deref().filter(|site| !site.is_empty()).unwrap_or("(unknown)");
        let (file, _) = site.split_once(':').unwrap_or((site, ""));
        file.rfind('/').map_or(site, |slash| &site[slash + 1..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"allocator":"generic malloc","type":"__ARR0_int$32","c_type":"int []","site":"/x/y/a.c:3 main","evidence":"sizeof","live":1,"live_bytes":4,"total":2,"total_bytes":8}
{"allocator":"generic malloc","type":null,"c_type":null,"site":null,"evidence":"none","live":0,"live_bytes":0,"total":1,"total_bytes":5}
{"summary":{"allocations":3,"bytes":13,"typed":2,"typed_bytes":8,"buffers":0,"buffers_bytes":0,"unknown":1,"unknown_bytes":5}}
"#;

    #[test]
    fn lines_are_added_up_by_type() {
        let census = Census::parse(TEXT).unwrap();
        let by_type = census.by_type();
        let ints = &by_type[&("generic malloc", "__ARR0_int$32")];
        assert_eq!(*ints, Figures { sites: 1, live: 1, live_bytes: 4, total: 2, total_bytes: 8 });
        assert_eq!(by_type[&("generic malloc", "(unknown)")].total, 1);
        assert_eq!(census.lines[1].site_name(), "a.c:3 main");
    }

    #[test]
    fn lines_that_differ_in_their_reason_are_one() {
        let reason = |library: &str| format!(r#""evidence":"none","reason":"no metadata: {library}""#);
        let unknown = TEXT.lines().nth(1).unwrap();
        let [one, other] =
            ["libc.so.6", "libm.so.6"].map(|name| unknown.replace(r#""evidence":"none""#, &reason(name)));
        let text = TEXT
            .replace(unknown, &format!("{one}\n{other}"))
            .replace(r#""allocations":3,"bytes":13"#, r#""allocations":4,"bytes":18"#);
        let census = Census::parse(&text.replace(r#""unknown":1"#, r#""unknown":2"#)).unwrap();
        assert_eq!(census.lines.len(), 2);
        assert_eq!(census.by_type()[&("generic malloc", "(unknown)")].total, 2);
        assert_eq!((census.summary.foreign, census.summary.foreign_bytes), (2, 10));
    }

    #[test]
    fn a_census_that_does_not_add_up_is_refused() {
        let error = Census::parse(&TEXT.replace("\"total\":2", "\"total\":7")).unwrap_err().to_string();
        assert!(error.starts_with("the census does not add up: lines 8"), "{error}");
        let cut = Census::parse(TEXT.rsplit_once("{\"summary").unwrap().0).unwrap_err().to_string();
        assert!(cut.starts_with("not a summary"), "{cut}");
    }
}
