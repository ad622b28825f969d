#[test]
fn nothing_that_a_user_names_is_markup() {
    const TAGS: &str = "!DOCTYPE a b body caption circle code dd desc details div dl dt figcaption figure h1 h2 h3 \
                        head header html li line main meta p polygon polyline pre rect section span style summary \
                        svg table tbody td text th thead title tr ul";
    for (name, summary) in all() {
        let page = render(&summary).unwrap();
        let (tags, text) = parse(&page);
        for (tag, attributes) in tags {
            assert!(TAGS.split_whitespace().any(|known| known == tag), "{name}: <{tag}>");
            assert!(attributes.keys().all(|key| !key.starts_with("on") && key != "src" && key != "style"), "{tag}");
            let link = attributes.get("href").is_none_or(|to| to.starts_with('#'));
            assert!(link, "{name}: {attributes:?} leads away");
        }
        assert!(!page.contains(['\u{202E}', '\u{2066}', '\x1b']), "{name}");
        assert_eq!(text.contains("&lt;script&gt;"), name == "hostile");
        assert_eq!(text.contains("{{ 7*7 }}"), name == "hostile");
    }
}

#[test]
fn nothing_is_asked_of_elsewhere() {
    for (name, summary) in all() {
        let page = render(&summary).unwrap().replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
        for address in ["http:", "https:", "url(", "@import", "<script", "<link"] {
            assert!(!page.contains(address), "{name}: {address}");
        }
    }
}

#[test]
fn what_a_label_or_link_points_at_is_there_once() {
    for (_, summary) in all() {
        let (tags, _) = parse(&render(&summary).unwrap());
        let values = |key: &str| tags.iter().filter_map(|(_, a)| a.get(key).cloned()).collect::<Vec<_>>();
        let ids = values("id");
        let set: BTreeSet<&String> = ids.iter().collect();
        assert_eq!(set.len(), ids.len(), "an id stands twice");
        let labels = values("aria-labelledby");
        let links = values("href");
        for target in labels.iter().flat_map(|l| l.split(' ')).chain(links.iter().map(|l| &l[1..])) {
            assert!(ids.iter().any(|id| id == target), "{target} is not there");
        }
    }
}

#[test]
fn each_number_is_the_summarys_and_carries_its_label() {
    for (name, summary) in all() {
        let page = render(&summary).unwrap();
        for bench in &summary.benches {
            for (key, metric) in &bench.metrics {
                let Ok(figure) = Figure::of(metric) else { continue };
                let value = format!("<b>{}</b>", escape(&figure.short()));
                let origin = labels::metric_origin(bench, key, metric);
                let label = origin.map(|o| format!(" <span class=\"origin\">{o}</span>")).unwrap_or_default();
                assert!(page.contains(&format!("{value}{label}")), "{name}: {key}: {value}{label}");
                if let Some((low, high)) = &figure.interval {
                    assert!(page.contains(&format!(">{low} … {high}<")), "{name}: {key}: {low} … {high}");
                }
            }
        }
    }
}

#[test]
fn an_estimate_says_so_before_anything_else_and_how_it_was_made() {
    let (_, text) = parse(&render(&fixture::on_an_estimate()).unwrap());
    let banner = text.find("Every joule on this page is an estimate").unwrap();
    let formula = text.find("CPU time of this process × 10 W per busy core").unwrap();
    let first_figure = text.find("52.30 mJ").unwrap();
    assert!(banner < formula && formula < first_figure);
    let (_, text) = parse(&render(&fixture::on_a_card()).unwrap());
    assert!(!text.contains("estimate"));
}

#[test]
fn what_is_no_number_is_a_dash_with_its_reason() {
    let page = render(&fixture::hostile()).unwrap();
    let mut words = page.split(|c: char| !c.is_alphanumeric());
    assert!(!words.any(|word| matches!(word, "NaN" | "inf" | "nan")));
    assert!(page.contains("<b>–</b> <span class=\"reason\">not a finite number</span>"));
    let estimate = render(&fixture::on_an_estimate()).unwrap();
    assert!(estimate.contains("<b>–</b> <span class=\"reason\">an estimate has no idle</span>"));
}

#[test]
fn where_there_is_too_little_to_draw_it_says_so() {
    let mut summary = fixture::on_a_card();
    summary.benches.truncate(1);
    summary.benches[0].cycles.truncate(1);
    summary.benches[0].cycles[0].traces.clear();
    summary.benches[0].warm_up = None;
    let page = render(&summary).unwrap();
    assert!(page.contains("no plot, because fewer than two benches have it with an interval"));
    assert!(page.contains("No plot: fewer than two readings of power were kept."));
    assert!(!page.contains("<svg"));
}

#[test]
fn a_page_of_six_benches_stays_small_and_an_empty_run_has_one() {
    let mut summary = fixture::on_a_card();
    let page = render(&summary).unwrap();
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
    summary.benches.clear();
    assert!(render(&summary).unwrap().contains("No bench was measured"));
}

#[test]
fn a_long_trace_does_not_make_a_long_page() {
    let mut summary = fixture::on_a_card();
    summary.benches.truncate(1);
    let short = render(&summary).unwrap().len();
    let cycle = &mut summary.benches[0].cycles[9];
    let from = cycle.spans[0].start;
    let at = |i: u64| from + std::time::Duration::from_millis(100 * i);
    cycle.spans[3].stop = at(36_000);
    cycle.traces[0].power_w =
        (0..36_000).map(|i| crate::model::TracePoint(at(i), 300.0 + (i % 7) as f64)).collect();
    let long = render(&summary).unwrap().len();
    assert!(long < short + 20_000, "{short} and with an hour more {long}");
}
