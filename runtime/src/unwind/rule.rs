//! How to get from a frame to its caller's, for one program counter.

/// Where the canonical frame address (CFA) is. The return address lies directly below it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cfa {
    /// The stack pointer plus this.
    Rsp(i32),
    /// The frame pointer plus this.
    Rbp(i32),
    /// What is stored at the frame pointer plus this (functions that realign their stack).
    AtRbp(i32),
}

/// Where the caller's frame pointer is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SavedRbp {
    /// Still in the register.
    Same,
    /// In memory, at the CFA plus this.
    AtCfa(i16),
    /// In memory, at the frame pointer plus this.
    AtRbp(i16),
}

/// How to get from a frame to its caller's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    /// No rule is known.
    Unknown,
    /// There is no caller.
    End,
    /// The return trampoline of a signal handler: the registers lie in the `ucontext` at the stack pointer.
    Signal,
    /// An ordinary frame.
    Frame(Cfa, SavedRbp),
}

impl Rule {
    /// The rule as one word, which is never 0.
    #[must_use]
    pub fn pack(self) -> u64 {
        let (kind, saved, saved_at, offset) = match self {
            Rule::Unknown => (1, 0, 0, 0),
            Rule::End => (2, 0, 0, 0),
            Rule::Signal => (3, 0, 0, 0),
            Rule::Frame(cfa, saved) => {
                let (kind, offset) = match cfa {
                    Cfa::Rsp(offset) => (4, offset),
                    Cfa::Rbp(offset) => (5, offset),
                    Cfa::AtRbp(offset) => (6, offset),
                };
                let (saved, saved_at) = match saved {
                    SavedRbp::Same => (0, 0),
                    SavedRbp::AtCfa(at) => (1, at),
                    SavedRbp::AtRbp(at) => (2, at),
                };
                (kind, saved, saved_at, offset)
            }
        };
        kind | saved << 8 | u64::from(saved_at as u16) << 16 | u64::from(offset as u32) << 32
    }

    /// The rule that a word says; any word says one.
    #[must_use]
    pub fn unpack(word: u64) -> Rule {
        let offset = (word >> 32) as i32;
        let saved_at = (word >> 16) as i16;
        let cfa = match word & 0xff {
            2 => return Rule::End,
            3 => return Rule::Signal,
            4 => Cfa::Rsp(offset),
            5 => Cfa::Rbp(offset),
            6 => Cfa::AtRbp(offset),
            _ => return Rule::Unknown,
        };
        let saved = match word >> 8 & 0xff {
            1 => SavedRbp::AtCfa(saved_at),
            2 => SavedRbp::AtRbp(saved_at),
            _ => SavedRbp::Same,
        };
        Rule::Frame(cfa, saved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rules() -> impl Strategy<Value = Rule> {
        let cfa = prop_oneof![
            any::<i32>().prop_map(Cfa::Rsp),
            any::<i32>().prop_map(Cfa::Rbp),
            any::<i32>().prop_map(Cfa::AtRbp)
        ];
        let saved = prop_oneof![
            Just(SavedRbp::Same),
            any::<i16>().prop_map(SavedRbp::AtCfa),
            any::<i16>().prop_map(SavedRbp::AtRbp)
        ];
        prop_oneof![
            Just(Rule::Unknown),
            Just(Rule::End),
            Just(Rule::Signal),
            (cfa, saved).prop_map(|(cfa, saved)| Rule::Frame(cfa, saved))
        ]
    }

    proptest! {
        #[test]
        fn a_word_says_the_rule_that_was_packed(rule in rules()) {
            prop_assert_ne!(rule.pack(), 0);
            prop_assert_eq!(Rule::unpack(rule.pack()), rule);
        }
    }
}
