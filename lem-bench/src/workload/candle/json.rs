//! Reads the JSON files of model folders as Python's `json` module does, which wrote most of them, and names the key of a
//! value that does not fit.

use serde_json::{Map, Value};

/// Parses JSON that may begin with a byte order mark and contain `NaN` and infinities. These become strings, so that they
/// are errors only where their key is used.
///
/// # Errors
/// A fragment with the place where the text is not JSON.
pub(super) fn parse(text: &str) -> Result<Value, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_json::from_str(&quote_constants(text)).map_err(|error| format!("not JSON: {error}"))
}

/// Puts the constants that are not JSON into quotes, except inside of strings.
fn quote_constants(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    let (mut in_string, mut escaped) = (false, false);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let constant = ["NaN", "-Infinity", "Infinity"].into_iter().find(|name| !in_string && rest.starts_with(name));
        if let Some(name) = constant {
            quoted.extend(["\"", name, "\""]);
            rest = &rest[name.len()..];
            continue;
        }
        in_string ^= c == '"' && !escaped;
        escaped = in_string && c == '\\' && !escaped;
        quoted.push(c);
        rest = &rest[c.len_utf8()..];
    }
    quoted
}

/// An object whose values are read by their keys. Null is the same as a missing key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keys<'a> {
    map: &'a Map<String, Value>,
    /// The key of this object and a dot; empty for the root.
    prefix: &'a str,
}

impl<'a> Keys<'a> {
    /// Returns the keys of the root.
    ///
    /// # Errors
    /// The root is not an object.
    pub fn of(value: &'a Value) -> Result<Self, String> {
        let map = value.as_object().ok_or("not a JSON object")?;
        Ok(Self { map, prefix: "" })
    }

    /// Returns the keys of the object at `key`.
    ///
    /// # Errors
    /// The value is not an object.
    pub fn object(&self, key: &str, prefix: &'a str) -> Result<Option<Self>, String> {
        let object = |value: &'a Value| value.as_object().map(|map| Self { map, prefix });
        self.convert(key, "an object", object)
    }

    /// Returns a whole number; a float without a fraction is one.
    ///
    /// # Errors
    /// The value is something else.
    pub fn count(&self, key: &str) -> Result<Option<usize>, String> {
        self.convert(key, "a whole number of at least 0", |value| usize::try_from(whole(value)?).ok())
    }

    /// Returns a whole number.
    ///
    /// # Errors
    /// The key is missing, or its value is something else.
    pub fn required_count(&self, key: &str) -> Result<usize, String> {
        self.count(key)?.ok_or_else(|| format!("no {}", self.path(key)))
    }

    /// Returns a number.
    ///
    /// # Errors
    /// The value is something else.
    pub fn number(&self, key: &str) -> Result<Option<f64>, String> {
        self.convert(key, "a number", Value::as_f64)
    }

    /// Returns a text.
    ///
    /// # Errors
    /// The value is something else.
    pub fn text(&self, key: &str) -> Result<Option<&'a str>, String> {
        self.convert(key, "a text", Value::as_str)
    }

    /// Returns true or false.
    ///
    /// # Errors
    /// The value is something else.
    pub fn flag(&self, key: &str) -> Result<Option<bool>, String> {
        self.convert(key, "true or false", |value| value.as_bool().or_else(|| Some(value.as_f64()? != 0.0)))
    }

    /// Returns token ids: one, or those of a list. A negative number is none.
    ///
    /// # Errors
    /// The value is something else.
    pub fn ids(&self, key: &str) -> Result<Vec<u32>, String> {
        let ids = self.convert(key, "a token id or a list of token ids", |value| {
            let listed = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
            let ids = listed.iter().map(whole).collect::<Option<Vec<i64>>>()?;
            ids.into_iter().filter(|id| *id >= 0).map(|id| u32::try_from(id).ok()).collect()
        })?;
        Ok(ids.unwrap_or_default())
    }

    /// Returns the path of a key from the root.
    pub fn path(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// Returns whether the key has a value.
    pub fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    fn convert<T>(
        &self,
        key: &str,
        expected: &str,
        convert: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, String> {
        let Some(value) = self.get(key) else { return Ok(None) };
        match convert(value) {
            Some(converted) => Ok(Some(converted)),
            None => Err(format!("{} is {}, not {expected}", self.path(key), shortened(value))),
        }
    }
}

/// Returns a whole number, also if it is written as a float.
fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let float = value.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < i64::MAX as f64)?;
        Some(float as i64)
    })
}

/// Formats a value for a message.
fn shortened(value: &Value) -> String {
    const MAX: usize = 40;
    let text = value.to_string();
    if text.chars().count() <= MAX { text } else { text.chars().take(MAX).chain("…".chars()).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_python_writes() {
        let value =
            parse("\u{feff}{\"a\": NaN, \"b\": [-Infinity, Infinity], \"c\": \"NaN \\\" NaN\", \"d\": -1}").unwrap();
        assert_eq!(value["a"], "NaN");
        assert_eq!(value["b"][0], "-Infinity");
        assert_eq!(value["c"], "NaN \" NaN");
        assert_eq!(value["d"], -1);
        for text in ["", "{", "NaNs", "{\"a\": nan}", "{\"a\": \"\\\"}"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn errors_name_key_and_value() {
        let value = parse(r#"{"n": 1.5, "ids": [1, "x"], "flag": "yes", "o": {"f": NaN}, "big": 1e300}"#).unwrap();
        let keys = Keys::of(&value).unwrap();
        assert_eq!(keys.count("n").unwrap_err(), "n is 1.5, not a whole number of at least 0");
        assert_eq!(keys.count("big").unwrap_err(), "big is 1e+300, not a whole number of at least 0");
        assert_eq!(keys.ids("ids").unwrap_err(), "ids is [1,\"x\"], not a token id or a list of token ids");
        assert_eq!(keys.flag("flag").unwrap_err(), "flag is \"yes\", not true or false");
        assert_eq!(keys.required_count("m").unwrap_err(), "no m");
        let inner = keys.object("o", "o.").unwrap().unwrap();
        assert_eq!(inner.number("f").unwrap_err(), "o.f is \"NaN\", not a number");
        assert_eq!(keys.object("n", "n.").unwrap_err(), "n is 1.5, not an object");
        assert!(Keys::of(&Value::Null).is_err());
    }

    #[test]
    fn reads_other_spellings_of_numbers() {
        let value = parse(r#"{"n": 2048.0, "none": null, "ids": [2.0, -1, 7], "minus": -1, "flag": 1}"#).unwrap();
        let keys = Keys::of(&value).unwrap();
        assert_eq!(keys.count("n"), Ok(Some(2048)));
        assert_eq!(keys.count("none"), Ok(None));
        assert!(!keys.has("none"));
        assert_eq!(keys.ids("ids"), Ok(vec![2, 7]));
        assert_eq!(keys.ids("minus"), Ok(Vec::new()));
        assert_eq!(keys.ids("n"), Ok(vec![2048]));
        assert_eq!(keys.flag("flag"), Ok(Some(true)));
    }
}
