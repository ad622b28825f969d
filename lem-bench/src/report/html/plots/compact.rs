//! Makes drawings smaller: joins equal shapes in a row to one path, and leaves out attributes with default values.

use std::fmt::Write as _;

/// Shapes in a row that look alike: the data of their path, and its attributes.
#[derive(Debug, Default)]
struct Run {
    data: String,
    style: String,
}

impl Run {
    fn add(&mut self, data: &str, style: String, svg: &mut String) {
        if style != self.style {
            self.flush(svg);
            self.style = style;
        }
        self.data.push_str(data);
    }

    fn flush(&mut self, svg: &mut String) {
        if !self.data.is_empty() {
            // Writing to a `String` does not fail.
            let _ = writeln!(svg, "<path d=\"{}\"{}/>", self.data, self.style);
            self.data.clear();
        }
    }
}

/// Returns the drawing of plotters, which has an element per line, in a shorter form.
pub(super) fn compact(drawing: &str) -> String {
    let mut svg = String::with_capacity(drawing.len() / 2);
    let mut run = Run::default();
    for line in drawing.split_inclusive('\n') {
        if let Some((data, style)) = path_of(line) {
            run.add(&data, style, &mut svg);
        } else {
            run.flush(&mut svg);
            if line.starts_with('<') {
                svg.push_str(&shorten(line));
            } else {
                svg.push_str(line);
            }
        }
    }
    run.flush(&mut svg);
    svg
}

/// Returns the path data of a rectangle or circle, and the other attributes; `None` for any other element.
fn path_of(line: &str) -> Option<(String, String)> {
    let number = |name: &str| attribute(line, name)?.parse::<f64>().ok();
    if line.starts_with("<rect ") {
        let [x, y, width, height] = [number("x")?, number("y")?, number("width")?, number("height")?];
        return Some((format!("M{x} {y}h{width}v{height}h-{width}z"), style(line, &["fill", "stroke"])));
    }
    if !line.starts_with("<circle ") {
        return None;
    }
    let [x, y, r] = [number("cx")?, number("cy")?, number("r")?];
    if attribute(line, "stroke")? == "none" {
        // A dot is the end of a line without length.
        let (color, opacity) = (attribute(line, "fill")?, style(line, &[]));
        let style = format!("{opacity} stroke=\"{color}\" stroke-width=\"{}\" stroke-linecap=\"round\"", 2.0 * r);
        return Some((format!("M{x} {y}h0"), style));
    }
    let arc = format!("a{r} {r} 0 1 0 {} 0a{r} {r} 0 1 0 {} 0", 2.0 * r, -2.0 * r);
    Some((format!("M{} {y}{arc}", x - r), style(line, &["fill", "stroke", "stroke-width"])))
}

/// The opacity and these attributes of an element, without those that have their default value.
fn style(line: &str, names: &[&str]) -> String {
    let mut style = String::new();
    for name in ["opacity"].iter().chain(names) {
        let value = attribute(line, name).unwrap_or_default();
        if !matches!((*name, value), (_, "") | ("opacity", "1") | ("stroke", "none")) {
            let _ = write!(style, " {name}=\"{value}\"");
        }
    }
    style
}

fn attribute<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = line.split_once(&format!(" {name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

/// Leaves out attributes with default values, and digits of font sizes that are too small to see.
fn shorten(line: &str) -> String {
    let short = line.replace(" opacity=\"1\"", "").replace(" font-family=\"sans-serif\"", "");
    match attribute(&short, "font-size").and_then(|size| Some((size, size.parse::<f64>().ok()?))) {
        Some((size, rounded)) => short.replace(size, &format!("{rounded:.1}")),
        None => short,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_shapes_are_one_path() {
        let drawing = "<rect x=\"1\" y=\"2\" width=\"3\" height=\"4\" opacity=\"1\" fill=\"#111\" stroke=\"none\"/>\n\
                       <rect x=\"5\" y=\"2\" width=\"3\" height=\"9\" opacity=\"1\" fill=\"#111\" stroke=\"none\"/>\n\
                       <circle cx=\"7\" cy=\"8\" r=\"2\" opacity=\"0.5\" fill=\"#222\" stroke=\"none\" stroke-width=\"1\"/>\n\
                       <circle cx=\"9\" cy=\"8\" r=\"2\" opacity=\"1\" fill=\"none\" stroke=\"#222\" stroke-width=\"2\"/>\n\
                       <text x=\"0\" y=\"1\" font-family=\"sans-serif\" font-size=\"13.7096774\" opacity=\"1\" fill=\"#222\">\n\
                       <b> opacity=\"1\"\n</text>\n";
        insta::assert_snapshot!(compact(drawing));
    }

    #[test]
    fn texts_stay() {
        let drawing = "<text x=\"0\">\nrect x opacity=\"1\"\n</text>\n";
        assert_eq!(compact(drawing), drawing);
    }
}
