//! What other files must know of the functions of this one, and what must be so of theirs.

use allocs_metadata::Expectation;
use anyhow::Result;
use object::read::elf::ElfFile64;
use object::{Object, ObjectSymbol, SymbolKind};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::emit::{ConditionInput, WrapperInput};
use crate::image::calls::Svma;
use crate::image::dynamic;
use crate::sites::functions::DeclaredFunctions;
use crate::sites::imports::{Expected, Requirement};
use crate::sites::signature::Signature;
use crate::sites::solve::SolvedSite;

/// The functions that other files can call, by whatever name, and that allocate for their callers.
pub(super) fn exported(file: &ElfFile64<'_>, signatures: &[(String, Signature)]) -> Vec<WrapperInput> {
    let by_name: FxHashMap<&str, &Signature> =
        signatures.iter().map(|(name, s)| (name.as_str(), s)).collect();
    let exported: FxHashSet<Svma> = dynamic::exported_functions(file).map(|(_, svma)| svma).collect();
    let is_shared = |s: &object::read::elf::ElfSymbol64<'_, '_>| {
        s.kind() == SymbolKind::Text && s.is_definition() && !s.is_local()
    };
    let mut found: FxHashMap<Svma, Option<&Signature>> = FxHashMap::default();
    for symbol in file.symbols().chain(file.dynamic_symbols()).filter(is_shared) {
        let svma = Svma(symbol.address());
        let signature = symbol.name().ok().and_then(|name| by_name.get(name.split('@').next()?));
        if let Some(&signature) = signature.filter(|_| exported.contains(&svma)) {
            // One piece of code may be what the link editor made of two functions.
            let known = found.entry(svma).or_insert(Some(signature));
            *known = known.filter(|&known| known == signature);
        }
    }
    let input = |(svma, signature): (Svma, Option<&Signature>)| {
        let signature = signature?;
        Some(WrapperInput {
            svma: svma.0,
            signature: signature.digest(),
            sizes: signature.sizes(),
            text: signature.text().to_owned(),
        })
    };
    let mut wrappers: Vec<WrapperInput> = found.into_iter().filter_map(input).collect();
    wrappers.sort_unstable_by_key(|wrapper| wrapper.svma);
    wrappers
}

/// Where a file keeps the addresses of functions that may be those of other files.
pub(super) struct Conditions<'a> {
    slots: FxHashMap<&'a str, Svma>,
    own: FxHashMap<&'a str, &'a Signature>,
}

impl<'a> Conditions<'a> {
    pub(super) fn new(
        file: &ElfFile64<'a>,
        own: &'a [(String, Signature)],
        declared: &DeclaredFunctions,
    ) -> Result<Self> {
        // What is declared by hand is so wherever it is.
        let own = own.iter().filter(|(name, _)| !declared.declares(name));
        let own = own.map(|(name, signature)| (name.as_str(), signature)).collect();
        Ok(Conditions { slots: dynamic::slot_of_each(file)?, own })
    }

    /// What must be so of functions in other files, where a call is any of these sites. `None` where that cannot be told.
    pub(super) fn of_call<'s>(
        &self,
        callee: Option<&str>,
        sites: impl Iterator<Item = &'s SolvedSite>,
    ) -> Option<Vec<ConditionInput>> {
        let requirements = sites.flat_map(|site| &site.requirements);
        let mut all = requirements.map(|it| self.of(it)).collect::<Option<Vec<_>>>()?;
        all.extend(callee.and_then(|callee| self.of_own(callee)));
        Some(all)
    }

    /// What a requirement is at run time; `None` if the file does not say where it keeps the function's address.
    fn of(&self, requirement: &Requirement) -> Option<ConditionInput> {
        let &slot = self.slots.get(requirement.function.as_str())?;
        let (expectation, signature, parameter) = match requirement.expected {
            Expected::Signature(signature) => (Expectation::Signature, signature, 0),
            Expected::SizeIs(parameter) => (Expectation::SizeIs, 0, parameter),
            Expected::SizeHas(parameter) => (Expectation::SizeHas, 0, parameter),
            Expected::Plain => (Expectation::Plain, 0, 0),
        };
        Some(ConditionInput { slot_svma: slot.0, expectation, signature, parameter })
    }

    /// What must be so of a function that is called by name, if the file defines it but another one may take its place.
    fn of_own(&self, function: &str) -> Option<ConditionInput> {
        let expected = Expected::Signature(self.own.get(function)?.digest());
        self.of(&Requirement { function: function.to_owned(), expected })
    }
}
