//! Which domains may be added up: pure functions on domains and what contains what.
//!
//! Must not know meters or readings.

use crate::model::{Domain, DomainId};

/// Why domains can't be chosen as asked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SelectError {
    /// No domain has this id or prefix.
    Unknown {
        /// What was asked for.
        asked: String,
        /// The ids that there are.
        known: Vec<DomainId>,
    },
    /// One domain contains the other, so that their sum would count joules twice.
    Overlap {
        /// The containing domain.
        outer: DomainId,
        /// The contained domain; the same as `outer` when it was named twice.
        inner: DomainId,
    },
}

impl std::fmt::Display for SelectError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown { asked, known } => {
                write!(f, "no domain `{asked}`; there ")?;
                let known: Vec<_> = known.iter().map(DomainId::as_str).collect();
                match known.as_slice() {
                    [] => f.write_str("is none"),
                    [one] => write!(f, "is {one}"),
                    several => write!(f, "are {}", several.join(", ")),
                }
            }
            Self::Overlap { outer, inner } if outer == inner => write!(f, "domain `{outer}` is named twice"),
            Self::Overlap { outer, inner } => {
                write!(f, "domain `{outer}` contains `{inner}`: their sum would count joules twice; name one of them")
            }
        }
    }
}

impl std::error::Error for SelectError {}

/// The domains that no other one of `domains` contains: their energies may be added up.
pub fn non_overlapping(domains: &[Domain]) -> Vec<DomainId> {
    top_most(domains, domains.iter().map(|domain| &domain.id))
}

/// Whether the energies of `selection` may be added up.
///
/// `domains` is everything that is known, so that containment is also seen through domains that are not selected.
///
/// # Errors
/// [`SelectError::Overlap`] for the first pair of which one contains the other.
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

/// The domains that `--domain` names, in the order of `domains`, each once and none containing another.
///
/// A name is the id of a domain (`gpu:1`), or the beginning of several up to a `:`, `-` or `/` (`gpu`, `cpu:package`):
/// then those of them that none of the others contains.
///
/// # Errors
/// [`SelectError::Unknown`] for a name that fits nothing, [`SelectError::Overlap`] when two of the named contain each
/// other.
pub fn select(domains: &[Domain], names: &[String]) -> Result<Vec<DomainId>, SelectError> {
    let mut selected = Vec::new();
    for name in names {
        let named: Vec<DomainId> = match domains.iter().find(|domain| domain.id.as_str() == name) {
            Some(exact) => vec![exact.id.clone()],
            None => top_most(domains, domains.iter().map(|domain| &domain.id).filter(|id| is_beginning(name, id))),
        };
        if named.is_empty() {
            let known = domains.iter().map(|domain| domain.id.clone()).collect();
            return Err(SelectError::Unknown { asked: name.clone(), known });
        }
        selected.extend(named.into_iter().filter(|id| !selected.contains(id)).collect::<Vec<_>>());
    }
    check_disjoint(domains, &selected)?;
    Ok(domains.iter().map(|domain| &domain.id).filter(|id| selected.contains(id)).cloned().collect())
}

fn is_beginning(name: &str, id: &DomainId) -> bool {
    let rest = id.as_str().strip_prefix(name);
    !name.is_empty() && rest.is_some_and(|rest| rest.starts_with([':', '-', '/']))
}

/// Those of `ids` that no other of them contains.
fn top_most<'a>(domains: &[Domain], ids: impl Iterator<Item = &'a DomainId>) -> Vec<DomainId> {
    let ids: Vec<_> = ids.collect();
    let contained = |id: &DomainId| ancestors(domains, id).any(|ancestor| ids.contains(&ancestor));
    ids.iter().filter(|id| !contained(id)).map(|id| (*id).clone()).collect()
}

/// What contains `id`, from the inside out. Ends even if somebody's domains contain each other in a ring.
fn ancestors<'a>(domains: &'a [Domain], id: &DomainId) -> impl Iterator<Item = &'a DomainId> {
    let parent = |id: &DomainId| domains.iter().find(|domain| domain.id == *id).and_then(|it| it.parent.as_ref());
    std::iter::successors(parent(id), move |ancestor| parent(ancestor)).take(domains.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::DomainKind;

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
        select(&laptop(), &names).map(|list| list.into_iter().map(|id| id.0).collect())
    }

    #[test]
    fn a_total_takes_only_what_nothing_else_contains() {
        assert_eq!(ids(&non_overlapping(&laptop())), ["cpu:psys", "gpu:1", "gpu:10"]);
        assert_eq!(ids(&non_overlapping(&laptop()[1..])), ["cpu:package-0", "cpu:dram-0", "gpu:1", "gpu:10"]);
    }

    #[test]
    fn a_superchip_its_card_and_the_cards_memory_are_one_energy() {
        let superchip = vec![
            domain("module:0", None),
            domain("gpu:0", Some("module:0")),
            domain("gpu:0/memory", Some("gpu:0")),
            domain("cpu:package-0", Some("module:0")),
            domain("module:1", None),
            domain("gpu:1", Some("module:1")),
        ];
        assert_eq!(ids(&non_overlapping(&superchip)), ["module:0", "module:1"]);
        // Without the modules' sensors it is their parts that add up.
        let parts: Vec<Domain> =
            superchip.iter().filter(|domain| !domain.id.as_str().starts_with("module")).cloned().collect();
        assert_eq!(ids(&non_overlapping(&parts)), ["gpu:0", "cpu:package-0", "gpu:1"]);
        let chosen = |names: &[&str]| select(&superchip, &names.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(ids(&chosen(&["gpu"]).unwrap()), ["gpu:0", "gpu:1"], "and not the memory beside its card");
        assert_eq!(ids(&chosen(&["gpu:0/memory", "cpu"]).unwrap()), ["gpu:0/memory", "cpu:package-0"]);
        for (outer, inner) in [("module:0", "gpu:0/memory"), ("gpu:0", "gpu:0/memory"), ("module:0", "cpu:package-0")] {
            let overlap = SelectError::Overlap { outer: DomainId::new(outer), inner: DomainId::new(inner) };
            assert_eq!(chosen(&[inner, outer]), Err(overlap));
        }
    }

    #[test]
    fn containment_is_seen_through_domains_that_are_not_selected() {
        let picked = [DomainId::new("cpu:core-0"), DomainId::new("cpu:psys")];
        let overlap = SelectError::Overlap { outer: DomainId::new("cpu:psys"), inner: DomainId::new("cpu:core-0") };
        let text = overlap.to_string();
        assert!(text.contains("`cpu:psys` contains `cpu:core-0`"), "{text}");
        assert_eq!(check_disjoint(&laptop(), &picked), Err(overlap));
        assert_eq!(check_disjoint(&laptop(), &[DomainId::new("cpu:core-0"), DomainId::new("cpu:dram-0")]), Ok(()));
    }

    #[test]
    fn a_domain_named_twice_in_a_sum_is_refused() {
        let twice = [DomainId::new("gpu:1"), DomainId::new("gpu:1")];
        assert!(check_disjoint(&laptop(), &twice).unwrap_err().to_string().contains("named twice"));
    }

    #[test]
    fn an_id_selects_itself_and_a_prefix_its_top_most() {
        assert_eq!(selected(&["gpu:1"]).unwrap(), ["gpu:1"], "and not gpu:10");
        assert_eq!(selected(&["gpu"]).unwrap(), ["gpu:1", "gpu:10"]);
        assert_eq!(selected(&["cpu"]).unwrap(), ["cpu:psys"]);
        assert_eq!(selected(&["gpu:10", "cpu:package"]).unwrap(), ["cpu:package-0", "gpu:10"]);
        assert_eq!(selected(&["gpu:1", "gpu"]).unwrap(), ["gpu:1", "gpu:10"]);
    }

    #[test]
    fn what_fits_nothing_or_overlaps_is_an_error_that_names_what_there_is() {
        let unknown = selected(&["gp"]).unwrap_err().to_string();
        assert!(unknown.contains("no domain `gp`") && unknown.contains("cpu:dram-0"), "{unknown}");
        assert!(matches!(selected(&["cpu:psys", "cpu:core-0"]), Err(SelectError::Overlap { .. })));
        assert!(matches!(selected(&[""]), Err(SelectError::Unknown { .. })));
    }

    #[test]
    fn domains_that_contain_each_other_in_a_ring_end_too() {
        let ring = [domain("a", Some("b")), domain("b", Some("a"))];
        assert!(non_overlapping(&ring).is_empty());
    }
}
