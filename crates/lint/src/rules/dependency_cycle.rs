//! REC003: recording rules that read each other in a circle.

use std::collections::{BTreeMap, BTreeSet};

use narthex_diag::{Code, Severity};
use narthex_rulefmt::RuleFile;

use crate::context::{FileContext, Findings};
use crate::records::{RecordRef, recording_rule, selectors};
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct DependencyCycle;

static SPEC: LintSpec = LintSpec {
    code: Code("REC003"),
    name: "dependency-cycle",
    class: Class::Proof,
    severity: Severity::Error,
    default: DefaultState::On,
    fix: None,
    summary: "recording rules that read each other in a circle",
    explanation: "\
Each rule of the circle needs what another records, so that none has anything to start from: nothing is ever recorded, or old values go round for ever.",
    bad: "- record: a:total\n  expr: b:total + 1\n- record: b:total\n  expr: a:total * 2\n",
    good: "- record: a:total\n  expr: sum(a) + 1\n- record: b:total\n  expr: a:total * 2\n",
};

impl Lint for DependencyCycle {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_file(&self, file: &FileContext<'_>, findings: &mut Findings) {
        let reads = reads(file);
        for cycle in cycles(&reads) {
            report(file, &cycle, findings);
        }
    }
}

type Reads = BTreeMap<RecordRef, Vec<RecordRef>>;

/// Which recording rules each recording rule reads; those that read none are left out, and so is a rule's reading of
/// itself.
fn reads(file: &FileContext<'_>) -> Reads {
    let rules: &RuleFile = &file.parse.file;
    let mut reads = Reads::new();
    for (group, rules_of) in rules.groups.iter().enumerate() {
        for rule in 0..rules_of.rules.len() {
            let at = RecordRef { group, rule };
            let Some((_, record)) = recording_rule(rules, at) else { continue };
            let read = selectors(&record.expr.parse.expr);
            let mut read: Vec<RecordRef> = read
                .iter()
                .flat_map(|one| file.records.read_by(rules, one))
                .filter(|one| *one != at)
                .collect();
            if !read.is_empty() {
                read.sort_unstable();
                read.dedup();
                reads.insert(at, read);
            }
        }
    }
    reads
}

/// One circle through each knot of rules that read each other, by a search that keeps its own stack.
fn cycles(reads: &Reads) -> Vec<Vec<RecordRef>> {
    let mut search = Search { reads, done: BTreeSet::new(), path: Vec::new(), place: BTreeMap::new() };
    reads.keys().filter_map(|start| search.from(*start)).collect()
}

/// A walk along what rules read.
struct Search<'a> {
    reads: &'a Reads,
    /// Rules from which everything was searched, or that are part of a circle found.
    done: BTreeSet<RecordRef>,
    /// From the start to where the search is, each with how many of its reads were followed.
    path: Vec<(RecordRef, usize)>,
    /// Where on the path a rule is.
    place: BTreeMap<RecordRef, usize>,
}

impl Search<'_> {
    /// A circle that can be reached from `start` without a rule that is done.
    fn from(&mut self, start: RecordRef) -> Option<Vec<RecordRef>> {
        self.enter(start);
        while let Some((at, next)) = self.path.last_mut() {
            let Some(&target) = self.reads.get(at).and_then(|read| read.get(*next)) else {
                let at = *at;
                self.leave(at);
                continue;
            };
            *next += 1;
            if let Some(&first) = self.place.get(&target) {
                let circle = self.path[first..].iter().map(|(rule, _)| *rule).collect();
                // One circle per knot is enough: what leads into it is not searched again.
                self.done.extend(self.path.drain(..).map(|(rule, _)| rule));
                self.place.clear();
                return Some(circle);
            }
            self.enter(target);
        }
        None
    }

    fn enter(&mut self, rule: RecordRef) {
        if !self.done.contains(&rule) {
            self.place.insert(rule, self.path.len());
            self.path.push((rule, 0));
        }
    }

    fn leave(&mut self, rule: RecordRef) {
        self.path.pop();
        self.place.remove(&rule);
        self.done.insert(rule);
    }
}

fn report(file: &FileContext<'_>, cycle: &[RecordRef], findings: &mut Findings) {
    let rules: Vec<_> = cycle.iter().filter_map(|at| recording_rule(&file.parse.file, *at)).collect();
    let Some(((group, first), others)) = rules.split_first() else { return };
    let names: Vec<&str> = rules.iter().map(|(_, rule)| rule.record.value.as_str()).collect();
    let message =
        format!("recording rules read each other in a circle: {} → {}", names.join(" → "), names[0]);
    let subject = format!("record {} (group {})", first.record.value, group.name.value);
    let mut finding =
        file.finding(&SPEC, message, first.record.span(), subject).with_label("part of the circle");
    for (_, other) in others {
        finding = finding.with_secondary(other.record.span(), "part of the circle");
    }
    findings.push(finding.with_note("none of them has anything to start from"));
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn circles() {
        check("REC003", "- record: a:x\n  expr: b:x\n- record: b:x\n  expr: a:x", &["a:x"]);
        let three =
            "- record: a:x\n  expr: b:x\n- record: b:x\n  expr: c:x + a:y\n- record: c:x\n  expr: a:x";
        check("REC003", three, &["a:x"]);
        check("REC003", "- record: a:x\n  expr: a:x + 1\n- record: b:x\n  expr: a:x", &[]);
        check(
            "REC003",
            "- record: a:x\n  expr: b:x{w=\"1\"}\n- record: b:x\n  expr: a:x\n  labels: {w: '2'}",
            &[],
        );
    }
}
