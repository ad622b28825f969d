//! `lem-bench.toml`: what it says, with the line of every mistake.
//!
//! Must not know what any option means.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::exit::HarnessError;
use super::layers::{Layer, SettingValue};
use super::nearest::nearest;
use super::options::{self, Arity};

/// The file's name.
pub(super) const NAME: &str = "lem-bench.toml";

/// Reads the file at `path`.
///
/// # Errors
/// The file can't be read, is no TOML, or has a key or a type of value that no option has.
pub(super) fn read(path: &Path) -> Result<Vec<SettingValue>, HarnessError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| HarnessError::usage(format!("{} can't be read: {error}", path.display())))?;
    parse(&text, path)
}

fn parse(text: &str, path: &Path) -> Result<Vec<SettingValue>, HarnessError> {
    let at = |offset: usize| format!("{}:{}", path.display(), 1 + text[..offset.min(text.len())].matches('\n').count());
    let table = DeTable::parse(text).map_err(|error| {
        let place = at(error.span().map_or(0, |span| span.start));
        HarnessError::usage(format!("{place} is no TOML: {}", error.message()))
    })?;
    let mut said = Vec::new();
    for (key, value) in table.get_ref() {
        let place = at(key.span().start);
        let Some(option) = options::setting(key.get_ref()) else {
            return Err(HarnessError::usage(unknown(key.get_ref(), &place)));
        };
        let values = match option.arity {
            Arity::Many(_) => several(value.get_ref()),
            _ => scalar(value.get_ref()).map(|text| vec![text]),
        };
        let values = values.ok_or_else(|| {
            let what = value.get_ref().type_str();
            HarnessError::usage(format!(
                "{place}: `{}` can't be a value of type {what}: expected {}",
                option.name, option.expects
            ))
        })?;
        said.push((key.span().start, SettingValue { option, values, layer: Layer::File, place }));
    }
    // In the order of the file, so that what comes later wins as it does on the command line.
    said.sort_by_key(|(offset, _)| *offset);
    Ok(said.into_iter().map(|(_, said)| said).collect())
}

fn unknown(key: &str, place: &str) -> String {
    let known = || options::settings().map(|option| option.name);
    match nearest(&key.replace('_', "-"), known()) {
        Some(meant) => format!("{place}: there is no key `{key}`; did you mean `{meant}`?"),
        None => format!("{place}: there is no key `{key}`; the keys are {}", known().collect::<Vec<_>>().join(", ")),
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

/// A list, one value alone, or a table whose entries are `key=value`.
fn several(value: &DeValue<'_>) -> Option<Vec<String>> {
    let each = |value: &Spanned<DeValue<'_>>| scalar(value.get_ref());
    match value {
        DeValue::Array(values) => values.iter().map(each).collect(),
        DeValue::Table(table) => table
            .iter()
            .map(|(key, value)| {
                let value = match value.get_ref() {
                    DeValue::Array(values) => values.iter().map(each).collect::<Option<Vec<_>>>()?.join(","),
                    one => scalar(one)?,
                };
                Some(format!("{}={value}", key.get_ref()))
            })
            .collect(),
        one => scalar(one).map(|text| vec![text]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Name, values and place of each key.
    type Keys = Vec<(&'static str, Vec<String>, String)>;

    fn read(text: &str) -> Result<Keys, String> {
        let said = parse(text, Path::new("f.toml")).map_err(|stop| stop.message)?;
        Ok(said.into_iter().map(|said| (said.option.name, said.values, said.place)).collect())
    }

    #[test]
    fn values_are_read_as_people_write_them() {
        let text = "cycles = 1_2\ngap = 0.5\nmin_window = \"300ms\"\nquick = true\nskip = [\"a\", \"b\"]\n\
                    context = { room = \"22C\" }\n[axis]\nbatch = [1, 4]\ndtype = \"f32\"\n";
        let said = read(text).unwrap();
        let values: Vec<_> = said.iter().map(|(name, values, _)| (*name, values.join("|"))).collect();
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
        assert_eq!(said[2].2, "f.toml:3");
    }

    #[test]
    fn mistakes_are_told_with_file_line_and_key() {
        let texts = ["cycles = 4\ncycels = 5\n", "gap = \n", "cycles = [4]\n"];
        let messages: Vec<String> = texts.iter().map(|text| read(text).unwrap_err()).collect();
        insta::assert_snapshot!(messages.join("\n"), @"
        f.toml:2: there is no key `cycels`; did you mean `cycles`?
        f.toml:1 is no TOML: string values must be quoted, expected literal string
        f.toml:1: `cycles` can't be a value of type array: expected a whole number, at least 2
        ");
        for (text, start) in [
            ("\n\nteapot = \"main\"\n", "f.toml:3: there is no key `teapot`; the keys are skip,"),
            ("list = true\n", "f.toml:1: there is no key `list`; the keys are skip,"),
        ] {
            let message = read(text).unwrap_err();
            assert!(message.starts_with(start), "{message}");
        }
    }
}
