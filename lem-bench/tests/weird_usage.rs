//! Unusual uses of the attribute that should work.

mod common;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use lem_bench::prelude::*;

macro_rules! family {
    ($group:literal, $cycles:literal, $ty:ty, $values:expr => $($name:ident)*) => {$(
        #[energy_bench(group = $group, cycles = $cycles, args = $values)]
        fn $name(_: &mut Bencher, n: $ty) -> Result<(), String> {
            Err(n.to_string())
        }
    )*};
}

family!("family", 7, u32, [1, 2] => zebra ape);
family!("family_ref", 7, &str, ["x"] => zebra_ref ape_ref);

#[test]
fn macro_generated_benches_are_ordered() {
    // Both have the same source location, so that names decide the order.
    assert_eq!(common::ids("family/"), ["family/ape/n=1", "family/ape/n=2", "family/zebra/n=1", "family/zebra/n=2"]);
    let case = common::case("family/zebra/n=2");
    assert_eq!(case.attributes.cycles, Some(7));
    assert_eq!(common::run(&case).unwrap_err().to_string(), "2");
    assert_eq!(common::run(&common::case("family_ref/ape_ref/n=x")).unwrap_err().to_string(), "x");
}

#[energy_bench(group = "raw", args = [1])]
fn r#type(_: &mut Bencher, r#match: u8) {
    let _ = r#match;
}

#[test]
fn strips_raw_identifier_prefix() {
    assert_eq!(common::ids("raw"), ["raw/type/match=1"]);
}

#[energy_bench(group = "cfg")]
#[cfg(any())]
fn gone(_: &mut Bencher) {
    does_not_exist();
}

#[cfg(not(any()))]
#[energy_bench(group = "cfg")]
#[cfg_attr(not(any()), expect(unused_variables, reason = "the attribute must be kept"))]
#[inline(never)]
fn kept(b: &mut Bencher) {
    let unused = 1;
}

#[test]
fn keeps_function_attributes() {
    assert_eq!(common::ids("cfg"), ["cfg/kept"]);
}

#[energy_bench(group = "patterns", args = [1])]
fn mutable(b: &mut Bencher, mut n: u8) {
    n += 1;
    b.iter(|| assert_eq!(n, 2));
}

#[energy_bench(group = "patterns", args = [1])]
fn unused(_: &mut Bencher, _n: u8) {}

#[test]
fn allows_mutable_and_unused_args() {
    assert_eq!(common::ids("patterns"), ["patterns/mutable/n=1", "patterns/unused/_n=1"]);
    assert!(common::run(&common::case("patterns/mutable/n=1")).is_ok());
}

/// Neither `Clone` nor `Axis`.
#[derive(Debug)]
struct Model {
    layers: u32,
}

#[energy_bench(group = "types", args = [Model { layers: 2 }])]
fn by_reference_only(_: &mut Bencher, model: &Model) {
    assert_eq!(model.layers, 2);
}

#[energy_bench(group = "types", args = [PathBuf::from("a/b")])]
fn path(_: &mut Bencher, path: &PathBuf) {
    assert_eq!(path, Path::new("a/b"));
}

#[energy_bench(group = "types", args = [None, Some("x")])]
fn nested_reference(_: &mut Bencher, text: Option<&str>) {
    assert_ne!(text, Some(""));
}

#[energy_bench(group = "types", args = ["x"])]
fn static_text(_: &mut Bencher, text: &'static str) {
    assert_eq!(text, "x");
}

type Text = &'static str;

#[energy_bench(group = "types", args = ["x"])]
fn alias(_: &mut Bencher, text: Text) {
    assert_eq!(text, "x");
}

#[energy_bench(group = "types", args = [|n| n + 1, |n| n * 2].map(Op))]
fn function(_: &mut Bencher, op: Op) {
    assert!(op.0(3) > 3);
}

/// Implements `Axis` and `Debug`: the label must come from `Axis`.
#[derive(Clone, Copy, Debug)]
struct Op(fn(u8) -> u8);

impl Axis for Op {
    fn label(&self) -> String {
        (self.0)(3).to_string()
    }

    fn parse(_: &str) -> Result<Self, String> {
        Err("not on the command line".to_owned())
    }
}

#[energy_bench(group = "types", args = [BTreeMap::from([(1, "one\ntwo")])])]
fn map(_: &mut Bencher, map: BTreeMap<u8, &str>) {
    assert_eq!(map.len(), 1);
}

#[test]
fn prefers_axis_label_to_debug() {
    assert_eq!(
        common::ids("types"),
        [
            "types/by_reference_only/model=Model { layers: 2 }",
            "types/path/path=\"a%2Fb\"",
            "types/nested_reference/text=None",
            "types/nested_reference/text=Some(\"x\")",
            "types/static_text/text=x",
            "types/alias/text=x",
            "types/function/op=4",
            "types/function/op=6",
            "types/map/map={1: \"one\\ntwo\"}",
        ]
    );
    for id in common::ids("types") {
        assert!(common::run(&common::case(&id)).is_ok(), "{id}");
    }
}

#[derive(Debug)]
struct Outer;

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("outer")
    }
}

impl std::error::Error for Outer {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&fmt::Error)
    }
}

#[energy_bench(group = "returns")]
fn any_error(_: &mut Bencher) -> Result<(), lem_bench::Error> {
    Err(Outer)?;
    Ok(())
}

#[energy_bench(group = "returns")]
fn boxed(_: &mut Bencher) -> Result<(), Box<dyn std::error::Error>> {
    Err("a text")?;
    Ok(())
}

#[energy_bench(group = "returns")]
fn alias_of_unit(_: &mut Bencher) -> Nothing {}

type Nothing = ();

#[test]
fn errors_include_causes() {
    let message = |id| common::run(&common::case(id)).err().map(|error| error.to_string());
    let chain = "outer: an error occurred when formatting an argument";
    assert_eq!(message("returns/any_error").as_deref(), Some(chain));
    assert_eq!(message("returns/boxed").as_deref(), Some("a text"));
    assert_eq!(message("returns/alias_of_unit"), None);
}

#[test]
fn registers_bench_inside_function() {
    #[energy_bench(group = "inside")]
    fn local(_: &mut Bencher) {}
    assert_eq!(common::ids("inside"), ["inside/local"]);
}

#[test]
fn function_stays_callable() {
    let n = "7";
    assert_eq!(parse(n), Ok(7));
    assert_eq!(common::ids("callable"), ["callable/parse_bench/n=7"]);

    fn parse(n: &str) -> Result<u8, std::num::ParseIntError> {
        n.parse()
    }

    #[energy_bench(group = "callable", args = ["7"])]
    fn parse_bench(b: &mut Bencher, n: &str) {
        b.iter(|| parse(n).is_ok().then_some(()).ok_or("no number"));
    }
}
