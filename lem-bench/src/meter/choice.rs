//! The table of the built-in meters, and the choice of one by its name.

use std::path::PathBuf;
use std::str::FromStr;

use super::kind::MeterKind;
use super::{estimate, hwmon, nvml, rapl};

/// The built-in meters in the order in which [`MeterChoice::Auto`] tries them: the best first, estimates last.
pub static METERS: &[MeterKind] = &[nvml::KIND, rapl::KIND, hwmon::KIND, estimate::KIND];

/// The value of `--meter`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum MeterChoice {
    /// The first of `METERS` that works here.
    #[default]
    Auto,
    /// One of `METERS`.
    BuiltIn(&'static MeterKind),
    /// A simulated machine, described by this file.
    Sim(PathBuf),
    /// A meter that the program adds with [`Harness::meter`](crate::Harness::meter).
    Custom {
        /// Its name.
        name: String,
        /// The text after the name and a colon, for example an address or a device; may be empty.
        argument: String,
    },
}

impl MeterChoice {
    /// Returns the choices that exist in every program: `auto`, the names of `METERS`, `sim:FILE`.
    pub fn built_in() -> impl Iterator<Item = &'static str> {
        ["auto"].into_iter().chain(METERS.iter().map(|kind| kind.name)).chain(["sim:FILE"])
    }

    /// Returns whether `name` is reserved: `auto`, `sim`, or the name of one of `METERS`.
    pub fn is_reserved(name: &str) -> bool {
        name == "auto" || name == "sim" || METERS.iter().any(|kind| kind.name == name)
    }
}

/// Returns whether `name` is a valid name of a meter: lower-case letters, digits, `-` and `_`.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte))
}

impl FromStr for MeterChoice {
    type Err = String;

    /// Parses `auto`, the name of one of `METERS`, `sim:FILE`, or `NAME` or `NAME:ARGUMENT` of a custom meter. Any other
    /// valid name is accepted as a custom one, because only the program knows its meters.
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, argument) = text.split_once(':').unwrap_or((text, ""));
        if text == "auto" {
            return Ok(Self::Auto);
        }
        if let Some(kind) = METERS.iter().find(|kind| kind.name == text) {
            return Ok(Self::BuiltIn(kind));
        }
        if name == "sim" && !argument.is_empty() {
            return Ok(Self::Sim(PathBuf::from(argument)));
        }
        if is_name(name) && !Self::is_reserved(name) {
            return Ok(Self::Custom { name: name.to_owned(), argument: argument.to_owned() });
        }
        Err(format!("unknown meter `{text}`; use one of {}", Self::built_in().collect::<Vec<_>>().join(", ")))
    }
}

impl std::fmt::Display for MeterChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::BuiltIn(kind) => f.write_str(kind.name),
            Self::Sim(file) => write!(f, "sim:{}", file.display()),
            Self::Custom { name, argument } if argument.is_empty() => f.write_str(name),
            Self::Custom { name, argument } => write!(f, "{name}:{argument}"),
        }
    }
}

/// What `--meter` expects.
pub(crate) const METER_EXPECTS: &str = EXPECTS_TEXT.as_str();

/// The help of `--meter`.
pub(crate) const METER_HELP: &str = HELP_TEXT.as_str();

static EXPECTS_TEXT: ConstText = {
    let mut text = ConstText::new();
    text.push("auto");
    let mut index = 0;
    while index < METERS.len() {
        text.push(", ");
        text.push(METERS[index].name);
        index += 1;
    }
    text.push(", sim:FILE or a custom meter");
    text
};

static HELP_TEXT: ConstText = {
    let mut text = ConstText::new();
    text.push("auto: the first available one");
    let mut index = 0;
    while index < METERS.len() {
        text.push("; ");
        text.push(METERS[index].name);
        text.push(": ");
        text.push(METERS[index].help);
        index += 1;
    }
    text.push("; sim:FILE: a simulated machine");
    text
};

/// A text that is joined at compile time, because the table of options is constant.
struct ConstText {
    bytes: [u8; 512],
    len: usize,
}

impl ConstText {
    const fn new() -> Self {
        Self { bytes: [0; 512], len: 0 }
    }

    const fn push(&mut self, text: &str) {
        let mut index = 0;
        while index < text.len() {
            self.bytes[self.len] = text.as_bytes()[index];
            self.len += 1;
            index += 1;
        }
    }

    const fn as_str(&self) -> &str {
        match std::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => panic!("joined from valid texts"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_its_own_text() {
        for text in ["auto", "nvml", "rapl", "hwmon", "estimate", "sim:a b/c:d.json", "plug", "plug:http://a:80/x"] {
            assert_eq!(text.parse::<MeterChoice>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn parses_built_in_meters() {
        for kind in METERS {
            assert_eq!(kind.name.parse(), Ok(MeterChoice::BuiltIn(kind)));
        }
    }

    #[test]
    fn accepts_custom_meters() {
        let custom =
            |name: &str, argument: &str| MeterChoice::Custom { name: name.to_owned(), argument: argument.to_owned() };
        assert_eq!("plug".parse(), Ok(custom("plug", "")));
        assert_eq!("plug:http://10.0.0.7:80/rpc".parse(), Ok(custom("plug", "http://10.0.0.7:80/rpc")));
    }

    #[test]
    fn rejects_invalid_names() {
        let error = |text: &str| text.parse::<MeterChoice>().unwrap_err();
        insta::assert_snapshot!(
            error("nvml:0"),
            @"unknown meter `nvml:0`; use one of auto, nvml, rapl, hwmon, estimate, sim:FILE"
        );
        for text in ["", "sim", "sim:", "NVML", "nvml:0", "auto:", ":x", "a b"] {
            assert!(error(text).starts_with(&format!("unknown meter `{text}`")), "{}", error(text));
        }
    }

    #[test]
    fn help_lists_all_meters() {
        insta::assert_snapshot!(METER_EXPECTS, @"auto, nvml, rapl, hwmon, estimate, sim:FILE or a custom meter");
        insta::assert_snapshot!(
            METER_HELP,
            @"auto: the first available one; nvml: NVIDIA GPUs; rapl: CPU energy counters; hwmon: sensors of other drivers; estimate: CPU time times --watts-per-core; sim:FILE: a simulated machine"
        );
    }
}
