//! What a function allocates for its callers, in words that travel in the metadata to the links of other files.
//!
//! `returns p0*p1`: a block of as many bytes as the product of the first two parameters. Types of its own file do not travel, so what
//! is kept in front of what the caller gets is only named: no other file can say what such a block holds.

use std::fmt::{self, Write};

use allocs_metadata::digest::{Digester, Tag};

use super::effect::{Effect, leaves};
use super::facts::{Behind, SizeExpr};
use super::functions::{Gives, Kind};

/// Sizes nested deeper are not read.
const DEEPEST: u32 = 64;
/// The most parts of a size that are read.
const LARGEST: usize = 256;

/// What a function allocates for its callers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signature {
    /// At least one, none with types.
    effects: Vec<Effect>,
    text: String,
}

impl Signature {
    /// That of a function with these effects, whose sizes mention parameters and numbers alone.
    pub(super) fn of(effects: Vec<Effect>) -> Signature {
        let mut spelt: Vec<(String, Effect)> = effects
            .into_iter()
            .map(|effect| Effect { size: without_minimum(effect.size), ..effect })
            .map(|effect| (spell(&effect), effect))
            .collect();
        spelt.sort_by(|one, other| one.0.cmp(&other.0));
        spelt.dedup_by(|one, other| one.0 == other.0);
        let texts: Vec<&str> = spelt.iter().map(|(text, _)| text.as_str()).collect();
        let text = texts.join("; ");
        Signature { effects: spelt.into_iter().map(|(_, effect)| effect).collect(), text }
    }

    /// Reads what [`Signature::text`] wrote. `None` where it is of no use in another file.
    #[must_use]
    pub fn parse(text: &str) -> Option<Signature> {
        let effects = text.split("; ").map(effect).collect::<Option<Vec<_>>>()?;
        Some(Signature { effects, text: text.to_owned() })
    }

    /// In words.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What two functions must agree in to stand for each other.
    #[must_use]
    pub fn digest(&self) -> u64 {
        Digester::new(Tag::Wrapper).bytes(self.text.as_bytes()).finish()[0]
    }

    /// A bit for each parameter in the product that is the size, if the function returns a plain block; else 0.
    #[must_use]
    pub fn sizes(&self) -> u32 {
        match self.effects.as_slice() {
            [Effect { size, gives: Gives::Result, behind: Behind::Nothing, .. }] => {
                product(size).unwrap_or(0)
            }
            _ => 0,
        }
    }

    pub(super) fn effects(&self) -> &[Effect] {
        &self.effects
    }
}

fn product(size: &SizeExpr) -> Option<u32> {
    match size {
        SizeExpr::Param(index) => 1u32.checked_shl(*index),
        SizeExpr::Mul(left, right) => {
            let (left, right) = (product(left)?, product(right)?);
            (left & right == 0).then_some(left | right)
        }
        _ => None,
    }
}

/// `n ? n : 1` is n: a number beside what depends on parameters is what is taken at least.
fn without_minimum(size: SizeExpr) -> SizeExpr {
    let SizeExpr::Alt(parts) = size else { return size };
    let (numbers, mut telling): (Vec<_>, Vec<_>) =
        parts.into_iter().partition(|part| matches!(part, SizeExpr::Const(_)));
    match telling.len() {
        0 => SizeExpr::Alt(numbers),
        1 => telling.swap_remove(0),
        _ => SizeExpr::Alt(telling),
    }
}

fn spell(effect: &Effect) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = spell_to(&mut text, effect);
    text
}

fn spell_to(text: &mut String, effect: &Effect) -> fmt::Result {
    match effect.gives {
        Gives::Result => write!(text, "returns ")?,
        Gives::Output(index) => write!(text, "stores at p{index} ")?,
        Gives::Within => write!(text, "keeps ")?,
    }
    if effect.kind == Kind::Resize {
        write!(text, "resized ")?;
    }
    spell_size(text, &effect.size)?;
    match &effect.behind {
        Behind::Nothing => Ok(()),
        Behind::Parts(parts) => write!(text, " behind {}", format!("{parts:?}").replace("; ", ";")),
        Behind::Something => write!(text, " behind ?"),
    }
}

fn spell_size(text: &mut String, size: &SizeExpr) -> fmt::Result {
    let (sign, parts): (char, Vec<&SizeExpr>) = match size {
        SizeExpr::Const(value) => return write!(text, "{value}"),
        SizeExpr::Param(index) => return write!(text, "p{index}"),
        SizeExpr::Mul(left, right) => ('*', vec![left, right]),
        SizeExpr::Add(left, right) => ('+', vec![left, right]),
        SizeExpr::Sub(left, right) => ('-', vec![left, right]),
        SizeExpr::Div(left, right) => ('/', vec![left, right]),
        SizeExpr::Alt(parts) => ('|', parts.iter().collect()),
        SizeExpr::Sizeof(_)
        | SizeExpr::OffsetOf(..)
        | SizeExpr::Call(..)
        | SizeExpr::StringLength
        | SizeExpr::Opaque => return text.write_char('?'),
    };
    for (index, part) in parts.into_iter().enumerate() {
        text.write_char(if index == 0 { '(' } else { sign })?;
        spell_size(text, part)?;
    }
    text.write_char(')')
}

fn effect(text: &str) -> Option<Effect> {
    let (gives, rest) = match text.strip_prefix("returns ") {
        Some(rest) => (Gives::Result, rest),
        None => {
            let (index, rest) = text.strip_prefix("stores at p")?.split_once(' ')?;
            (Gives::Output(index.parse().ok()?), rest)
        }
    };
    let (kind, rest) = rest.strip_prefix("resized ").map_or((Kind::Fresh, rest), |rest| (Kind::Resize, rest));
    let (size, rest) = size(rest, DEEPEST)?;
    let is_whole = rest.is_empty() && leaves(&size).len() <= LARGEST;
    is_whole.then_some(Effect { size, kind, gives, behind: Behind::Nothing, is_ended: false })
}

/// A size at the start of a text, and what follows it.
fn size(text: &str, depth: u32) -> Option<(SizeExpr, &str)> {
    let depth = depth.checked_sub(1)?;
    if let Some(rest) = text.strip_prefix('?') {
        return Some((SizeExpr::Opaque, rest));
    }
    if let Some(rest) = text.strip_prefix('p') {
        let (index, rest) = number(rest)?;
        return Some((SizeExpr::Param(index.try_into().ok()?), rest));
    }
    let Some(rest) = text.strip_prefix('(') else {
        let (value, rest) = number(text)?;
        return Some((SizeExpr::Const(value), rest));
    };
    let (first, mut rest) = size(rest, depth)?;
    let (mut parts, mut sign) = (vec![first], None);
    loop {
        let next = rest.chars().next()?;
        rest = &rest[next.len_utf8()..];
        if next == ')' {
            break;
        }
        if *sign.get_or_insert(next) != next {
            return None;
        }
        let (part, after) = size(rest, depth)?;
        parts.push(part);
        rest = after;
    }
    Some((combined(sign, parts)?, rest))
}

fn combined(sign: Option<char>, parts: Vec<SizeExpr>) -> Option<SizeExpr> {
    if sign.is_none_or(|sign| sign == '|') {
        return Some(SizeExpr::Alt(parts));
    }
    let [left, right] = <[SizeExpr; 2]>::try_from(parts).ok()?.map(Box::new);
    Some(match sign? {
        '*' => SizeExpr::Mul(left, right),
        '+' => SizeExpr::Add(left, right),
        '-' => SizeExpr::Sub(left, right),
        '/' => SizeExpr::Div(left, right),
        _ => return None,
    })
}

fn number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(size: SizeExpr) -> Effect {
        Effect { size, kind: Kind::Fresh, gives: Gives::Result, behind: Behind::Nothing, is_ended: false }
    }

    fn times(left: SizeExpr, right: SizeExpr) -> SizeExpr {
        SizeExpr::Mul(Box::new(left), Box::new(right))
    }

    #[test]
    fn what_functions_do_in_words() {
        let p = SizeExpr::Param;
        let check = |effects: Vec<Effect>, text: &str, sizes: u32| {
            let signature = Signature::of(effects);
            assert_eq!((signature.text(), signature.sizes()), (text, sizes));
        };
        check(vec![plain(p(0))], "returns p0", 1);
        check(vec![plain(SizeExpr::Alt(vec![p(1), SizeExpr::Const(1)]))], "returns p1", 2);
        check(vec![plain(times(p(0), p(1)))], "returns (p0*p1)", 3);
        check(vec![plain(times(p(0), p(0)))], "returns (p0*p0)", 0);
        check(vec![Effect { kind: Kind::Resize, ..plain(p(1)) }], "returns resized p1", 2);
        check(vec![Effect { gives: Gives::Output(0), ..plain(p(1)) }], "stores at p0 p1", 0);
        check(vec![Effect { behind: Behind::Something, ..plain(p(0)) }], "returns p0 behind ?", 0);
        let more = SizeExpr::Add(Box::new(p(0)), Box::new(SizeExpr::Const(1)));
        check(vec![plain(p(2)), plain(more)], "returns (p0+1); returns p2", 0);
    }

    #[test]
    fn what_other_files_cannot_use_is_not_read() {
        for text in [
            "",
            "returns",
            "returns p0 behind ?",
            "returns (p0*p1+p2)",
            "returns (p0*p1*p2)",
            "returns p0;",
            "gives p0",
            "stores at p p0",
            "returns p0; returns p0 behind Void",
        ] {
            assert_eq!(Signature::parse(text), None, "{text}");
        }
        assert_eq!(
            Signature::parse(&format!("returns {}p0{}", "(".repeat(99_999), ")".repeat(99_999))),
            None
        );
    }

    fn sizes() -> impl Strategy<Value = SizeExpr> {
        let leaf = prop_oneof![
            any::<u64>().prop_map(SizeExpr::Const),
            (0u32..40).prop_map(SizeExpr::Param),
            Just(SizeExpr::Opaque)
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            let pair = (inner.clone(), inner.clone());
            prop_oneof![
                pair.clone().prop_map(|(a, b)| SizeExpr::Mul(Box::new(a), Box::new(b))),
                pair.clone().prop_map(|(a, b)| SizeExpr::Add(Box::new(a), Box::new(b))),
                pair.clone().prop_map(|(a, b)| SizeExpr::Sub(Box::new(a), Box::new(b))),
                pair.prop_map(|(a, b)| SizeExpr::Div(Box::new(a), Box::new(b))),
                prop::collection::vec(inner, 1..4).prop_map(SizeExpr::Alt),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            size in sizes(), resizes: bool, output in prop::option::of(0u32..9), more in sizes(),
        ) {
            let kind = if resizes { Kind::Resize } else { Kind::Fresh };
            let gives = output.map_or(Gives::Result, Gives::Output);
            let first = Effect { size, kind, gives, behind: Behind::Nothing, is_ended: false };
            let signature = Signature::of(vec![first, plain(more)]);
            prop_assert_eq!(Signature::parse(signature.text()), Some(signature));
        }

        #[test]
        fn no_text_brings_the_reader_down(text in "(returns |stores at p1 |resized |; )*[p0-9?()*+|/ -]{0,40}") {
            let _ = Signature::parse(&text);
        }
    }
}
