//! What the operators of a query, or of a group of queries, share: found by number while they are made.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use narthex_model::StepGrid;
use narthex_plan::LogicalNode;
use narthex_storage::Querier;

use super::hub::Hub;
use super::kernel::Kernel;
use super::scan::Scan;
use super::{Link, Listeners, Outline, Places, Producer, Sink, locked};
use crate::QueryContext;
use crate::physical::BoxedOperator;
use crate::physical::histogram_stats::HistogramDetail;

/// The producers that were made so far.
pub(crate) struct Sharing<'a> {
    /// The surroundings of what is shared.
    context: QueryContext,
    /// Whether shared operators are to be described.
    outlines: Outlines,
    sources: Mutex<HashMap<Key, Source<'a>>>,
    scans: Mutex<HashMap<(u32, StepGrid), Arc<Scan<'a>>>>,
}

/// Whether shared operators can be described by whoever reads from them first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outlines {
    Kept,
    None,
}

/// What makes values of one number the same: they are also evaluated on the same grid and looked at in the same detail.
pub(in crate::physical) type Key = (u32, StepGrid, HistogramDetail);

/// Where a value is produced, for those who want to join.
#[derive(Clone)]
pub(in crate::physical) struct Source<'a> {
    producer: Arc<dyn Producer<'a> + 'a>,
    outlet: usize,
    /// Who is computed for all.
    node: &'a LogicalNode,
    listeners: Arc<Listeners>,
    pub(in crate::physical) line: String,
}

impl<'a> Sharing<'a> {
    /// Nothing yet; `context` is what shared parts are counted in.
    pub(crate) fn new(context: QueryContext, outlines: Outlines) -> Sharing<'a> {
        Sharing { context, outlines, sources: Mutex::default(), scans: Mutex::default() }
    }

    /// The value of this key, if it is produced already.
    pub(in crate::physical) fn find(&self, key: &Key) -> Option<Source<'a>> {
        locked(&self.sources).get(key).cloned()
    }

    pub(in crate::physical) fn insert(&self, key: Key, source: &Source<'a>) {
        locked(&self.sources).insert(key, source.clone());
    }

    /// Surroundings in which `listeners` hear all annotations.
    pub(in crate::physical) fn heard_by(&self, listeners: &Arc<Listeners>) -> QueryContext {
        self.context.heard_by(listeners)
    }

    /// A tree of operators that several read from, and its description where that is wanted.
    pub(in crate::physical) fn hub(
        &self,
        number: u32,
        node: &'a LogicalNode,
        operator: BoxedOperator<'a>,
        listeners: Arc<Listeners>,
        steps: usize,
    ) -> (Source<'a>, Option<Outline>) {
        let outline = (self.outlines == Outlines::Kept).then(|| Outline::of(&*operator));
        let context = self.heard_by(&listeners);
        let producer = Arc::new(Hub::new(operator, context, steps));
        let line = format!("shared {number}");
        (Source { producer, outlet: 0, node, listeners, line }, outline)
    }

    /// An outlet of the scan of this number.
    pub(in crate::physical) fn tap(
        &self,
        scan: (u32, StepGrid),
        querier: &'a dyn Querier,
        node: &'a LogicalNode,
        kernel: Kernel<'a>,
        line: &str,
    ) -> Option<Source<'a>> {
        let selector = super::selector_of(node)?;
        let producer = Arc::clone(locked(&self.scans).entry(scan).or_insert_with(|| {
            let context = self.context.for_part("selector", selector.span);
            Arc::new(Scan::new(querier, scan.1, context))
        }));
        let listeners = Arc::new(Listeners::default());
        let context = self.heard_by(&listeners);
        let outlet = producer.tap(kernel, &selector.matchers, selector.span, context);
        Some(Source { producer, outlet, node, listeners, line: format!("{line} from scan {}", scan.0) })
    }
}

impl<'a> Source<'a> {
    /// Joins as one who asks, for `node`, whose annotations `context` takes.
    pub(in crate::physical) fn join(&self, node: &'a LogicalNode, context: &QueryContext) -> Link<'a> {
        let taker = self.producer.join(self.outlet);
        self.link(taker, node, context)
    }

    /// Joins as one who is fed.
    pub(in crate::physical) fn join_sink(
        &self,
        sink: Arc<Mutex<dyn Sink + 'a>>,
        node: &'a LogicalNode,
        context: &QueryContext,
    ) -> Link<'a> {
        let taker = self.producer.join_sink(self.outlet, sink);
        self.link(taker, node, context)
    }

    fn link(&self, taker: usize, node: &'a LogicalNode, context: &QueryContext) -> Link<'a> {
        let places = Places::new(self.node, node);
        self.listeners.add(context.clone(), places.clone());
        Link { producer: Arc::clone(&self.producer), outlet: self.outlet, taker, places }
    }
}
