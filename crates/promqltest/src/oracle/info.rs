//! `info`: labels of info metrics, looked up for every element at every step.

use std::collections::{BTreeMap, BTreeSet};

use narthex_model::MatchOp;
use narthex_model::labels::METRIC_NAME;
use narthex_model::{Labels, LabelsBuilder, Matcher, SampleValue, Text, Timestamp};
use narthex_promql::Expr;
use narthex_promql::ast::Call;

use super::select::Stored;
use super::{Element, Oracle, OracleError, Value, failed, unsupported};

/// The labels that say to which target a series belongs.
const IDENTITY: [&str; 2] = ["instance", "job"];

/// What is asked for by the second argument.
struct Wanted {
    names: Vec<Matcher>,
    data: Vec<Matcher>,
}

impl Wanted {
    fn is_info_metric(&self, labels: &Labels) -> bool {
        self.names.iter().all(|matcher| matcher.matches(labels.metric_name()))
    }

    fn copies(&self, name: &str) -> bool {
        name != METRIC_NAME && (self.data.is_empty() || self.data.iter().any(|one| one.name() == name))
    }
}

fn wanted(selector: Option<&Expr>) -> Result<Wanted, OracleError> {
    let written: Vec<Matcher> = match selector.map(Expr::without_parens) {
        None => Vec::new(),
        Some(Expr::Selector(node)) => node.all_matchers().collect(),
        Some(_) => return unsupported("a computed info selector"),
    };
    let (mut names, data): (Vec<Matcher>, Vec<Matcher>) =
        written.into_iter().partition(|matcher| matcher.name() == METRIC_NAME);
    if names.is_empty() {
        names.push(Matcher::equal(METRIC_NAME, "target_info"));
    } else if names.iter().all(|one| matches!(one.op(), MatchOp::NotEqual | MatchOp::NotRegex)) {
        names.extend(Matcher::new(METRIC_NAME, MatchOp::Regex, Text::from(".+_info")));
    }
    Ok(Wanted { names, data })
}

fn identity(labels: &Labels) -> Option<[&str; 2]> {
    let identity = IDENTITY.map(|name| labels.value(name));
    (identity != ["", ""]).then_some(identity)
}

/// The newest series of each info metric, by target.
type Newest<'a> = BTreeMap<([&'a str; 2], &'a str), (Timestamp, &'a Labels)>;

impl Oracle<'_> {
    pub(super) fn info(&self, node: &Call, times: &[Timestamp]) -> Result<Value, OracleError> {
        let wanted = wanted(node.args.get(1))?;
        let mut steps = self.vectors(&node.args[0], times)?;
        let base: BTreeSet<Labels> = steps.iter().flatten().map(|element| element.labels.clone()).collect();
        let base = base.iter().filter(|labels| !wanted.is_info_metric(labels));
        let targets: BTreeSet<[&str; 2]> = base.filter_map(identity).collect();
        let matchers: Vec<Matcher> = wanted.names.iter().chain(&wanted.data).cloned().collect();
        let mut series = self.selected(&matchers);
        series.retain(|one| identity(&one.labels).is_some_and(|target| targets.contains(&target)));
        for (step, &at_ms) in steps.iter_mut().zip(times) {
            if step.is_empty() {
                continue;
            }
            let reference_ms = self.first_reference_ms(&node.args[0], at_ms)?.unwrap_or(at_ms);
            let newest = self.newest_info(&series, reference_ms)?;
            let mut elements = Vec::new();
            for element in step.iter() {
                elements.extend(enriched(element, &wanted, &newest)?);
            }
            *step = elements;
        }
        self.settled(steps)
    }

    /// When the first selector of the first argument looks at samples.
    fn first_reference_ms(&self, expr: &Expr, at_ms: Timestamp) -> Result<Option<Timestamp>, OracleError> {
        match expr {
            Expr::Selector(node) => self.reference_ms(&node.modifiers, at_ms).map(Some),
            Expr::Matrix(node) => self.reference_ms(&node.selector.modifiers, at_ms).map(Some),
            Expr::Subquery(node) => {
                self.first_reference_ms(&node.expr, self.reference_ms(&node.modifiers, at_ms)?)
            }
            _ => {
                for child in expr.children() {
                    if let Some(found) = self.first_reference_ms(child, at_ms)? {
                        return Ok(Some(found));
                    }
                }
                Ok(None)
            }
        }
    }

    fn newest_info<'a>(
        &self,
        series: &[&'a Stored],
        reference_ms: Timestamp,
    ) -> Result<Newest<'a>, OracleError> {
        let mut newest = Newest::new();
        for one in series {
            let Some(sample) = one.newest(reference_ms, self.parameters.lookback_ms) else { continue };
            if let SampleValue::Histogram(_) = sample.value {
                return failed(format!("this should be an info metric, with float samples: {}", one.labels));
            }
            let Some(target) = identity(&one.labels) else { continue };
            match newest.get(&(target, one.labels.metric_name())) {
                Some((known_ms, _)) if *known_ms > sample.at_ms => {}
                Some((known_ms, _)) if *known_ms == sample.at_ms => {
                    return failed("found duplicate series for info metric");
                }
                _ => {
                    newest.insert((target, one.labels.metric_name()), (sample.at_ms, &one.labels));
                }
            }
        }

        Ok(newest)
    }
}

/// The element with the labels of its info series; `None` when it has none but must.
fn enriched(element: &Element, wanted: &Wanted, newest: &Newest<'_>) -> Result<Option<Element>, OracleError> {
    if wanted.is_info_metric(&element.labels) {
        return Ok(Some(element.clone()));
    }
    let target = identity(&element.labels);
    let found: Vec<&Labels> =
        newest.iter().filter(|entry| Some(entry.0.0) == target).map(|entry| entry.1.1).collect();
    if found.is_empty() {
        let needs_none = wanted.data.iter().all(|matcher| matcher.matches(""));
        return Ok(needs_none.then(|| element.clone()));
    }
    let mut builder = LabelsBuilder::from_labels(&element.labels);
    for (name, value) in found.iter().flat_map(|labels| labels.iter()) {
        if !wanted.copies(name) || element.labels.get(name).is_some() {
            continue;
        }
        if !["", value].contains(&builder.value(name)) {
            return failed(format!("conflicting label: {name}"));
        }
        builder.set(name, value);
    }
    Ok(Some(Element { labels: builder.build(), ..element.clone() }))
}
