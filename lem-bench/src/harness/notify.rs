//! `--notify`: posts the summary of a run to a URL. A failure does not change the result of the run.

use super::console;
use super::exit::HarnessError;
use super::log::timed;
use super::parse::InvalidValue;

/// Time limit of the whole request, including the look-up of the host name.
#[cfg(feature = "notify")]
const LIMIT: std::time::Duration = std::time::Duration::from_secs(5);

/// Checks that `text` is an `http` or `https` URL.
pub(super) fn url(text: &str) -> Result<String, InvalidValue> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match rest {
        Some(rest) if !rest.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control()) => {
            Ok(text.to_owned())
        }
        _ => Err(InvalidValue::default()),
    }
}

/// Checks before a run that this build can post, if `--notify` is given.
///
/// # Errors
/// This build has no feature `notify`.
pub(super) fn check(is_requested: bool) -> Result<(), HarnessError> {
    if is_requested && cfg!(not(feature = "notify")) {
        return Err(HarnessError::usage(
            "--notify needs lem-bench's feature `notify`: lem-bench = { features = [\"notify\"] }",
        ));
    }
    Ok(())
}

/// Posts `json` to `url`, if one is given; prints a warning if that fails.
pub(super) fn send(url: Option<&str>, json: impl FnOnce() -> Result<String, HarnessError>) {
    let Some(url) = url else { return };
    let sent = json().map_err(|error| error.to_string()).and_then(|json| timed("--notify", || post(url, &json)));
    if let Err(error) = sent {
        console::warn(&format!("--notify failed: {error}; the results are saved"));
    }
}

/// Posts JSON.
///
/// # Errors
/// The reason, without the URL, which may contain a secret.
#[cfg(feature = "notify")]
fn post(url: &str, json: &str) -> Result<(), String> {
    let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(LIMIT)).build().into();
    let sent = agent.post(url).header("content-type", "application/json").send(json);
    sent.map(drop).map_err(|error| error.to_string())
}

/// Fails: [`check`] has reported before the run that this build can't post.
#[cfg(not(feature = "notify"))]
fn post(_url: &str, _json: &str) -> Result<(), String> {
    Err("this build has no feature `notify`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_http_urls_only() {
        for good in ["http://localhost:8080/x", "https://hooks.example.org/T0/B0?x=1"] {
            assert_eq!(url(good), Ok(good.to_owned()));
        }
        for bad in ["", "hooks.example.org", "ftp://x/", "http://", "file:///etc/passwd", "https://a b/"] {
            assert!(url(bad).is_err(), "{bad}");
        }
    }
}
