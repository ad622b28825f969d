//! Runs by number, a few at once, handed on in order.

/// Does `one` for each of `runs` numbers, a few side by side, and hands what they gave to `take` in order.
pub(crate) fn side_by_side<T: Send>(
    runs: u64,
    one: impl Fn(u64) -> Result<T, String> + Sync,
    mut take: impl FnMut(T),
) -> Result<(), String> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let numbers: Vec<u64> = (0..runs).collect();
    for batch in numbers.chunks(threads) {
        let results: Vec<Result<T, String>> = std::thread::scope(|scope| {
            let start = |run: &u64| {
                let (run, one) = (*run, &one);
                scope.spawn(move || one(run))
            };
            let handles: Vec<_> = batch.iter().map(start).collect();
            let join = |handle: std::thread::ScopedJoinHandle<'_, _>| {
                handle.join().unwrap_or_else(|_| Err("a simulated run panicked".to_owned()))
            };
            handles.into_iter().map(join).collect()
        });
        for result in results {
            take(result?);
        }
    }
    Ok(())
}
