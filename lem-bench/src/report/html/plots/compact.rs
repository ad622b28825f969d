//! Makes drawings smaller: joins shapes in a row that look alike to one path, groups texts in a row that look alike, and
//! leaves out attributes with default values.

use std::fmt::Write as _;

/// A position in pixels.
type Pixel = (i32, i32);

/// Returns the drawing of plotters, which has an element per line and the texts on their own lines, in a shorter form.
pub(super) fn compact(drawing: &str) -> String {
    let mut compact = Compact::default();
    let mut lines = drawing.lines().filter(|line| !line.is_empty());
    while let Some(line) = lines.next() {
        match Element::parse(line) {
            Some(element) if element.name == "text" => {
                let content: Vec<&str> = lines.by_ref().take_while(|line| *line != "</text>").collect();
                if !content.is_empty() {
                    compact.add_text(&element, &content.join("\n"));
                }
            }
            Some(element) => {
                if compact.add_shape(&element).is_none() {
                    compact.add_other(line);
                }
            }
            None => compact.add_other(line),
        }
    }
    compact.end_path();
    compact.written
}

/// An element's name and attributes. Values have no quotes: plotters escapes them.
#[derive(Debug)]
struct Element<'a> {
    name: &'a str,
    attributes: Vec<(&'a str, &'a str)>,
}

impl<'a> Element<'a> {
    /// Returns the element that begins in this line; `None` for an element without attributes or an end tag.
    fn parse(line: &'a str) -> Option<Self> {
        let (name, rest) = line.strip_prefix('<')?.split_once(' ')?;
        let mut attributes = Vec::with_capacity(9);
        let mut pieces = rest.split('"');
        while let (Some(name), Some(value)) = (pieces.next(), pieces.next()) {
            attributes.push((name.trim_matches([' ', '=']), value));
        }
        Some(Self { name, attributes })
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.attributes.iter().find(|attribute| attribute.0 == name).map(|attribute| attribute.1)
    }

    fn number(&self, name: &str) -> Option<i32> {
        self.get(name)?.parse().ok()
    }

    fn points(&self) -> Option<Vec<Pixel>> {
        let pairs = self.get("points")?.split_ascii_whitespace();
        pairs.map(|pair| pair.split_once(',').and_then(|(x, y)| Some((x.parse().ok()?, y.parse().ok()?)))).collect()
    }

    /// Returns these attributes without those that have their default value.
    fn style(&self, names: &[&str]) -> String {
        let mut style = String::new();
        for name in names {
            let is_default =
                |value: &str| matches!((*name, value), ("opacity" | "stroke-width", "1") | ("stroke", "none"));
            if let Some(value) = self.get(name).filter(|value| !is_default(value)) {
                // Writing to a `String` does not fail.
                let _ = write!(style, " {name}=\"{value}\"");
            }
        }
        style
    }
}

/// A drawing that grows by shapes and texts, the last in front.
#[derive(Debug, Default)]
struct Compact {
    /// What is complete.
    written: String,
    /// The data of the path that still grows, and its attributes.
    path: String,
    path_style: String,
    /// The texts since the path began, with an open group.
    texts: String,
    text_style: String,
}

impl Compact {
    /// Adds a line, rectangle, polygon or circle; `None` if the element is none.
    fn add_shape(&mut self, element: &Element<'_>) -> Option<()> {
        match element.name {
            "line" | "polyline" => {
                let points = match element.name {
                    "line" => {
                        let [x1, y1, x2, y2] = ["x1", "y1", "x2", "y2"].map(|name| element.number(name));
                        vec![(x1?, y1?), (x2?, y2?)]
                    }
                    _ => element.points()?,
                };
                self.begin(format!(" fill=\"none\"{}", element.style(&["opacity", "stroke", "stroke-width"])));
                write_line(&mut self.path, &points);
            }
            "polygon" => {
                let points = element.points()?;
                self.begin(element.style(&["opacity", "fill"]));
                write_line(&mut self.path, &points);
                self.path.push('z');
            }
            "rect" => {
                let [x, y, width, height] = ["x", "y", "width", "height"].map(|name| element.number(name));
                let (x, y, width, height) = (x?, y?, width?, height?);
                self.begin(element.style(&["opacity", "fill", "stroke"]));
                write_line(&mut self.path, &[(x, y), (x + width, y), (x + width, y + height), (x, y + height)]);
                self.path.push('z');
            }
            "circle" => {
                let [x, y, r] = ["cx", "cy", "r"].map(|name| element.number(name));
                self.add_circle(element, (x?, y?), r?);
            }
            _ => return None,
        }
        Some(())
    }

    fn add_circle(&mut self, element: &Element<'_>, (x, y): Pixel, r: i32) {
        let diameter = 2 * r;
        let _ = if element.get("stroke") == Some("none") {
            // A dot is the round end of a line without length.
            let (opacity, color) = (element.style(&["opacity"]), element.get("fill").unwrap_or_default());
            self.begin(format!("{opacity} stroke=\"{color}\" stroke-width=\"{diameter}\" stroke-linecap=\"round\""));
            write!(self.path, "M{x} {y}h0")
        } else {
            self.begin(element.style(&["opacity", "fill", "stroke", "stroke-width"]));
            write!(self.path, "M{} {y}a{r} {r} 0 1 0 {diameter} 0a{r} {r} 0 1 0 -{diameter} 0", x - r)
        };
    }

    fn add_text(&mut self, element: &Element<'_>, content: &str) {
        let size: Option<f64> = element.get("font-size").and_then(|size| size.parse().ok());
        // The figure has the same font family. Digits of sizes that are too small to see are left out.
        let size = size.map(|size| format!(" font-size=\"{size:.1}\"")).unwrap_or_default();
        let style = size + &element.style(&["text-anchor", "font-weight", "font-style", "opacity", "fill"]);
        if self.text_style != style {
            self.close_texts();
            let _ = write!(self.texts, "<g{style}>");
            self.text_style = style;
        }
        let place = element.style(&["x", "y", "dy", "transform"]);
        let _ = write!(self.texts, "<text{place}>{content}</text>");
    }

    fn add_other(&mut self, line: &str) {
        self.end_path();
        self.written.push_str(line);
        self.written.push('\n');
    }

    /// Begins a new path if the one that grows looks different.
    fn begin(&mut self, style: String) {
        if self.path_style != style {
            self.end_path();
            self.path_style = style;
        }
    }

    /// Completes the path, then the texts since it began: a text may move in front of shapes, never behind them.
    fn end_path(&mut self) {
        if !self.path.is_empty() {
            let _ = writeln!(self.written, "<path d=\"{}\"{}/>", self.path, self.path_style);
            self.path.clear();
            self.path_style.clear();
        }
        self.close_texts();
        self.written.push_str(&self.texts);
        self.texts.clear();
    }

    fn close_texts(&mut self) {
        if !self.text_style.is_empty() {
            self.texts.push_str("</g>\n");
            self.text_style.clear();
        }
    }
}

/// Appends a line through the points as path data, in steps from each to the next. Horizontal or vertical steps in one
/// direction are joined.
fn write_line(data: &mut String, points: &[Pixel]) {
    let Some((first, rest)) = points.split_first() else { return };
    let _ = write!(data, "M{} {}", first.0, first.1);
    let (mut from, mut to) = (*first, *first);
    let mut command = 'M';
    for &point in rest {
        let (last, next) = (difference(from, to), difference(to, point));
        let joins =
            |along: (i32, i32), across: (i32, i32)| across == (0, 0) && along.0.signum() * along.1.signum() >= 0;
        if !(joins((last.0, next.0), (last.1, next.1)) || joins((last.1, next.1), (last.0, next.0))) {
            write_step(data, &mut command, last);
            from = to;
        }
        to = point;
    }
    write_step(data, &mut command, difference(from, to));
}

fn difference(from: Pixel, to: Pixel) -> Pixel {
    (to.0 - from.0, to.1 - from.1)
}

/// Appends a step. The letter of a command is not repeated.
fn write_step(data: &mut String, command: &mut char, step: Pixel) {
    let (next, first, second) = match step {
        (0, 0) => return,
        (x, 0) => ('h', x, None),
        (0, y) => ('v', y, None),
        (x, y) => ('l', x, Some(y)),
    };
    if *command != next {
        data.push(next);
        *command = next;
    } else if first >= 0 {
        data.push(' ');
    }
    let _ = write!(data, "{first}");
    if let Some(second) = second {
        let space = if second >= 0 { " " } else { "" };
        let _ = write!(data, "{space}{second}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_neighbours_are_joined() {
        let drawing = r##"
<rect x="1" y="2" width="3" height="4" opacity="1" fill="#111" stroke="none"/>
<rect x="5" y="2" width="3" height="9" opacity="1" fill="#111" stroke="none"/>
<polygon opacity="1" fill="#111" points="1,9 1,5 3,5 3,9 "/>
<text x="74" y="20" dy="0.5ex" text-anchor="end" font-family="sans-serif" font-size="12.903225" opacity="1" fill="#222">
20
</text>
<polyline fill="none" opacity="1" stroke="#222" stroke-width="1" points="78,20 83,20 "/>
<text x="74" y="80" dy="0.5ex" text-anchor="end" font-family="sans-serif" font-size="12.903225" opacity="1" fill="#222">
80
</text>
<line opacity="1" stroke="#222" stroke-width="1" x1="78" y1="80" x2="83" y2="80"/>
<text x="9" y="9" dy="0.76em" text-anchor="middle" font-family="sans-serif" font-size="13.7096774" opacity="1" fill="#222" transform="rotate(270, 9, 9)">
J &lt;b opacity=&quot;1&quot;&gt;
</text>
<circle cx="7" cy="8" r="2" opacity="0.5" fill="#222" stroke="none" stroke-width="1"/>
<circle cx="9" cy="8" r="2" opacity="0.5" fill="#222" stroke="none" stroke-width="1"/>
<circle cx="9" cy="8" r="5" opacity="1" fill="none" stroke="#222" stroke-width="2"/>
</svg>
"##;
        insta::assert_snapshot!(compact(drawing), @r##"
        <path d="M1 2h3v4h-3zM5 2h3v9h-3zM1 9v-4h2v4z" fill="#111"/>
        <g font-size="12.9" text-anchor="end" fill="#222"><text x="74" y="20" dy="0.5ex">20</text></g>
        <path d="M78 20h5M78 80h5" fill="none" stroke="#222"/>
        <g font-size="12.9" text-anchor="end" fill="#222"><text x="74" y="80" dy="0.5ex">80</text></g>
        <g font-size="13.7" text-anchor="middle" fill="#222"><text x="9" y="9" dy="0.76em" transform="rotate(270, 9, 9)">J &lt;b opacity=&quot;1&quot;&gt;</text></g>
        <path d="M7 8h0M9 8h0" opacity="0.5" stroke="#222" stroke-width="4" stroke-linecap="round"/>
        <path d="M4 8a5 5 0 1 0 10 0a5 5 0 1 0 -10 0" fill="none" stroke="#222" stroke-width="2"/>
        </svg>
        "##);
    }

    #[test]
    fn steps_of_a_line_are_relative() {
        let line = |points: &[Pixel]| {
            let mut data = String::new();
            write_line(&mut data, points);
            data
        };
        assert_eq!(line(&[(1, 2), (4, 8), (6, 5), (9, 5)]), "M1 2l3 6 2-3h3");
        assert_eq!(line(&[(1, 2), (1, 2), (4, 2), (5, 2), (5, 9), (5, 11)]), "M1 2h4v9");
        assert_eq!(line(&[(1, 2), (5, 2), (3, 2)]), "M1 2h4-2", "a line that turns back");
        assert_eq!(line(&[]), "");
    }
}
