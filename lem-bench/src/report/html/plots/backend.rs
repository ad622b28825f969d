//! The backend that plotters draws with. It writes SVG in a short form: shapes in a row that look alike become one path with
//! relative steps, and texts in a row that look alike a group. `SVGBackend` of plotters writes an element with all attributes
//! for each, which takes three times the bytes.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt::Write as _;

use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind, FontTransform,
};

use super::style::escape;

/// How many pixels a unit of a font's size is: plotters counts the height of a line.
const SIZE_PER_PIXEL: f64 = 1.24;

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

type Color = (u8, u8, u8);

/// What a path looks like. A circle that is not filled is a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Line { color: Color, width: u32 },
    Fill { color: Color },
    Dot { color: Color, radius: u32 },
}

/// What a text looks like.
#[derive(Debug, Clone, Copy, PartialEq)]
struct TextLook {
    anchor: &'static str,
    size: f64,
    color: Color,
}

/// A drawing that grows by opaque shapes and texts, the last in front.
#[derive(Debug)]
pub(super) struct ShortSvg<'a> {
    size: (u32, u32),
    /// What is complete.
    written: &'a mut String,
    /// The data of the path that still grows, and its look.
    path: String,
    look: Option<Look>,
    /// The texts since the path began, with an open group.
    texts: String,
    text_look: Option<TextLook>,
}

impl<'a> ShortSvg<'a> {
    /// Creates an empty drawing, whose elements will be appended to `svg`.
    pub fn new(svg: &'a mut String, size: (u32, u32)) -> Self {
        Self { size, written: svg, path: String::new(), look: None, texts: String::new(), text_look: None }
    }

    /// Begins a new path if the one that grows looks different.
    fn begin(&mut self, look: Look) {
        if self.look != Some(look) {
            self.end_path();
            self.look = Some(look);
        }
    }

    /// Completes the path, then the texts since it began: a text may move in front of shapes, never behind them.
    fn end_path(&mut self) {
        if let Some(look) = self.look.take() {
            let (written, path) = (&mut *self.written, &self.path);
            // Writing to a `String` does not fail.
            let _ = match look {
                Look::Line { color, width } => {
                    let (color, width) = (hex(color), stroke_width(width));
                    writeln!(written, "<path d=\"{path}\" fill=\"none\" stroke=\"{color}\"{width}/>")
                }
                Look::Fill { color } => writeln!(written, "<path d=\"{path}\" fill=\"{}\"/>", hex(color)),
                Look::Dot { color, radius } => {
                    let (color, width) = (hex(color), stroke_width(2 * radius));
                    writeln!(written, "<path d=\"{path}\" stroke=\"{color}\"{width} stroke-linecap=\"round\"/>")
                }
            };
            self.path.clear();
        }
        self.close_texts();
        self.written.push_str(&self.texts);
        self.texts.clear();
    }

    fn close_texts(&mut self) {
        if self.text_look.take().is_some() {
            self.texts.push_str("</g>\n");
        }
    }
}

impl DrawingBackend for ShortSvg<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        self.end_path();
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, color: BackendColor) -> Drawn {
        self.draw_rect((x, y), (x + 1, y + 1), &color, true)
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Drawn {
        self.draw_path([from, to], style)
    }

    fn draw_rect<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S, fill: bool) -> Drawn {
        let corners = [from, (to.0, from.1), to, (from.0, to.1)];
        if fill {
            return self.fill_polygon(corners, style);
        }
        self.draw_path(corners.into_iter().chain([from]), style)
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Drawn {
        self.begin(Look::Line { color: style.color().rgb, width: style.stroke_width() });
        write_line(&mut self.path, path);
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, corners: I, style: &S) -> Drawn {
        self.begin(Look::Fill { color: style.color().rgb });
        write_line(&mut self.path, corners);
        self.path.push('z');
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(&mut self, (x, y): BackendCoord, radius: u32, style: &S, fill: bool) -> Drawn {
        let color = style.color().rgb;
        let (left, diameter) = (x - radius.cast_signed(), 2 * radius);
        let _ = if fill {
            // A dot is the round end of a line without length.
            self.begin(Look::Dot { color, radius });
            write!(self.path, "M{x} {y}h0")
        } else {
            self.begin(Look::Line { color, width: style.stroke_width() });
            write!(self.path, "M{left} {y}a{radius} {radius} 0 1 0 {diameter} 0a{radius} {radius} 0 1 0 -{diameter} 0")
        };
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, (x, y): BackendCoord) -> Drawn {
        if text.is_empty() {
            return Ok(());
        }
        let anchor = match style.anchor().h_pos {
            HPos::Left => "start",
            HPos::Center => "middle",
            HPos::Right => "end",
        };
        let look = TextLook { anchor, size: style.size() / SIZE_PER_PIXEL, color: style.color().rgb };
        if self.text_look != Some(look) {
            self.close_texts();
            let color = hex(look.color);
            let _ = write!(self.texts, "<g text-anchor=\"{anchor}\" font-size=\"{:.1}\" fill=\"{color}\">", look.size);
            self.text_look = Some(look);
        }
        let dy = match style.anchor().v_pos {
            VPos::Top => "0.76em",
            VPos::Center => "0.5ex",
            VPos::Bottom => "-0.5ex",
        };
        let degrees = match style.transform() {
            FontTransform::None => 0,
            FontTransform::Rotate90 => 90,
            FontTransform::Rotate180 => 180,
            FontTransform::Rotate270 => 270,
        };
        let _ = write!(self.texts, "<text x=\"{x}\" y=\"{y}\" dy=\"{dy}\"");
        if degrees > 0 {
            let _ = write!(self.texts, " transform=\"rotate({degrees}, {x}, {y})\"");
        }
        let _ = write!(self.texts, ">{}</text>", escape(text));
        Ok(())
    }
}

fn hex((red, green, blue): Color) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}

/// Returns the attribute for a width other than 1, which is the default.
fn stroke_width(width: u32) -> Cow<'static, str> {
    if width == 1 { Cow::Borrowed("") } else { Cow::Owned(format!(" stroke-width=\"{width}\"")) }
}

/// Appends a line through the points as path data, in steps from each to the next. Horizontal or vertical steps in one
/// direction are joined.
fn write_line(data: &mut String, points: impl IntoIterator<Item = BackendCoord>) {
    let mut points = points.into_iter();
    let Some(first) = points.next() else { return };
    let _ = write!(data, "M{} {}", first.0, first.1);
    let (mut from, mut to) = (first, first);
    let mut command = 'M';
    for point in points {
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

fn difference(from: BackendCoord, to: BackendCoord) -> BackendCoord {
    (to.0 - from.0, to.1 - from.1)
}

/// Appends a step. The letter of a command is not repeated.
fn write_step(data: &mut String, command: &mut char, step: BackendCoord) {
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
    use plotters::prelude::*;
    use plotters::style::FontTransform;
    use plotters::style::text_anchor::{HPos, Pos, VPos};
    use plotters_backend::BackendCoord;

    use super::{ShortSvg, write_line};

    #[test]
    fn equal_neighbours_are_joined() {
        let mut svg = String::new();
        let area = ShortSvg::new(&mut svg, (960, 300)).into_drawing_area();
        let (gray, ink) = (RGBColor(0x11, 0x11, 0x11), RGBColor(0x22, 0x22, 0x22));
        let style = |size, anchor, height| ("sans-serif", size).into_font().color(&ink).pos(Pos::new(anchor, height));
        for corners in [[(1, 2), (4, 6)], [(8, 11), (5, 2)]] {
            area.draw(&Rectangle::new(corners, gray.filled())).unwrap();
        }
        area.draw(&Polygon::new([(1, 9), (1, 5), (3, 5), (3, 9)], gray.filled())).unwrap();
        for y in [20, 80] {
            area.draw_text(&y.to_string(), &style(16, HPos::Right, VPos::Center), (74, y)).unwrap();
            area.draw(&PathElement::new([(78, y), (83, y)], ink)).unwrap();
        }
        let turned = style(17, HPos::Center, VPos::Top).transform(FontTransform::Rotate270);
        area.draw_text("J & <W>", &turned, (9, 9)).unwrap();
        for x in [7, 9] {
            area.draw(&Circle::new((x, 8), 2, ink.filled())).unwrap();
        }
        area.draw(&Circle::new((9, 8), 5, ink.stroke_width(2))).unwrap();
        area.draw(&Rectangle::new([(1, 2), (4, 6)], ink)).unwrap();
        area.present().unwrap();
        drop(area);
        insta::assert_snapshot!(svg, @r##"
        <path d="M1 2h3v4h-3zM5 2h3v9h-3zM1 9v-4h2v4z" fill="#111111"/>
        <g text-anchor="end" font-size="12.9" fill="#222222"><text x="74" y="20" dy="0.5ex">20</text></g>
        <path d="M78 20h5M78 80h5" fill="none" stroke="#222222"/>
        <g text-anchor="end" font-size="12.9" fill="#222222"><text x="74" y="80" dy="0.5ex">80</text></g>
        <g text-anchor="middle" font-size="13.7" fill="#222222"><text x="9" y="9" dy="0.76em" transform="rotate(270, 9, 9)">J &amp; &lt;W&gt;</text></g>
        <path d="M7 8h0M9 8h0" stroke="#222222" stroke-width="4" stroke-linecap="round"/>
        <path d="M4 8a5 5 0 1 0 10 0a5 5 0 1 0 -10 0" fill="none" stroke="#222222" stroke-width="2"/>
        <path d="M1 2h3v4h-3v-4" fill="none" stroke="#222222"/>
        "##);
    }

    #[test]
    fn steps_of_a_line_are_relative() {
        let line = |points: &[BackendCoord]| {
            let mut data = String::new();
            write_line(&mut data, points.iter().copied());
            data
        };
        assert_eq!(line(&[(1, 2), (4, 8), (6, 5), (9, 5)]), "M1 2l3 6 2-3h3");
        assert_eq!(line(&[(1, 2), (1, 2), (4, 2), (5, 2), (5, 9), (5, 11)]), "M1 2h4v9");
        assert_eq!(line(&[(1, 2), (5, 2), (3, 2)]), "M1 2h4-2", "a line that turns back");
        assert_eq!(line(&[]), "");
    }
}
