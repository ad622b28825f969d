//! What the compiler of the bench target knew and the harness can't find out when it runs.
//!
//! Plain data; must not look anything up.

/// Facts about the bench target, known when it was compiled. [`main!`](crate::main) fills it in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TargetInfo {
    /// The target's crate name.
    pub target: Option<&'static str>,
    /// The package that has the target.
    pub package: Option<&'static str>,
    /// The package's folder.
    pub manifest_dir: Option<&'static str>,
    /// `tmp` in the target folder: cargo tells benches and tests where it is, other targets not.
    pub target_tmpdir: Option<&'static str>,
}

impl TargetInfo {
    /// Hints of which each is the value of a variable that cargo sets for the compiler: `CARGO_CRATE_NAME`,
    /// `CARGO_PKG_NAME`, `CARGO_MANIFEST_DIR` and `CARGO_TARGET_TMPDIR`.
    ///
    /// ```
    /// use lem_bench::HarnessHints;
    ///
    /// let hints = HarnessHints::new(
    ///     option_env!("CARGO_CRATE_NAME"),
    ///     option_env!("CARGO_PKG_NAME"),
    ///     option_env!("CARGO_MANIFEST_DIR"),
    ///     option_env!("CARGO_TARGET_TMPDIR"),
    /// );
    /// assert_eq!(hints.package, option_env!("CARGO_PKG_NAME"));
    /// ```
    pub const fn new(
        target: Option<&'static str>,
        package: Option<&'static str>,
        manifest_dir: Option<&'static str>,
        target_tmpdir: Option<&'static str>,
    ) -> Self {
        Self { target, package, manifest_dir, target_tmpdir }
    }
}
