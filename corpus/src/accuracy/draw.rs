//! Draws the calls that people are to label: the same ones on every machine, and never one again.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::calls;
use super::labels::{Label, Labels};
use super::sources::{Source, Text};
use crate::cache::Key;
use crate::manifest::{Manifest, Program};

/// Decides which calls are drawn. Another one draws others.
const SEED: &str = "four-and-twenty";

/// How many calls of a program are drawn, if it has so many: of the second tier's many programs fewer.
fn calls_of(program: &Program) -> usize {
    if program.tier == 1 { 120 } else { 18 }
}

/// Draws calls of a program beside those that are labelled, until there are enough, and appends them to its labels.
/// Calls that are labelled for another program, whose sources it shares, are not drawn.
pub fn draw(manifest: &Manifest, program: &Program) -> Result<usize> {
    let mut elsewhere = BTreeSet::new();
    for other in manifest.program.iter().filter(|other| other.name != program.name) {
        elsewhere.extend(Labels::read(&other.name)?.call.into_iter().map(|label| label.at));
    }
    let mut candidates = candidates(&Text::read(manifest, program)?.files);
    candidates.retain(|label| !elsewhere.contains(&label.at));
    let drawn = chosen(&program.name, calls_of(program), candidates, &Labels::read(&program.name)?);
    Labels::append(&program.name, &drawn)?;
    Ok(drawn.len())
}

/// Every call that could be drawn, by file and line.
fn candidates(files: &BTreeMap<String, Source>) -> Vec<Label> {
    let macros = allocating_macros(files);
    let labels = files.iter().flat_map(|(name, Source { text, compiled })| {
        let lines: Vec<&str> = text.lines().collect();
        let calls = calls::calls(text, &macros).into_iter().filter(|call| compiled.contains(&call.line));
        calls.map(move |call| Label {
            at: format!("{name}:{}:{}", call.line, call.column),
            callee: call.callee.to_owned(),
            quote: lines[call.line - 1].trim().to_owned(),
            type_text: String::new(),
            why: String::new(),
        })
    });
    labels.collect()
}

/// The macros that allocate, themselves or by others.
fn allocating_macros(files: &BTreeMap<String, Source>) -> BTreeSet<String> {
    let mut macros = BTreeSet::new();
    loop {
        let found: BTreeSet<_> =
            files.values().flat_map(|file| calls::allocating_macros(&file.text, &macros)).collect();
        if found.len() == macros.len() {
            return macros;
        }
        macros = found;
    }
}

/// The candidates that are drawn in addition to what is labelled, in the order of the candidates.
fn chosen(program: &str, most: usize, mut candidates: Vec<Label>, labelled: &Labels) -> Vec<Label> {
    let labelled: BTreeSet<&str> = labelled.call.iter().map(|label| label.at.as_str()).collect();
    candidates.retain(|label| !labelled.contains(label.at.as_str()));
    let lot = |label: &Label| Key::new(SEED, 1).with(program).with(&label.at).digits();
    let mut lots: Vec<String> = candidates.iter().map(lot).collect();
    lots.sort();
    lots.truncate(most.saturating_sub(labelled.len()));
    candidates.retain(|label| lots.last().is_some_and(|last| lot(label) <= *last));
    candidates
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 120;

    fn files(calls: usize) -> BTreeMap<String, Source> {
        let text = (0..=calls).map(|n| format!("p{n} = malloc({n});\n")).collect();
        // The last one is left out by a condition.
        BTreeMap::from([("p/a.c".to_owned(), Source { text, compiled: (1..=calls).collect() })])
    }

    #[test]
    fn few_calls_are_all_drawn() {
        let drawn = chosen("p", MOST, candidates(&files(2)), &Labels::default());
        let places: Vec<_> = drawn.iter().map(|label| (&*label.at, &*label.quote)).collect();
        assert_eq!(places, [("p/a.c:1:6", "p0 = malloc(0);"), ("p/a.c:2:6", "p1 = malloc(1);")]);
    }

    #[test]
    fn many_calls_are_drawn_by_the_seed_alone() {
        let all = candidates(&files(1000));
        let drawn = chosen("p", MOST, all.clone(), &Labels::default());
        assert_eq!(drawn.len(), MOST);
        let reversed = chosen("p", MOST, all.iter().rev().cloned().collect(), &Labels::default());
        assert!(drawn.iter().rev().eq(&reversed));
        assert_ne!(drawn, chosen("q", MOST, all, &Labels::default()));
    }

    #[test]
    fn what_is_labelled_is_not_drawn_again() {
        let all = candidates(&files(1000));
        let mut labelled = Labels { call: chosen("p", MOST, all.clone(), &Labels::default()) };
        assert_eq!(chosen("p", MOST, all.clone(), &labelled), []);
        let removed = labelled.call.remove(7);
        assert_eq!(chosen("p", MOST, all, &labelled), [removed]);
    }
}
