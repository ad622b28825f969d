//! Token counts of requests: a number, a lognormal distribution, or a choice. Reading, drawing, medians and exact means.

use std::fmt;

use serde::de::{Error, MapAccess, Unexpected, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use statrs::distribution::{ContinuousCDF, Normal};

use crate::sim::noise::Key;

/// Lognormal tails below this length are summed token by token; above it rounding is negligible.
const SUMMED: u64 = 20_000;

/// The distribution of a number of tokens. Draws are integers of at least 1.
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
    /// One of these, with equal probability: `{"choice": [32, 64, 128]}`.
    Choice(Vec<u64>),
}

impl Tokens {
    /// Returns the number drawn with this key and counter.
    pub(in crate::sim) fn draw(&self, key: Key, counter: u64) -> u64 {
        match self {
            Self::LogNormal { mu, sigma } => rounded((mu + sigma * key.normal(counter)).exp()),
            Self::Fixed(_) | Self::Choice(_) => self.quantile(key.uniform(counter)),
        }
    }

    /// Returns the quantile at `u`, in (0, 1).
    pub(in crate::sim) fn quantile(&self, u: f64) -> u64 {
        match self {
            Self::Fixed(count) => *count,
            Self::LogNormal { mu, sigma } => rounded((mu + sigma * Normal::standard().inverse_cdf(u)).exp()),
            Self::Choice(counts) => {
                let index = (u * counts.len() as f64) as usize;
                counts.get(index.min(counts.len().saturating_sub(1))).copied().unwrap_or(1)
            }
        }
    }

    /// Returns the median (the lower of two): exp(mu), rounded, for a lognormal distribution.
    pub fn median(&self) -> u64 {
        match self {
            Self::Fixed(count) => *count,
            Self::LogNormal { mu, .. } => rounded(mu.exp()),
            Self::Choice(counts) => {
                let mut sorted = counts.clone();
                sorted.sort_unstable();
                sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(1)
            }
        }
    }

    /// Returns the mean of the draws, including rounding and the minimum of 1 token.
    ///
    /// For a lognormal distribution the mean is 1 + Σ P(x ≥ n + ½) over n ≥ 1, summed as far as rounding matters; the
    /// rest of the sum is the partial expectation of the distribution itself.
    pub fn mean(&self) -> f64 {
        match self {
            Self::Fixed(count) => *count as f64,
            Self::Choice(counts) => counts.iter().sum::<u64>() as f64 / counts.len().max(1) as f64,
            Self::LogNormal { mu, sigma } if *sigma == 0.0 => rounded(mu.exp()) as f64,
            Self::LogNormal { mu, sigma } => {
                let normal = Normal::standard();
                let above = |x: f64| normal.sf((x.ln() - mu) / sigma);
                let mut mean = 1.0;
                for n in 1..SUMMED {
                    let share = above(n as f64 + 0.5);
                    mean += share;
                    if share < 1e-18 {
                        return mean;
                    }
                }
                // Σ P(x ≥ n + ½) from SUMMED on is ∫ P(x ≥ u) du by the midpoint rule: E[x; x > edge] − edge · P(x > edge).
                let edge = SUMMED as f64;
                let partial = (mu + sigma * sigma / 2.0).exp() * normal.cdf((mu + sigma * sigma - edge.ln()) / sigma);
                mean + partial - edge * above(edge)
            }
        }
    }
}

fn rounded(length: f64) -> u64 {
    length.round().max(1.0) as u64
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
        f.write_str("an integer number of tokens, {\"lognormal\": [mu, sigma]} or {\"choice\": [numbers]}")
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
            return Err(A::Error::custom("set `lognormal` or `choice`, not both"));
        }
        Ok(tokens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_round_trip() {
        for text in ["128", r#"{"lognormal":[5.0,0.5]}"#, r#"{"choice":[1,2,3]}"#] {
            let tokens: Tokens = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&tokens).unwrap(), text);
        }
        assert_eq!(serde_json::from_str::<Tokens>("64.0").unwrap(), Tokens::Fixed(64));
    }

    #[test]
    fn rejects_wrong_forms() {
        let errors: Vec<String> = [
            "-3",
            "1.5",
            "\"many\"",
            "{}",
            r#"{"uniform":[1,2]}"#,
            r#"{"lognormal":[1]}"#,
            r#"{"choice":[1],"lognormal":[1,2]}"#,
        ]
        .iter()
        .map(|text| serde_json::from_str::<Tokens>(text).unwrap_err().to_string())
        .collect();
        insta::assert_snapshot!(errors.join("\n"), @r#"
        invalid type: integer `-3`, expected an integer number of tokens, {"lognormal": [mu, sigma]} or {"choice": [numbers]} at line 1 column 2
        invalid value: floating point `1.5`, expected an integer number of tokens, {"lognormal": [mu, sigma]} or {"choice": [numbers]} at line 1 column 3
        invalid type: string "many", expected an integer number of tokens, {"lognormal": [mu, sigma]} or {"choice": [numbers]} at line 1 column 6
        invalid length 0, expected an integer number of tokens, {"lognormal": [mu, sigma]} or {"choice": [numbers]} at line 1 column 2
        unknown field `uniform`, expected `lognormal` or `choice` at line 1 column 10
        invalid length 1, expected an array of length 2 at line 1 column 16
        set `lognormal` or `choice`, not both at line 1 column 25
        "#);
    }

    #[test]
    fn means_agree_with_draws() {
        for tokens in [
            Tokens::LogNormal { mu: 4.0, sigma: 0.6 },
            Tokens::LogNormal { mu: 0.2, sigma: 0.8 },
            Tokens::LogNormal { mu: -3.0, sigma: 0.5 },
            Tokens::Choice(vec![3, 9, 700]),
            Tokens::Fixed(12),
        ] {
            let key = Key::new(5);
            let n = 400_000u64;
            let draws: Vec<f64> = (0..n).map(|i| tokens.draw(key, i) as f64).collect();
            let mean = draws.iter().sum::<f64>() / n as f64;
            let sd = (draws.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / n as f64).sqrt();
            let error = (mean - tokens.mean()).abs();
            assert!(error <= 4.0 * sd / (n as f64).sqrt() + 1e-9, "{tokens:?}: {mean} {}", tokens.mean());
            assert!(draws.iter().all(|d| *d >= 1.0));
        }
    }

    #[test]
    fn rounding_does_not_bias_long_means() {
        // Rounding is unbiased where the density is flat: the mean is exp(mu + sigma²/2), summed or not.
        for (mu, sigma) in [(5.0f64, 0.5f64), (8.0, 1.0), (9.5, 0.7), (12.0, 0.3), (9.9, 0.01)] {
            let exact = (mu + sigma * sigma / 2.0).exp();
            let mean = Tokens::LogNormal { mu, sigma }.mean();
            assert!((mean / exact - 1.0).abs() < 1e-7, "{mu} {sigma}: {mean} {exact}");
        }
    }

    #[test]
    fn medians_are_middle_values() {
        assert_eq!(Tokens::LogNormal { mu: 4.0, sigma: 0.6 }.median(), 55);
        assert_eq!(Tokens::Choice(vec![9, 1, 5]).median(), 5);
        assert_eq!(Tokens::Choice(vec![9, 1, 5, 2]).median(), 2);
        assert_eq!(Tokens::LogNormal { mu: 4.0, sigma: 0.6 }.quantile(0.5), 55);
        assert_eq!(Tokens::Choice(vec![1, 2]).quantile(0.999_999), 2);
    }
}
