//! Registry entries: properties, order, axis overrides, selection, and errors.

mod common;

use std::sync::Arc;

use lem_bench::__private::Entry;
use lem_bench::__private::registry::{AxisSpec, BenchDefinition, IgnoredMode, Registry, RegistryError, Selection};
use lem_bench::prelude::*;

#[energy_bench(group = "order")]
fn zebra(_: &mut Bencher) {}

mod inner {
    use lem_bench::prelude::*;

    /// Ape.
    #[energy_bench(group = "order", grid(a = [1, 2], b = ["x", "y"]))]
    pub(crate) fn ape(_: &mut Bencher, a: u8, b: &str) {
        let _ = (a, b);
    }
}

#[energy_bench(group = "order", ignore)]
fn cat(_: &mut Bencher) {}

const ORDER: [&str; 6] = [
    "order/zebra",
    "order/inner::ape/a=1/b=x",
    "order/inner::ape/a=1/b=y",
    "order/inner::ape/a=2/b=x",
    "order/inner::ape/a=2/b=y",
    "order/cat",
];

#[test]
fn cases_follow_the_source() {
    assert_eq!(common::ids("order"), ORDER);
}

#[test]
fn entry_has_name_and_location() {
    let case = common::case("order/inner::ape/a=2/b=x");
    assert_eq!(case.name, "ape");
    assert_eq!(case.module, Some("entry_properties::inner"));
    assert_eq!(case.description.as_deref(), Some("Ape."));
    assert_eq!(case.params, [("a".to_owned(), "2".to_owned()), ("b".to_owned(), "x".to_owned())]);
    let place = case.place;
    assert!(place.file.ends_with("tests/entry_properties.rs"), "{place}");
    assert_eq!((place.line, place.column), (18, 5));
}

fn override_axes(axes: &[(&str, &[&str])]) -> Result<Vec<String>, RegistryError> {
    let axes: Vec<(String, Vec<String>)> = axes
        .iter()
        .map(|(axis, texts)| ((*axis).to_owned(), texts.iter().map(|&text| text.to_owned()).collect()))
        .collect();
    let mut registry = Registry::from_attributes();
    registry.override_axes(&axes)?;
    let ids = registry.cases()?.into_iter().map(|case| case.id);
    Ok(ids.filter(|id| id.starts_with("order/inner::ape") || id.starts_with("axes")).collect())
}

mod axes {
    use lem_bench::prelude::*;

    #[derive(Clone, Debug)]
    struct Opaque;

    #[energy_bench(group = "axes", args = [Opaque])]
    fn opaque(_: &mut Bencher, only_debug: Opaque) {
        let _ = only_debug;
    }

    fn even(n: u8) -> bool {
        n.is_multiple_of(2)
    }

    #[energy_bench(group = "axes", args = [2], filter = even)]
    fn even_only(_: &mut Bencher, n: u8) {
        let _ = n;
    }
}

#[test]
fn overrides_axis_values() {
    let ids = override_axes(&[("b", &["p/q"]), ("a", &["9"]), ("a", &["8"])]).unwrap();
    assert_eq!(
        ids,
        [
            "order/inner::ape/a=9/b=p%2Fq",
            "order/inner::ape/a=8/b=p%2Fq",
            "axes/axes::opaque/only_debug=Opaque",
            "axes/axes::even_only/n=2"
        ]
    );
}

#[test]
fn filter_may_exclude_all_overrides() {
    let ids = override_axes(&[("n", &["3"])]).unwrap();
    assert!(!ids.iter().any(|id| id.starts_with("axes/axes::even_only")), "{ids:?}");
}

#[test]
fn axis_errors_have_remedy() {
    let message = |axes: &[(&str, &[&str])]| override_axes(axes).unwrap_err().to_string();
    assert_eq!(message(&[("batch", &["1"])]), "no bench has an axis `batch`: the axes are a, b, n, only_debug");
    assert_eq!(message(&[("a", &[])]), "no values for axis `a`: write `a=VALUE,VALUE`");
    let text = message(&[("a", &["1", "x"])]);
    assert!(text.starts_with("`x` is not a valid value of axis `a` (`u8`) of bench `ape` ("), "{text}");
    assert!(text.ends_with("entry_properties.rs:18): use a whole number from 0 to 255"), "{text}");
    let text = message(&[("only_debug", &["x"])]);
    assert!(text.contains("implement `lem_bench::Axis`"), "{text}");
    assert!(text.contains("entry_properties::axes::Opaque"), "{text}");
    let text = message(&[("a", &["1", "1"])]);
    assert!(text.contains("axis `a` of bench `ape`") && text.contains("two values with the label `1`"), "{text}");
}

fn selected(selection: &Selection) -> (Vec<String>, Vec<String>) {
    let cases = common::cases().into_iter().filter(|case| case.id.starts_with("order")).collect();
    let selected = selection.select(cases);
    let ids = |cases: Vec<lem_bench::__private::registry::Case>| cases.into_iter().map(|case| case.id).collect();
    (ids(selected.run), ids(selected.ignored))
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

#[test]
fn exact_selects_each_id() {
    for id in ORDER {
        let selection =
            Selection { filters: texts(&[id]), exact: true, ignored: IgnoredMode::Include, ..Selection::default() };
        assert_eq!(selected(&selection).0, [id]);
    }
}

#[test]
fn selection_follows_libtest() {
    let all = Selection::default();
    assert_eq!(selected(&all), (texts(&ORDER[..5]), texts(&ORDER[5..])));
    let several = Selection { filters: texts(&["zeb", "b=y"]), ..Selection::default() };
    assert_eq!(selected(&several).0, [ORDER[0], ORDER[2], ORDER[4]]);
    let skipping = Selection { filters: texts(&["order"]), skip: texts(&["a=1", "zebra"]), ..Selection::default() };
    assert_eq!(selected(&skipping).0, [ORDER[3], ORDER[4]]);
    // Under `--exact`, `--skip` compares whole ids too.
    let exact = Selection { skip: texts(&["a=1", "order/zebra"]), exact: true, ..Selection::default() };
    assert_eq!(selected(&exact).0, ORDER[1..5]);
    let part = Selection { filters: texts(&["order/inner::ape"]), exact: true, ..Selection::default() };
    assert_eq!(selected(&part), (vec![], vec![]));
    let only = Selection { ignored: IgnoredMode::Only, ..Selection::default() };
    assert_eq!(selected(&only), (texts(&["order/cat"]), vec![]));
    let include = Selection { ignored: IgnoredMode::Include, ..Selection::default() };
    assert_eq!(selected(&include), (texts(&ORDER), vec![]));
}

#[test]
fn orders_manual_benches_last() {
    let mut registry = Registry::from_attributes();
    for n in [10, 2] {
        registry.add(BenchDefinition::from_fn(format!("manual {n}"), move |b| b.iter(|| assert!(n > 0))));
    }
    registry.add(BenchDefinition::from_fn("fails", |_| Err("no model")));
    let cases = registry.cases().unwrap();
    let at = |id: &str| cases.iter().position(|case| case.id == id).unwrap();
    assert!(at("order/cat") < at("manual 10"));
    assert_eq!(at("manual 10") + 1, at("manual 2"));
    let fails = &cases[at("fails")];
    assert_eq!(common::run(fails).unwrap_err().to_string(), "no model");
    assert!(fails.place.file.ends_with("entry_properties.rs"));
    assert_eq!(fails.module, None);
}

#[test]
fn bench_of_library_has_path_of_its_crate() {
    let id = |module, in_executable| {
        let entry = Entry::new("decode", module, |_, _| Ok(())).in_executable(in_executable);
        let mut registry = Registry::new();
        registry.add(BenchDefinition::from(&entry));
        registry.cases().unwrap().remove(0).id
    };
    assert_eq!(id("energy", true), "decode");
    assert_eq!(id("energy::fused::f16", true), "fused::f16::decode");
    assert_eq!(id("kernels", false), "kernels::decode");
    assert_eq!(id("kernels::fused", false), "kernels::fused::decode");
}

#[test]
fn rejects_duplicate_id() {
    let mut registry = Registry::from_attributes();
    let mut zebra = BenchDefinition::from_fn("zebra", |_| ());
    zebra.group = Some("order".to_owned());
    registry.add(zebra);
    let text = registry.cases().unwrap_err().to_string();
    assert!(text.starts_with("two benches have the id `order/zebra`, at "), "{text}");
    assert!(text.contains("entry_properties.rs:11 and at "), "{text}");
    assert!(text.contains(&format!("entry_properties.rs:{}: set a different `name`", line!() - 6)), "{text}");
}

#[test]
fn rejects_bench_without_cases() {
    let mut registry = Registry::new();
    assert!(registry.is_empty());
    registry.add(BenchDefinition::from_fn("", |_| ()));
    let place = registry.benches()[0].place;
    assert_eq!(registry.cases().unwrap_err(), RegistryError::NoName { place });

    let error_with = |change: fn(&mut BenchDefinition)| {
        let mut registry = Registry::new();
        let mut bench = BenchDefinition::from_fn("decode", |_| ());
        change(&mut bench);
        registry.add(bench);
        registry.cases().unwrap_err().to_string()
    };
    let text = error_with(|bench| {
        bench.axes = vec![AxisSpec::new("batch", "usize", Vec::new(), |_| Err("none".to_owned()))];
    });
    assert!(text.starts_with("axis `batch` of bench `decode` (") && text.contains("has no values"), "{text}");
    let text = error_with(|bench| bench.filter = Some(Arc::new(|_| false)));
    assert!(text.starts_with("the filter of bench `decode` (") && text.contains("excludes all its cases"), "{text}");
}
