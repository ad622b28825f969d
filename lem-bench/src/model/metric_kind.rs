//! The table of metrics: what each is called in JSON and in text, its unit, and which direction is better. A new metric is
//! added here and computed in `analysis`.

use super::Unit;

/// A metric that analysis computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MetricKind<'a> {
    /// Energy per unit of work, in J.
    Energy {
        /// What is subtracted from the energy.
        basis: EnergyBasis,
        /// What it is divided by.
        per: Unit<'a>,
    },
    /// Work per energy: the inverse of gross energy per unit, in 1/J.
    WorkPerJoule(Unit<'a>),
    /// Work per time, in 1/s.
    Rate(Unit<'a>),
    /// Mean power in the windows, in W.
    MeanPower,
    /// The mean over processes of each one's tokens per second over its own windows.
    ProcessTokenRate,
    /// CPU time of the sampler in the cycle in which it used most, in percent of a core.
    SamplerCpu,
    /// Mean utilisation of the devices in the windows, in percent.
    Utilisation,
    /// The most device memory in use in the windows, in MB.
    PeakMemory,
    /// A statistic of the times of requests, in ms.
    Time(TimeKind, Statistic),
}

/// What an energy per unit of work includes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EnergyBasis {
    /// All energy in the windows.
    Gross,
    /// Gross energy minus loaded idle power times the length of the windows.
    Net,
    /// Gross energy minus bare idle power times the length of the windows.
    AboveBareIdle,
}

/// A time that is measured of each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeKind {
    /// Time to first token (TTFT).
    FirstToken,
    /// Inter-token latency (ITL).
    InterToken,
    /// Inter-token latency without the first and the last of each request.
    SteadyInterToken,
    /// Mean time per output token of a request after its first (TPOT).
    OutputToken,
    /// Time from a request's start to its end.
    Request,
}

/// A statistic over the samples of all cycles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Statistic {
    /// Mean.
    Mean,
    /// Minimum.
    Min,
    /// Maximum.
    Max,
    /// Median.
    P50,
    /// 95th percentile.
    P95,
    /// 99th percentile.
    P99,
}

impl EnergyBasis {
    const ALL: [Self; 3] = [Self::Gross, Self::Net, Self::AboveBareIdle];

    /// What the names of its metrics begin with.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Gross => "j_per_",
            Self::Net => "net_j_per_",
            Self::AboveBareIdle => "above_bare_idle_j_per_",
        }
    }
}

impl TimeKind {
    const ALL: [Self; 5] =
        [Self::FirstToken, Self::InterToken, Self::SteadyInterToken, Self::OutputToken, Self::Request];

    /// Returns its name in JSON, with the unit: `ttft_ms`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FirstToken => "ttft_ms",
            Self::InterToken => "itl_ms",
            Self::SteadyInterToken => "itl_steady_ms",
            Self::OutputToken => "tpot_ms",
            Self::Request => "latency_ms",
        }
    }

    /// Returns what it is called in text.
    pub const fn title(self) -> &'static str {
        match self {
            Self::FirstToken => "time to first token (TTFT)",
            Self::InterToken => "time between tokens (ITL)",
            Self::SteadyInterToken => "time between tokens (ITL) without the first and last of each request",
            Self::OutputToken => "time per output token of a request (TPOT)",
            Self::Request => "time per request",
        }
    }
}

impl Statistic {
    const ALL: [Self; 6] = [Self::Mean, Self::Min, Self::Max, Self::P50, Self::P95, Self::P99];

    /// Returns its name in JSON: `p50`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Min => "min",
            Self::Max => "max",
            Self::P50 => "p50",
            Self::P95 => "p95",
            Self::P99 => "p99",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Min => "minimum",
            Self::Max => "maximum",
            Self::P50 => "median",
            Self::P95 => "95th percentile",
            Self::P99 => "99th percentile",
        }
    }
}

impl<'a> MetricKind<'a> {
    /// The median of the time to first token.
    pub const TTFT: Self = Self::Time(TimeKind::FirstToken, Statistic::P50);
    /// The median of the inter-token latency.
    pub const ITL: Self = Self::Time(TimeKind::InterToken, Statistic::P50);
    /// The median of the time per output token.
    pub const TPOT: Self = Self::Time(TimeKind::OutputToken, Statistic::P50);
    /// The median of the time per request.
    pub const LATENCY: Self = Self::Time(TimeKind::Request, Statistic::P50);
    /// The rank of metrics without a place of their own.
    #[cfg(any(feature = "html", test))]
    pub const LAST_RANK: u8 = 12;

    /// Returns the mean of the times of which this is the median; `None` for other kinds.
    pub const fn mean_of_median(self) -> Option<Self> {
        match self {
            Self::Time(time, Statistic::P50) => Some(Self::Time(time, Statistic::Mean)),
            _ => None,
        }
    }

    /// Returns gross energy per unit of work, the kind of all headlines.
    pub const fn gross(per: Unit<'a>) -> Self {
        Self::Energy { basis: EnergyBasis::Gross, per }
    }

    /// Returns net energy per unit of work.
    pub const fn net(per: Unit<'a>) -> Self {
        Self::Energy { basis: EnergyBasis::Net, per }
    }

    /// Returns the metric of this name in JSON; `None` for names that this version does not know.
    pub fn from_name(name: &'a str) -> Option<Self> {
        let fixed = [Self::MeanPower, Self::ProcessTokenRate, Self::SamplerCpu, Self::Utilisation, Self::PeakMemory];
        if let Some(kind) = fixed.into_iter().find(|kind| kind.name() == name) {
            return Some(kind);
        }
        let per_unit =
            |basis: EnergyBasis| Some((basis, name.strip_prefix(basis.prefix())?)).filter(|(_, unit)| !unit.is_empty());
        if let Some((basis, unit)) = EnergyBasis::ALL.into_iter().find_map(per_unit) {
            return Some(Self::Energy { basis, per: Unit::from_name(unit) });
        }
        for time in TimeKind::ALL {
            let statistic = name.strip_prefix(time.name()).and_then(|rest| rest.strip_prefix('_'));
            let statistic = statistic.and_then(|rest| Statistic::ALL.into_iter().find(|known| known.name() == rest));
            if let Some(statistic) = statistic {
                return Some(Self::Time(time, statistic));
            }
        }
        if let Some(unit) = name.strip_suffix("_per_joule") {
            return Some(Self::WorkPerJoule(Unit::from_plural_name(unit)));
        }
        name.strip_suffix("_per_s").map(|unit| Self::Rate(Unit::from_plural_name(unit)))
    }

    /// Returns its name in JSON: `j_per_output_token`.
    pub fn name(self) -> String {
        match self {
            Self::Energy { basis, per } => format!("{}{}", basis.prefix(), per.name()),
            Self::WorkPerJoule(unit) => format!("{}_per_joule", unit.plural_name()),
            Self::Rate(unit) => format!("{}_per_s", unit.plural_name()),
            Self::MeanPower => "mean_power_w".to_owned(),
            Self::ProcessTokenRate => "mean_process_tokens_per_s".to_owned(),
            Self::SamplerCpu => "sampler_cpu_percent".to_owned(),
            Self::Utilisation => "utilisation_percent_mean".to_owned(),
            Self::PeakMemory => "peak_memory_mb".to_owned(),
            Self::Time(time, statistic) => format!("{}_{}", time.name(), statistic.name()),
        }
    }

    /// Returns its unit of measurement: `J/token`.
    pub fn unit(self) -> String {
        match self {
            Self::Energy { per, .. } => format!("J/{}", per.symbol()),
            Self::WorkPerJoule(unit) => format!("{}/J", unit.plural_symbol()),
            Self::Rate(unit) => format!("{}/s", unit.plural_symbol()),
            Self::MeanPower => "W".to_owned(),
            Self::ProcessTokenRate => "tokens/s".to_owned(),
            Self::SamplerCpu => "% of a core".to_owned(),
            Self::Utilisation => "%".to_owned(),
            Self::PeakMemory => "MB".to_owned(),
            Self::Time(..) => "ms".to_owned(),
        }
    }

    /// Returns whether lower values are better; `None` where neither direction is.
    pub const fn lower_is_better(self) -> Option<bool> {
        match self {
            Self::Energy { .. } | Self::SamplerCpu | Self::Time(..) => Some(true),
            Self::WorkPerJoule(_) | Self::Rate(_) | Self::ProcessTokenRate => Some(false),
            Self::MeanPower | Self::Utilisation | Self::PeakMemory => None,
        }
    }

    /// Returns whether it is an energy or a power, so that reports must show whether it was measured.
    pub const fn is_energy(self) -> bool {
        matches!(self, Self::Energy { .. } | Self::WorkPerJoule(_) | Self::MeanPower)
    }

    /// Returns whether it is an energy minus that at rest, which may be zero or negative.
    pub const fn is_above_idle(self) -> bool {
        matches!(self, Self::Energy { basis: EnergyBasis::Net | EnergyBasis::AboveBareIdle, .. })
    }

    /// Returns whether it is the sum of what all processes did per second, and no total where one of them is missing.
    pub const fn is_total_rate(self) -> bool {
        matches!(self, Self::Rate(_))
    }

    /// Returns the unit of work that an energy is divided by.
    pub const fn denominator(self) -> Option<Unit<'a>> {
        if let Self::Energy { per, .. } = self { Some(per) } else { None }
    }

    /// Returns what it is called in full: `net energy per request, above loaded idle`.
    pub fn title(self) -> String {
        match self {
            Self::Energy { basis: EnergyBasis::Gross, per } => format!("energy per {}", per.label()),
            Self::Energy { basis: EnergyBasis::Net, per } => {
                format!("net energy per {}, above loaded idle", per.label())
            }
            Self::Energy { basis: EnergyBasis::AboveBareIdle, per } => {
                format!("energy per {} above bare idle", per.label())
            }
            Self::WorkPerJoule(unit) => format!("{} per joule", unit.plural_label()),
            Self::Rate(unit) => format!("{} per second", unit.plural_label()),
            Self::MeanPower => "mean power".to_owned(),
            Self::ProcessTokenRate => "tokens per second of one process, mean".to_owned(),
            Self::SamplerCpu => "CPU time of the sampler".to_owned(),
            Self::Utilisation => "device utilization, mean".to_owned(),
            Self::PeakMemory => "peak device memory".to_owned(),
            Self::Time(time, statistic) => format!("{}, {}", time.title(), statistic.title()),
        }
    }

    /// Returns what it is called where there is room for about 20 characters: `output tokens/s`.
    pub fn short_title(self) -> String {
        match self {
            Self::Energy { basis: EnergyBasis::Gross, per } => format!("J per {}", per.label()),
            Self::Energy { basis: EnergyBasis::Net, .. } => "net of loaded idle".to_owned(),
            Self::Energy { basis: EnergyBasis::AboveBareIdle, .. } => "above bare idle".to_owned(),
            Self::WorkPerJoule(Unit::OutputToken) => "tokens per joule".to_owned(),
            Self::WorkPerJoule(unit) => format!("{}/J", unit.plural_label()),
            Self::Rate(unit) => format!("{}/s", unit.plural_label()),
            Self::Time(TimeKind::FirstToken, statistic) => format!("TTFT, {}", statistic.title()),
            Self::Time(TimeKind::InterToken, statistic) => format!("ITL, {}", statistic.title()),
            Self::Time(TimeKind::OutputToken, statistic) => format!("TPOT, {}", statistic.title()),
            Self::Time(TimeKind::Request, statistic) => format!("latency, {}", statistic.title()),
            other => other.title(),
        }
    }

    /// Returns what it is called where there is room for about ten characters: `speed`.
    pub fn abbreviation(self) -> String {
        match self {
            Self::Energy { basis: EnergyBasis::Gross, .. } => "energy".to_owned(),
            Self::Energy { basis: EnergyBasis::Net, .. } => "net".to_owned(),
            Self::Energy { basis: EnergyBasis::AboveBareIdle, .. } => "above bare".to_owned(),
            Self::WorkPerJoule(_) => "yield".to_owned(),
            Self::Rate(_) | Self::ProcessTokenRate => "speed".to_owned(),
            Self::MeanPower => "power".to_owned(),
            Self::SamplerCpu => "sampler".to_owned(),
            Self::Utilisation => "use".to_owned(),
            Self::PeakMemory => "memory".to_owned(),
            Self::Time(TimeKind::FirstToken, statistic) => format!("TTFT {}", statistic.name()),
            Self::Time(TimeKind::InterToken | TimeKind::SteadyInterToken, statistic) => {
                format!("ITL {}", statistic.name())
            }
            Self::Time(TimeKind::OutputToken, statistic) => format!("TPOT {}", statistic.name()),
            Self::Time(TimeKind::Request, statistic) => format!("time {}", statistic.name()),
        }
    }

    /// Returns its place in a list of all metrics; those of one rank are sorted by name.
    #[cfg(any(feature = "html", test))]
    pub fn rank(self) -> u8 {
        match self {
            Self::Energy { basis, per } => 2 * basis as u8 + u8::from(per != Unit::OutputToken),
            Self::WorkPerJoule(Unit::OutputToken) | Self::Rate(Unit::OutputToken) => 6,
            Self::Rate(Unit::Request | Unit::Iteration) => 7,
            Self::MeanPower => 8,
            Self::Time(TimeKind::FirstToken, _) => 9,
            Self::Time(TimeKind::InterToken | TimeKind::SteadyInterToken | TimeKind::OutputToken, _) => 10,
            Self::Time(TimeKind::Request, _) => 11,
            _ => Self::LAST_RANK,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_can_be_parsed() {
        let names = [
            "j_per_output_token",
            "net_j_per_request",
            "above_bare_idle_j_per_total_token",
            "j_per_images",
            "output_tokens_per_joule",
            "requests_per_s",
            "images_per_s",
            "j_per_iteration",
            "iterations_per_s",
            "mean_power_w",
            "mean_process_tokens_per_s",
            "sampler_cpu_percent",
            "utilisation_percent_mean",
            "peak_memory_mb",
            "ttft_ms_p50",
            "itl_steady_ms_max",
            "latency_ms_mean",
        ];
        for name in names {
            assert_eq!(MetricKind::from_name(name).map(MetricKind::name).as_deref(), Some(name));
        }
        assert_eq!(MetricKind::from_name("something_new"), None);
        assert_eq!(MetricKind::from_name("j_per_"), None);
        assert_eq!(MetricKind::from_name("requests_per_s"), Some(MetricKind::Rate(Unit::Request)));
    }

    #[test]
    fn titles() {
        let title = |name| MetricKind::from_name(name).map(MetricKind::title).unwrap();
        assert_eq!(title("j_per_output_token"), "energy per output token");
        assert_eq!(title("net_j_per_request"), "net energy per request, above loaded idle");
        assert_eq!(title("above_bare_idle_j_per_output_token"), "energy per output token above bare idle");
        assert_eq!(title("j_per_images"), "energy per image");
        assert_eq!(title("output_tokens_per_joule"), "output tokens per joule");
        assert_eq!(title("ttft_ms_p50"), "time to first token (TTFT), median");
        assert_eq!(title("latency_ms_p99"), "time per request, 99th percentile");
    }

    #[test]
    fn units() {
        let unit = |name| MetricKind::from_name(name).map(MetricKind::unit).unwrap();
        assert_eq!(unit("net_j_per_input_token"), "J/input token");
        assert_eq!(unit("iterations_per_s"), "iterations/s");
        assert_eq!(unit("j_per_images"), "J/images");
        assert_eq!(unit("output_tokens_per_joule"), "tokens/J");
        assert_eq!(unit("requests_per_s"), "requests/s");
        assert_eq!(unit("images_per_s"), "images/s");
    }

    #[test]
    fn energy_per_output_token_ranks_first() {
        let mut names =
            ["ttft_ms_p50", "j_per_request", "mean_power_w", "net_j_per_output_token", "j_per_output_token"];
        names.sort_by_key(|name| MetricKind::from_name(name).map(MetricKind::rank));
        let ranked = ["j_per_output_token", "j_per_request", "net_j_per_output_token", "mean_power_w", "ttft_ms_p50"];
        assert_eq!(names, ranked);
    }
}
