//! The summary as JSON: everything about a run except the times of single requests.
//!
//! Its schema is `schema/summary.schema.json`, generated from the types. `schema_version` gives the version of a file.

use super::format::{Content, FileFormat, Format, to_pretty_json};

/// The format of `summary.json`, which every run writes.
pub const JSON: Format = FileFormat {
    name: "json",
    aliases: &[],
    file: "summary.json",
    about: "everything, by the schema of `cargo lem schema`",
    content: Content::One(|run| to_pretty_json(run)),
};
