//! Numbered runs, some in parallel, with results in order.

/// Calls `run` with each of the numbers below `runs`, some in parallel, and passes the results to `on_result` in order.
pub(crate) fn run_in_parallel<T: Send>(
    runs: u64,
    run: impl Fn(u64) -> Result<T, String> + Sync,
    mut on_result: impl FnMut(T),
) -> Result<(), String> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let numbers: Vec<u64> = (0..runs).collect();
    for batch in numbers.chunks(threads) {
        let results: Vec<Result<T, String>> = std::thread::scope(|scope| {
            let handles: Vec<_> = batch
                .iter()
                .map(|number| {
                    let (number, run) = (*number, &run);
                    scope.spawn(move || run(number))
                })
                .collect();
            let join = |handle: std::thread::ScopedJoinHandle<'_, _>| {
                handle.join().unwrap_or_else(|_| Err("a simulated run panicked".to_owned()))
            };
            handles.into_iter().map(join).collect()
        });
        for result in results {
            on_result(result?);
        }
    }
    Ok(())
}
