//! Assigns values to parameters.

use syn::Expr;
use syn::ext::IdentExt;

use crate::errors::Errors;
use crate::options::{Options, nearest};
use crate::signature::{Bench, Param};

/// A parameter with the expression of its values.
pub(crate) struct Axis<'a> {
    pub(crate) param: &'a Param,
    pub(crate) values: &'a Expr,
}

/// Returns the axes, in the order of the parameters.
pub(crate) fn pair<'a>(options: &'a Options, bench: &'a Bench) -> syn::Result<Vec<Axis<'a>>> {
    let mut errors = Errors::default();
    let axes = match (&options.args, &options.grid) {
        (Some((key, values)), _) => {
            if let [param] = &*bench.params {
                vec![Axis { param, values }]
            } else {
                errors.at(key, wrong_number(bench));
                Vec::new()
            }
        }
        (None, Some((_, grid))) => from_grid(grid, bench, &mut errors),
        (None, None) => {
            let names: Vec<String> = bench.params.iter().map(|param| format!("{} = […]", param.name)).collect();
            let help = match bench.params.len() {
                1 => format!("`args = […]` or `grid({})`", names[0]),
                _ => format!("`grid({})`", names.join(", ")),
            };
            for param in &bench.params {
                let name = &param.name;
                errors.at(&param.ident, format!("parameter `{name}` has no values: add {help} to `#[energy_bench]`"));
            }
            Vec::new()
        }
    };
    if let (Some(filter), true) = (&options.filter, bench.params.is_empty()) {
        errors.at(filter, "`filter` needs several cases: remove it, or add `args` or `grid`");
    }
    errors.finish().map(|()| axes)
}

fn wrong_number(bench: &Bench) -> String {
    let name = &bench.ident;
    if bench.params.is_empty() {
        return format!("`{name}` has no parameter for `args`: add one after the bencher, such as `batch: usize`");
    }
    let grid: Vec<String> = bench.params.iter().map(|param| format!("{} = […]", param.name)).collect();
    format!("`args` is for one parameter, and `{name}` has {}: use `grid({})`", bench.params.len(), grid.join(", "))
}

fn from_grid<'a>(grid: &'a [(syn::Ident, Expr)], bench: &'a Bench, errors: &mut Errors) -> Vec<Axis<'a>> {
    let names = || bench.params.iter().map(|param| param.name.as_str());
    for (axis, _) in grid {
        let name = axis.unraw().to_string();
        if names().all(|known| known != name) {
            let help = match nearest(&name, names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if bench.params.is_empty() => format!("add it after the bencher: `{name}: …`"),
                None => format!(
                    "its parameters are {}",
                    names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
                ),
            };
            errors.at(axis, format!("`{}` has no parameter `{name}`: {help}", bench.ident));
        }
    }
    let mut axes = Vec::new();
    for param in &bench.params {
        if let Some((_, values)) = grid.iter().find(|(axis, _)| axis.unraw() == param.name) {
            axes.push(Axis { param, values });
        } else {
            let name = &param.name;
            errors.at(&param.ident, format!("parameter `{name}` has no values: add `{name} = […]` to `grid`"));
        }
    }
    axes
}
