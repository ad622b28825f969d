//! `--notify`: tells a URL what a run came to. Whatever becomes of that, the run is as it was.
//!
//! Must not know what is told.

use super::console;
use super::exit::HarnessError;
use super::log::timed;

/// How long all of it may take, the name's look-up included.
#[cfg(feature = "notify")]
const LIMIT: std::time::Duration = std::time::Duration::from_secs(5);

/// A URL that can be told, or why it can't be.
pub(super) fn url(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match rest {
        Some(rest) if !rest.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control()) => {
            Ok(text.to_owned())
        }
        _ => Err(String::new()),
    }
}

/// Whether this build can tell anybody.
///
/// # Errors
/// It can't: better known before a long run than after it.
pub(super) fn check(asked: bool) -> Result<(), HarnessError> {
    if asked && cfg!(not(feature = "notify")) {
        return Err(HarnessError::usage(
            "--notify needs lem-bench's feature `notify`: lem-bench = { features = [\"notify\"] }",
        ));
    }
    Ok(())
}

/// Tells a URL, where one was given; a failure is a warning.
pub(super) fn tell(url: Option<&str>, json: impl FnOnce() -> Result<String, HarnessError>) {
    let Some(url) = url else { return };
    let sent = json().map_err(|stop| stop.message).and_then(|json| timed("told --notify", || post(url, &json)));
    if let Err(why) = sent {
        console::warn(&format!("--notify could not be told: {why}; the results are kept all the same"));
    }
}

/// Posts a text in JSON.
///
/// # Errors
/// Why nobody has taken it, without the URL, which may hold a secret.
#[cfg(feature = "notify")]
fn post(url: &str, json: &str) -> Result<(), String> {
    let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(LIMIT)).build().into();
    let sent = agent.post(url).header("content-type", "application/json").send(json);
    sent.map(drop).map_err(|error| error.to_string())
}

/// This build can tell nobody, which was said before anything was measured.
#[cfg(not(feature = "notify"))]
fn post(_url: &str, _json: &str) -> Result<(), String> {
    Err("this build has no feature `notify`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_place_on_the_net() {
        for good in ["http://localhost:8080/x", "https://hooks.example.org/T0/B0?x=1"] {
            assert_eq!(url(good), Ok(good.to_owned()));
        }
        for bad in ["", "hooks.example.org", "ftp://x/", "http://", "file:///etc/passwd", "https://a b/"] {
            assert!(url(bad).is_err(), "{bad}");
        }
    }
}
