//! Why a site has the type that it has, or none: the words for what the tool found out.

/// Why nothing is known of what a site allocates.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Reason {
    /// The type is known, or a reason that no version of the format has.
    None = 0,
    /// Neither the size nor what receives the result says a type.
    NoSizeof = 1,
    /// The same, and the result is passed to a function that has no source here; the detail is its name.
    PassedOn = 2,
    /// The same, and what receives it points to a type that the file only declares; the detail is the type.
    Incomplete = 3,
    /// One branch of the size names a type, which is the detail, another none.
    Branch = 4,
    /// The branches of the size name more types than are kept apart.
    Branches = 5,
    /// A function pointer with several targets, of one of which nothing is known; the detail is the targets.
    Pointer = 6,
    /// Two arrays in one block: where the second begins is not known.
    TwoArrays = 7,
    /// The call is in a function that allocates for its caller, of which nothing is known.
    ForCaller = 8,
    /// The debug information does not have the type that the source says, which is the detail.
    NoType = 9,
    /// The parser could not read the declaration with the call; the detail is its complaint.
    NotRead = 10,
    /// The file with the call was not compiled by allocscc; the detail is its name.
    NoFacts = 11,
    /// The debug information does not say where the call is in the source.
    NoPlace = 12,
    /// No call in the source was found to be this instruction.
    NoMatch = 13,
    /// The call is in a file without metadata, which is the detail. From here on, only the run-time library gives these.
    NoMetadata = 32,
    /// The call is in a file with metadata, the detail, that does not list it.
    NotListed = 33,
    /// More functions that allocate for their callers lie around the call than are left for one block.
    TooDeep = 34,
    /// The metadata's rule for leaving a function is not that of the code.
    FrameRule = 35,
    /// The call is in no file that is loaded.
    NoFile = 36,
    /// There was no room to note who allocated the block.
    NoSite = 37,
}

impl Reason {
    /// The reason of a [`crate::SiteRecord`]; what no version of the format has counts as none.
    #[must_use]
    pub const fn from_u8(value: u8) -> Reason {
        match value {
            1 => Reason::NoSizeof,
            2 => Reason::PassedOn,
            3 => Reason::Incomplete,
            4 => Reason::Branch,
            5 => Reason::Branches,
            6 => Reason::Pointer,
            7 => Reason::TwoArrays,
            8 => Reason::ForCaller,
            9 => Reason::NoType,
            10 => Reason::NotRead,
            11 => Reason::NoFacts,
            12 => Reason::NoPlace,
            13 => Reason::NoMatch,
            32 => Reason::NoMetadata,
            33 => Reason::NotListed,
            34 => Reason::TooDeep,
            35 => Reason::FrameRule,
            36 => Reason::NoFile,
            37 => Reason::NoSite,
            _ => Reason::None,
        }
    }

    /// What the census and the tools print, before the detail.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Reason::None => "",
            Reason::NoSizeof => "the size is no sizeof, and the result goes to void *",
            Reason::PassedOn => {
                "the size is no sizeof, and the result is passed to a function without source"
            }
            Reason::Incomplete => {
                "the size is no sizeof, and the result goes to a type that the file does not define"
            }
            Reason::Branch => "a branch of the size names no type, beside one that names",
            Reason::Branches => "the branches of the size name too many types",
            Reason::Pointer => "a function pointer with several targets that differ",
            Reason::TwoArrays => "two arrays in one block",
            Reason::ForCaller => "for the caller to say, of which nothing is known",
            Reason::NoType => "the debug information does not have the type",
            Reason::NotRead => "the parser could not read this declaration",
            Reason::NoFacts => "not compiled by allocscc",
            Reason::NoPlace => "the debug information does not say where this call is",
            Reason::NoMatch => "no call in the source was found to be this one",
            Reason::NoMetadata => "no metadata",
            Reason::NotListed => "a call that the metadata does not list",
            Reason::TooDeep => "behind more wrappers than are looked through",
            Reason::FrameRule => "the frame rule of the wrapper was refused",
            Reason::NoFile => "the call is in no loaded file",
            Reason::NoSite => "there was no room to note the site",
        }
    }
}

/// What a step of an explanation is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum StepKind {
    /// A `sizeof` of the type that is the text, or an `offsetof`.
    Sizeof = 1,
    /// The size is kept in the variable that is the text.
    Variable = 2,
    /// The size is made by the function that is the text.
    Helper = 3,
    /// The result becomes the pointer that is the text.
    Receiver = 4,
    /// The text is a function that allocates for its caller; the number is that of the argument that is the size, from 1.
    Wrapper = 5,
    /// In that function, the function that is the text is called.
    Call = 6,
    /// The call goes through a function pointer: the text is its name and the functions that it may lead to.
    Targets = 7,
    /// The text says why the type is a union.
    Union = 8,
    /// The text says what proves that the block is a byte buffer.
    Buffer = 9,
    /// The text says where evidence was dropped.
    Dropped = 10,
    /// The text is what a wrapper keeps in front of the block.
    Header = 11,
    /// More steps, so many as the number says: the line is the index of the first. Many sites go by the same wrappers.
    More = 12,
}

impl StepKind {
    /// The kind of a [`crate::StepRecord`]; `None` for what no version of the format has.
    #[must_use]
    pub const fn from_u8(value: u8) -> Option<StepKind> {
        Some(match value {
            1 => StepKind::Sizeof,
            2 => StepKind::Variable,
            3 => StepKind::Helper,
            4 => StepKind::Receiver,
            5 => StepKind::Wrapper,
            6 => StepKind::Call,
            7 => StepKind::Targets,
            8 => StepKind::Union,
            9 => StepKind::Buffer,
            10 => StepKind::Dropped,
            11 => StepKind::Header,
            12 => StepKind::More,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        for value in 0..=u8::MAX {
            let reason = Reason::from_u8(value);
            assert!(reason == Reason::None || reason as u8 == value);
            assert_eq!(reason.sentence().is_empty(), reason == Reason::None);
            assert!(StepKind::from_u8(value).is_none_or(|kind| kind as u8 == value));
        }
        assert_eq!(Reason::from_u8(Reason::NoSite as u8), Reason::NoSite);
        assert_eq!(StepKind::from_u8(StepKind::More as u8), Some(StepKind::More));
    }
}
