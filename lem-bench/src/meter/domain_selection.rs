//! Determines which domains may be summed, from their containment, and checks what a meter lists.

use super::channel::{Channel, Meter, OpenError, Quantity};
use crate::model::{Domain, DomainId};

/// Why domains cannot be selected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectError {
    /// No domain has this id or prefix.
    #[error("unknown domain `{name}`; {}", available(known))]
    Unknown {
        /// The name that was given.
        name: String,
        /// The ids of all domains.
        known: Vec<DomainId>,
    },
    /// One domain contains the other, so that their sum would count energy twice.
    #[error("{}", overlap(outer, inner))]
    Overlap {
        /// The containing domain.
        outer: DomainId,
        /// The contained domain; equal to `outer` if it was named twice.
        inner: DomainId,
    },
}

fn available(known: &[DomainId]) -> String {
    let ids: Vec<_> = known.iter().map(DomainId::as_str).collect();
    if ids.is_empty() { "the list of domains is empty".to_owned() } else { format!("use one of {}", ids.join(", ")) }
}

fn overlap(outer: &DomainId, inner: &DomainId) -> String {
    if outer == inner {
        format!("domain `{outer}` is given twice")
    } else {
        format!("domain `{outer}` contains `{inner}`: their sum would count energy twice; use one of them")
    }
}

/// Returns the domains that no other one of `domains` contains: their energies may be summed.
pub fn non_overlapping(domains: &[Domain]) -> Vec<DomainId> {
    outermost(domains, domains.iter().map(|domain| &domain.id))
}

/// Checks that the energies of `selection` may be summed.
///
/// `domains` are all known domains, because one selected domain may contain another through domains that are not selected.
///
/// # Errors
/// [`SelectError::Overlap`] for the first pair in which one contains the other.
pub fn check_disjoint(domains: &[Domain], selection: &[DomainId]) -> Result<(), SelectError> {
    for (index, inner) in selection.iter().enumerate() {
        if selection[..index].contains(inner) {
            return Err(SelectError::Overlap { outer: inner.clone(), inner: inner.clone() });
        }
        if let Some(outer) = ancestors(domains, inner).find(|ancestor| selection.contains(ancestor)) {
            return Err(SelectError::Overlap { outer: outer.clone(), inner: inner.clone() });
        }
    }
    Ok(())
}

/// Returns the domains that `--domain` names, in the order of `domains`, each once and none containing another.
///
/// A name is the id of a domain (`gpu:1`) or a prefix of several that ends before a `:`, `-` or `/` (`gpu`, `cpu:package`).
/// A prefix selects the domains among them that no other one contains.
///
/// # Errors
/// [`SelectError::Unknown`] for a name without a domain, [`SelectError::Overlap`] if one selected domain contains another.
pub fn select(domains: &[Domain], names: &[String]) -> Result<Vec<DomainId>, SelectError> {
    let mut selected = Vec::new();
    for name in names {
        let matching: Vec<DomainId> = match domains.iter().find(|domain| domain.id.as_str() == name) {
            Some(exact) => vec![exact.id.clone()],
            None => outermost(domains, domains.iter().map(|domain| &domain.id).filter(|id| is_prefix(name, id))),
        };
        if matching.is_empty() {
            let known = domains.iter().map(|domain| domain.id.clone()).collect();
            return Err(SelectError::Unknown { name: name.clone(), known });
        }
        selected.extend(matching.into_iter().filter(|id| !selected.contains(id)).collect::<Vec<_>>());
    }
    check_disjoint(domains, &selected)?;
    Ok(domains.iter().map(|domain| &domain.id).filter(|id| selected.contains(id)).cloned().collect())
}

fn is_prefix(name: &str, id: &DomainId) -> bool {
    let rest = id.as_str().strip_prefix(name);
    !name.is_empty() && rest.is_some_and(|rest| rest.starts_with([':', '-', '/']))
}

/// Returns those of `ids` that no other one of them contains.
fn outermost<'a>(domains: &[Domain], ids: impl Iterator<Item = &'a DomainId>) -> Vec<DomainId> {
    let ids: Vec<_> = ids.collect();
    let is_contained = |id: &DomainId| ancestors(domains, id).any(|ancestor| ids.contains(&ancestor));
    ids.iter().filter(|id| !is_contained(id)).map(|id| (*id).clone()).collect()
}

/// Returns the domains that contain `id`, from the inside out. Ends even if domains contain each other in a cycle.
fn ancestors<'a>(domains: &'a [Domain], id: &DomainId) -> impl Iterator<Item = &'a DomainId> {
    let parent = |id: &DomainId| domains.iter().find(|domain| domain.id == *id).and_then(|it| it.parent.as_ref());
    std::iter::successors(parent(id), move |ancestor| parent(ancestor)).take(domains.len())
}

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

    fn domain(id: &str, parent: Option<&str>) -> Domain {
        let parent = parent.map(DomainId::new);
        Domain { id: DomainId::new(id), kind: DomainKind::Board, parent, label: String::new() }
    }

    fn laptop() -> Vec<Domain> {
        vec![
            domain("cpu:psys", None),
            domain("cpu:package-0", Some("cpu:psys")),
            domain("cpu:core-0", Some("cpu:package-0")),
            domain("cpu:dram-0", Some("cpu:psys")),
            domain("gpu:1", None),
            domain("gpu:10", None),
        ]
    }

    fn ids(list: &[DomainId]) -> Vec<&str> {
        list.iter().map(DomainId::as_str).collect()
    }

    fn selected(names: &[&str]) -> Result<Vec<String>, SelectError> {
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        select(&laptop(), &names).map(|list| list.into_iter().map(|id| id.to_string()).collect())
    }

    #[test]
    fn takes_outermost_domains() {
        assert_eq!(ids(&non_overlapping(&laptop())), ["cpu:psys", "gpu:1", "gpu:10"]);
        assert_eq!(ids(&non_overlapping(&laptop()[1..])), ["cpu:package-0", "cpu:dram-0", "gpu:1", "gpu:10"]);
    }

    #[test]
    fn nests_module_gpu_and_memory() {
        let superchip = vec![
            domain("module:0", None),
            domain("gpu:0", Some("module:0")),
            domain("gpu:0/memory", Some("gpu:0")),
            domain("cpu:package-0", Some("module:0")),
            domain("module:1", None),
            domain("gpu:1", Some("module:1")),
        ];
        assert_eq!(ids(&non_overlapping(&superchip)), ["module:0", "module:1"]);
        // Without the modules' sensors, their parts are summed.
        let parts: Vec<Domain> =
            superchip.iter().filter(|domain| !domain.id.as_str().starts_with("module")).cloned().collect();
        assert_eq!(ids(&non_overlapping(&parts)), ["gpu:0", "cpu:package-0", "gpu:1"]);
        let chosen = |names: &[&str]| select(&superchip, &names.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(ids(&chosen(&["gpu"]).unwrap()), ["gpu:0", "gpu:1"], "not the memory in addition to its GPU");
        assert_eq!(ids(&chosen(&["gpu:0/memory", "cpu"]).unwrap()), ["gpu:0/memory", "cpu:package-0"]);
        for (outer, inner) in [("module:0", "gpu:0/memory"), ("gpu:0", "gpu:0/memory"), ("module:0", "cpu:package-0")] {
            let overlap = SelectError::Overlap { outer: DomainId::new(outer), inner: DomainId::new(inner) };
            assert_eq!(chosen(&[inner, outer]), Err(overlap));
        }
    }

    #[test]
    fn detects_overlap_through_unselected_domains() {
        let picked = [DomainId::new("cpu:core-0"), DomainId::new("cpu:psys")];
        let overlap = SelectError::Overlap { outer: DomainId::new("cpu:psys"), inner: DomainId::new("cpu:core-0") };
        insta::assert_snapshot!(
            overlap,
            @"domain `cpu:psys` contains `cpu:core-0`: their sum would count energy twice; use one of them"
        );
        assert_eq!(check_disjoint(&laptop(), &picked), Err(overlap));
        assert_eq!(check_disjoint(&laptop(), &[DomainId::new("cpu:core-0"), DomainId::new("cpu:dram-0")]), Ok(()));
    }

    #[test]
    fn rejects_domain_named_twice() {
        let twice = [DomainId::new("gpu:1"), DomainId::new("gpu:1")];
        insta::assert_snapshot!(check_disjoint(&laptop(), &twice).unwrap_err(), @"domain `gpu:1` is given twice");
    }

    #[test]
    fn selects_by_id_and_prefix() {
        assert_eq!(selected(&["gpu:1"]).unwrap(), ["gpu:1"], "not gpu:10");
        assert_eq!(selected(&["gpu"]).unwrap(), ["gpu:1", "gpu:10"]);
        assert_eq!(selected(&["cpu"]).unwrap(), ["cpu:psys"]);
        assert_eq!(selected(&["gpu:10", "cpu:package"]).unwrap(), ["cpu:package-0", "gpu:10"]);
        assert_eq!(selected(&["gpu:1", "gpu"]).unwrap(), ["gpu:1", "gpu:10"]);
    }

    #[test]
    fn rejects_unknown_and_overlapping_names() {
        insta::assert_snapshot!(
            selected(&["gp"]).unwrap_err(),
            @"unknown domain `gp`; use one of cpu:psys, cpu:package-0, cpu:core-0, cpu:dram-0, gpu:1, gpu:10"
        );
        assert!(matches!(selected(&["cpu:psys", "cpu:core-0"]), Err(SelectError::Overlap { .. })));
        assert!(matches!(selected(&[""]), Err(SelectError::Unknown { .. })));
    }

    #[test]
    fn tolerates_containment_cycle() {
        let cycle = [domain("a", Some("b")), domain("b", Some("a"))];
        assert!(non_overlapping(&cycle).is_empty());
    }

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
