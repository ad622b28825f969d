//! Combines several meters into one; and a meter without channels.

use super::channel::{Channel, Meter, OpenError, ReadError, Value};
use crate::model::{Domain, Origin};

/// The meter that a channel belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The name of the meter: `nvml`, `rapl`.
    pub meter: String,
    /// Whether the meter measures, estimates or simulates.
    pub origin: Origin,
}

impl Part {
    /// Returns the name and origin of `meter`.
    pub fn of(meter: &dyn Meter) -> Self {
        Self { meter: meter.name().to_owned(), origin: meter.origin() }
    }
}

/// Several meters combined into one. Channels and domains are in the order of the parts.
pub struct Composite {
    name: String,
    parts: Vec<(Part, Box<dyn Meter>)>,
    domains: Vec<Domain>,
    channels: Vec<Channel>,
    /// For each channel, the index of its part and its index within the part.
    locations: Vec<(usize, usize)>,
}

impl Composite {
    /// Combines `meters`.
    ///
    /// # Errors
    /// [`OpenError::SameDomain`] if two of them list a domain of the same id.
    pub fn new(meters: Vec<Box<dyn Meter>>) -> Result<Self, OpenError> {
        let mut domains: Vec<Domain> = Vec::new();
        let (mut channels, mut locations) = (Vec::new(), Vec::new());
        for (part, meter) in meters.iter().enumerate() {
            for domain in meter.domains() {
                if domains.iter().any(|other| other.id == domain.id) {
                    return Err(OpenError::SameDomain { domain: domain.id.to_string() });
                }
                domains.push(domain.clone());
            }
            channels.extend_from_slice(meter.channels());
            locations.extend((0..meter.channels().len()).map(|index| (part, index)));
        }
        let parts: Vec<_> = meters.into_iter().map(|meter| (Part::of(meter.as_ref()), meter)).collect();
        let name = parts.iter().map(|(part, _)| part.meter.as_str()).collect::<Vec<_>>().join("+");
        Ok(Self { name, parts, domains, channels, locations })
    }
}

impl Meter for Composite {
    /// Returns the parts' names, joined by `+`.
    fn name(&self) -> &str {
        &self.name
    }

    /// Returns [`Origin::Measured`] only if every part measures.
    fn origin(&self) -> Origin {
        let has_part = |origin| self.parts.iter().any(|(part, _)| part.origin == origin);
        if has_part(Origin::Simulated) {
            Origin::Simulated
        } else if has_part(Origin::Estimated) {
            Origin::Estimated
        } else {
            Origin::Measured
        }
    }

    fn domains(&self) -> &[Domain] {
        &self.domains
    }

    fn channels(&self) -> &[Channel] {
        &self.channels
    }

    fn read(&mut self, channel: usize) -> Result<Value, ReadError> {
        let (part, index) = self.locations[channel];
        self.parts[part].1.read(index)
    }

    /// Returns the facts of all parts.
    fn facts(&self) -> Vec<(String, String)> {
        self.parts.iter().flat_map(|(_, meter)| meter.facts()).collect()
    }
}

/// A meter without channels that has the name and origin of another process' meter.
#[derive(Debug)]
pub struct NullMeter {
    name: String,
    origin: Origin,
}

impl NullMeter {
    /// Returns a null meter with the name and origin of `meter`.
    pub fn of(meter: &dyn Meter) -> Self {
        Self { name: meter.name().to_owned(), origin: meter.origin() }
    }
}

impl Meter for NullMeter {
    fn name(&self) -> &str {
        &self.name
    }

    fn origin(&self) -> Origin {
        self.origin
    }

    fn domains(&self) -> &[Domain] {
        &[]
    }

    fn channels(&self) -> &[Channel] {
        &[]
    }

    fn read(&mut self, channel: usize) -> Result<Value, ReadError> {
        Err(ReadError::Failed(format!("the meter has no channel {channel}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::{Estimate, Quantity};
    use crate::model::{DomainId, DomainKind};

    /// A meter whose channel `n` reads `n + base`.
    struct Fixed {
        base: u64,
        domains: Vec<Domain>,
        channels: Vec<Channel>,
    }

    impl Fixed {
        fn boxed(id: &str, base: u64, channels: usize) -> Box<dyn Meter> {
            let id = DomainId::new(id);
            let channel = Channel::new(id.clone(), Quantity::Energy { unit_j: 1.0, modulus: None });
            let domain = Domain { id, kind: DomainKind::Board, parent: None, label: String::new() };
            Box::new(Self { base, domains: vec![domain], channels: vec![channel; channels] })
        }
    }

    impl Meter for Fixed {
        fn name(&self) -> &'static str {
            "fixed"
        }

        fn origin(&self) -> Origin {
            Origin::Measured
        }

        fn domains(&self) -> &[Domain] {
            &self.domains
        }

        fn channels(&self) -> &[Channel] {
            &self.channels
        }

        fn read(&mut self, channel: usize) -> Result<Value, ReadError> {
            Ok(Value::Count(self.base + channel as u64))
        }
    }

    #[test]
    fn reads_each_channel_from_its_part() {
        let parts = vec![Fixed::boxed("a", 10, 2), Fixed::boxed("b", 20, 3)];
        let mut both = Composite::new(parts).unwrap();
        let counts: Vec<_> = (0..both.channels().len()).map(|channel| both.read(channel).unwrap()).collect();
        assert_eq!(counts, [10, 11, 20, 21, 22].map(Value::Count));
        assert_eq!(both.channels()[1].domain.as_str(), "a");
        assert_eq!(both.channels()[2].domain.as_str(), "b");
        assert_eq!(both.origin(), Origin::Measured);
    }

    #[test]
    fn is_estimated_if_a_part_is() {
        let both = Composite::new(vec![Fixed::boxed("a", 0, 1), Box::new(Estimate::default())]).unwrap();
        assert_eq!(both.name(), "fixed+estimate");
        assert_eq!(both.origin(), Origin::Estimated);
        assert!(both.facts().iter().any(|(name, _)| name == "estimate formula"));
    }

    #[test]
    fn rejects_domain_in_two_parts() {
        let error = Composite::new(vec![Fixed::boxed("a", 0, 1), Fixed::boxed("a", 0, 1)]).err();
        assert_eq!(error, Some(OpenError::SameDomain { domain: "a".to_owned() }));
    }
}
