//! The part of JUnit XML that the reports use: test suites, their cases, and the XML that they are written as.
//!
//! Follows the schema of the Jenkins xUnit plugin, in the form that GitLab, Azure and `junitparser` read.

use std::fmt::Write as _;

use super::number_format::date;

/// A name and a value of a `<property>`.
pub(super) type Property = (String, String);

/// A `<testsuite>`.
#[derive(Debug)]
pub(super) struct TestSuite {
    pub name: String,
    /// Start time, in seconds since 1970.
    pub started_unix_s: Option<f64>,
    /// Whether its cases have a time.
    pub timed: bool,
    pub properties: Vec<Property>,
    pub cases: Vec<TestCase>,
}

/// A `<testcase>`.
#[derive(Debug, Default)]
pub(super) struct TestCase {
    pub name: String,
    pub class: String,
    pub seconds: f64,
    /// File and line of the source.
    pub location: Option<(String, String)>,
    pub properties: Vec<Property>,
    pub result: TestResult,
    /// Lines of `<system-out>`.
    pub output: Vec<String>,
}

/// The result of a test case.
#[derive(Debug, Default)]
pub(super) enum TestResult {
    #[default]
    Passed,
    Skipped {
        message: String,
    },
    Failure(Problem),
    Error(Problem),
}

/// What is wrong with a test case.
#[derive(Debug)]
pub(super) struct Problem {
    /// The attribute `type`.
    pub kind: &'static str,
    pub message: String,
    /// Lines of text in the element.
    pub details: Vec<String>,
}

/// Writes test suites as an XML document.
pub(super) fn to_xml(suites: &[TestSuite]) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let all: Vec<&TestCase> = suites.iter().flat_map(|suite| &suite.cases).collect();
    // Writing to a `String` does not fail.
    let _ = writeln!(xml, "<testsuites name=\"lem-bench\" {}>", totals(&all, suites.iter().all(|suite| suite.timed)));
    for suite in suites {
        write_suite(&mut xml, suite);
    }
    xml.push_str("</testsuites>\n");
    xml
}

/// Returns the attributes that count test cases and sum up their time.
fn totals(cases: &[&TestCase], timed: bool) -> String {
    let (mut failures, mut errors, mut skipped) = (0, 0, 0);
    for case in cases {
        match case.result {
            TestResult::Passed => {}
            TestResult::Skipped { .. } => skipped += 1,
            TestResult::Failure(_) => failures += 1,
            TestResult::Error(_) => errors += 1,
        }
    }
    let tests = cases.len();
    let time = if timed { time(cases.iter().map(|case| case.seconds).sum()) } else { String::new() };
    format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\"{time}")
}

fn time(seconds: f64) -> String {
    // The sum of no numbers is -0.0.
    format!(" time=\"{:.3}\"", seconds + 0.0)
}

fn write_suite(xml: &mut String, suite: &TestSuite) {
    let name = escape_attribute(&suite.name);
    let timestamp = suite.started_unix_s.map(|unix_s| format!(" timestamp=\"{}\"", xml_time(unix_s)));
    let timestamp = timestamp.unwrap_or_default();
    let totals = totals(&suite.cases.iter().collect::<Vec<_>>(), suite.timed);
    let _ = writeln!(xml, "  <testsuite name=\"{name}\"{timestamp} {totals}>");
    write_properties(xml, "    ", &suite.properties);
    for case in &suite.cases {
        write_case(xml, case, suite.timed);
    }
    xml.push_str("  </testsuite>\n");
}

/// Formats seconds since 1970 as `2026-11-03T14:05:33`, in UTC.
fn xml_time(unix_s: f64) -> String {
    date(unix_s).replace(" UTC", "").replace(' ', "T")
}

fn write_case(xml: &mut String, case: &TestCase, timed: bool) {
    let (name, class) = (escape_attribute(&case.name), escape_attribute(&case.class));
    let time = if timed { time(case.seconds) } else { String::new() };
    let location = case
        .location
        .as_ref()
        .map(|(file, line)| format!(" file=\"{}\" line=\"{}\"", escape_attribute(file), escape_attribute(line)));
    let location = location.unwrap_or_default();
    let _ = writeln!(xml, "    <testcase name=\"{name}\" classname=\"{class}\"{time}{location}>");
    write_properties(xml, "      ", &case.properties);
    match &case.result {
        TestResult::Passed => {}
        TestResult::Skipped { message } => {
            let _ = writeln!(xml, "      <skipped message=\"{}\"/>", escape_attribute(message));
        }
        TestResult::Failure(problem) => write_problem(xml, "failure", problem),
        TestResult::Error(problem) => write_problem(xml, "error", problem),
    }
    if !case.output.is_empty() {
        let _ = writeln!(xml, "      <system-out>{}</system-out>", escape_text(&case.output.join("\n")));
    }
    xml.push_str("    </testcase>\n");
}

fn write_problem(xml: &mut String, tag: &str, problem: &Problem) {
    let _ = write!(xml, "      <{tag} type=\"{}\" message=\"{}\"", problem.kind, escape_attribute(&problem.message));
    if problem.details.is_empty() {
        xml.push_str("/>\n");
    } else {
        let _ = writeln!(xml, ">{}</{tag}>", escape_text(&problem.details.join("\n")));
    }
}

fn write_properties(xml: &mut String, indent: &str, properties: &[Property]) {
    if properties.is_empty() {
        return;
    }
    let _ = writeln!(xml, "{indent}<properties>");
    for (name, value) in properties {
        let (name, value) = (escape_attribute(name), escape_attribute(value));
        let _ = writeln!(xml, "{indent}  <property name=\"{name}\" value=\"{value}\"/>");
    }
    let _ = writeln!(xml, "{indent}</properties>");
}

/// Escapes text for an attribute of XML 1.0, where parsers turn line feeds and tabs into spaces unless they are escaped.
fn escape_attribute(text: &str) -> String {
    escape_text(text).replace('\n', "&#10;").replace('\r', "&#13;").replace('\t', "&#9;")
}

/// Escapes text between tags of XML 1.0. Characters that XML does not allow become `\u{…}`.
fn escape_text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\r' | '\t' => escaped.push(c),
            c if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') => escaped.extend(c.escape_unicode()),
            c => escaped.push(c),
        }
    }
    escaped
}
