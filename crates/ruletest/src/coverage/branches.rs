//! Which branches of a template are rendered: a mark is put at the start of each and looked for in the output.

use narthex_diag::Span;
use narthex_template::ast::{Block, Conditional, Node};
use narthex_template::{Data, Limits, QuerySource, Template, render};

/// The first mark: a character for private use that no template has a reason to hold.
const FIRST_MARK: u32 = 0xF_0000;
/// Most branches of one template that are told apart: as many as there are such characters.
const BRANCHES_MAX: usize = 0xFFFE;

/// A branch: where its condition stands in the template, and what it means not to have seen it.
pub(super) struct TemplateBranch {
    pub(super) span: Span,
    pub(super) gap: &'static str,
}

/// A template with a mark in each branch.
pub(super) struct MarkedTemplate {
    template: Template,
    /// In the order of the marks.
    pub(super) branches: Vec<TemplateBranch>,
}

impl MarkedTemplate {
    /// `None` when there is no branch.
    pub(super) fn new(template: &Template) -> Option<MarkedTemplate> {
        let mut marked = MarkedTemplate { template: template.clone(), branches: Vec::new() };
        let mut root = std::mem::take(&mut marked.template.root);
        marked.mark_block(&mut root);
        marked.template.root = root;
        for at in 0..marked.template.definitions.len() {
            let mut body = std::mem::take(&mut marked.template.definitions[at].body);
            marked.mark_block(&mut body);
            marked.template.definitions[at].body = body;
        }
        (!marked.branches.is_empty()).then_some(marked)
    }

    fn mark_block(&mut self, block: &mut Block) {
        for node in &mut block.nodes {
            match node {
                Node::If(conditional) | Node::With(conditional) => self.mark_conditional(conditional),
                Node::Range(range) => {
                    self.mark_branch(
                        &mut range.body,
                        range.pipeline.span,
                        "the list is never anything but empty",
                    );
                    let otherwise = range.otherwise.get_or_insert_default();
                    self.mark_branch(otherwise, range.pipeline.span, "the list is never empty");
                }
                _ => {}
            }
        }
    }

    fn mark_conditional(&mut self, conditional: &mut Conditional) {
        let mut last = conditional.span;
        for branch in &mut conditional.branches {
            last = branch.pipeline.span;
            self.mark_branch(&mut branch.body, last, "the condition is never true");
        }
        let otherwise = conditional.otherwise.get_or_insert_default();
        self.mark_branch(otherwise, last, "the condition is never false");
    }

    fn mark_branch(&mut self, block: &mut Block, span: Span, gap: &'static str) {
        self.mark_block(block);
        let number = u32::try_from(self.branches.len()).unwrap_or(u32::MAX);
        let mark = FIRST_MARK.checked_add(number).and_then(char::from_u32);
        let Some(mark) = mark.filter(|_| self.branches.len() < BRANCHES_MAX) else { return };
        let text = &mut self.template.text;
        let at = text.len();
        text.push(mark);
        block.nodes.insert(0, Node::Text(Span::new(at, text.len())));
        self.branches.push(TemplateBranch { span, gap });
    }

    /// The numbers of the branches that are rendered; none when the template fails.
    pub(super) fn rendered(&self, data: &Data, queries: &dyn QuerySource) -> Vec<usize> {
        let output = render(&self.template, data, queries, Limits::GENEROUS).unwrap_or_default();
        let marks = output.chars().filter_map(|character| u32::from(character).checked_sub(FIRST_MARK));
        marks.map(|number| number as usize).filter(|&number| number < self.branches.len()).collect()
    }
}
