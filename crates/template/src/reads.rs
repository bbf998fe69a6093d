//! Which labels a template reads, in all branches.
//!
//! The dot and the variables are followed through `with`, `range`, assignments and template calls, so that
//! `{{ with $labels }}{{ .job }}{{ end }}` and `{{ $l := .Labels }}{{ index $l "job" }}` both read `job`.

use narthex_diag::{Span, Spanned};

use crate::ast::{
    Block, Command, Conditional, DeclarationKind, Expr, Node, Pipeline, Range, Template, TemplateCall,
};
use crate::functions::Dialect;

/// Which labels are read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LabelSource {
    /// `$labels`, `.Labels`.
    Labels,
    /// `$externalLabels`, `.ExternalLabels`.
    ExternalLabels,
}

/// What of them.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum LabelKey {
    /// The label of that name; the span covers the name, or the quoted key of `index`.
    Name(Spanned<String>),
    /// A label whose name is computed.
    Computed,
    /// All: printed, walked by `range`, handed to a function.
    All,
}

/// What for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ReadRole {
    /// To decide a branch: that it may be missing is expected.
    Tested,
    /// For anything else.
    Used,
}

/// One read of a label.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct LabelRead {
    /// From which labels.
    pub source: LabelSource,
    /// Which of them.
    pub key: LabelKey,
    /// What for.
    pub role: ReadRole,
    /// The expression that reads.
    pub span: Span,
}

/// All reads, in the order of the text; each once. Definitions that nothing calls are left out.
pub fn label_reads(template: &Template) -> Vec<LabelRead> {
    let variables = vec![
        ("$", Kind::Data),
        ("$labels", Kind::Map(LabelSource::Labels)),
        ("$externalLabels", Kind::Map(LabelSource::ExternalLabels)),
    ];
    let mut walk = Walk { template, variables, role: ReadRole::Used, calls: Vec::new(), reads: Vec::new() };
    walk.block(Kind::Data, &template.root);
    walk.reads.sort_by_key(|read| read.span);
    let mut unique: Vec<LabelRead> = Vec::new();
    for read in walk.reads {
        if unique.last() != Some(&read) {
            unique.push(read);
        }
    }
    unique
}

/// What is known of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// The data of the alert.
    Data,
    /// One of its label sets.
    Map(LabelSource),
    /// Anything else.
    Other,
}

struct Walk<'t> {
    template: &'t Template,
    variables: Vec<(&'t str, Kind)>,
    role: ReadRole,
    /// Definitions walked already, with what their dot was.
    calls: Vec<(&'t str, Kind)>,
    reads: Vec<LabelRead>,
}

impl<'t> Walk<'t> {
    fn block(&mut self, dot: Kind, block: &'t Block) {
        for node in &block.nodes {
            match node {
                Node::Text(_) | Node::Comment(_) | Node::Break(_) | Node::Continue(_) => {}
                Node::Action(pipeline) => self.action(dot, pipeline),
                Node::If(conditional) => self.conditional(dot, conditional, |dot, _| dot),
                Node::With(conditional) => self.conditional(dot, conditional, |_, value| value),
                Node::Range(range) => self.range(dot, range),
                Node::Call(call) => self.template_call(dot, call),
            }
        }
    }

    fn action(&mut self, dot: Kind, pipeline: &'t Pipeline) {
        let value = self.pipeline(dot, pipeline);
        if pipeline.declaration.is_none() {
            self.whole(value, pipeline.span);
        }
    }

    fn conditional(
        &mut self,
        dot: Kind,
        conditional: &'t Conditional,
        body_dot: impl Fn(Kind, Kind) -> Kind,
    ) {
        let mark = self.variables.len();
        for branch in &conditional.branches {
            let outer = std::mem::replace(&mut self.role, ReadRole::Tested);
            let value = self.pipeline(dot, &branch.pipeline);
            self.role = outer;
            self.scoped_block(body_dot(dot, value), &branch.body);
        }
        if let Some(otherwise) = &conditional.otherwise {
            self.scoped_block(dot, otherwise);
        }
        self.variables.truncate(mark);
    }

    fn scoped_block(&mut self, dot: Kind, block: &'t Block) {
        let mark = self.variables.len();
        self.block(dot, block);
        self.variables.truncate(mark);
    }

    fn range(&mut self, dot: Kind, range: &'t Range) {
        let mark = self.variables.len();
        let value = self.pipeline(dot, &range.pipeline);
        self.whole(value, range.pipeline.span);
        // The variables hold elements, which are never label sets.
        for variable in range.pipeline.declaration.iter().flat_map(|declaration| &declaration.variables) {
            self.assign(&variable.value, Kind::Other);
        }
        self.scoped_block(Kind::Other, &range.body);
        if let Some(otherwise) = &range.otherwise {
            self.scoped_block(dot, otherwise);
        }
        self.variables.truncate(mark);
    }

    fn template_call(&mut self, dot: Kind, call: &'t TemplateCall) {
        let argument = call.argument.as_ref().map_or(Kind::Other, |argument| self.pipeline(dot, argument));
        let known = (call.name.value.as_str(), argument);
        let Some(definition) = self.template.definition(&call.name.value) else { return };
        if self.calls.contains(&known) || self.calls.len() >= CALLS_MAX {
            return;
        }
        self.calls.push(known);
        let outer = std::mem::replace(&mut self.variables, vec![("$", argument)]);
        self.block(argument, &definition.body);
        self.variables = outer;
    }

    fn pipeline(&mut self, dot: Kind, pipeline: &'t Pipeline) -> Kind {
        let mut value = None;
        for command in &pipeline.commands {
            value = Some(self.command(dot, command, value));
        }
        let value = value.unwrap_or(Kind::Other);
        for variable in pipeline.declaration.iter().flat_map(|declaration| &declaration.variables) {
            match pipeline.declaration.as_ref().map(|declaration| declaration.kind) {
                Some(DeclarationKind::Declare) => self.variables.push((&variable.value, value)),
                _ => self.assign(&variable.value, value),
            }
        }
        value
    }

    /// After an assignment in one branch the variable may still hold what it held before.
    fn assign(&mut self, name: &str, value: Kind) {
        if let Some(variable) = self.variables.iter_mut().rev().find(|(known, _)| *known == name) {
            variable.1 = if variable.1 == value { value } else { Kind::Other };
        }
    }

    fn command(&mut self, dot: Kind, command: &'t Command, piped: Option<Kind>) -> Kind {
        let Some((first, arguments)) = command.operands.split_first() else { return Kind::Other };
        let Expr::Function(name) = first else { return self.operand(dot, first) };
        let mut kinds: Vec<(Kind, Span)> =
            arguments.iter().map(|argument| (self.operand(dot, argument), argument.span())).collect();
        kinds.extend(piped.map(|kind| (kind, command.span)));
        if name.value == "index" {
            return self.index(&kinds, arguments, command.span);
        }
        for (kind, span) in kinds {
            self.whole(kind, span);
        }
        Kind::Other
    }

    fn index(&mut self, kinds: &[(Kind, Span)], arguments: &'t [Expr], span: Span) -> Kind {
        let Some(&(Kind::Map(source), _)) = kinds.first() else { return Kind::Other };
        let key = match (kinds.len(), arguments.get(1)) {
            (1, _) => return Kind::Map(source),
            (_, Some(Expr::Text(name))) => LabelKey::Name(name.clone()),
            _ => LabelKey::Computed,
        };
        self.read(source, key, span);
        Kind::Other
    }

    fn operand(&mut self, dot: Kind, operand: &'t Expr) -> Kind {
        match operand {
            Expr::Dot(_) => dot,
            Expr::Field(path) => self.fields(dot, &path.names, path.span),
            Expr::Variable(variable) => {
                let known = self.variables.iter().rev().find(|(name, _)| *name == variable.name.value);
                let value = known.map_or(Kind::Other, |(_, kind)| *kind);
                self.fields(value, &variable.fields, variable.span)
            }
            Expr::Paren(inner) => self.pipeline(dot, &inner.value),
            Expr::Chain(chain) => {
                let base = self.operand(dot, &chain.base);
                self.fields(base, &chain.fields, chain.span)
            }
            Expr::Nil(_) | Expr::Bool(_) | Expr::Number(_) | Expr::Text(_) | Expr::Function(_) => Kind::Other,
        }
    }

    fn fields(&mut self, mut value: Kind, names: &[Spanned<String>], span: Span) -> Kind {
        for name in names {
            value = match (value, name.value.as_str()) {
                (Kind::Data, "Labels") => Kind::Map(LabelSource::Labels),
                (Kind::Data, "ExternalLabels") => Kind::Map(LabelSource::ExternalLabels),
                (Kind::Map(source), _) => {
                    self.read(source, LabelKey::Name(name.clone()), span);
                    Kind::Other
                }
                _ => Kind::Other,
            };
        }
        value
    }

    /// The whole of a value is used.
    fn whole(&mut self, value: Kind, span: Span) {
        if let Kind::Map(source) = value {
            self.read(source, LabelKey::All, span);
        }
    }

    fn read(&mut self, source: LabelSource, key: LabelKey, span: Span) {
        self.reads.push(LabelRead { source, key, role: self.role, span });
    }
}

/// Definitions followed; each is followed once per kind of dot.
const CALLS_MAX: usize = 1000;

/// Calls of one function, in the order of the text.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct FunctionCall<'t> {
    /// The command with its operands: the name first, then the arguments.
    pub command: &'t Command,
    /// The command before it in its pipeline, whose value is its last argument.
    pub piped: Option<&'t Command>,
}

/// All calls of the function `name`, in all branches and definitions: the expressions of `query`, the formats of
/// `printf`. A name that no dialect has yields nothing.
pub fn calls_of<'t>(template: &'t Template, name: &str) -> Vec<FunctionCall<'t>> {
    struct Finder<'t, 'n> {
        name: &'n str,
        found: Vec<FunctionCall<'t>>,
    }
    impl<'t> crate::visit::Visitor<'t> for Finder<'t, '_> {
        fn command(&mut self, command: &'t Command, piped: Option<&'t Command>) {
            let called = command.operands.first();
            if matches!(called, Some(Expr::Function(name)) if name.value == self.name) {
                self.found.push(FunctionCall { command, piped });
            }
            crate::visit::walk_command(self, command);
        }
    }
    if Dialect::Console.function(name).is_none() {
        return Vec::new();
    }
    let mut finder = Finder { name, found: Vec::new() };
    crate::visit::walk_template(&mut finder, template);
    finder.found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let template = parse(text).into_result().expect("it parses");
        let shown = |read: LabelRead| {
            let source = if read.source == LabelSource::Labels { "" } else { "external " };
            let role = if read.role == ReadRole::Tested { "?" } else { "" };
            match read.key {
                LabelKey::Name(name) => format!("{source}{}{role}", name.value),
                LabelKey::Computed => format!("{source}[]{role}"),
                LabelKey::All => format!("{source}*{role}"),
            }
        };
        let actual: Vec<String> = label_reads(&template).into_iter().map(shown).collect();
        assert_eq!(actual, expected, "{text}");
    }

    #[test]
    fn reads_are_found_in_every_branch_and_through_every_name() {
        check(
            "{{ $labels.a }}{{ .Labels.b }}{{ $.ExternalLabels.c }}{{ $value }}",
            &["a", "b", "external c"],
        );
        check(
            r#"{{ index $labels "a" }}{{ index .Labels $value }}{{ "b" | index $labels }}"#,
            &["a", "[]", "[]"],
        );
        check(
            "{{ if $labels.a }}{{ $labels.a }}{{ else if .Labels.b }}{{ else }}{{ .Labels.c }}{{ end }}",
            &["a?", "a", "b?", "c"],
        );
        check("{{ with $labels }}{{ .a }}{{ else }}{{ .Labels.b }}{{ end }}", &["a", "b"]);
        check("{{ $l := .Labels }}{{ $l.a | title | printf \"%s\" }}{{ ($l).b }}", &["a", "b"]);
        check(
            "{{ range $k, $v := $labels }}{{ $v.x }}{{ .y }}{{ end }}{{ $labels }}{{ len .Labels }}",
            &["*", "*", "*"],
        );
        check(r#"{{ define "d" }}{{ .a }}{{ template "d" . }}{{ end }}{{ template "d" $labels }}"#, &["a"]);
        check(r#"{{ $x := $labels }}{{ if $value }}{{ $x = 1 }}{{ end }}{{ $x.a }}"#, &[]);
    }

    #[test]
    fn calls_are_found_with_what_is_piped_into_them() {
        let template =
            parse(r#"{{ if 1 }}{{ range query "up" }}{{ end }}{{ "a" | query | first }}{{ end }}"#);
        let calls = calls_of(&template.template, "query");
        let piped: Vec<bool> = calls.iter().map(|call| call.piped.is_some()).collect();
        assert_eq!(piped, [false, true]);
    }
}
