//! `--show-config`: each setting, its value and where it came from.
//!
//! Must not print.

use std::collections::BTreeMap;

use super::file;
use super::layers::Layer;
use super::run::Invocation;
use crate::model::Setting;
use crate::registry::Case;

/// The settings of a call, and what the benches' attributes set beyond them, one a line.
pub(super) fn show(call: &Invocation, cases: &[Case]) -> String {
    let mut rows: Vec<(String, String, String)> = Vec::new();
    for (setting, place) in call.asked.settings() {
        let from = match place {
            Some(place) => format!("{} ({place})", setting.from),
            None => setting.from,
        };
        rows.push((setting.name, setting.value, from));
    }
    let attributes = attributes(call, cases);
    rows.extend(attributes.into_iter().map(|setting| (setting.name, setting.value, setting.from)));
    let width = |column: fn(&(String, String, String)) -> &String| {
        rows.iter().map(|row| column(row).chars().count()).filter(|n| *n <= 48).max().unwrap_or(0)
    };
    let (names, values) = (width(|row| &row.0), width(|row| &row.1));
    let read = match call.places.nearest_file(file::NAME) {
        Some(path) => format!("# {} was read\n", path.display()),
        None => format!("# no {} in {} or above, up to the workspace\n", file::NAME, call.places.cwd.display()),
    };
    let line = |(name, value, from): &(String, String, String)| format!("{name:names$}  {value:values$}  {from}\n");
    read + &rows.iter().map(line).collect::<String>()
}

/// What the attributes of these cases set and no layer above overrides, once a bench: `cycles (llama/decode)`.
pub(super) fn attributes(call: &Invocation, cases: &[Case]) -> Vec<Setting> {
    let mut found = BTreeMap::new();
    for case in cases {
        let bench = match &case.group {
            Some(group) => format!("{group}/{}", case.name),
            None => case.name.clone(),
        };
        let mut add = |name: &str, value: Option<String>| {
            if let Some(value) = value.filter(|_| !call.asked.sets(name)) {
                found.insert(format!("{name} ({bench})"), value);
            }
        };
        add("cycles", case.attributes.cycles.map(|n| n.to_string()));
        add("windows", case.attributes.windows.map(|n| n.to_string()));
        add("processes", case.attributes.processes.map(|n| n.to_string()));
        add("gap", case.attributes.gap.map(|gap| format!("{}s", gap.as_secs_f64())));
    }
    found.into_iter().map(|(name, value)| Setting { name, value, from: Layer::Attribute.name().to_owned() }).collect()
}
