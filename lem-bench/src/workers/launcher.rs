//! Which process of how many this one is, as the launcher that started it says in its environment.
//!
//! Looks at nothing but the variables that it is given.

/// Set, to the run's id, for the processes that `--processes` starts.
pub(super) const OURS: &str = "LEM_BENCH_RANKS";

/// A process' place among those that were started together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Who started it: `mpirun`, `srun`, …
    pub launcher: &'static str,
    /// Its rank, from 0.
    pub rank: u32,
    /// How many there are.
    pub world: u32,
    /// Its rank among those of its machine.
    pub local_rank: u32,
    /// What all of them, and no others at that time, have in common.
    pub job: String,
}

/// The variables of a launcher: what marks it, rank, size, rank on the machine, and those that name the job.
struct Launcher {
    name: &'static str,
    mark: &'static str,
    rank: &'static str,
    world: &'static str,
    local_rank: &'static str,
    job: &'static [&'static str],
}

/// The innermost launcher first: `mpirun` in a Slurm job passes Slurm's variables on. Those of Slurm that a batch script
/// has too are no mark of a task; `SLURM_STEP_NUM_TASKS` is set by `srun` alone.
const LAUNCHERS: [Launcher; 5] = [
    Launcher {
        name: "--processes",
        mark: OURS,
        rank: "RANK",
        world: "WORLD_SIZE",
        local_rank: "LOCAL_RANK",
        job: &[OURS],
    },
    Launcher {
        name: "torchrun",
        mark: "TORCHELASTIC_RUN_ID",
        rank: "RANK",
        world: "WORLD_SIZE",
        local_rank: "LOCAL_RANK",
        job: &["TORCHELASTIC_RUN_ID", "MASTER_PORT"],
    },
    Launcher {
        name: "mpirun (Open MPI)",
        mark: "OMPI_COMM_WORLD_RANK",
        rank: "OMPI_COMM_WORLD_RANK",
        world: "OMPI_COMM_WORLD_SIZE",
        local_rank: "OMPI_COMM_WORLD_LOCAL_RANK",
        job: &["PMIX_NAMESPACE", "OMPI_MCA_ess_base_jobid"],
    },
    Launcher {
        name: "mpirun (MPICH)",
        mark: "MPI_LOCALRANKID",
        rank: "PMI_RANK",
        world: "PMI_SIZE",
        local_rank: "MPI_LOCALRANKID",
        job: &["PMI_JOBID", "PMI_ID"],
    },
    Launcher {
        name: "srun",
        mark: "SLURM_STEP_NUM_TASKS",
        rank: "SLURM_PROCID",
        world: "SLURM_STEP_NUM_TASKS",
        local_rank: "SLURM_LOCALID",
        job: &["SLURM_JOB_ID", "SLURM_STEP_ID"],
    },
];

impl Place {
    /// The place that `variable` tells of; `None` for a process that was started alone.
    ///
    /// # Errors
    /// A text: a launcher is there, and its variables make no sense.
    pub fn find(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, String> {
        let value = |name: &str| variable(name).filter(|value| !value.is_empty());
        let Some(launcher) = LAUNCHERS.iter().find(|launcher| value(launcher.mark).is_some()) else { return Ok(None) };
        let number = |name: &str| -> Result<u32, String> {
            let text = value(name).ok_or_else(|| format!("{name} is not set, which {} sets", launcher.name))?;
            text.parse().map_err(|_| format!("{name} is `{text}`, which is no number of processes"))
        };
        let (rank, world) = (number(launcher.rank)?, number(launcher.world)?);
        if rank >= world {
            return Err(format!("{} is {rank}, and {} is {world}", launcher.rank, launcher.world));
        }
        let named: Vec<String> = launcher.job.iter().filter_map(|name| value(name)).collect();
        let job = if launcher.mark == OURS { named.concat() } else { format!("{} {}", launcher.name, named.join(".")) };
        let place = Self { launcher: launcher.name, rank, world, local_rank: number(launcher.local_rank)?, job };
        Ok((world > 1 || launcher.mark == OURS).then_some(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Found = (&'static str, u32, u32, u32, String);

    fn find(variables: &[(&str, &str)]) -> Result<Option<Found>, String> {
        let of = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Ok(Place::find(of)?.map(|place| (place.launcher, place.rank, place.world, place.local_rank, place.job)))
    }

    /// As Slurm 22.05 and Open MPI 4.1 set them, and as the documentation of torchrun and Hydra says.
    #[test]
    fn each_launcher_is_known_by_what_it_sets() {
        let slurm = [
            ("SLURM_PROCID", "3"),
            ("SLURM_LOCALID", "1"),
            ("SLURM_NTASKS", "8"),
            ("SLURM_JOB_ID", "42"),
            ("SLURM_STEP_ID", "0"),
        ];
        let mut step = slurm.to_vec();
        step.push(("SLURM_STEP_NUM_TASKS", "4"));
        assert_eq!(find(&step).unwrap(), Some(("srun", 3, 4, 1, "srun 42.0".to_owned())));
        assert_eq!(find(&slurm), Ok(None), "a batch script is no task");
        let mut mpi = step.clone();
        mpi.extend([
            ("OMPI_COMM_WORLD_RANK", "1"),
            ("OMPI_COMM_WORLD_SIZE", "2"),
            ("OMPI_COMM_WORLD_LOCAL_RANK", "0"),
            ("PMIX_NAMESPACE", "77"),
        ]);
        let found = find(&mpi).unwrap().unwrap();
        assert_eq!(found, ("mpirun (Open MPI)", 1, 2, 0, "mpirun (Open MPI) 77".to_owned()));
        let torch = [
            ("RANK", "5"),
            ("WORLD_SIZE", "8"),
            ("LOCAL_RANK", "5"),
            ("TORCHELASTIC_RUN_ID", "none"),
            ("MASTER_PORT", "29500"),
        ];
        assert_eq!(find(&torch).unwrap(), Some(("torchrun", 5, 8, 5, "torchrun none.29500".to_owned())));
        assert_eq!(find(&torch[..3]), Ok(None), "these names alone may be anybody's");
        let hydra = [("PMI_RANK", "1"), ("PMI_SIZE", "2"), ("MPI_LOCALRANKID", "1")];
        assert_eq!(find(&hydra).unwrap().map(|found| (found.1, found.2)), Some((1, 2)));
    }

    #[test]
    fn one_process_is_alone_and_nonsense_is_told() {
        let mpi = |rank, size| {
            find(&[("OMPI_COMM_WORLD_RANK", rank), ("OMPI_COMM_WORLD_SIZE", size), ("OMPI_COMM_WORLD_LOCAL_RANK", "0")])
        };
        assert_eq!(mpi("0", "1"), Ok(None));
        assert!(mpi("2", "2").unwrap_err().contains("OMPI_COMM_WORLD_SIZE is 2"));
        assert!(mpi("x", "2").unwrap_err().contains("OMPI_COMM_WORLD_RANK is `x`"));
        assert!(find(&[("OMPI_COMM_WORLD_RANK", "0")]).unwrap_err().contains("OMPI_COMM_WORLD_SIZE is not set"));
    }
}
