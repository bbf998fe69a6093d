//! A plan as an indented tree, for people.

use std::fmt::{self, Write};

use narthex_model::PromDuration;
use narthex_model::number::format_plain;

use super::{
    Cardinality, Grouping, LogicalNode, LogicalPlan, Matching, MatchingLabels, QueryKind, SelectedPart,
    Selector, TimeShift,
};
use narthex_promql::ast::GroupSide;

/// The times in the first line, then one line per node, children indented below their parent.
impl fmt::Display for LogicalPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parameters = &self.parameters;
        let start = parameters.grid.start_ms;
        match parameters.kind {
            QueryKind::Instant => writeln!(f, "instant at {start} ms")?,
            QueryKind::Range => {
                let (end, step) = (parameters.end_ms, PromDuration::from_ms(parameters.grid.step_ms));
                writeln!(f, "range from {start} ms to {end} ms, {} steps of {step}", parameters.grid.len)?;
            }
        }
        write_node(f, &self.root, 0)
    }
}

fn write_node(f: &mut fmt::Formatter<'_>, node: &LogicalNode, depth: usize) -> fmt::Result {
    writeln!(f, "{:indent$}{}", "", line(node), indent = depth * 2)?;
    for child in node.children() {
        write_node(f, child, depth + 1)?;
    }
    Ok(())
}

fn line(node: &LogicalNode) -> String {
    match node {
        LogicalNode::Number { value, .. } => {
            format!("number {}", format_plain(*value))
        }
        LogicalNode::Text { value, .. } => format!("string {value:?}"),
        LogicalNode::VectorSelector { selector, part } => {
            let part = match part {
                SelectedPart::Value => "",
                SelectedPart::Timestamp => " (sample time)",
                SelectedPart::StartTimestamp => " (start time)",
            };
            format!("select {}{part}", selector_text(selector))
        }
        LogicalNode::MatrixSelector { selector, range_ms, .. } => {
            format!("window {} of {}", PromDuration::from_ms(*range_ms), selector_text(selector))
        }
        LogicalNode::Subquery { range_ms, step_ms, shift, .. } => {
            let (range, step) = (PromDuration::from_ms(*range_ms), PromDuration::from_ms(*step_ms));
            format!("subquery {range}, steps of {step}{}", shift_text(*shift))
        }
        LogicalNode::Call { function, .. } => format!("call {}", function.as_str()),
        LogicalNode::Absent { labels, .. } => format!("absent {labels}"),
        LogicalNode::Aggregate { op, grouping, .. } => {
            format!("aggregate {}{}", op.as_str(), grouping_text(grouping))
        }
        LogicalNode::Binary { op, returns_bool, matching, lhs, rhs, .. } => {
            let joins = [lhs, rhs].iter().all(|side| side.value_type() != narthex_promql::ValueType::Scalar);
            let returns_bool = if *returns_bool { " bool" } else { "" };
            let matching = if joins { matching_text(matching) } else { String::new() };
            format!("binary {}{returns_bool}{matching}", op.as_str())
        }
        LogicalNode::Negate { .. } => "negate".into(),
        LogicalNode::StepInvariant { .. } => "step invariant".into(),
        LogicalNode::Shared { number, .. } => format!("shared {number}"),
    }
}

fn selector_text(selector: &Selector) -> String {
    let matchers: Vec<String> = selector.matchers.iter().map(|matcher| format!("{matcher:?}")).collect();
    let extension = selector.extension.map_or(String::new(), |extension| format!(" {}", extension.as_str()));
    let scan = selector.scan.map_or(String::new(), |number| format!(" (scan {number})"));
    format!("{{{}}}{}{extension}{scan}", matchers.join(", "), shift_text(selector.shift))
}

fn shift_text(shift: TimeShift) -> String {
    let mut text = String::new();
    if let Some(at_ms) = shift.at_ms {
        let written = write!(text, " @ {at_ms} ms");
        debug_assert!(written.is_ok(), "writing to a string cannot fail");
    }
    if shift.offset_ms != 0 {
        let written = write!(text, " offset {}", PromDuration::from_ms(shift.offset_ms));
        debug_assert!(written.is_ok(), "writing to a string cannot fail");
    }
    text
}

fn grouping_text(grouping: &Grouping) -> String {
    match grouping {
        Grouping::By(labels) if labels.is_empty() => String::new(),
        Grouping::By(labels) => format!(" by ({})", labels.join(", ")),
        Grouping::Without(labels) => format!(" without ({})", labels.join(", ")),
    }
}

fn matching_text(matching: &Matching) -> String {
    let labels = match &matching.labels {
        MatchingLabels::On(labels) => format!(" on ({})", labels.join(", ")),
        MatchingLabels::Ignoring(labels) if labels.is_empty() => String::new(),
        MatchingLabels::Ignoring(labels) => format!(" ignoring ({})", labels.join(", ")),
    };
    let cardinality = match &matching.cardinality {
        Cardinality::OneToOne => ", one to one".into(),
        Cardinality::ManyToMany => ", many to many".into(),
        Cardinality::Grouped { many: GroupSide::Left, include } => {
            format!(", many to one, copying ({})", include.join(", "))
        }
        Cardinality::Grouped { many: GroupSide::Right, include } => {
            format!(", one to many, copying ({})", include.join(", "))
        }
    };
    let fill = |side, value: Option<f64>| {
        value.map_or(String::new(), |value| format!(", fill {side} {}", format_plain(value)))
    };
    labels + &cardinality + &fill("left", matching.fill_left) + &fill("right", matching.fill_right)
}
