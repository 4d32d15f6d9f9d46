//! Each label quotes the line that it is about. Packages that are not unpacked are fetched, as the corpus does.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use corpus::accuracy::labels::Labels;
use corpus::accuracy::sources;
use corpus::manifest::{Manifest, Program};
use corpus::sources::Sources;
use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> Result<()> {
    let arguments = Arguments::from_args();
    let trial = |program: Program| {
        let name = program.name.clone();
        Trial::test(name, move || quotes(&program).map_err(|error| Failed::from(format!("{error:#}"))))
    };
    let trials = Manifest::read()?.chosen()?.cloned().map(trial).collect();
    libtest_mimic::run(&arguments, trials).exit()
}

fn quotes(program: &Program) -> Result<()> {
    let sources = Sources::find(&Manifest::read()?, program)?;
    let mut texts = BTreeMap::new();
    for label in Labels::read(&program.name)?.call {
        let file = label.place()?.file.to_owned();
        if !texts.contains_key(&file) {
            let path = sources.path_of(&file).with_context(|| format!("{} is in no package", label.at))?;
            texts.insert(file.clone(), sources::text(&path)?);
        }
        label.check_quote(&texts[&file])?;
    }
    Ok(())
}
