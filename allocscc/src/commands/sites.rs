//! `allocs sites FILE`: the allocation sites of a file, and why each has its type or none.

use std::io::Write;
use std::path::PathBuf;

use allocs_metadata::{Evidence, Metadata, SITE_IS_BUFFER, SITE_RETYPES, SiteRecord, StepKind, StepRecord};
use anyhow::{Context, ensure};
use serde::Serialize;

use super::file;
use super::spelling;

/// Arguments of `allocs sites`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// An executable or shared object that allocscc linked.
    #[arg(value_hint = clap::ValueHint::FilePath)]
    pub file: PathBuf,
    /// Say what led to the types of the sites in this line of the source.
    #[arg(long, value_name = "FILE:LINE", value_parser = Position::parse)]
    pub explain: Option<Position>,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

/// A line of the source. Of the directories only those count that the metadata has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Position {
    file: String,
    line: u32,
}

impl Position {
    fn parse(text: &str) -> Result<Position, String> {
        let parts = text.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse().ok()?)));
        match parts {
            Some((file, line)) if !file.is_empty() => Ok(Position { file: file.to_owned(), line }),
            _ => Err("that is no FILE:LINE".to_owned()),
        }
    }

    /// Whether a site is there: one of the two paths ends with the other.
    fn is_of(&self, site: &Site<'_>) -> bool {
        let ends = |path: &str, end: &str| {
            path.strip_suffix(end).is_some_and(|before| before.is_empty() || before.ends_with('/'))
        };
        !site.file.is_empty()
            && self.line == site.line
            && (ends(&self.file, site.file) || ends(site.file, &self.file))
    }
}

/// Prints the sites of a file.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let bytes = file::load(&args.file)?;
    let metadata = file::parse(&args.file, &bytes)?;
    let mut sites = sites(&metadata);
    if let Some(position) = &args.explain {
        sites.retain(|site| position.is_of(site));
        ensure!(
            !sites.is_empty(),
            "{}: no allocation site at {}:{}",
            args.file.display(),
            position.file,
            position.line
        );
    }
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    if args.json {
        serde_json::to_writer(&mut out, &Report { sites })?;
        writeln!(out)?;
    } else if args.explain.is_some() {
        sites.iter().try_for_each(|site| explain(&mut out, site))?;
    } else {
        list(&mut out, &sites)?;
    }
    out.flush().context("writing to standard output")
}

#[derive(Serialize)]
struct Report<'a> {
    sites: Vec<Site<'a>>,
}

/// A site of the source: call instructions of which the same is known are one.
#[derive(PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Site<'a> {
    file: &'a str,
    line: u32,
    function: &'a str,
    callee: &'a str,
    #[serde(rename = "type")]
    ty: Option<String>,
    evidence: &'static str,
    confidence: &'static str,
    buffer: bool,
    retypes: bool,
    in_wrapper: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    steps: Vec<Step<'a>>,
    return_svmas: Vec<u64>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Step<'a> {
    says: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    file: &'a str,
    #[serde(skip_serializing_if = "is_zero")]
    line: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(line: &u32) -> bool {
    *line == 0
}

/// The sites by file and line.
fn sites<'a>(m: &Metadata<'a>) -> Vec<Site<'a>> {
    let mut sites: Vec<Site<'a>> = m.sites().iter().map(|record| Site::of(m, record)).collect();
    sites.sort();
    sites.dedup_by(|later, first| {
        let addresses = std::mem::take(&mut later.return_svmas);
        let known = std::mem::take(&mut first.return_svmas);
        let is_same = later == first;
        (first.return_svmas, later.return_svmas) = (known, addresses);
        if is_same {
            first.return_svmas.append(&mut later.return_svmas);
        }
        is_same
    });
    sites
}

impl<'a> Site<'a> {
    fn of(m: &Metadata<'a>, record: &SiteRecord) -> Site<'a> {
        let evidence = Evidence::from_u8(record.evidence);
        Site {
            file: m.text(record.file),
            line: record.line,
            function: m.text(record.function),
            callee: m.text(record.callee),
            ty: (evidence != Evidence::None).then(|| spelling::c_type(m, record.ty)).flatten(),
            evidence: evidence.word(),
            confidence: evidence.confidence().word(),
            buffer: record.flags & SITE_IS_BUFFER != 0,
            retypes: record.flags & SITE_RETYPES != 0,
            in_wrapper: m.hop_at(record.return_svma).is_some(),
            reason: file::reason(m, record),
            steps: m.steps(record).filter_map(|step| Step::of(m, step)).collect(),
            return_svmas: vec![record.return_svma],
        }
    }

    fn callee(&self) -> &'a str {
        if self.callee.is_empty() { "(pointer)" } else { self.callee }
    }

    fn place(&self) -> String {
        if self.file.is_empty() { "?".to_owned() } else { format!("{}:{}", self.file, self.line) }
    }

    /// What else there is to say.
    fn notes(&self) -> String {
        let flags = [(self.in_wrapper, "for the caller"), (self.buffer, "buffer"), (self.retypes, "retypes")];
        let mut notes: Vec<&str> = flags.iter().filter(|flag| flag.0).map(|flag| flag.1).collect();
        // That of a wrapper's own site says the same as the first note.
        notes.extend(self.reason.as_deref().filter(|_| !self.in_wrapper));
        notes.join(", ")
    }
}

impl<'a> Step<'a> {
    fn of(m: &Metadata<'a>, record: &StepRecord) -> Option<Step<'a>> {
        let text = m.text(record.text);
        let says = match StepKind::from_u8(record.kind)? {
            StepKind::Sizeof => format!("the size has {text}"),
            StepKind::Variable => format!("the size is kept in {text}"),
            StepKind::Helper => format!("the size is made by {text}"),
            StepKind::Receiver => format!("the result goes to {text}"),
            StepKind::Wrapper if record.number == 0 => format!("{text} allocates for its caller"),
            StepKind::Wrapper => {
                format!("{text} allocates for its caller: argument {} is the size", record.number)
            }
            StepKind::Call => format!("in it, {text} is called"),
            StepKind::Targets => format!("called through a function pointer, {text}"),
            StepKind::Union => format!("a union: {text}"),
            StepKind::Buffer => format!("a byte buffer: {text}"),
            StepKind::Dropped => format!("dropped: {text}"),
            StepKind::More => return None,
            StepKind::Header => format!("in front of what the caller gets, a wrapper keeps {text}"),
        };
        Some(Step { says, file: m.text(record.file), line: record.line })
    }

    fn place(&self) -> String {
        if self.line == 0 { String::new() } else { format!("{}:{}", self.file, self.line) }
    }
}

/// One line a site, in columns.
fn list(out: &mut impl Write, sites: &[Site<'_>]) -> std::io::Result<()> {
    let rows: Vec<[String; 7]> = sites
        .iter()
        .map(|site| {
            let ty = site.ty.clone().unwrap_or_else(|| "?".to_owned());
            let [function, callee] = [site.function, site.callee()].map(str::to_owned);
            let [evidence, confidence] = [site.evidence, site.confidence].map(str::to_owned);
            [site.place(), function, callee, ty, evidence, confidence, site.notes()]
        })
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..6).map(width).collect();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(&format!("{cell:width$}  "));
        }
        line.push_str(&row[6]);
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// The site and what led to its type, a line each.
fn explain(out: &mut impl Write, site: &Site<'_>) -> std::io::Result<()> {
    writeln!(out, "{} {} calls {}", site.place(), site.function, site.callee())?;
    match &site.ty {
        Some(ty) => writeln!(out, "  {ty}: evidence {}, confidence {}", site.evidence, site.confidence)?,
        None => writeln!(out, "  unknown: {}", site.reason.as_deref().unwrap_or("no reason is noted"))?,
    }
    let flags = [
        (site.in_wrapper, "for the caller: the type is that which the call of this function says"),
        (site.retypes, "a block that is reallocated here gets this type, too"),
    ];
    for (_, text) in flags.iter().filter(|flag| flag.0) {
        writeln!(out, "  {text}")?;
    }
    let width = site.steps.iter().map(|step| step.place().chars().count()).max().unwrap_or(0);
    for step in &site.steps {
        writeln!(out, "  {:width$}  {}", step.place(), step.says)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_a_file_and_a_line() {
        assert_eq!(Position::parse("a/b.c:12"), Ok(Position { file: "a/b.c".to_owned(), line: 12 }));
        for wrong in ["a.c", "a.c:", ":3", "a.c:x", ""] {
            assert!(Position::parse(wrong).is_err(), "{wrong}");
        }
    }
}
