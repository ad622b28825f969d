//! How many tokens a request has: a number, a lognormal distribution, or a choice, as a scenario writes it.

use std::fmt;

use serde::de::{Error, MapAccess, Unexpected, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The distribution of a number of tokens. What is drawn is a whole number of at least 1.
#[derive(Debug, Clone, PartialEq)]
pub enum Tokens {
    /// Always this many: `128`.
    Fixed(u64),
    /// The exponential of a normal distribution, rounded: `{"lognormal": [mu, sigma]}`.
    LogNormal {
        /// Mean of the logarithm.
        mu: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
    },
    /// One of these, each as likely as the others: `{"choice": [32, 64, 128]}`.
    Choice(Vec<u64>),
}

impl Serialize for Tokens {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = match self {
            Self::Fixed(count) => return serializer.serialize_u64(*count),
            Self::LogNormal { .. } | Self::Choice(_) => serializer.serialize_map(Some(1))?,
        };
        match self {
            Self::Fixed(_) => {}
            Self::LogNormal { mu, sigma } => map.serialize_entry("lognormal", &[mu, sigma])?,
            Self::Choice(counts) => map.serialize_entry("choice", counts)?,
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Tokens {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TokensVisitor)
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum TokensKey {
    LogNormal,
    Choice,
}

struct TokensVisitor;

impl<'de> Visitor<'de> for TokensVisitor {
    type Value = Tokens;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number of tokens, {\"lognormal\": [mu, sigma]} or {\"choice\": [numbers]}")
    }

    fn visit_u64<E: Error>(self, count: u64) -> Result<Tokens, E> {
        Ok(Tokens::Fixed(count))
    }

    fn visit_f64<E: Error>(self, count: f64) -> Result<Tokens, E> {
        if count >= 0.0 && count.fract() == 0.0 && count < 2f64.powi(53) {
            Ok(Tokens::Fixed(count as u64))
        } else {
            Err(E::invalid_value(Unexpected::Float(count), &self))
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tokens, A::Error> {
        let tokens = match map.next_key::<TokensKey>()? {
            None => return Err(A::Error::invalid_length(0, &self)),
            Some(TokensKey::LogNormal) => {
                let [mu, sigma] = map.next_value::<[f64; 2]>()?;
                Tokens::LogNormal { mu, sigma }
            }
            Some(TokensKey::Choice) => Tokens::Choice(map.next_value()?),
        };
        if map.next_key::<TokensKey>()?.is_some() {
            return Err(A::Error::custom("give `lognormal` or `choice`, not both"));
        }
        Ok(tokens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_survives_the_round_trip() {
        for text in ["128", r#"{"lognormal":[5.0,0.5]}"#, r#"{"choice":[1,2,3]}"#] {
            let tokens: Tokens = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&tokens).unwrap(), text);
        }
        assert_eq!(serde_json::from_str::<Tokens>("64.0").unwrap(), Tokens::Fixed(64));
    }

    #[test]
    fn wrong_forms_say_what_is_expected() {
        for (text, words) in [
            ("-3", "a whole number of tokens"),
            ("1.5", "a whole number of tokens"),
            ("\"many\"", "a whole number of tokens"),
            ("{}", "lognormal"),
            (r#"{"uniform":[1,2]}"#, "unknown field `uniform`"),
            (r#"{"lognormal":[1]}"#, "array of length 2"),
            (r#"{"choice":[1],"lognormal":[1,2]}"#, "not both"),
        ] {
            let error = serde_json::from_str::<Tokens>(text).unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
