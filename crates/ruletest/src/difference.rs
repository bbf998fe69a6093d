//! What is expected beside what is there: equal lines once, others with `-` and `+`.

use std::collections::BTreeSet;

use narthex_model::labels::quote;
use narthex_rulefmt::unit_test::Matching;

use crate::check::alerts::View;
use crate::check::samples::Shown;

/// Samples with the same labels stand together.
pub(crate) fn sample_difference(
    expected: &[Shown],
    got: &[Shown],
    equal: impl Fn(&Shown, &Shown) -> bool,
) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest: Vec<&Shown> = got.iter().collect();
    for wanted in expected {
        match rest.iter().position(|one| one.labels == wanted.labels) {
            Some(place) => {
                let one = rest.remove(place);
                if equal(wanted, one) {
                    lines.push(format!("  {}", one.text()));
                } else {
                    lines.extend([format!("- {}", wanted.text()), format!("+ {}", one.text())]);
                }
            }
            None => lines.push(format!("- {}", wanted.text())),
        }
    }
    lines.extend(rest.into_iter().map(|one| format!("+ {}", one.text())));
    lines
}

/// Alerts that fit are one line; of the others each expected one stands with the one that is most like it.
pub(crate) fn alert_difference(
    expected: &[View],
    got: &[View],
    partners: &[Option<usize>],
    matching: Matching,
) -> Vec<String> {
    let mut lines = Vec::new();
    let fitting: BTreeSet<usize> = partners.iter().flatten().copied().collect();
    let mut rest: Vec<usize> = (0..got.len()).filter(|place| !fitting.contains(place)).collect();
    for (wanted, partner) in expected.iter().zip(partners) {
        if partner.is_some() {
            lines.push(format!("  {}", labels_text(&wanted.labels)));
            continue;
        }
        let likeness = |&place: &usize| (alike(wanted, &got[place]), std::cmp::Reverse(place));
        let best = rest.iter().copied().max_by_key(likeness);
        rest.retain(|&place| Some(place) != best);
        match best {
            Some(place) => lines.extend(rows(wanted, &got[place], matching)),
            None => lines.extend(alone('-', wanted)),
        }
    }
    for place in rest {
        lines.extend(alone('+', &got[place]));
    }
    lines
}

/// How many labels and annotations two alerts share.
fn alike(a: &View, b: &View) -> usize {
    let shared =
        |a: &[(String, String)], b: &[(String, String)]| a.iter().filter(|pair| b.contains(pair)).count();
    2 * shared(&a.labels, &b.labels) + shared(&a.annotations, &b.annotations)
}

fn labels_text(labels: &[(String, String)]) -> String {
    let parts = labels.iter().map(|(name, value)| format!("{name}={}", quoted(value)));
    format!("{{{}}}", parts.collect::<Vec<_>>().join(", "))
}

fn quoted(text: &str) -> String {
    let mut out = String::new();
    quote(&mut out, text.as_bytes());
    out
}

/// An alert that only one side has: its labels in one line, then its annotations.
fn alone(mark: char, alert: &View) -> Vec<String> {
    let width = width(&alert.annotations);
    let annotations = alert.annotations.iter();
    let annotations = annotations.map(|(name, text)| format!("{mark}   {name:<width$}  {}", quoted(text)));
    std::iter::once(format!("{mark} {}", labels_text(&alert.labels))).chain(annotations).collect()
}

/// Two alerts, a label or annotation a line, aligned.
fn rows(wanted: &View, got: &View, matching: Matching) -> Vec<String> {
    let all = [&wanted.labels, &wanted.annotations, &got.labels, &got.annotations];
    let width = all.iter().map(|pairs| width(pairs)).max().unwrap_or(0);
    let labels = pair_rows(&wanted.labels, &got.labels, width, matching);
    let annotations = pair_rows(&wanted.annotations, &got.annotations, width, matching);
    let heading = |text: &str| std::iter::once(text.to_owned());
    let mut lines: Vec<String> = heading("  labels").chain(labels).collect();
    if !annotations.is_empty() {
        lines.extend(heading("  annotations").chain(annotations));
    }
    lines
}

fn width(pairs: &[(String, String)]) -> usize {
    pairs.iter().map(|pair| pair.0.chars().count()).max().unwrap_or(0)
}

fn pair_rows(
    wanted: &[(String, String)],
    got: &[(String, String)],
    width: usize,
    matching: Matching,
) -> Vec<String> {
    let value = |pairs: &[(String, String)], name: &str| {
        pairs.iter().find(|pair| pair.0 == name).map(|pair| quoted(&pair.1))
    };
    let names: BTreeSet<&str> = wanted.iter().chain(got).map(|pair| pair.0.as_str()).collect();
    let mut lines = Vec::new();
    for name in names {
        let row = |mark: char, text: &str| format!("{mark}   {name:<width$}  {text}");
        match (value(wanted, name), value(got, name)) {
            (Some(a), Some(b)) if a == b => lines.push(row(' ', &a)),
            // What a subset does not name may be anything.
            (None, Some(b)) if matching == Matching::Subset => lines.push(row(' ', &b)),
            (a, b) => {
                lines.extend(a.map(|text| row('-', &text)));
                lines.extend(b.map(|text| row('+', &text)));
            }
        }
    }
    lines
}
