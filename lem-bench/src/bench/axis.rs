//! The values a bench can be run over, and how they read on the command line.
//!
//! Must not know which benches there are.

/// A type whose values a bench can be run over.
///
/// Implemented for the integers, `f32`, `f64`, `bool`, `String` and `&'static str`. A type without it still works as a
/// parameter of a bench if it is `Debug`; it then has its `Debug` text as label, and its values can't be given by
/// `--axis`.
///
/// ```
/// use lem_bench::Axis;
///
/// #[derive(Clone, Copy, Debug, PartialEq)]
/// enum Quantisation {
///     Q4,
///     Q8,
/// }
///
/// impl Axis for Quantisation {
///     fn label(&self) -> String {
///         format!("{self:?}").to_lowercase()
///     }
///
///     fn parse(text: &str) -> Result<Self, String> {
///         match text {
///             "q4" => Ok(Self::Q4),
///             "q8" => Ok(Self::Q8),
///             _ => Err("use q4 or q8".to_owned()),
///         }
///     }
/// }
///
/// assert_eq!(Quantisation::parse(&Quantisation::Q8.label()), Ok(Quantisation::Q8));
/// ```
pub trait Axis: Clone + Send + Sync + 'static {
    /// The text that stands for the value in ids, tables and on the command line: `decode/batch=4` holds the label `4`.
    ///
    /// Two values of one axis need two labels.
    fn label(&self) -> String;

    /// The value that a text from the command line (`--axis batch=4`) stands for; reads what [`label`](Axis::label)
    /// writes.
    ///
    /// # Errors
    /// The reason why the text is not a value, as a text to show.
    fn parse(text: &str) -> Result<Self, String>;
}

macro_rules! whole_numbers {
    ($($type:ty),*) => {$(
        impl Axis for $type {
            fn label(&self) -> String {
                self.to_string()
            }

            fn parse(text: &str) -> Result<Self, String> {
                text.parse().map_err(|_| format!("use a whole number from {} to {}", <$type>::MIN, <$type>::MAX))
            }
        }
    )*};
}

whole_numbers!(u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize);

macro_rules! floats {
    ($($type:ty),*) => {$(
        impl Axis for $type {
            /// The shortest text that reads back as the same number; `Debug` goes over to an exponent where `Display`
            /// would write hundreds of digits.
            fn label(&self) -> String {
                format!("{self:?}")
            }

            fn parse(text: &str) -> Result<Self, String> {
                text.parse().map_err(|_| "use a number such as 0.7".to_owned())
            }
        }
    )*};
}

floats!(f32, f64);

impl Axis for bool {
    fn label(&self) -> String {
        self.to_string()
    }

    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| "use true or false".to_owned())
    }
}

impl Axis for String {
    fn label(&self) -> String {
        self.clone()
    }

    fn parse(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }
}

impl Axis for &'static str {
    fn label(&self) -> String {
        (*self).to_owned()
    }

    /// Leaks the text: it lives as long as the benches that are run over it, which is as long as the process, and
    /// there are as many as words on the command line.
    fn parse(text: &str) -> Result<Self, String> {
        Ok(Box::leak(text.to_owned().into_boxed_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Debug;

    fn reads_back<T: Axis + PartialEq + Debug>(value: T, label: &str) {
        assert_eq!(value.label(), label);
        assert_eq!(T::parse(label), Ok(value));
    }

    #[test]
    fn labels_read_back_as_the_same_value() {
        reads_back(4_usize, "4");
        reads_back(-1_i8, "-1");
        reads_back(u128::MAX, "340282366920938463463374607431768211455");
        reads_back(0.1_f32, "0.1");
        reads_back(1.0_f64, "1.0");
        reads_back(1e300_f64, "1e300");
        reads_back(-0.0_f64, "-0.0");
        reads_back(true, "true");
        reads_back("a b".to_owned(), "a b");
        reads_back("bf16", "bf16");
    }

    #[test]
    fn a_text_that_is_no_value_says_what_would_be() {
        assert_eq!(u8::parse("256").unwrap_err(), "use a whole number from 0 to 255");
        assert_eq!(f64::parse("hot").unwrap_err(), "use a number such as 0.7");
        assert_eq!(bool::parse("yes").unwrap_err(), "use true or false");
    }
}
