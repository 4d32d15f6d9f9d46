//! What a census says, as text without addresses, paths and times.

use std::fmt::Write as _;

use crate::census::Census;
use crate::watch::Seen;
use crate::workload::Step;

/// Renders all steps of a workload.
pub fn render(steps: &[Step]) -> String {
    let mut out = String::new();
    for step in steps {
        let outcome = &step.outcome;
        let _ = writeln!(
            out,
            "== {}: {}, {} bytes of output",
            step.run.step,
            outcome.ending(),
            outcome.stdout.len()
        );
        if let Seen::Census(census, samples) = &step.seen {
            totals(&mut out, census);
            by_type(&mut out, census);
            by_site(&mut out, census);
            sampled(&mut out, samples);
        }
    }
    out
}

fn totals(out: &mut String, census: &Census) {
    let s = &census.summary;
    let part = |count, bytes| format!("{count} / {bytes}");
    let _ = writeln!(
        out,
        "{} allocations, {} bytes: typed {}, buffers {}, unknown {}\n",
        s.allocations,
        s.bytes,
        part(s.typed, s.typed_bytes),
        part(s.buffers, s.buffers_bytes),
        part(s.unknown, s.unknown_bytes)
    );
}

fn by_type(out: &mut String, census: &Census) {
    let mut rows = vec![row(["allocator", "type", "sites", "live", "live bytes", "total", "total bytes"])];
    for ((allocator, type_name), f) in census.by_type() {
        let figures = [f.sites, f.live, f.live_bytes, f.total, f.total_bytes].map(|n| n.to_string());
        rows.push([vec![allocator.into(), type_name.into()], figures.to_vec()].concat());
    }
    table(out, &rows);
}

fn by_site(out: &mut String, census: &Census) {
    let mut rows = vec![row(["site", "type", "evidence", "live", "total", "total bytes"])];
    for line in &census.lines {
        let figures = [line.live, line.total, line.total_bytes].map(|n| n.to_string());
        let names = vec![line.site_name().into(), line.type_name().into(), line.evidence.clone()];
        rows.push([names, figures.to_vec()].concat());
    }
    rows[1..].sort();
    table(out, &rows);
}

fn sampled(out: &mut String, samples: &[String]) {
    let mut rows = vec![row(["sampled block", "of its site", "size", "type", "in the middle", "last byte"])];
    rows.extend(samples.iter().map(|line| line.split(' ').map(str::to_owned).collect()));
    rows[1..].sort();
    if !samples.is_empty() {
        table(out, &rows);
    }
}

fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

/// Columns padded to the widest cell, those of numbers aligned right. An empty line ends it.
fn table(out: &mut String, rows: &[Vec<String>]) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cells = |column: usize| rows.iter().filter_map(move |row| row.get(column));
    let shapes: Vec<(usize, bool)> = (0..columns)
        .map(|column| {
            let width = cells(column).map(String::len).max().unwrap_or(0);
            (width, cells(column).skip(1).all(|cell| cell.parse::<u64>().is_ok()))
        })
        .collect();
    for row in rows {
        let mut line = String::new();
        for (cell, &(width, is_numbers)) in row.iter().zip(&shapes) {
            line += &if is_numbers { format!("{cell:>width$}  ") } else { format!("{cell:width$}  ") };
        }
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_aligned() {
        let mut out = String::new();
        table(&mut out, &[row(["type", "n", "name"]), row(["a", "100", "b"])]);
        assert_eq!(out, "type    n  name\na     100  b\n\n");
    }
}
