//! The lines of a census: one for each allocator, type, site and evidence.

use crate::avma::Avma;
use crate::hooks::{self, SiteDescription};
use crate::index::pools;
use crate::index::sites::{self, Totals};
use crate::index::{SiteIndex, for_each_block, site};
use crate::types::scratch::Scratch;
use core::cmp::Ordering;
use core::convert::Infallible;
use core::ops::ControlFlow;

/// What a line says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line {
    /// Type, place and evidence.
    pub site: SiteDescription,
    /// Blocks that are there now.
    pub live: Totals,
    /// Allocations since the start.
    pub total: Totals,
}

/// How an allocation counts in the summary.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Its type is known, and is no buffer.
    Typed,
    /// Known to be a buffer of bytes or characters.
    Buffer,
    /// Nothing is known; the fall-back to bytes included.
    Unknown,
}

impl Line {
    /// How the allocations of this line count.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        if self.site.is_buffer {
            Verdict::Buffer
        } else if !self.site.type_name.is_empty() && self.site.evidence != b"none" {
            Verdict::Typed
        } else {
            Verdict::Unknown
        }
    }

    fn order(&self, other: &Line) -> Ordering {
        let key = |line: &Line| {
            let site = line.site;
            let place = (site.file, site.line, site.function);
            let reason = (site.reason, site.reason_detail);
            (site.allocator, site.type_name, site.c_type, place, site.evidence, site.is_buffer, reason)
        };
        key(self).cmp(&key(other))
    }
}

/// All lines, sorted. `None` when there is no memory for them.
pub fn gather() -> Option<Scratch<Line>> {
    let mut live = Scratch::default();
    let count = sites::all().last().map_or(0, |last| last.0 as usize + 1);
    live.fill(Totals::default(), count)?;
    count_live(live.as_mut_slice());
    let mut lines = Scratch::default();
    for (index, &live) in live.as_slice().iter().enumerate() {
        let index = SiteIndex(index as u32);
        let total = site(index).totals();
        if total.allocations != 0 || live.allocations != 0 {
            let site =
                hooks::get().map_or(SiteDescription::UNKNOWN, |query_side| (query_side.describe_site)(index));
            lines.push(Line { site, live, total })?;
        }
    }
    lines.as_mut_slice().sort_unstable_by(Line::order);
    merge(lines.as_slice())
}

/// Counts the live blocks of each site. A site that appears meanwhile is left for the next census.
fn count_live(live: &mut [Totals]) {
    let mut count = |site: SiteIndex, size: usize| {
        if let Some(of_site) = live.get_mut(site.0 as usize) {
            add(of_site, Totals { allocations: 1, bytes: size as u64 });
        }
        ControlFlow::Continue(())
    };
    let _: ControlFlow<Infallible> =
        for_each_block(Avma::NULL, Avma::USER_END, |block| count(block.site, block.size));
    let _: ControlFlow<Infallible> =
        pools::for_each(Avma::NULL, Avma::USER_END, |object| count(object.site, object.size));
}

/// Adds up sorted lines that differ in numbers only.
fn merge(lines: &[Line]) -> Option<Scratch<Line>> {
    let mut merged = Scratch::<Line>::default();
    for line in lines {
        match merged.as_mut_slice().last_mut() {
            Some(last) if last.site == line.site => {
                add(&mut last.live, line.live);
                add(&mut last.total, line.total);
            }
            _ => merged.push(*line)?,
        }
    }
    Some(merged)
}

/// Adds `more` to `sum`.
pub fn add(sum: &mut Totals, more: Totals) {
    sum.allocations += more.allocations;
    sum.bytes += more.bytes;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(type_name: &'static str, number: u32, count: u64) -> Line {
        let site =
            SiteDescription { type_name: type_name.as_bytes(), line: number, ..SiteDescription::UNKNOWN };
        let total = Totals { allocations: count, bytes: 10 * count };
        Line { site, live: Totals { allocations: 1, bytes: 10 }, total }
    }

    #[test]
    fn lines_of_one_description_are_added_up() {
        let mut lines =
            [line("b", 1, 1), line("a", 10, 2), line("b", 1, 4), line("a", 9, 8), line("a", 10, 16)];
        lines.sort_unstable_by(Line::order);
        let merged = merge(&lines).unwrap();
        let summary: std::vec::Vec<_> = merged
            .as_slice()
            .iter()
            .map(|line| (line.site.type_name, line.site.line, line.live.allocations, line.total.bytes))
            .collect();
        assert_eq!(summary, [(&b"a"[..], 9, 1, 80), (b"a", 10, 2, 180), (b"b", 1, 2, 50)]);
    }

    #[test]
    fn a_fall_back_type_is_unknown_and_a_buffer_is_one_whatever_its_type() {
        let check = |type_name: &'static [u8], evidence: &'static [u8], is_buffer, expect| {
            let site = SiteDescription { type_name, evidence, is_buffer, ..SiteDescription::UNKNOWN };
            let line = Line { site, live: Totals::default(), total: Totals::default() };
            assert_eq!(line.verdict(), expect, "{site:?}");
        };
        check(b"__ARR0_int$32", b"sizeof", false, Verdict::Typed);
        check(b"__ARR0_signed_char$8", b"receiver", true, Verdict::Buffer);
        check(b"__ARR0_unsigned_char$8", b"none", false, Verdict::Unknown);
        check(b"", b"none", false, Verdict::Unknown);
    }
}
