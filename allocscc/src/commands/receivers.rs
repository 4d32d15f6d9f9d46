//! `allocs meta --receivers FILE`: what the metadata says of each allocation site beside what receives the block.
//!
//! Two witnesses that know nothing of each other: the type comes from the source, the receiver from debug information and instructions.

use std::io::Write;
use std::path::Path;

use allocs_metadata::digest::Digest;
use allocs_metadata::{Evidence, Kind, Metadata, SiteRecord, TYPE_IS_SYNTHETIC, TypeRecord, UNBOUNDED_SIZE};
use anyhow::{Context, Result};
use object::read::elf::ElfFile64;
use serde::Serialize;

use crate::compile;
use crate::dwarf::Contents;
use crate::dwarf::cfa::CfaRules;
use crate::dwarf::units::{DebugData, Units};
use crate::graph::names::Names;
use crate::graph::{NodeId, Type};
use crate::image::calls::Svma;
use crate::link::receivers::Results;

/// The sites of a file with both.
#[derive(Serialize)]
struct Report {
    sites: Vec<Entry>,
    counts: Counts,
}

/// One site.
#[derive(Serialize)]
struct Entry {
    return_svma: u64,
    file: String,
    line: u32,
    function: String,
    callee: String,
    /// The type of the site; `None` if it is unknown.
    claimed: Option<String>,
    evidence: &'static str,
    /// What the variables that receive the block point to.
    receivers: Vec<String>,
    /// The type that the site would have if there was no source.
    without_source: Option<String>,
    verdict: Verdict,
}

/// How the two go together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    /// The block holds what one of the receivers points to.
    Agree,
    /// It does not.
    Disagree,
    /// Nothing that points to an object receives the block.
    NoReceiver,
    /// The type of the site is unknown.
    NoClaim,
}

#[derive(Default, Serialize)]
struct Counts {
    agree: usize,
    disagree: usize,
    no_receiver: usize,
    no_claim: usize,
    /// The sites that would have a type if there was no source, and how many of these have the same with it.
    without_source: usize,
    without_source_agree: usize,
    without_source_disagree: usize,
}

/// Prints the sites of a file that has this metadata.
pub(super) fn run(file: &Path, metadata: &Metadata<'_>, json: bool) -> Result<()> {
    let bytes = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    let report = Report::of(&bytes, metadata).with_context(|| file.display().to_string())?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    if json {
        serde_json::to_writer(&mut out, &report)?;
        writeln!(out)?;
    } else {
        report.print(&mut out)?;
    }
    out.flush().context("writing to standard output")
}

impl Report {
    fn of(bytes: &[u8], m: &Metadata<'_>) -> Result<Report> {
        let elf = ElfFile64::parse(bytes).context("not an ELF file")?;
        let data = DebugData::load(bytes)?;
        let units = Units::new(&data)?;
        anyhow::ensure!(units.iter().next().is_some(), "it has no debug information: was it linked with -g?");
        let mut contents = Contents::read(&units);
        let rules = CfaRules::read(units.file());
        let declared = compile::declared_functions()?;
        let returns: Vec<Svma> = m.sites().iter().map(|site| Svma(site.return_svma)).collect();
        let results = Results::read(&elf, &units, &contents.types, &rules, &contents.statics, &returns);
        let types = &mut contents.types.types;
        let mut names = Names::default();
        let mut sites = Vec::new();
        let mut counts = Counts::default();
        for site in m.sites().iter().filter(|site| m.hop_at(site.return_svma).is_none()) {
            let at = Svma(site.return_svma);
            let mut receivers: Vec<NodeId> = Vec::new();
            for receiver in results.receivers(at, types) {
                if !receivers.contains(&receiver.pointee) {
                    receivers.push(receiver.pointee);
                }
            }
            let callee = m.text(site.callee);
            let claim =
                declared.find(callee).and_then(|callee| results.claim(at, &callee, types, &mut names));
            let claimed = claimed(m, site);
            let verdict_of = |of: &[NodeId]| match claimed {
                None => Verdict::NoClaim,
                Some(_) if of.is_empty() => Verdict::NoReceiver,
                Some(ty) if of.iter().any(|&node| holds(m, ty, types.digest(node), 0)) => Verdict::Agree,
                Some(_) => Verdict::Disagree,
            };
            let verdict = verdict_of(&receivers);
            counts.count(verdict);
            if let Some(claim) = claim {
                counts.without_source += 1;
                let object = match types.get(claim.node) {
                    Type::Array { element, .. } => *element,
                    _ => claim.node,
                };
                match verdict_of(&[object]) {
                    Verdict::Agree => counts.without_source_agree += 1,
                    Verdict::Disagree => counts.without_source_disagree += 1,
                    Verdict::NoReceiver | Verdict::NoClaim => {}
                }
            }
            sites.push(Entry {
                return_svma: site.return_svma,
                file: m.text(site.file).to_owned(),
                line: site.line,
                function: m.text(site.function).to_owned(),
                callee: callee.to_owned(),
                claimed: claimed.map(|ty| m.text(ty.name).to_owned()),
                evidence: Evidence::from_u8(site.evidence).word(),
                receivers: receivers.iter().map(|&node| names.of(types, node).to_string()).collect(),
                without_source: claim.map(|claim| names.of(types, claim.node).to_string()),
                verdict,
            });
        }
        Ok(Report { sites, counts })
    }

    fn print(&self, out: &mut impl Write) -> std::io::Result<()> {
        for e in &self.sites {
            let callee = if e.callee.is_empty() { "a function pointer" } else { &e.callee };
            writeln!(
                out,
                "{}:{} {} {callee}: {} ({}), receiver {}, without source {}: {}",
                e.file,
                e.line,
                e.function,
                e.claimed.as_deref().unwrap_or("?"),
                e.evidence,
                if e.receivers.is_empty() { "?".to_owned() } else { e.receivers.join(" | ") },
                e.without_source.as_deref().unwrap_or("?"),
                e.verdict.word(),
            )?;
        }
        let c = &self.counts;
        writeln!(
            out,
            "{} sites: {} agree, {} disagree, {} without receiver, {} of unknown type",
            self.sites.len(),
            c.agree,
            c.disagree,
            c.no_receiver,
            c.no_claim
        )?;
        writeln!(
            out,
            "{} would have a type without source: {} agree, {} disagree",
            c.without_source, c.without_source_agree, c.without_source_disagree
        )
    }
}

impl Counts {
    fn count(&mut self, verdict: Verdict) {
        *match verdict {
            Verdict::Agree => &mut self.agree,
            Verdict::Disagree => &mut self.disagree,
            Verdict::NoReceiver => &mut self.no_receiver,
            Verdict::NoClaim => &mut self.no_claim,
        } += 1;
    }
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Verdict::Agree => "agree",
            Verdict::Disagree => "disagree",
            Verdict::NoReceiver => "no receiver",
            Verdict::NoClaim => "no claim",
        }
    }
}

/// The type that the metadata gives a site.
fn claimed<'a>(m: &Metadata<'a>, site: &SiteRecord) -> Option<&'a TypeRecord> {
    if Evidence::from_u8(site.evidence) == Evidence::None { None } else { m.ty(site.ty) }
}

/// Types that were put together are not put together of each other any deeper than this.
const DEEPEST_PART: usize = 4;

/// Whether a block of a type holds an object of this digest where a pointer to it may point: it is the element of an array of any length,
/// the head of a type that was put together or what follows that, or is in one of a union's.
fn holds(m: &Metadata<'_>, ty: &TypeRecord, object: Digest, depth: usize) -> bool {
    if ty.digest == object {
        return true;
    }
    let is_array_of_any_length = Kind::of_word(ty.word) == Some(Kind::Array) && ty.size == UNBOUNDED_SIZE;
    if depth == DEEPEST_PART || !(is_array_of_any_length || ty.flags & TYPE_IS_SYNTHETIC != 0) {
        return false;
    }
    m.related(ty).iter().filter_map(|part| m.ty(part.ty)).any(|part| holds(m, part, object, depth + 1))
}
