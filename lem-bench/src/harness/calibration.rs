//! Reads the file of `--calibration` and finds the domains that it calibrates.

use std::path::Path;

use serde::Deserialize;

use super::exit::HarnessError;
use crate::model::{Calibration, Domain, DomainCalibration, DomainId, Fact};

/// The file, in TOML or JSON.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// The reference meter.
    reference: String,
    /// The day of the calibration, as `2026-11-02`.
    date: String,
    /// One `[[device]]` per board.
    device: Vec<Device>,
}

/// A device, identified by one of its names, and its correction.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Device {
    domain: Option<String>,
    uuid: Option<String>,
    name: Option<String>,
    gain: f64,
    #[serde(default)]
    offset_w: f64,
}

/// Reads the file and finds its devices among the meter's `domains`. If `is_partial`, this process measures a part of the
/// machine, and missing devices belong to other processes.
///
/// # Errors
/// The file can't be read, is not valid, or calibrates a device that does not exist.
pub(super) fn read(
    path: &Path,
    domains: &[Domain],
    facts: &[Fact],
    is_partial: bool,
) -> Result<Calibration, HarnessError> {
    let invalid = |text: String| HarnessError::usage(format!("--calibration {}: {text}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| invalid(format!("failed to read it: {error}")))?;
    let file = parse(path, &text).map_err(invalid)?;
    resolve(file, domains, facts, is_partial).map_err(invalid)
}

fn parse(path: &Path, text: &str) -> Result<File, String> {
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
        serde_json::from_str(text).map_err(|error| format!("not a valid calibration: {error}"))
    } else {
        toml::from_str(text).map_err(|error: toml::de::Error| {
            let line = error.span().map_or(1, |span| 1 + text[..span.start.min(text.len())].matches('\n').count());
            format!("not a valid calibration: line {line}: {}", error.message())
        })
    }
}

fn resolve(file: File, domains: &[Domain], facts: &[Fact], is_partial: bool) -> Result<Calibration, String> {
    if file.reference.trim().is_empty() {
        return Err("`reference` must name the reference meter".to_owned());
    }
    if !is_date(&file.date) {
        return Err(format!("`date` must be a day such as 2026-11-02, not `{}`", file.date));
    }
    if file.device.is_empty() {
        return Err("no [[device]]".to_owned());
    }
    let mut found: Vec<DomainCalibration> = Vec::new();
    for device in &file.device {
        let Some(domain) = domain_of(device, domains, facts, is_partial)? else { continue };
        if !(0.5..=2.0).contains(&device.gain) {
            return Err(format!("`gain` of {domain} must be between 0.5 and 2, not {}", device.gain));
        }
        if !(device.offset_w.is_finite() && device.offset_w.abs() <= 1000.0) {
            return Err(format!("`offset_w` of {domain} must be within ±1000 W, not {}", device.offset_w));
        }
        if found.iter().any(|other| other.domain == domain) {
            return Err(format!("{domain} is calibrated twice"));
        }
        found.push(DomainCalibration { domain, gain: device.gain, offset_w: device.offset_w });
    }
    Ok(Calibration { reference: file.reference, date: file.date, domains: found })
}

fn is_date(text: &str) -> bool {
    let fields: Vec<&str> = text.split('-').collect();
    let number = |i: usize, digits: usize, range: std::ops::RangeInclusive<u32>| {
        fields.get(i).is_some_and(|f| f.len() == digits && f.parse().is_ok_and(|n: u32| range.contains(&n)))
    };
    fields.len() == 3 && number(0, 4, 1990..=9999) && number(1, 2, 1..=12) && number(2, 2, 1..=31)
}

/// Returns the domain of a device. Each board has its own gain, so a name that fits two boards is an error.
fn domain_of(
    device: &Device,
    domains: &[Domain],
    facts: &[Fact],
    is_partial: bool,
) -> Result<Option<DomainId>, String> {
    let uuid_of = |domain: &Domain| {
        let name = format!("{} uuid", domain.id);
        facts.iter().find(|fact| fact.name == name).map(|fact| fact.value.as_str())
    };
    let (name, matches): (String, Vec<&Domain>) = match (&device.domain, &device.uuid, &device.name) {
        (Some(id), None, None) => {
            (format!("domain `{id}`"), domains.iter().filter(|domain| domain.id.as_str() == id).collect())
        }
        (None, Some(uuid), None) => {
            (format!("uuid `{uuid}`"), domains.iter().filter(|domain| uuid_of(domain) == Some(uuid)).collect())
        }
        (None, None, Some(name)) => {
            (format!("name `{name}`"), domains.iter().filter(|domain| domain.label == *name).collect())
        }
        _ => return Err("each [[device]] needs one of `uuid`, `domain` and `name`".to_owned()),
    };
    match matches.as_slice() {
        [domain] => Ok(Some(domain.id.clone())),
        [] if is_partial => Ok(None),
        [] => {
            let existing: Vec<String> = domains
                .iter()
                .map(|domain| {
                    let uuid = uuid_of(domain).map(|uuid| format!(", {uuid}")).unwrap_or_default();
                    format!("{} ({}{uuid})", domain.id, domain.label)
                })
                .collect();
            Err(format!("no device has the {name}; the devices are {}", existing.join(", ")))
        }
        several => {
            Err(format!("{} devices have the {name}, and each board has its own gain: use `uuid`", several.len()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::DomainKind;

    fn resolved(text: &str) -> Result<Calibration, String> {
        let domain = |id: &str, label: &str| Domain {
            id: DomainId::new(id),
            kind: DomainKind::Gpu,
            parent: None,
            label: label.to_owned(),
        };
        let domains = [domain("gpu:0", "NVIDIA H200"), domain("gpu:1", "NVIDIA H200"), domain("gpu:2", "NVIDIA L4")];
        let facts = [Fact { name: "gpu:1 uuid".to_owned(), value: "GPU-11".to_owned() }];
        resolve(parse(Path::new("a.toml"), text)?, &domains, &facts, false)
    }

    fn toml(device: &str) -> String {
        format!("reference = \"wall meter\"\ndate = \"2026-11-02\"\n[[device]]\n{device}\n")
    }

    #[test]
    fn finds_a_device_by_each_of_its_names() {
        for (device, domain) in
            [("domain = \"gpu:0\"", "gpu:0"), ("uuid = \"GPU-11\"", "gpu:1"), ("name = \"NVIDIA L4\"", "gpu:2")]
        {
            let calibration = resolved(&toml(&format!("{device}\ngain = 1.04\noffset_w = -2.5"))).unwrap();
            let found = calibration.domain(&DomainId::new(domain)).unwrap();
            assert_eq!((found.joules(100.0, 2.0), found.watts(100.0)), (99.0, 101.5));
        }
        let json = r#"{"reference": "m", "date": "2026-11-02", "device": [{"domain": "gpu:0", "gain": 1.0}]}"#;
        assert!(parse(Path::new("a.json"), json).is_ok());
    }

    #[test]
    fn errors_name_the_value_and_the_remedy() {
        let board = |device: &str| resolved(&toml(device)).unwrap_err();
        let messages = [
            board("name = \"NVIDIA H200\"\ngain = 1.0"),
            board("domain = \"gpu:7\"\ngain = 1.0"),
            board("gain = 1.0"),
            board("domain = \"gpu:0\"\ngain = 5.0"),
            board("domain = \"gpu:0\"\ngain = 1.0\noffset_w = nan"),
            board("domain = \"gpu:0\"\ngain = 1.0\noffset = 1"),
            board("domain = \"gpu:0\"\ngain = 1.0\n[[device]]\ndomain = \"gpu:0\"\ngain = 1.0"),
            resolved("reference = \"m\"\ndate = \"yesterday\"\ndevice = []").unwrap_err(),
            resolved("reference = \"m\"").unwrap_err(),
        ];
        insta::assert_snapshot!(messages.join("\n"), @"
        2 devices have the name `NVIDIA H200`, and each board has its own gain: use `uuid`
        no device has the domain `gpu:7`; the devices are gpu:0 (NVIDIA H200), gpu:1 (NVIDIA H200, GPU-11), gpu:2 (NVIDIA L4)
        each [[device]] needs one of `uuid`, `domain` and `name`
        `gain` of gpu:0 must be between 0.5 and 2, not 5
        `offset_w` of gpu:0 must be within ±1000 W, not NaN
        not a valid calibration: line 6: unknown field `offset`, expected one of `domain`, `uuid`, `name`, `gain`, `offset_w`
        gpu:0 is calibrated twice
        `date` must be a day such as 2026-11-02, not `yesterday`
        not a valid calibration: line 1: missing field `date`
        ");
    }
}
