//! The rank of this process, from the environment variables of the launcher that started it.

/// Set to the run's id for the ranks that `--processes` starts.
pub(super) const RUN_VARIABLE: &str = "LEM_BENCH_RANKS";
/// Set for those of these ranks that have a GPU of their own.
pub(super) const OWN_GPU_VARIABLE: &str = "LEM_BENCH_OWN_GPU";

/// The rank of a process, and what it has in common with the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RankInfo {
    /// What started it: `mpirun`, `srun`, …
    pub launcher: &'static str,
    /// Its rank, from 0.
    pub rank: u32,
    /// The number of ranks.
    pub world: u32,
    /// Its rank among those on its machine.
    pub local_rank: u32,
    /// The id of the job that all of them share; for ranks of `--processes` the run's id.
    pub job: String,
    /// Whether `--processes` started it.
    pub is_ours: bool,
    /// Whether it has a GPU of its own.
    pub has_own_gpu: bool,
}

/// The variables of a launcher: the one that identifies it; rank, size and local rank; those that name the job.
struct Launcher {
    name: &'static str,
    mark: &'static str,
    numbers: [&'static str; 3],
    job: &'static [&'static str],
}

const TORCHRUN: [&str; 3] = ["RANK", "WORLD_SIZE", "LOCAL_RANK"];
const OPEN_MPI: [&str; 3] = ["OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK"];
const HYDRA: [&str; 3] = ["PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID"];
const SLURM: [&str; 3] = ["SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID"];

/// The innermost launcher comes first: `mpirun` in a Slurm job passes Slurm's variables on. Most variables of Slurm are set
/// in a batch script too; only `srun` sets `SLURM_STEP_NUM_TASKS`.
#[rustfmt::skip]
const LAUNCHERS: [Launcher; 5] = [
    Launcher { name: "--processes", mark: RUN_VARIABLE, numbers: TORCHRUN, job: &[RUN_VARIABLE] },
    Launcher { name: "torchrun", mark: "TORCHELASTIC_RUN_ID", numbers: TORCHRUN, job: &["TORCHELASTIC_RUN_ID", "MASTER_ADDR", "MASTER_PORT"] },
    Launcher { name: "mpirun (Open MPI)", mark: OPEN_MPI[0], numbers: OPEN_MPI, job: &["PMIX_NAMESPACE", "OMPI_MCA_ess_base_jobid"] },
    Launcher { name: "mpirun (MPICH)", mark: HYDRA[2], numbers: HYDRA, job: &["PMI_JOBID"] },
    Launcher { name: "srun", mark: SLURM[1], numbers: SLURM, job: &["SLURM_JOB_ID", "SLURM_STEP_ID"] },
];

impl RankInfo {
    /// The rank of this process.
    ///
    /// # Errors
    /// As [`RankInfo::find`].
    pub fn of_this_process() -> Result<Option<Self>, String> {
        Self::find(|name| match (name, std::env::var(name).ok()) {
            // Hydra does not name its jobs, but each has its own port.
            ("PMI_JOBID", None) => control_port(),
            // A loopback address is the same on every machine: use the host name, so that jobs of two machines that share
            // a results folder differ.
            ("MASTER_ADDR", Some(address)) if address == "localhost" || address.starts_with("127.") => Some(host()),
            (_, value) => value,
        })
    }

    /// The rank in the environment that `variable` reads; `None` for a process that is not a rank.
    ///
    /// # Errors
    /// The variables of a launcher are not valid.
    pub fn find(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, String> {
        let value = |name: &str| variable(name).filter(|value| !value.is_empty());
        let launcher = LAUNCHERS.into_iter().find(|launcher| value(launcher.mark).is_some());
        let Some(Launcher { name: launcher, mark, numbers, job }) = launcher else { return Ok(None) };
        let number = |name: &str| -> Result<u32, String> {
            let text = value(name).ok_or_else(|| format!("{name} is not set; {launcher} normally sets it"))?;
            text.parse().map_err(|_| format!("{name} is `{text}`, which is not a number of processes"))
        };
        let (rank, world, local_rank) = (number(numbers[0])?, number(numbers[1])?, number(numbers[2])?);
        if rank >= world {
            return Err(format!("{} is {rank}, but must be less than {}, which is {world}", numbers[0], numbers[1]));
        }
        let job_names: Vec<String> = job.iter().filter_map(|name| value(name)).collect();
        let (is_ours, has_own_gpu) = (mark == RUN_VARIABLE, mark == RUN_VARIABLE && value(OWN_GPU_VARIABLE).is_some());
        let job = if is_ours { job_names.concat() } else { format!("{launcher} {}", job_names.join(".")) };
        let info = Self { launcher, rank, world, local_rank, job, is_ours, has_own_gpu };
        Ok((world > 1 || is_ours).then_some(info))
    }
}

/// The machine's name.
pub(super) fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned()
}

/// The `host:port` where the `mpiexec` listens that has started the parent of this process, Hydra's proxy.
#[cfg(unix)]
fn control_port() -> Option<String> {
    let command = std::fs::read(format!("/proc/{}/cmdline", std::os::unix::process::parent_id())).ok()?;
    let mut words = command.split(|byte| *byte == 0).skip_while(|word| *word != b"--control-port");
    String::from_utf8(words.nth(1)?.to_vec()).ok()
}

#[cfg(not(unix))]
fn control_port() -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    type Found = (&'static str, u32, u32, u32, String);

    fn find(variables: &[(&str, &str)]) -> Result<Option<Found>, String> {
        let read =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Ok(RankInfo::find(read)?.map(|info| (info.launcher, info.rank, info.world, info.local_rank, info.job)))
    }

    /// Variables as Slurm 22.05 and Open MPI 4.1 set them, and as torchrun and Hydra document them.
    #[test]
    fn recognizes_launchers() {
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
        assert_eq!(find(&slurm), Ok(None), "a batch script is not a task");
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
            ("MASTER_ADDR", "node-1"),
            ("MASTER_PORT", "29500"),
        ];
        assert_eq!(find(&torch).unwrap(), Some(("torchrun", 5, 8, 5, "torchrun none.node-1.29500".to_owned())));
        assert_eq!(find(&torch[..3]), Ok(None), "these names alone do not identify torchrun");
        let hydra = [("PMI_RANK", "1"), ("PMI_SIZE", "2"), ("MPI_LOCALRANKID", "1")];
        assert_eq!(find(&hydra).unwrap().map(|found| (found.1, found.2)), Some((1, 2)));
    }

    #[test]
    fn rejects_invalid_variables() {
        let mpi = |rank, size| {
            find(&[("OMPI_COMM_WORLD_RANK", rank), ("OMPI_COMM_WORLD_SIZE", size), ("OMPI_COMM_WORLD_LOCAL_RANK", "0")])
        };
        assert_eq!(mpi("0", "1"), Ok(None));
        insta::assert_snapshot!(
            mpi("2", "2").unwrap_err(),
            @"OMPI_COMM_WORLD_RANK is 2, but must be less than OMPI_COMM_WORLD_SIZE, which is 2"
        );
        insta::assert_snapshot!(
            mpi("x", "2").unwrap_err(),
            @"OMPI_COMM_WORLD_RANK is `x`, which is not a number of processes"
        );
        insta::assert_snapshot!(
            find(&[("OMPI_COMM_WORLD_RANK", "0")]).unwrap_err(),
            @"OMPI_COMM_WORLD_SIZE is not set; mpirun (Open MPI) normally sets it"
        );
    }
}
