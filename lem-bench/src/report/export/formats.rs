//! The list of export formats, and the JSON Schemas of those that are JSON.
//!
//! A new format is a file in this folder and an entry in [`FORMATS`].

use super::format::{ExportError, FileFormat, Format};
use super::{csv, json, junit, markdown, open_metrics, trackers};
use crate::analysis::Summary;

/// All export formats.
pub const FORMATS: &[Format] = &[
    json::JSON,
    json::CYCLES,
    csv::CSV,
    markdown::MARKDOWN,
    junit::JUNIT,
    trackers::BMF,
    trackers::GITHUB,
    open_metrics::OPEN_METRICS,
    trackers::BENCHER,
];

/// The name and the JSON Schema of each JSON format. Schemas of our own formats are generated from the types; schemas of
/// others' formats are written from their documentation.
///
/// The files are in `schema/` next to `src/`, so that they are part of the package and of the repository's history.
pub const SCHEMAS: &[(&str, &str)] = &[
    ("json", include_str!("../../../schema/summary.schema.json")),
    ("cycles", include_str!("../../../schema/cycle.schema.json")),
    ("bmf", include_str!("../../../schema/bmf.schema.json")),
    ("comparison", include_str!("../../../schema/comparison.schema.json")),
    ("github", include_str!("../../../schema/github-action-benchmark.schema.json")),
];

impl Format {
    /// Returns the format with this name or alias.
    pub fn named(name: &str) -> Option<&'static Self> {
        FileFormat::find(FORMATS, name)
    }

    /// Formats runs.
    ///
    /// # Errors
    /// Returns [`ExportError::OneRun`](super::ExportError::OneRun) for several runs if the format holds only one, and
    /// [`ExportError::Json`](super::ExportError::Json) if a run cannot be serialized, which is a bug in this library.
    pub fn render(&self, runs: &[Summary]) -> Result<String, ExportError> {
        self.format(runs)
    }
}

#[cfg(test)]
mod tests {
    use schemars::generate::SchemaSettings;
    use schemars::{JsonSchema, Schema};

    use super::SCHEMAS;
    use crate::analysis::Summary;
    use crate::analysis::compare::Comparison;
    use crate::model::SCHEMA_VERSION;
    use crate::report::export::json::CycleLine;

    fn generated<T: JsonSchema>(title: &str) -> String {
        let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
        let mut schema: Schema = generator.into_root_schema_for::<T>();
        schema.insert("title".to_owned(), format!("{title}, schema version {SCHEMA_VERSION}").into());
        let text = serde_json::to_string_pretty(&schema).unwrap();
        // Replace names of Rust by those of JSON.
        let mut text = text.replace("`None`", "`null`").replace("[`crate::model::SCHEMA_VERSION`]", "The version");
        text.push('\n');
        text
    }

    /// Returns the name, the file and the generated text of each schema of our own.
    fn own_schemas() -> [(&'static str, &'static str, String); 3] {
        [
            ("comparison", "comparison", generated::<Comparison>("comparison.json of lem-bench")),
            ("json", "summary", generated::<Summary>("summary.json of lem-bench")),
            ("cycles", "cycle", generated::<CycleLine<'_>>("a line of cycles.jsonl of lem-bench")),
        ]
    }

    #[test]
    #[ignore = "writes the schema files: run it after an intended change of the types, and review the diff"]
    fn write_schemas() {
        for (_, file, schema) in own_schemas() {
            let path = format!("{}/schema/{file}.schema.json", env!("CARGO_MANIFEST_DIR"));
            std::fs::write(path, schema).unwrap();
        }
    }

    #[test]
    fn schema_files_are_current() {
        for (name, _, generated) in own_schemas() {
            let (_, committed) = SCHEMAS.iter().find(|(known, _)| *known == name).unwrap();
            let first_difference = generated.lines().zip(committed.lines()).find(|(a, b)| a != b);
            assert_eq!(first_difference, None, "{name}: generated and committed; `write_schemas` updates the file");
            assert_eq!(generated.len(), committed.len(), "{name}");
        }
    }
}
