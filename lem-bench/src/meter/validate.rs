//! Validates the domains and channels of a custom meter.

use super::channel::{Channel, Meter, OpenError, Quantity};
use super::domain_selection::non_overlapping;
use crate::model::DomainId;

/// Checks the domains and channels of a meter.
///
/// # Errors
/// The first fault: [`OpenError::SameDomain`] or [`OpenError::Failed`].
pub(super) fn validate(meter: &dyn Meter) -> Result<(), OpenError> {
    let (domains, channels) = (meter.domains(), meter.channels());
    let invalid = |fault: String| OpenError::Failed { why: format!("the meter `{}` {fault}", meter.name()) };
    let is_listed = |id: &DomainId| domains.iter().any(|domain| domain.id == *id);
    for (index, domain) in domains.iter().enumerate() {
        if domains[..index].iter().any(|other| other.id == domain.id) {
            return Err(OpenError::SameDomain { domain: domain.id.to_string() });
        }
        if let Some(parent) = domain.parent.as_ref().filter(|parent| !is_listed(parent)) {
            return Err(invalid(format!("puts `{}` inside `{parent}`, which is not one of its domains", domain.id)));
        }
    }
    if let Some(channel) = channels.iter().find(|channel| !is_listed(&channel.domain)) {
        return Err(invalid(format!("has a channel of `{}`, which is not one of its domains", channel.domain)));
    }
    let headline = non_overlapping(domains);
    let gives_energy = |channel: &Channel| channel.is_counter() || channel.quantity == Quantity::Power;
    for domain in &headline {
        if !channels.iter().any(|channel| channel.domain == *domain && gives_energy(channel)) {
            return Err(invalid(format!("has neither an energy counter nor a power gauge for `{domain}`")));
        }
    }
    if headline.is_empty() {
        return Err(invalid("has no domain outside all others".to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::{Opened, ReadError, Value};
    use crate::model::{Domain, DomainKind, Origin};

    struct CustomMeter(Vec<Domain>, Vec<Channel>);

    impl Meter for CustomMeter {
        fn name(&self) -> &'static str {
            "plug"
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

    /// Opens a meter with these domains (id and parent) and channels.
    fn open(domains: &[(&str, Option<&str>)], channels: &[(&str, Quantity)]) -> Result<Opened, OpenError> {
        let domain = |(id, parent): &(&str, Option<&str>)| Domain {
            id: DomainId::new(*id),
            kind: DomainKind::Board,
            parent: parent.map(DomainId::new),
            label: String::new(),
        };
        let channel = |(id, quantity): &(&str, Quantity)| Channel::new(DomainId::new(*id), *quantity);
        let (domains, channels) = (domains.iter().map(domain).collect(), channels.iter().map(channel).collect());
        Opened::custom(Box::new(CustomMeter(domains, channels)))
    }

    #[test]
    fn takes_outermost_domains_as_headline() {
        let domains = [("wall", None), ("wall/pump", Some("wall"))];
        let channels = [("wall", Quantity::Power), ("wall/pump", Quantity::Temperature)];
        assert_eq!(open(&domains, &channels).unwrap().headline, [DomainId::new("wall")]);
    }

    #[test]
    fn rejects_inconsistent_meters() {
        let error =
            |domains: &[(&str, Option<&str>)], channels: &[(&str, Quantity)]| open(domains, channels).unwrap_err();
        let (watts, celsius) = (Quantity::Power, Quantity::Temperature);
        insta::assert_snapshot!(error(&[], &[]), @"the meter `plug` has no domain outside all others");
        insta::assert_snapshot!(
            error(&[("a", None)], &[("a", celsius)]),
            @"the meter `plug` has neither an energy counter nor a power gauge for `a`"
        );
        insta::assert_snapshot!(
            error(&[("a", None), ("a", None)], &[("a", watts)]),
            @"the domain `a` is listed twice"
        );
        insta::assert_snapshot!(
            error(&[("a", None)], &[("a", watts), ("b", watts)]),
            @"the meter `plug` has a channel of `b`, which is not one of its domains"
        );
        insta::assert_snapshot!(
            error(&[("a", Some("b"))], &[("a", watts)]),
            @"the meter `plug` puts `a` inside `b`, which is not one of its domains"
        );
        insta::assert_snapshot!(
            error(&[("a", Some("b")), ("b", Some("a"))], &[("a", watts)]),
            @"the meter `plug` has no domain outside all others"
        );
    }
}
