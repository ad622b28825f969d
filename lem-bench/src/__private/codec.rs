//! How a parameter's type is labelled and read: by `Axis`, else by `Debug`, else not at all.
//!
//! The expansion calls `(&&&Kind::<T>::NEW).__lem_bench_codec()` with the traits below in scope. The method is looked
//! for on the type as written first and then with one reference less at a time, so the choice falls where the type is
//! known and needs no specialisation. Must not know benches.

use std::any::type_name;
use std::fmt::Debug;
use std::marker::PhantomData;

use super::arguments::IntoArg;
use crate::bench::{Axis, AxisValue};
use crate::registry::AxisSpec;

/// Stands for a parameter's type while its codec is chosen.
pub struct Kind<T>(PhantomData<fn() -> T>);

impl<T> Kind<T> {
    /// The type's stand-in.
    pub const NEW: Self = Self(PhantomData);
}

/// How values of one type get a label, and how they are read from the command line.
pub struct Codec<T> {
    label: fn(&T) -> String,
    parse: fn(&str) -> Result<AxisValue, String>,
}

/// The choice for a type without a label.
pub struct Unlabelled<T>(PhantomData<fn() -> T>);

/// First choice: the type says itself how it reads.
pub trait ViaAxis<T> {
    /// The codec of an [`Axis`].
    fn __lem_bench_codec(&self) -> Codec<T>;
}

impl<T: Axis> ViaAxis<T> for &&Kind<T> {
    fn __lem_bench_codec(&self) -> Codec<T> {
        Codec { label: T::label, parse: |text| T::parse(text).map(|value| AxisValue::new(value.label(), value)) }
    }
}

/// Second choice: a label for people, nothing to read back.
pub trait ViaDebug<T> {
    /// The codec of a type that is only `Debug`.
    fn __lem_bench_codec(&self) -> Codec<T>;
}

impl<T: Debug + Send + Sync + 'static> ViaDebug<T> for &Kind<T> {
    fn __lem_bench_codec(&self) -> Codec<T> {
        Codec {
            label: |value| format!("{value:?}"),
            parse: |_| {
                Err(format!(
                    "values of `{}` can't be given on the command line until it implements `lem_bench::Axis`",
                    type_name::<T>()
                ))
            },
        }
    }
}

/// Last choice: an error that names the type.
pub trait ViaNothing<T> {
    /// What has no codec.
    fn __lem_bench_codec(&self) -> Unlabelled<T>;
}

impl<T> ViaNothing<T> for Kind<T> {
    fn __lem_bench_codec(&self) -> Unlabelled<T> {
        Unlabelled(PhantomData)
    }
}

/// Turns the missing codec of a type into an error that says what to do.
#[diagnostic::on_unimplemented(
    message = "a bench can't be run over values of `{T}`: they have no label",
    label = "needs `Debug + Send + Sync + 'static`, or `lem_bench::Axis`",
    note = "add `#[derive(Clone, Debug)]`, or implement `lem_bench::Axis` to choose the label and allow `--axis`"
)]
pub trait IntoCodec<T> {
    /// The codec itself.
    fn into_codec(self) -> Codec<T>;
}

impl<T> IntoCodec<T> for Codec<T> {
    fn into_codec(self) -> Self {
        self
    }
}

/// One axis: its name, and its values in the type of the parameter.
pub fn axis<T, I>(name: &'static str, codec: impl IntoCodec<T>, values: I) -> AxisSpec
where
    T: Send + Sync + 'static,
    I: IntoIterator,
    I::Item: IntoArg<T>,
{
    let codec = codec.into_codec();
    let values = values
        .into_iter()
        .map(|value| {
            let value = value.into_value();
            AxisValue::new((codec.label)(&value), value)
        })
        .collect();
    AxisSpec::new(name, type_name::<T>(), values, codec.parse)
}
