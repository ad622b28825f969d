//! Options of the attribute reach the registry, with their documented meaning.

mod common;

use std::time::Duration;

use lem_bench::__private::registry::Attributes;
use lem_bench::prelude::*;

/// Greedy decoding.
///
/// Only the first line describes the bench.
#[energy_bench(
    name = "greedy decode",
    group = "llama/7b",
    cycles = 12,
    windows = 3,
    gap = "1.5s",
    tags = ["nightly", "gpu"],
    processes = 4,
    ignore = "needs 80 GB",
    isolate
)]
fn everything(b: &mut Bencher) {
    b.iter(|| ());
}

#[energy_bench]
fn nothing(_: &mut Bencher) {}

#[energy_bench()]
fn empty_parentheses(_: &mut Bencher) {}

#[energy_bench(ignore)]
fn ignored_for_no_reason(_: &mut Bencher) {}

#[test]
fn case_has_all_options() {
    let case = common::case("llama/7b/greedy decode");
    assert_eq!(case.name, "greedy decode");
    assert_eq!(case.group.as_deref(), Some("llama/7b"));
    assert_eq!(case.description.as_deref(), Some("Greedy decoding."));
    let attributes = case.attributes;
    assert_eq!((attributes.cycles, attributes.windows, attributes.processes), (Some(12), Some(3), Some(4)));
    assert_eq!(attributes.gap, Some(Duration::from_millis(1500)));
    assert_eq!(attributes.tags, ["nightly", "gpu"]);
    assert_eq!(attributes.ignore.map(|ignored| ignored.reason), Some(Some("needs 80 GB")));
    assert!(attributes.isolate);
}

#[test]
fn unset_options_are_none() {
    for id in ["nothing", "empty_parentheses"] {
        let case = common::case(id);
        assert_eq!(case.attributes, Attributes::default());
        assert_eq!((case.group, case.description), (None, None));
    }
    let ignored = common::case("ignored_for_no_reason").attributes.ignore;
    assert_eq!(ignored.map(|ignored| ignored.reason), Some(None));
}

mod gaps {
    use super::{Bencher, energy_bench};

    #[energy_bench(group = "gap", gap = "250us")]
    fn micros(_: &mut Bencher) {}
    #[energy_bench(group = "gap", gap = "500ms")]
    fn millis(_: &mut Bencher) {}
    #[energy_bench(group = "gap", gap = "2 s")]
    fn seconds(_: &mut Bencher) {}
    #[energy_bench(group = "gap", gap = "1.5min")]
    fn minutes(_: &mut Bencher) {}
    #[energy_bench(group = "gap", gap = "1m")]
    fn short_minutes(_: &mut Bencher) {}
    #[energy_bench(group = "gap", gap = 0.5)]
    fn float(_: &mut Bencher) {}
    #[energy_bench(group = "gap", gap = 3)]
    fn int(_: &mut Bencher) {}
    #[energy_bench(group = "gap", gap = "0s")]
    fn zero(_: &mut Bencher) {}
}

#[test]
fn parses_units_of_gap() {
    let gap = |name: &str| common::case(&format!("gap/gaps::{name}")).attributes.gap.map(|gap| gap.as_micros());
    assert_eq!(gap("micros"), Some(250));
    assert_eq!(gap("millis"), Some(500_000));
    assert_eq!(gap("seconds"), Some(2_000_000));
    assert_eq!(gap("minutes"), Some(90_000_000));
    assert_eq!(gap("short_minutes"), Some(60_000_000));
    assert_eq!(gap("float"), Some(500_000));
    assert_eq!(gap("int"), Some(3_000_000));
    assert_eq!(gap("zero"), Some(0));
}

mod values {
    use super::{Bencher, energy_bench};

    const SIZES: &[usize] = &[1, 16];
    const NAMES: [&str; 2] = ["a", "b"];

    fn powers() -> impl Iterator<Item = u64> {
        (0..3).map(|exponent| 1 << exponent)
    }

    fn pairs<A: Default, B: Default>() -> [(A, B); 1] {
        [<(A, B)>::default()]
    }

    #[energy_bench(group = "values", args = [1, 2])]
    fn array(_: &mut Bencher, n: u8) {
        assert!(n > 0);
    }
    #[energy_bench(group = "values", args = 1..=2)]
    fn range(_: &mut Bencher, n: i64) {
        assert!(n > 0);
    }
    #[energy_bench(group = "values", args = SIZES)]
    fn slice(_: &mut Bencher, n: usize) {
        assert!(n > 0);
    }
    #[energy_bench(group = "values", args = &[1, 2])]
    fn reference(_: &mut Bencher, n: u16) {
        assert!(n > 0);
    }
    #[energy_bench(group = "values", args = NAMES)]
    fn text(_: &mut Bencher, n: &str) {
        assert!(!n.is_empty());
    }
    #[energy_bench(group = "values", args = ["a"])]
    fn owned(_: &mut Bencher, n: String) {
        assert_eq!(n, "a");
    }
    #[energy_bench(group = "values", args = ["a".to_owned()])]
    fn owned_by_ref(_: &mut Bencher, n: &String) {
        assert_eq!(n, "a");
    }
    #[energy_bench(group = "values", args = powers())]
    fn call(_: &mut Bencher, n: u64) {
        assert!(n > 0);
    }
    #[energy_bench(group = "values", args = pairs::<u8, u16>(), cycles = 2)]
    fn turbofish(_: &mut Bencher, n: (u8, u16)) {
        assert_eq!(n, (0, 0));
    }
    #[energy_bench(group = "values", args = vec![0.5, 1.0])]
    fn float(_: &mut Bencher, n: f32) {
        assert!(n > 0.0);
    }
    #[energy_bench(group = "values", args = [[1, 2].as_slice(), &[3]])]
    fn shape(_: &mut Bencher, n: &[usize]) {
        assert!(!n.is_empty());
    }
    #[energy_bench(group = "values", args = [true, false])]
    fn flag(_: &mut Bencher, n: bool) {
        let _ = n;
    }
}

#[test]
fn values_have_type_of_parameter() {
    assert_eq!(
        common::ids("values"),
        [
            "values/values::array/n=1",
            "values/values::array/n=2",
            "values/values::range/n=1",
            "values/values::range/n=2",
            "values/values::slice/n=1",
            "values/values::slice/n=16",
            "values/values::reference/n=1",
            "values/values::reference/n=2",
            "values/values::text/n=a",
            "values/values::text/n=b",
            "values/values::owned/n=a",
            "values/values::owned_by_ref/n=a",
            "values/values::call/n=1",
            "values/values::call/n=2",
            "values/values::call/n=4",
            "values/values::turbofish/n=(0, 0)",
            "values/values::float/n=0.5",
            "values/values::float/n=1.0",
            "values/values::shape/n=[1, 2]",
            "values/values::shape/n=[3]",
            "values/values::flag/n=true",
            "values/values::flag/n=false",
        ]
    );
    for id in common::ids("values") {
        assert!(common::run(&common::case(&id)).is_ok(), "{id}");
    }
}

mod grids {
    use super::{Bencher, energy_bench};

    fn fits(batch: usize, dtype: &str) -> bool {
        batch == 1 || dtype != "f32"
    }

    /// Returns its values as an error.
    #[energy_bench(group = "grid", grid(dtype = ["f32", "bf16"], batch = [1, 4]), filter = fits)]
    fn decode(_: &mut Bencher, batch: usize, dtype: &str) -> Result<(), String> {
        Err(format!("{batch} in {dtype}"))
    }
}

#[test]
fn grid_applies_order_and_filter() {
    let ids = common::ids("grid");
    assert_eq!(
        ids,
        [
            "grid/grids::decode/batch=1/dtype=f32",
            "grid/grids::decode/batch=1/dtype=bf16",
            "grid/grids::decode/batch=4/dtype=bf16"
        ]
    );
    let values: Vec<String> = ids.iter().map(|id| common::run(&common::case(id)).unwrap_err().to_string()).collect();
    assert_eq!(values, ["1 in f32", "1 in bf16", "4 in bf16"]);
}

mod prefill {
    use super::{Bencher, energy_bench};

    #[energy_bench(tags = ["same name"])]
    fn decode(_: &mut Bencher) {}

    mod fused {
        use super::{Bencher, energy_bench};

        #[energy_bench(args = [1], tags = ["same name"])]
        fn decode(_: &mut Bencher, n: u8) {
            let _ = n;
        }
    }
}

#[energy_bench(tags = ["same name"])]
fn decode(_: &mut Bencher) {}

#[test]
fn ids_contain_the_path_below_the_root() {
    let cases = common::cases().into_iter().filter(|case| case.attributes.tags == ["same name"]);
    let ids: Vec<String> = cases.map(|case| case.id).collect();
    assert_eq!(ids, ["prefill::decode", "prefill::fused::decode/n=1", "decode"]);
}

#[energy_bench(group = "cfg")]
#[cfg(any())]
fn excluded(_: &mut NoSuchType) {}

#[energy_bench(group = "cfg")]
#[cfg(test)]
fn included(_: &mut Bencher) {}

#[test]
fn cfg_below_the_attribute_applies_to_the_registration() {
    assert_eq!(common::ids("cfg"), ["cfg/included"]);
}
