//! `allocs meta FILE`: what the metadata of a file says.

use std::io::Write;
use std::path::{Path, PathBuf};

use allocs_metadata::{
    ConditionRecord, Evidence, Expectation, FrameRecord, Kind, MEMBER_MAY_BE_INVALID, Metadata,
    RelatedRecord, SITE_IS_BUFFER, SITE_RETYPES, SlotRecord, TYPE_INCOMPLETE, TYPE_MAKES_PRECISE, TypeId,
    TypeRecord, UNBOUNDED_SIZE, VlaRecord,
};
use anyhow::Context;
use serde::Serialize;

use super::add::Add;
use super::{file, receivers};

/// Arguments of `allocs meta`.
#[derive(clap::Args, Debug)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// An executable or shared object that allocscc linked, or a `.meta` file.
    #[arg(value_hint = clap::ValueHint::FilePath, required = true)]
    file: Option<PathBuf>,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
    /// Print the type of each allocation site beside the variable that receives the block, for which the file must have its
    /// debug information.
    #[arg(long)]
    receivers: bool,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// Give a file that another compiler made its metadata.
    Add(Add),
}

/// Prints the metadata of a file, or does what the subcommand says.
pub fn run(args: &Args) -> anyhow::Result<()> {
    match (&args.command, &args.file) {
        (Some(Command::Add(add)), _) => add.run(),
        (None, Some(file)) => print(file, args),
        (None, None) => Ok(()),
    }
}

fn print(file: &Path, args: &Args) -> anyhow::Result<()> {
    let bytes = file::load(file)?;
    let metadata = file::parse(file, &bytes)?;
    if args.receivers {
        return receivers::run(file, &metadata, args.json);
    }
    let report = Report::of(&metadata);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    if args.json {
        serde_json::to_writer(&mut out, &report)?;
        writeln!(out)?;
    } else {
        report.print(&mut out)?;
    }
    out.flush().context("writing to standard output")
}

#[derive(Serialize)]
struct Report<'a> {
    build_id: String,
    types: Vec<TypeEntry<'a>>,
    sites: Vec<SiteEntry<'a>>,
    wrappers: Vec<WrapperEntry<'a>>,
    statics: Vec<StaticEntry<'a>>,
    frames: Vec<FrameEntry<'a>>,
}

#[derive(Serialize)]
struct TypeEntry<'a> {
    name: &'a str,
    kind: &'static str,
    size: Option<u32>,
    digest: String,
    incomplete: bool,
    makes_precise: bool,
    related: Vec<RelatedEntry<'a>>,
}

#[derive(Serialize)]
struct RelatedEntry<'a> {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    ty: Option<&'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<i64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    may_be_invalid: bool,
}

#[derive(Serialize)]
struct SiteEntry<'a> {
    return_svma: u64,
    #[serde(rename = "type")]
    ty: Option<&'a str>,
    file: &'a str,
    line: u32,
    function: &'a str,
    callee: &'a str,
    evidence: &'static str,
    buffer: bool,
    retypes: bool,
    in_wrapper: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    conditions: Vec<ConditionEntry>,
}

#[derive(Serialize)]
struct ConditionEntry {
    slot_svma: u64,
    expects: String,
}

#[derive(Serialize)]
struct WrapperEntry<'a> {
    svma: u64,
    signature: String,
    text: &'a str,
}

#[derive(Serialize)]
struct StaticEntry<'a> {
    svma: u64,
    size: u64,
    #[serde(rename = "type")]
    ty: Option<&'a str>,
    name: &'a str,
}

#[derive(Serialize)]
struct FrameEntry<'a> {
    svma: u64,
    length: u32,
    name: &'a str,
    variables: Vec<SlotEntry<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    vlas: Vec<VlaEntry<'a>>,
}

#[derive(Serialize)]
struct VlaEntry<'a> {
    start: u64,
    end: u64,
    address_below_cfa: u32,
    count_below_cfa: u32,
    count_bias: u32,
    element_size: u32,
    #[serde(rename = "type")]
    ty: Option<&'a str>,
    name: &'a str,
}

#[derive(Serialize)]
struct SlotEntry<'a> {
    start: u64,
    end: u64,
    below_cfa: u32,
    #[serde(rename = "type")]
    ty: Option<&'a str>,
    name: &'a str,
}

impl<'a> Report<'a> {
    fn of(metadata: &Metadata<'a>) -> Self {
        let m = *metadata;
        let type_name = move |id: TypeId| m.ty(id).map(|t| m.text(t.name));
        Report {
            build_id: m.build_id().iter().map(|b| format!("{b:02x}")).collect(),
            types: m.types().iter().map(|t| TypeEntry::of(&m, t)).collect(),
            sites: m
                .sites()
                .iter()
                .map(|s| SiteEntry {
                    return_svma: s.return_svma,
                    ty: type_name(s.ty),
                    file: m.text(s.file),
                    line: s.line,
                    function: m.text(s.function),
                    callee: m.text(s.callee),
                    evidence: Evidence::from_u8(s.evidence).word(),
                    buffer: s.flags & SITE_IS_BUFFER != 0,
                    retypes: s.flags & SITE_RETYPES != 0,
                    in_wrapper: m.hop_at(s.return_svma).is_some(),
                    reason: file::reason(&m, s),
                    conditions: m.conditions_at(s.return_svma).iter().map(ConditionEntry::of).collect(),
                })
                .collect(),
            wrappers: m
                .wrappers()
                .iter()
                .map(|w| WrapperEntry {
                    svma: w.svma,
                    signature: format!("{:016x}", w.signature),
                    text: m.text(w.text),
                })
                .collect(),
            statics: m
                .statics()
                .iter()
                .map(|s| StaticEntry {
                    svma: s.svma,
                    size: s.size,
                    ty: type_name(s.ty),
                    name: m.text(s.name),
                })
                .collect(),
            frames: m.frames().iter().map(|f| FrameEntry::of(&m, f)).collect(),
        }
    }

    fn print(&self, out: &mut impl Write) -> std::io::Result<()> {
        let build_id = if self.build_id.is_empty() { "none" } else { &self.build_id };
        writeln!(out, "build-id {build_id}")?;
        writeln!(out, "\ntypes ({})", self.types.len())?;
        for t in &self.types {
            t.print(out)?;
        }
        let unknown = |ty: Option<&'a str>| ty.unwrap_or("?");
        writeln!(out, "\nsites ({})", self.sites.len())?;
        for s in &self.sites {
            writeln!(
                out,
                "  {:#x} {} from {} at {}:{} {}, evidence {}{}{}{}{}",
                s.return_svma,
                unknown(s.ty),
                if s.callee.is_empty() { "a function pointer" } else { s.callee },
                s.file,
                s.line,
                s.function,
                s.evidence,
                if s.buffer { ", buffer" } else { "" },
                if s.retypes { ", retypes" } else { "" },
                if s.in_wrapper { ", for the caller" } else { "" },
                s.reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default(),
            )?;
            for c in &s.conditions {
                writeln!(out, "    if the function at {:#x} {}", c.slot_svma, c.expects)?;
            }
        }
        writeln!(out, "\nwrappers ({})", self.wrappers.len())?;
        for w in &self.wrappers {
            writeln!(out, "  {:#x} {}: {}", w.svma, w.signature, w.text)?;
        }
        writeln!(out, "\nstatics ({})", self.statics.len())?;
        for s in &self.statics {
            let name = if s.name.is_empty() { "(literal)" } else { s.name };
            writeln!(out, "  {:#x} +{} {name}: {}", s.svma, s.size, unknown(s.ty))?;
        }
        writeln!(out, "\nframes ({})", self.frames.len())?;
        for f in &self.frames {
            writeln!(out, "  {:#x}..{:#x} {}", f.svma, f.svma.saturating_add(u64::from(f.length)), f.name)?;
            for v in &f.variables {
                let (start, end) = (v.start, v.end);
                writeln!(
                    out,
                    "    CFA-{} {}: {} at {start:#x}..{end:#x}",
                    v.below_cfa,
                    v.name,
                    unknown(v.ty)
                )?;
            }
            for v in &f.vlas {
                let (address, count, bias) = (v.address_below_cfa, v.count_below_cfa, v.count_bias);
                let (start, end) = (v.start, v.end);
                writeln!(
                    out,
                    "    *(CFA-{address}) {}: {} of *(CFA-{count})+{bias} at {start:#x}..{end:#x}",
                    v.name,
                    unknown(v.ty)
                )?;
            }
        }
        Ok(())
    }
}

impl ConditionEntry {
    fn of(condition: &ConditionRecord) -> Self {
        let parameter = condition.parameter;
        let expects = match Expectation::from_u32(condition.expectation) {
            Some(Expectation::Signature) => format!("does {:016x}", condition.signature),
            Some(Expectation::SizeIs) => format!("returns p{parameter}"),
            Some(Expectation::SizeHas) => format!("returns a product with p{parameter}"),
            Some(Expectation::Plain) => "returns a product".to_owned(),
            None => "?".to_owned(),
        };
        ConditionEntry { slot_svma: condition.slot_svma, expects }
    }
}

impl<'a> FrameEntry<'a> {
    fn of(m: &Metadata<'a>, f: &FrameRecord) -> Self {
        let variable = |slot: &SlotRecord| {
            let start = f.svma.saturating_add(u64::from(slot.start));
            SlotEntry {
                start,
                end: start.saturating_add(u64::from(slot.length)),
                below_cfa: slot.below_cfa,
                ty: m.ty(slot.ty).map(|t| m.text(t.name)),
                name: m.text(slot.name),
            }
        };
        let vla = |vla: &VlaRecord| {
            let start = f.svma.saturating_add(u64::from(vla.start));
            VlaEntry {
                start,
                end: start.saturating_add(u64::from(vla.length)),
                address_below_cfa: vla.address_below_cfa,
                count_below_cfa: vla.count_below_cfa,
                count_bias: vla.count_bias,
                element_size: vla.element_size,
                ty: m.ty(vla.ty).map(|t| m.text(t.name)),
                name: m.text(vla.name),
            }
        };
        let variables = m.slots(f).iter().map(variable).collect();
        let vlas = m.vlas_of(f.svma).map(vla).collect();
        FrameEntry { svma: f.svma, length: f.length, name: m.text(f.name), variables, vlas }
    }
}

impl<'a> TypeEntry<'a> {
    fn of(m: &Metadata<'a>, t: &TypeRecord) -> Self {
        let kind = Kind::of_word(t.word);
        TypeEntry {
            name: m.text(t.name),
            kind: kind.map_or("?", kind_name),
            size: (t.size != UNBOUNDED_SIZE).then_some(t.size),
            digest: format!("{:016x}{:016x}", t.digest[0], t.digest[1]),
            incomplete: t.flags & TYPE_INCOMPLETE != 0,
            makes_precise: t.flags & TYPE_MAKES_PRECISE != 0,
            related: m.related(t).iter().map(|r| RelatedEntry::of(m, kind, r)).collect(),
        }
    }

    fn print(&self, out: &mut impl Write) -> std::io::Result<()> {
        let size = self.size.map_or("unbounded".to_owned(), |n| n.to_string());
        let incomplete = if self.incomplete { ", incomplete" } else { "" };
        writeln!(out, "  {} ({}, size {size}{incomplete})", self.name, self.kind)?;
        for r in &self.related {
            match (r.offset, r.value) {
                (Some(offset), _) => {
                    let name = if r.name.is_empty() { "(anonymous)" } else { r.name };
                    writeln!(out, "    +{offset} {name}: {}", r.ty.unwrap_or("?"))?;
                }
                (None, Some(value)) => writeln!(out, "    {} = {value}", r.name)?,
                (None, None) => writeln!(out, "    {}", r.ty.unwrap_or("-"))?,
            }
        }
        Ok(())
    }
}

impl<'a> RelatedEntry<'a> {
    fn of(m: &Metadata<'a>, kind: Option<Kind>, r: &RelatedRecord) -> Self {
        const OFFSET: u64 = (1 << 56) - 1;
        let is_member = kind == Some(Kind::Composite);
        let is_enumerator = kind == Some(Kind::Enumeration) && r.ty == TypeId::NONE;
        RelatedEntry {
            ty: m.ty(r.ty).map(|t| m.text(t.name)),
            name: m.text(r.name),
            offset: is_member.then_some(r.value & OFFSET),
            value: is_enumerator.then_some(r.value.cast_signed()),
            may_be_invalid: is_member && r.value & MEMBER_MAY_BE_INVALID != 0,
        }
    }
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Void => "void",
        Kind::Array => "array",
        Kind::Base => "base",
        Kind::Enumeration => "enumeration",
        Kind::Composite => "composite",
        Kind::Address => "address",
        Kind::Subprogram => "subprogram",
        Kind::Subrange => "subrange",
    }
}
