//! `list`: the tests, one a line or as JSON.

use std::io::{IsTerminal, stdout};

use anyhow::Result;
use nextest_runner::list::{OutputFormat, SerializableFormat};

use crate::built;
use crate::selected::{Selection, with_tests};

#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    source: built::Source,
    #[command(flatten)]
    selection: Selection,
    /// The form of the list
    #[arg(short = 'T', long, value_enum, default_value_t)]
    message_format: Format,
}

#[derive(Clone, Copy, Default, clap::ValueEnum)]
enum Format {
    #[default]
    Human,
    Oneline,
    Json,
}

impl From<Format> for OutputFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Human => Self::Human { verbose: false },
            Format::Oneline => Self::Oneline { verbose: false },
            Format::Json => Self::Serializable(SerializableFormat::Json),
        }
    }
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let built = options.source.built()?;
    let mut text = String::new();
    with_tests(&built, &options.selection, |tests| {
        Ok(tests.list.write(options.message_format.into(), &mut text, stdout().is_terminal())?)
    })?;
    print!("{text}");
    Ok(())
}
