//! Whether what the tool says of a call agrees with what its label says.

use super::kept::{CHARACTER, Kept, Said};

/// What the tool says of the blocks of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// What a block keeps, in every way to say it; empty where that is not known.
    pub kept: Vec<Kept>,
    /// The call is in a wrapper, and its caller's call says the type.
    pub for_caller: bool,
    /// A block that was there before keeps the type that it had.
    pub keeps: bool,
    /// The function that is called is not the C library's, so that it may put a header of its own in front.
    pub by_wrapper: bool,
    /// It is about blocks that exist, not about those that might.
    pub of_blocks: bool,
}

/// A judgement, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Both say the same.
    Right,
    /// Both say that it is a byte buffer.
    Buffer,
    /// The label and the claim cannot be compared, for this reason.
    Undecided(&'static str),
    /// The tool does not say a type, for this reason.
    Untyped(&'static str),
    /// They contradict each other.
    Wrong,
}

/// Judges a claim by a label.
pub fn judge(said: &Said, claim: &Claim) -> Verdict {
    let silent = if claim.for_caller { "leaves it to the caller" } else { "nothing is known" };
    if let Said::Kept(meanings) = said {
        let all = || meanings.iter().flat_map(|meaning| claim.kept.iter().map(move |kept| (meaning, kept)));
        return match all().find(|(meaning, kept)| agrees(meaning, kept, claim.by_wrapper)) {
            Some((meaning, _)) if is_bytes(meaning) => Verdict::Buffer,
            Some(_) => Verdict::Right,
            // What stands there is for callers that are not known.
            None if claim.for_caller || claim.kept.is_empty() => Verdict::Untyped(silent),
            None if claim.keeps => Verdict::Untyped("keeps the type it had"),
            None if all().any(|(meaning, kept)| is_wider(meaning, kept)) => {
                Verdict::Untyped("one of more than the label says")
            }
            None if all().any(|(meaning, kept)| has_that_header(meaning, kept, claim.by_wrapper)) => {
                Verdict::Untyped("the header, and bytes behind it")
            }
            None => Verdict::Wrong,
        };
    }
    let is_buffer = claim.kept.iter().any(|kept| match kept {
        Kept::Parts(parts) if claim.by_wrapper => parts.last().is_some_and(|last| last == CHARACTER),
        kept => is_bytes(kept),
    });
    match said {
        Said::Caller if claim.for_caller => Verdict::Right,
        Said::Inherit if claim.keeps || claim.kept.is_empty() => Verdict::Right,
        Said::Inherit => Verdict::Undecided("a type where the label says that it stays"),
        Said::None if !claim.of_blocks => Verdict::Undecided("no block comes from it, says the label"),
        Said::Untyped if claim.kept.is_empty() => Verdict::Untyped("raw memory, as the label says"),
        _ if claim.for_caller || claim.kept.is_empty() => Verdict::Untyped(silent),
        Said::Untyped if is_buffer => Verdict::Buffer,
        _ => Verdict::Wrong,
    }
}

/// Whether it is nothing but characters.
fn is_bytes(kept: &Kept) -> bool {
    matches!(kept, Kept::Parts(parts) if matches!(&parts[..], [only] if only == CHARACTER))
}

/// Whether a label and the tool mean the same.
fn agrees(label: &Kept, claim: &Kept, by_wrapper: bool) -> bool {
    match (label, claim) {
        (Kept::OneOf(labels), Kept::OneOf(claims)) => {
            let covers = |label| claims.iter().any(|claim| agrees(label, claim, by_wrapper));
            let is_covered = |claim| labels.iter().any(|label| agrees(label, claim, by_wrapper));
            labels.iter().all(covers) && claims.iter().all(is_covered)
        }
        // A person need not say that a struct goes on behind its end.
        (Kept::Parts(label), Kept::Flexible(name)) => matches!(&label[..], [only] if only == name),
        (Kept::Parts(label), Kept::Parts(claim)) => {
            label == claim || by_wrapper && claim.len() > label.len() && claim.ends_with(label)
        }
        // A header of the wrapper in front of a struct that goes on.
        (Kept::Flexible(label), Kept::Parts(claim)) => {
            by_wrapper && claim.len() > 1 && claim.last() == Some(label)
        }
        _ => label == claim,
    }
}

/// Whether the tool says that it is one of several, among them what the label says.
fn is_wider(label: &Kept, claim: &Kept) -> bool {
    let Kept::OneOf(claims) = claim else { return false };
    let has = |label: &Kept| claims.iter().any(|claim| agrees(label, claim, true));
    match label {
        Kept::OneOf(labels) => labels.iter().all(has),
        label => has(label),
    }
}

/// Whether the tool says the header that the label says, and nothing of what is behind it: that it calls bytes.
fn has_that_header(label: &Kept, claim: &Kept, by_wrapper: bool) -> bool {
    let header = match label {
        Kept::Flexible(name) => name,
        Kept::Parts(parts) if parts.len() > 1 => &parts[0],
        Kept::Parts(_) | Kept::OneOf(_) => return false,
    };
    let Kept::Parts(claim) = claim else { return false };
    match &claim[..] {
        [first, tail] => first == header && tail == CHARACTER,
        [.., last, tail] => by_wrapper && last == header && tail == CHARACTER,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accuracy::typedefs::Typedefs;

    fn kept(text: &str) -> Kept {
        match Said::parse(text, &Typedefs::default()).unwrap() {
            Some(Said::Kept(mut meanings)) => meanings.remove(0),
            other => panic!("{text} is {other:?}"),
        }
    }

    /// A claim is written as a label is, with words before it.
    #[track_caller]
    fn check(label: &str, claim: &str, expect: Verdict) {
        let mut rest = claim;
        let mut take = |word: &str| rest.strip_prefix(word).map(|after| rest = after.trim_start()).is_some();
        let (for_caller, keeps) = (take("for-caller"), take("keeps"));
        let (by_wrapper, of_blocks) = (take("by-wrapper"), take("of-blocks"));
        let kept = if rest == "nothing" { Vec::new() } else { rest.split(" or ").map(kept).collect() };
        let said = Said::parse(label, &Typedefs::default()).unwrap().unwrap();
        assert_eq!(
            judge(&said, &Claim { kept, for_caller, keeps, by_wrapper, of_blocks }),
            expect,
            "{label}: {claim}"
        );
    }

    #[test]
    fn types_are_compared() {
        check("struct a", "struct a", Verdict::Right);
        check("char", "unsigned char", Verdict::Buffer);
        check("struct a", "struct b", Verdict::Wrong);
        check("struct a", "char", Verdict::Wrong);
        check("char", "struct a", Verdict::Wrong);
        check("int", "unsigned", Verdict::Wrong);
        check("struct a", "nothing", Verdict::Untyped("nothing is known"));
    }

    #[test]
    fn headers_and_tails_are_compared() {
        check("struct a {flex}", "struct a {flex}", Verdict::Right);
        check("struct a", "struct a {flex}", Verdict::Right);
        check("struct a {flex}", "struct a", Verdict::Wrong);
        check("struct a + int[]", "struct a + int[]", Verdict::Right);
        check("struct a + int[]", "struct a", Verdict::Wrong);
        check("int", "struct a + int[]", Verdict::Wrong);
        check("int", "by-wrapper struct a + int[]", Verdict::Right);
        check("struct a {flex}", "by-wrapper long + struct a", Verdict::Right);
        check("struct a {flex}", "struct a + char[] or struct a {flex}", Verdict::Right);
        check("char", "by-wrapper long + char[]", Verdict::Buffer);
        let header_only = Verdict::Untyped("the header, and bytes behind it");
        check("struct a + int[]", "struct a + char[]", header_only);
        check("struct a {flex}", "by-wrapper long + struct a + char[]", header_only);
        check("struct a {flex}", "long + struct a + char[]", Verdict::Wrong);
        check("struct a", "struct a + char[]", Verdict::Wrong);
        check("struct a + int[]", "struct b + char[]", Verdict::Wrong);
    }

    #[test]
    fn one_of_several_is_compared() {
        check("struct a | int", "int | struct a", Verdict::Right);
        check("struct a | int", "int", Verdict::Wrong);
        check("int", "int | struct a", Verdict::Untyped("one of more than the label says"));
        check("int", "long | struct a", Verdict::Wrong);
    }

    #[test]
    fn wrappers_leave_it_to_the_caller() {
        check("caller", "for-caller nothing", Verdict::Right);
        check("caller", "for-caller struct a", Verdict::Right);
        check("caller", "nothing", Verdict::Untyped("nothing is known"));
        check("caller", "struct a", Verdict::Wrong);
        check("struct a", "for-caller nothing", Verdict::Untyped("leaves it to the caller"));
        check("struct a", "for-caller struct b", Verdict::Untyped("leaves it to the caller"));
    }

    #[test]
    fn a_type_that_is_kept_is_no_claim() {
        check("inherit", "keeps int", Verdict::Right);
        check("inherit", "nothing", Verdict::Right);
        check("inherit", "int", Verdict::Undecided("a type where the label says that it stays"));
        check("int", "keeps struct a", Verdict::Untyped("keeps the type it had"));
        check("int", "keeps int", Verdict::Right);
    }

    #[test]
    fn a_type_of_raw_memory_or_of_no_block_is_wrong() {
        check("untyped", "nothing", Verdict::Untyped("raw memory, as the label says"));
        check("untyped", "char", Verdict::Buffer);
        check("untyped", "int", Verdict::Wrong);
        check("untyped", "by-wrapper long + char[]", Verdict::Buffer);
        check("none", "struct a", Verdict::Undecided("no block comes from it, says the label"));
        check("none", "of-blocks struct a", Verdict::Wrong);
    }
}
