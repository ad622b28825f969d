//! Whether a meter that somebody else wrote makes sense, before anything depends on it.
//!
//! Must not know what it reads.

use super::{Meter, OpenError, Quantity};
use crate::model::DomainId;

/// Looks at the domains and channels of a meter.
///
/// # Errors
/// The first thing that is wrong with them.
pub(super) fn check(meter: &dyn Meter) -> Result<(), OpenError> {
    let domains = meter.domains();
    let failed = |what: String| OpenError::Failed { why: format!("the meter `{}` {what}", meter.name()) };
    let known = |id: &DomainId| domains.iter().any(|domain| domain.id == *id);
    for (at, domain) in domains.iter().enumerate() {
        if domains[..at].iter().any(|other| other.id == domain.id) {
            return Err(OpenError::SameDomain { domain: domain.id.to_string() });
        }
        if let Some(parent) = domain.parent.as_ref().filter(|parent| !known(parent)) {
            return Err(failed(format!("puts `{}` inside `{parent}`, which is none of its domains", domain.id)));
        }
    }
    let channels = meter.channels();
    if let Some(stray) = channels.iter().find(|channel| !known(&channel.domain)) {
        return Err(failed(format!("has a channel about `{}`, which is none of its domains", stray.domain)));
    }
    for domain in super::non_overlapping(domains) {
        let tells = |it: &super::Channel| it.domain == domain && (it.is_counter() || it.quantity == Quantity::Power);
        if !channels.iter().any(tells) {
            return Err(failed(format!("has neither an energy counter nor a power gauge for `{domain}`")));
        }
    }
    if super::non_overlapping(domains).is_empty() {
        return Err(failed("has no domain that is in no other".to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::{Channel, Opened, ReadError, Value};
    use crate::model::{Domain, DomainKind, Origin};

    struct Own(Vec<Domain>, Vec<Channel>);

    impl Meter for Own {
        fn name(&self) -> &'static str {
            "own"
        }

        fn origin(&self) -> Origin {
            Origin::Measured
        }

        fn domains(&self) -> &[Domain] {
            &self.0
        }

        fn channels(&self) -> &[Channel] {
            &self.1
        }

        fn read(&mut self, _: usize) -> Result<Value, ReadError> {
            Ok(Value::Level(1.0))
        }
    }

    /// What becomes of a meter with these domains (and what contains them), and channels.
    fn opened(domains: &[(&str, Option<&str>)], channels: &[(&str, Quantity)]) -> Result<Opened, String> {
        let domain = |(id, parent): &(&str, Option<&str>)| Domain {
            id: DomainId::new(*id),
            kind: DomainKind::Board,
            parent: parent.map(DomainId::new),
            label: String::new(),
        };
        let channel = |(id, quantity): &(&str, Quantity)| Channel::new(DomainId::new(*id), *quantity);
        let own = Own(domains.iter().map(domain).collect(), channels.iter().map(channel).collect());
        Opened::around(Box::new(own)).map_err(|error| error.to_string())
    }

    #[test]
    fn what_contains_the_others_is_the_headline() {
        let both = [("wall", None), ("wall/pump", Some("wall"))];
        let channels = [("wall", Quantity::Power), ("wall/pump", Quantity::Temperature)];
        assert_eq!(opened(&both, &channels).unwrap().headline, [DomainId::new("wall")]);
    }

    #[test]
    fn a_meter_that_makes_no_sense_is_refused_with_the_reason() {
        let refused = |domains: &[(&str, Option<&str>)], channels: &[(&str, Quantity)], why: &str| {
            let error = opened(domains, channels).unwrap_err();
            assert!(error.contains(why), "{error}");
        };
        let (watts, celsius) = (Quantity::Power, Quantity::Temperature);
        refused(&[], &[], "no domain");
        refused(&[("a", None)], &[("a", celsius)], "neither an energy counter nor a power gauge for `a`");
        refused(&[("a", None), ("a", None)], &[("a", watts)], "the domain `a`");
        refused(&[("a", None)], &[("a", watts), ("b", watts)], "a channel about `b`");
        refused(&[("a", Some("b"))], &[("a", watts)], "`a` inside `b`");
        refused(&[("a", Some("b")), ("b", Some("a"))], &[("a", watts)], "no domain that is in no other");
    }
}
