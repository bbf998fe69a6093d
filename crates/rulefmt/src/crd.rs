//! Kubernetes objects: which of them hold rules.

use narthex_yaml::Node;

/// Whether a document is a Kubernetes object.
pub(crate) fn is_object(root: Node<'_>) -> bool {
    text(root, "kind").is_some() && text(root, "apiVersion").is_some()
}

/// The `spec` of every `PrometheusRule` in an object, which may be a list of objects.
pub(crate) fn rule_specs(root: Node<'_>) -> Vec<Node<'_>> {
    let mut specs = Vec::new();
    let mut pending = vec![root];
    while let Some(object) = pending.pop() {
        match text(object, "kind") {
            Some("PrometheusRule") if is_of_operator(object) => specs.extend(object.get("spec")),
            Some("List" | "PrometheusRuleList") => {
                let items = object.get("items").and_then(Node::as_sequence).into_iter().flatten();
                let first_of_list = pending.len();
                pending.extend(items);
                pending[first_of_list..].reverse();
            }
            _ => {}
        }
    }
    specs
}

fn is_of_operator(object: Node<'_>) -> bool {
    text(object, "apiVersion").is_some_and(|version| version.starts_with("monitoring.coreos.com/"))
}

fn text<'d>(object: Node<'d>, key: &str) -> Option<&'d str> {
    object.get(key)?.as_scalar().map(|scalar| scalar.text.as_ref())
}
