//! Reads `lem-bench.toml`. Errors name the line.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::exit::HarnessError;
use super::layers::{Layer, SettingValue};
use super::options::{self, Arity};
use super::parse::suggest;

/// The file's name.
pub(super) const NAME: &str = "lem-bench.toml";

/// Reads the file at `path`.
///
/// # Errors
/// The file can't be read, is not valid TOML, or has an unknown key or a value of the wrong type.
pub(super) fn read(path: &Path) -> Result<Vec<SettingValue>, HarnessError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| HarnessError::usage(format!("failed to read {}: {error}", path.display())))?;
    parse(&text, path)
}

fn parse(text: &str, path: &Path) -> Result<Vec<SettingValue>, HarnessError> {
    let place = |offset: usize| {
        let line = 1 + text[..offset.min(text.len())].matches('\n').count();
        format!("{}:{line}", path.display())
    };
    let table = DeTable::parse(text).map_err(|error| {
        let place = place(error.span().map_or(0, |span| span.start));
        HarnessError::usage(format!("{place}: not valid TOML: {}", error.message()))
    })?;
    let mut values = Vec::new();
    for (key, value) in table.get_ref() {
        let offset = key.span().start;
        values.push((offset, parse_entry(key.get_ref(), value.get_ref(), place(offset))?));
    }
    // In the order of the file, so that later keys win as on the command line.
    values.sort_by_key(|(offset, _)| *offset);
    Ok(values.into_iter().map(|(_, value)| value).collect())
}

fn parse_entry(key: &str, value: &DeValue<'_>, place: String) -> Result<SettingValue, HarnessError> {
    let option = options::setting(key).ok_or_else(|| HarnessError::usage(unknown_key(key, &place)))?;
    let values = match option.arity {
        Arity::Many(_) => parse_list(value),
        _ => scalar(value).map(|text| vec![text]),
    };
    let values = values.ok_or_else(|| {
        let (name, found, expects) = (option.name, value.type_str(), option.expects);
        HarnessError::usage(format!("{place}: invalid type for `{name}`: found {found}, expected {expects}"))
    })?;
    Ok(SettingValue { option, values, layer: Layer::File, place })
}

fn unknown_key(key: &str, place: &str) -> String {
    let known: Vec<&str> = options::settings().map(|option| option.name).collect();
    match suggest(&key.replace('_', "-"), known.iter().copied()) {
        Some(meant) => format!("{place}: unknown key `{key}`; did you mean `{meant}`?"),
        None => format!("{place}: unknown key `{key}`; the keys are {}", known.join(", ")),
    }
}

fn scalar(value: &DeValue<'_>) -> Option<String> {
    Some(match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) if number.radix() == 10 => number.as_str().replace('_', ""),
        DeValue::Float(number) => number.as_str().replace('_', ""),
        DeValue::Boolean(on) => on.to_string(),
        _ => return None,
    })
}

fn scalars(values: &[Spanned<DeValue<'_>>]) -> Option<Vec<String>> {
    values.iter().map(|value| scalar(value.get_ref())).collect()
}

/// Reads an array, a single value, or a table with entries `key=value`.
fn parse_list(value: &DeValue<'_>) -> Option<Vec<String>> {
    let table_entry = |key: &str, value: &DeValue<'_>| {
        let value = match value {
            DeValue::Array(values) => scalars(values)?.join(","),
            single => scalar(single)?,
        };
        Some(format!("{key}={value}"))
    };
    match value {
        DeValue::Array(values) => scalars(values),
        DeValue::Table(table) => table.iter().map(|(key, value)| table_entry(key.get_ref(), value.get_ref())).collect(),
        single => scalar(single).map(|text| vec![text]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Name, values and place of each key.
    type Keys = Vec<(&'static str, Vec<String>, String)>;

    fn read(text: &str) -> Result<Keys, String> {
        let values = parse(text, Path::new("f.toml")).map_err(|error| error.to_string())?;
        Ok(values.into_iter().map(|value| (value.option.name, value.values, value.place)).collect())
    }

    #[test]
    fn reads_all_types_of_values() {
        let text = "cycles = 1_2\ngap = 0.5\nmin_window = \"300ms\"\nquick = true\nskip = [\"a\", \"b\"]\n\
                    context = { room = \"22C\" }\n[axis]\nbatch = [1, 4]\ndtype = \"f32\"\n";
        let keys = read(text).unwrap();
        let values: Vec<_> = keys.iter().map(|(name, values, _)| (*name, values.join("|"))).collect();
        let expected = [
            ("cycles", "12"),
            ("gap", "0.5"),
            ("min-window", "300ms"),
            ("quick", "true"),
            ("skip", "a|b"),
            ("context", "room=22C"),
            ("axis", "batch=1,4|dtype=f32"),
        ];
        assert_eq!(values, expected.map(|(name, value)| (name, value.to_owned())));
        assert_eq!(keys[2].2, "f.toml:3");
    }

    #[test]
    fn errors_name_file_line_and_key() {
        let texts = ["cycles = 4\ncycels = 5\n", "gap = \n", "cycles = [4]\n"];
        let messages: Vec<String> = texts.iter().map(|text| read(text).unwrap_err()).collect();
        insta::assert_snapshot!(messages.join("\n"), @"
        f.toml:2: unknown key `cycels`; did you mean `cycles`?
        f.toml:1: not valid TOML: string values must be quoted, expected literal string
        f.toml:1: invalid type for `cycles`: found array, expected a whole number, at least 2
        ");
        for (text, start) in [
            ("\n\nteapot = \"main\"\n", "f.toml:3: unknown key `teapot`; the keys are skip,"),
            ("list = true\n", "f.toml:1: unknown key `list`; the keys are skip,"),
        ] {
            let message = read(text).unwrap_err();
            assert!(message.starts_with(start), "{message}");
        }
    }
}
