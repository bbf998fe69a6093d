//! Differences that are none of ours: what the server of that version does otherwise, and why.
//!
//! A rule looks at one difference and at nothing that could hide another. Where it has to be generous, it names a case
//! in which the cause is missing and all else is kept; that case must have the same answers.

use narthex_plan::QueryParameters;

use crate::case::{Asked, Case};
use crate::difference::{Difference, What, differences, message_class};

/// A difference that is known.
pub(crate) struct Rule {
    /// What it is called in the output.
    pub(crate) name: &'static str,
    /// Why the answers differ. "Later" is after 3.5.
    pub(crate) reason: &'static str,
    applies: fn(&Asked<'_>, &Difference) -> bool,
    /// The case without the cause.
    control: Option<fn(&Case) -> Case>,
}

const SAME_LABELS: &str = "vector cannot contain metrics with the same labelset";
const TWO_PARTNERS: &str = "multiple matches for labels: many-to-one matching must be explicit";
const SELECTIONS: [&str; 4] = ["topk", "bottomk", "limitk", "limit_ratio"];
const RATES: [&str; 3] = ["irate(", "rate(", "increase("];
const COMPARISONS: [&str; 6] = ["==", "!=", "<=", ">=", "<", ">"];

/// All of them; the first that applies counts.
pub(crate) const RULES: &[Rule] = &[
    Rule {
        name: "sort in ranges",
        reason: "later: sorting functions warn that they do nothing in range queries",
        applies: |_, difference| {
            difference.is_note("extra: PromQL warning: sort is ineffective for range queries since results")
        },
        control: None,
    },
    Rule {
        name: "parameter of a selection",
        reason: "later: k and ratios are checked for all steps, before there are elements, with other texts",
        applies: |asked, difference| {
            let ours = ["Parameter value is NaN", "Ratio value is NaN", "Scalar value "];
            let theirs = ["Scalar value NaN", "Ratio value NaN"];
            let fails =
                asked.our_failure().is_some_and(|text| ours.iter().any(|start| text.starts_with(start)));
            let differs = |text: &str| theirs.iter().any(|start| text.starts_with(start));
            fails && asked.their_failure().is_none_or(differs)
                || difference.is_note("extra: PromQL warning: ratio value should be between -1 and 1")
                || difference.what == What::Notes
                    && difference.text.contains("PromQL warning: quantile value should be between 0 and 1")
                    && aggregates_quantiles(&asked.case.query)
        },
        control: None,
    },
    Rule {
        name: "selection of nothing",
        reason: "later: with k below 1 or a ratio of 0 at all steps the elements are not evaluated",
        applies: |asked, difference| {
            asked.query_has(&SELECTIONS)
                && asked.our_failure().is_none()
                && (difference.what == What::Success || difference.is_note("missing: "))
        },
        control: Some(|case| case.replacing(&SELECTIONS, "quantile")),
    },
    Rule {
        name: "first of several failures",
        reason: "open: which part of a query is evaluated first; each of the failures is also ours",
        applies: |asked, difference| {
            difference.what == What::Message
                && asked.their_failure().is_some_and(|text| {
                    let text = text.replace("Scalar value NaN overflows int64", "Parameter value is NaN");
                    let text = message_class(&text.replace("Ratio value NaN is NaN", "Ratio value is NaN"));
                    asked.failures_of_parts().iter().any(|ours| message_class(ours) == text)
                })
        },
        control: None,
    },
    Rule {
        name: "dropped partner",
        reason: "later: two partners are an error also when the comparison drops one of them",
        applies: |asked, difference| {
            difference.what == What::Success
                && asked.our_failure().is_some_and(|text| text.starts_with(TWO_PARTNERS))
        },
        control: Some(|case| {
            // Floats on both sides, and none is dropped.
            let with_bool =
                |query: String, op: &&str| query.replace(&format!(" {op} "), &format!(" {op} bool "));
            let query = COMPARISONS.iter().fold(case.query.clone(), with_bool).replace("bool bool", "bool");
            let natives = ["native_gauge", "native", "custom_changing", "custom", "mixed"];
            Case { query, ..*case }.replacing(&natives, "latency_count")
        }),
    },
    Rule {
        name: "order of elements",
        reason: "open: limitk, and topk and bottomk among equals, take the first in the order of a hash table",
        applies: |asked, difference| {
            asked.query_has(&SELECTIONS) && !matches!(difference.what, What::Notes | What::Message)
        },
        control: Some(|case| case.replacing(&SELECTIONS, "limit_ratio")),
    },
    Rule {
        name: "histogram rates end at zero",
        reason: "later: rate and increase of native histograms are not extrapolated below zero",
        applies: |asked, difference| {
            matches!(difference.what, What::Float | What::Histogram) && asked.has_native()
        },
        control: Some(|case| case.replacing(&RATES, "idelta(")),
    },
    Rule {
        name: "custom buckets reconciled",
        reason: "later: custom buckets with other bounds are added by their common bounds",
        applies: |asked, difference| asked.query_has(&["custom"]) && difference.what != What::Message,
        control: Some(|case| {
            let case = case.replacing(&["custom_changing", "custom"], "native");
            case.replacing(&RATES, "idelta(")
        }),
    },
    Rule {
        name: "words about buckets",
        reason: "later: infos tell what was repaired, and names that were removed are not told as \"\"",
        applies: |asked, difference| {
            difference.what == What::Notes
                && (difference.text.contains("bucket") || difference.text.contains("monotonicity"))
                && asked.notes_agree(|note| {
                    let end =
                        note.find(" for metric name").or(note.find(", from buckets")).unwrap_or(note.len());
                    note[..end].to_owned()
                })
        },
        control: None,
    },
    Rule {
        name: "negated histograms are gauges",
        reason: "later: a unary minus makes a native histogram a gauge",
        applies: |asked, difference| {
            difference.what == What::Notes
                && difference.text.contains("this native histogram metric is not a ")
                && asked.query_has(&["-"])
        },
        control: None,
    },
    Rule {
        name: "resets that contradict each other",
        reason: "later: adding histograms that say reset and no reset warns",
        applies: |_, difference| {
            difference.is_note("extra: PromQL warning: conflicting counter resets during histogram ")
        },
        control: None,
    },
    Rule {
        name: "classic fractions from zero",
        reason: "later: the first classic bucket starts at 0, not at -Inf, which yielded NaN",
        applies: |asked, difference| {
            difference.what == What::Float
                && difference.text.contains("expected Some(Float(NaN))")
                && asked.query_has(&["histogram_fraction("])
        },
        control: None,
    },
    Rule {
        name: "deviation from NaN",
        reason: "later: mad_over_time is NaN when a sample is",
        applies: |asked, difference| {
            difference.what == What::Float
                && difference.text.ends_with("got Some(Float(NaN))")
                && asked.query_has(&["mad_over_time("])
        },
        control: None,
    },
    Rule {
        name: "marks lost on the way",
        reason: "3.5 and 3.14 in part: selections, subqueries, count_values, comparisons of vectors and info forget that a name is to be removed",
        applies: |asked, difference| {
            let forgetful = ["last_over_time(", "count_values", "info("];
            let forgets =
                [&SELECTIONS[..], &COMPARISONS, &forgetful].iter().any(|words| asked.query_has(words));
            asked.is_delayed()
                && forgets
                && matches!(difference.what, What::Series | What::Success | What::Message)
                && asked.agree_without_names()
        },
        control: None,
    },
    Rule {
        name: "series merged",
        reason: "later: series that are the same after the name is removed are merged when they share no time",
        applies: |asked, difference| {
            asked.case.is_range
                && asked.their_failure() == Some(SAME_LABELS)
                && matches!(difference.what, What::Success | What::Message)
        },
        control: Some(|case| case.at_start()),
    },
    Rule {
        name: "info in ranges",
        reason: "3.5: the labels of one info series go to another at single steps",
        applies: |asked, difference| {
            asked.case.is_range
                && asked.query_has(&["info("])
                && matches!(difference.what, What::Series | What::Presence | What::Float | What::Success)
        },
        control: Some(|case| case.at_start()),
    },
    Rule {
        name: "info that adds nothing",
        reason: "later: a series that has all labels of its info series stays",
        applies: |asked, difference| asked.query_has(&["info("]) && difference.what != What::Message,
        control: Some(|case| {
            case.replacing(&["{region=\"eu\"}", "{version=~\".+\"}"], "{__name__=\"target_info\"}")
        }),
    },
    Rule {
        name: "info without targets",
        reason: "later: info passes on series without job and instance when only metrics are asked for",
        applies: |asked, difference| {
            difference.what == What::Series
                && difference.text.starts_with("extra series {}")
                && asked.query_has(&["info("])
        },
        control: None,
    },
    Rule {
        name: "time of info",
        reason: "later: @ and offset also say at which time info series are looked at",
        applies: |asked, difference| {
            asked.query_has(&["info("])
                && asked.query_has(&[" @ ", " offset "])
                && difference.what != What::Message
        },
        control: Some(|case| case.without_modifiers().at_start()),
    },
    Rule {
        name: "times before 1970",
        reason: "3.5 to 3.14: ts_of_last_over_time is at least 0, which is not followed",
        applies: |asked, difference| {
            difference.what == What::Float
                && difference.text.contains("expected Some(Float(0.0)), got Some(Float(-")
                && asked.query_has(&["ts_of_last_over_time("])
        },
        control: None,
    },
    Rule {
        name: "what is left of zero",
        reason: "open: sums of values that cancel out show the last digits of the mathematical library",
        applies: |_, difference| {
            difference.values.is_some_and(|values| values.iter().all(|value| value.abs() < 1e-12))
        },
        control: None,
    },
    Rule {
        name: "panics of the parser",
        reason: "later: info with another second argument than a selector is refused with a reason",
        applies: |asked, _| {
            asked.their_failure() == Some("unexpected error")
                && asked.our_failure().is_some_and(|text| text.contains("expected label selectors only"))
        },
        control: None,
    },
    Rule {
        name: "timestamp at and offset",
        reason: "3.5 to 3.14: timestamp() of a selector with @ forgets the offset, which is not followed",
        applies: |asked, difference| {
            asked.query_has(&["timestamp("])
                && asked.query_has(&[" @ "])
                && asked.query_has(&[" offset "])
                && difference.what != What::Message
        },
        control: Some(|case| case.without_modifiers()),
    },
];

/// Whether the aggregation is used, not one of the functions that end so.
fn aggregates_quantiles(query: &str) -> bool {
    query
        .match_indices("quantile")
        .any(|(at, word)| !query[..at].ends_with('_') && !query[at + word.len()..].starts_with('_'))
}

/// The rule that explains a difference.
pub(crate) fn rule_for(asked: &Asked<'_>, difference: &Difference) -> Option<&'static Rule> {
    RULES.iter().find(|rule| (rule.applies)(asked, difference) && rule.is_controlled(asked))
}

impl Rule {
    /// Whether the answers are the same without the cause, as far as rules without a control do not explain them.
    fn is_controlled(&self, asked: &Asked<'_>) -> bool {
        let Some(control) = self.control else { return true };
        let case = control(asked.case);
        let is_plain = |rule: &&Rule| rule.control.is_none();
        // Answers of the server may be unsteady.
        (0..3).any(|_| {
            let asked = asked.run.ask(&case);
            differences(&case.query, &asked.theirs, &asked.ours).iter().all(|difference| {
                difference.what == What::Notes
                    || RULES.iter().filter(is_plain).any(|rule| (rule.applies)(&asked, difference))
            })
        })
    }
}

impl Case {
    /// With one word for others.
    fn replacing(&self, words: &[&str], by: &str) -> Case {
        // Not twice what one of the words is a part of another.
        let marked = words.iter().fold(self.query.clone(), |query, word| query.replace(word, "\u{0}"));
        Case { query: marked.replace('\u{0}', by), ..*self }
    }

    /// The first step alone.
    fn at_start(&self) -> Case {
        let QueryParameters { grid, lookback_ms, subquery_step_ms, .. } = self.parameters;
        let parameters = QueryParameters::instant(grid.start_ms, lookback_ms, subquery_step_ms);
        Case { query: self.query.clone(), parameters, is_range: false, ..*self }
    }

    /// Without `@` and `offset`: up to the next thing that can follow them.
    fn without_modifiers(&self) -> Case {
        let mut query = self.query.clone();
        for word in [" @ ", " offset "] {
            while let Some(start) = query.find(word) {
                let value = start + word.len();
                let rest = query[value..].replacen("start()", "start__", 1).replacen("end()", "end__", 1);
                let end = rest.find([')', ' ', ',', '[', '}']).unwrap_or(rest.len());
                query.replace_range(start..value + end, "");
            }
        }
        Case { query, ..*self }
    }
}
