//! The JSON Schemas of the formats that are JSON: those of our own made from the types, those of others written from
//! their documentation.
//!
//! The files lie in `schema/` beside the sources, so that they are in the package and in the repository's history.

/// Each JSON format's name and its schema.
pub const SCHEMAS: &[(&str, &str)] = &[
    ("json", include_str!("../../../schema/summary.schema.json")),
    ("cycles", include_str!("../../../schema/cycle.schema.json")),
    ("bmf", include_str!("../../../schema/bmf.schema.json")),
    ("comparison", include_str!("../../../schema/comparison.schema.json")),
    ("github", include_str!("../../../schema/github-action-benchmark.schema.json")),
];

#[cfg(test)]
mod tests {
    use schemars::generate::SchemaSettings;
    use schemars::{JsonSchema, Schema};

    use super::SCHEMAS;
    use crate::analysis::Summary;
    use crate::analysis::compare::Comparison;
    use crate::model::SCHEMA_VERSION;
    use crate::report::export::cycles::CycleLine;

    fn generated<T: JsonSchema>(title: &str) -> String {
        let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
        let mut schema: Schema = generator.into_root_schema_for::<T>();
        schema.insert("title".to_owned(), format!("{title}, schema version {SCHEMA_VERSION}").into());
        let text = serde_json::to_string_pretty(&schema).unwrap();
        // What Rust calls so is called otherwise in JSON.
        let mut text = text.replace("`None`", "`null`").replace("[`crate::model::SCHEMA_VERSION`]", "The edition");
        text.push('\n');
        text
    }

    fn all() -> [(&'static str, &'static str, String); 3] {
        [
            ("comparison", "comparison", generated::<Comparison>("comparison.json of lem-bench")),
            ("json", "summary", generated::<Summary>("summary.json of lem-bench")),
            ("cycles", "cycle", generated::<CycleLine<'_>>("a line of cycles.jsonl of lem-bench")),
        ]
    }

    #[test]
    #[ignore = "writes the schemas anew: run it after a change of the types that was meant, and read the diff"]
    fn write_schemas() {
        for (_, file, schema) in all() {
            let path = format!("{}/schema/{file}.schema.json", env!("CARGO_MANIFEST_DIR"));
            std::fs::write(path, schema).unwrap();
        }
    }

    #[test]
    fn the_committed_schemas_are_those_of_the_types() {
        for (name, _, now) in all() {
            let (_, committed) = SCHEMAS.iter().find(|(known, _)| *known == name).unwrap();
            let differ = now.lines().zip(committed.lines()).find(|(now, committed)| now != committed);
            assert_eq!(differ, None, "{name}: by the types, and committed; `write_schemas` writes it anew");
            assert_eq!(now.len(), committed.len(), "{name}");
        }
    }
}
