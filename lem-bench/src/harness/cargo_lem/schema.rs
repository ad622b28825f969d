//! `cargo lem schema`: the JSON Schemas of all JSON formats.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Command};

use super::subcommand::Subcommand;
use crate::harness::console;
use crate::harness::exit::{ExitStatus, HarnessError};
use crate::report::export::SCHEMAS;

pub(super) const SUBCOMMAND: Subcommand = Subcommand { name: "schema", command: schema_command, run: schema };

fn schema_command() -> Command {
    let format = Arg::new("of")
        .value_name("FORMAT")
        .default_value(SCHEMAS[0].0)
        .value_parser(PossibleValuesParser::new(SCHEMAS.iter().map(|(name, _)| *name)))
        .help("Format");
    Command::new("schema").about("Print the JSON Schema of summary.json or another format").arg(format)
}

fn schema(matches: &ArgMatches) -> Result<ExitStatus, HarnessError> {
    let requested = matches.get_one::<String>("of").map(String::as_str);
    let found = SCHEMAS.iter().find(|(name, _)| Some(*name) == requested);
    let (_, text) = found.ok_or_else(|| HarnessError::usage("unknown schema"))?;
    console::out(text);
    Ok(ExitStatus::Done)
}
