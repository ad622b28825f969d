//! The expansion doesn't use names of the user's scope, causes no warnings, and works with `forbid(unsafe_code)`.

#![forbid(unsafe_code)]
#![deny(warnings)]
#![warn(unused, unused_qualifications, elided_lifetimes_in_paths, missing_docs, clippy::pedantic)]

mod common;

mod no_prelude {
    #![no_implicit_prelude]

    #[::lem_bench::energy_bench(
        group = "no_prelude",
        grid(n = [1, 2], text = ["a"]),
        filter = keep,
        cycles = 3,
        windows = 2,
        gap = "1s",
        tags = ["t"],
        ignore = "why"
    )]
    fn everything(
        _: &mut ::lem_bench::Bencher<'_>,
        n: usize,
        text: &str,
    ) -> ::core::result::Result<(), ::core::num::TryFromIntError> {
        let _ = text;
        ::core::convert::TryInto::<u8>::try_into(n)?;
        ::core::result::Result::Ok(())
    }

    fn keep(n: usize, _text: &str) -> bool {
        n == 1
    }

    // The methods of a bencher by value come from a trait, which the expansion imports.
    #[::lem_bench::energy_bench(group = "by_value")]
    fn by_value(b: ::lem_bench::Bencher<'_>) {
        b.iter(|| 1);
    }
}

mod shadowed {
    #![expect(
        non_camel_case_types,
        non_snake_case,
        non_upper_case_globals,
        dead_code,
        unused_macros,
        reason = "it is what a user could do that is tested"
    )]

    struct Vec;
    struct String;
    struct Box;
    struct Error;
    struct Entry;
    struct Bencher;
    struct CaseValues;
    struct bool;
    struct str;
    enum Result {}
    enum Option {}
    trait From {}
    trait Into {}
    trait IntoIterator {}
    trait Clone {}
    trait Axis {}
    fn Some() {}
    fn None() {}
    fn Ok() {}
    fn Err() {}
    mod std {}
    mod core {}
    mod lem_bench {}
    mod inventory {}
    macro_rules! vec {
        () => {};
    }
    macro_rules! module_path {
        () => {};
    }
    macro_rules! submit {
        () => {};
    }

    /// Implements method names of the expansion for all types.
    #[expect(clippy::wrong_self_convention, reason = "the names of the expansion")]
    trait Greedy {
        fn into_value(&self) {}
        fn into_codec(&self) {}
        fn into_result(&self) {}
        fn cloned(&self) {}
        fn axes(&self) {}
    }
    impl<T> Greedy for T {}

    const b: usize = 1;
    const case: usize = 1;

    fn keep(n: usize, _: &::core::primitive::str) -> ::core::primitive::bool {
        n > 1
    }

    #[::lem_bench::energy_bench(group = "shadowed", grid(n = [b, 2], text = ["a"]), filter = keep)]
    fn everything(
        _: &mut ::lem_bench::Bencher<'_>,
        n: usize,
        text: &::core::primitive::str,
    ) -> ::core::result::Result<(), &'static ::core::primitive::str> {
        let _ = (n, text);
        ::core::result::Result::Err("seen")
    }
}

/// Functions with names that an expansion may use.
mod own_names {
    use lem_bench::prelude::*;

    #[energy_bench(group = "own_names", args = [1])]
    fn b(_: &mut Bencher<'_>, case: u8) {
        let _ = case;
    }

    #[energy_bench(group = "own_names", args = [1])]
    fn case(_: &mut Bencher<'_>, b: u8) {
        let _ = b;
    }

    #[energy_bench(group = "own_names")]
    fn run(_: &mut Bencher<'_>) {}

    #[energy_bench(group = "own_names")]
    fn main(_: &mut Bencher<'_>) {}
}

/// Re-exports `lem-bench` under another name.
mod re_exported {
    pub(crate) mod deep {
        pub(crate) use ::lem_bench as energy;
    }

    use deep::energy::Bencher;

    #[deep::energy::energy_bench(crate = deep::energy, group = "re_exported", args = [1, 2])]
    fn relative(_: &mut Bencher<'_>, n: u8) {
        let _ = n;
    }

    #[deep::energy::energy_bench(crate = crate::re_exported::deep::energy, group = "re_exported")]
    fn absolute(_: &mut Bencher<'_>) {}

    macro_rules! bench {
        ($name:ident) => {
            #[deep::energy::energy_bench(crate = $crate::re_exported::deep::energy, group = "re_exported")]
            fn $name(_: &mut Bencher<'_>) {}
        };
    }

    bench!(by_macro);
}

/// Benches with the same name in different modules.
mod twins {
    pub(crate) mod left {
        use lem_bench::prelude::*;

        #[energy_bench(group = "left")]
        pub(crate) fn decode(_: &mut Bencher<'_>) {}

        pub(crate) mod inner {
            use super::*;

            #[energy_bench(group = "left/inner")]
            pub(super) fn decode(_: &mut Bencher<'_>) {}
        }
    }

    pub(crate) mod right {
        use lem_bench::prelude::*;

        #[energy_bench(group = "right")]
        pub(in crate::twins) fn decode(_: &mut Bencher<'_>) {}
    }
}

#[test]
fn works_without_prelude() {
    assert_eq!(common::ids("no_prelude"), ["no_prelude/no_prelude::everything/n=1/text=a"]);
    assert!(common::run(&common::case("by_value/no_prelude::by_value")).is_ok());
    assert!(common::run(&common::case("no_prelude/no_prelude::everything/n=1/text=a")).is_ok());
}

#[test]
fn shadowed_names_are_not_used() {
    assert_eq!(common::ids("shadowed"), ["shadowed/shadowed::everything/n=2/text=a"]);
    let error = common::run(&common::case("shadowed/shadowed::everything/n=2/text=a")).unwrap_err();
    assert_eq!(error.to_string(), "seen");
}

#[test]
fn allows_names_of_expansion() {
    assert_eq!(
        common::ids("own_names"),
        [
            "own_names/own_names::b/case=1",
            "own_names/own_names::case/b=1",
            "own_names/own_names::run",
            "own_names/own_names::main"
        ]
    );
    for id in common::ids("own_names") {
        assert!(common::run(&common::case(&id)).is_ok());
    }
}

#[test]
fn supports_renamed_crate() {
    assert_eq!(
        common::ids("re_exported"),
        [
            "re_exported/re_exported::relative/n=1",
            "re_exported/re_exported::relative/n=2",
            "re_exported/re_exported::absolute",
            "re_exported/re_exported::by_macro"
        ]
    );
}

#[test]
fn same_name_in_several_modules() {
    let ids = ["left/twins::left::decode", "left/inner/twins::left::inner::decode"];
    assert_eq!(common::ids("left"), ids);
    assert_eq!(common::case(ids[1]).module, Some("hygiene::twins::left::inner"));
    assert_eq!(common::ids("right"), ["right/twins::right::decode"]);
}
