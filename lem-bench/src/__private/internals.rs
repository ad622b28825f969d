//! What the tests, benches and tools of this repository use. No stability promise.

pub mod analysis {
    pub use crate::analysis::{Options, ReadJournal, summarise, summarise_read};

    pub mod compare {
        pub use crate::analysis::compare::{
            BenchComparison, CompareOptions, GateRules, PairedBench, Results, Verdict, compare, paired, session_results,
        };
    }
}

pub mod bench {
    pub use crate::bench::Usage;
    pub use crate::bench::driver::{Driver, EdgeCalls, Fixtures, InputChoice, Iteration, Run, Step};
}

pub mod clock {
    pub use crate::clock::{Clock, RealClock, VirtualClock, monotonic_now, process_cpu_time};
}

pub mod harness {
    pub use crate::harness::{SimulationOptions, cargo_lem, probe_effort, simulate, simulate_body, simulate_duel};
}

pub mod meter {
    pub use crate::meter::channel::{DeviceProcess, PowerLimits, foreign};
    pub use crate::meter::choice::MeterChoice;
    pub use crate::meter::domain_selection::non_overlapping;
    pub use crate::meter::hwmon::Hwmon;
    pub use crate::meter::kind::{NvmlOptions, OpenOptions};
    #[cfg(feature = "nvml")]
    pub use crate::meter::nvml::Nvml;
    pub use crate::meter::open::{Status, detect, open};
    #[cfg(feature = "rapl")]
    pub use crate::meter::rapl::Rapl;
    #[cfg(all(feature = "rapl", target_os = "linux"))]
    pub use crate::meter::rapl::RaplPerf;
}

pub mod model {
    pub use crate::model::{
        BenchEnd, BenchTarget, CycleEvidence, CycleRecord, DomainEnergy, IdleBlock, IdleKind, IdleRecord, PhaseSpan,
        Record, RequestLog, RunEnd, RunEvidence, RunHeader, SCHEMA_VERSION, SensorEvent, SensorEventKind,
        SessionResult, Uncertainty, WarmUpRecord, WindowRecord, WorkCounts,
    };
}

pub mod protocol {
    pub use crate::protocol::{Overrides, Profile, Schedule};
}

pub mod registry {
    pub use crate::registry::{
        Attributes, AxisSpec, BenchDefinition, Case, IgnoredMode, Registry, RegistryError, Selection, collect,
    };
}

pub mod runner {
    pub use crate::runner::{Event, Observer, ObserverError, Progress, Stage};
}

pub mod sampler {
    pub use crate::sampler::{IdleSide, ProbeEffort, Sampler, SamplerConfig, Unwrapper, integrate, probe};
    pub use crate::sampler::{PulseTest, PulseVerdict, pulse_test};
}

pub mod sim {
    pub use crate::sim::{Machine, Scenario, ScenarioError, Seeds, Shape, Truth, Workload, truth};
}

pub mod stats {
    pub use crate::stats::{
        ADAPTIVE_INFLATION, AdaptiveRule, Bca, Bootstrap, ChangePointRule, Idle, LogChange, PooledSamples, RatioInput,
        Resampling, SessionPrior, StatsError, Tost, VerdictInput, WarmUpRule, adaptive_stop, bca_from_reps,
        benjamini_hochberg, bootstrap_ratio, change_points, idle_mean, jackknife_ratio, mean_ci, norm_cdf, norm_ppf,
        norm_sf, paired_log, ratio_ci, session_prediction, summary, t_ppf, t_sf, tost_from, trend, verdict, warm_up,
    };
}

pub mod store {
    pub use crate::store::{
        Home, Journal, JournalName, JournalWriter, MachineLock, RunDir, RunId, StoreError, WaitPolicy, read_journal,
        read_run, slug, write_atomic,
    };
}
