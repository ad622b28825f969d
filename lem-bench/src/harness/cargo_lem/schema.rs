//! `cargo lem schema`: the JSON Schemas of what is written.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Command};

use super::subcommand::Subcommand;
use crate::harness::console;
use crate::harness::exit::{ExitStatus, HarnessError};
use crate::report::export::SCHEMAS;

pub(super) const SUBCOMMAND: Subcommand = Subcommand { name: "schema", command: schema_command, run: schema };

fn schema_command() -> Command {
    let of = Arg::new("of")
        .value_name("FORMAT")
        .default_value(SCHEMAS[0].0)
        .value_parser(PossibleValuesParser::new(SCHEMAS.iter().map(|(name, _)| *name)))
        .help("Of which format");
    Command::new("schema").about("Prints the JSON Schema of summary.json, or of another format").arg(of)
}

fn schema(matches: &ArgMatches) -> Result<ExitStatus, HarnessError> {
    let wanted = matches.get_one::<String>("of").map(String::as_str);
    let found = SCHEMAS.iter().find(|(name, _)| Some(*name) == wanted);
    let (_, text) = found.ok_or_else(|| HarnessError::usage("there is no schema of that name"))?;
    console::out(text);
    Ok(ExitStatus::Done)
}
