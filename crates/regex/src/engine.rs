//! Automata for what the shortcuts of [`crate::literals`] cannot decide.
//!
//! Their size is bounded before they are built: [`COST_MAX`] limits the estimated states of a pattern, and one unit
//! of cost is at most some 100 bytes and half a microsecond of compilation. That is why the builders here run
//! without limits of their own and lazily: a pattern that was accepted can always be compiled. (Where the stack might not do, compilation is tried before accepting.)

use std::panic::{RefUnwindSafe, UnwindSafe};

use regex_automata::hybrid::dfa::{self, DFA};
use regex_automata::nfa::thompson::pikevm::{self, PikeVM};
use regex_automata::nfa::thompson::{self, NFA, WhichCaptures};
use regex_automata::util::pool::Pool;
use regex_automata::{Anchored, Input, meta};
use regex_syntax::hir::Hir;

/// Most units of cost a pattern may have.
pub(crate) const COST_MAX: u64 = 60_000;

/// Highest tree compiled on the stack of the caller: the engines' compilers recurse, at up to 2 KiB a level.
const HEIGHT_INLINE_MAX: u32 = 100;

/// Stack for compiling the highest trees, in bytes.
const STACK_BYTES: usize = 16 << 20;

/// Memory for the states of one lazily built DFA, in bytes.
const STATES_BYTES: usize = 1 << 20;

/// Answers whether a whole text matches.
pub(crate) struct Automaton {
    dfa: DFA,
    fallback: PikeVM,
    caches: Pool<Caches, CreateCaches>,
}

struct Caches {
    dfa: dfa::Cache,
    fallback: Option<pikevm::Cache>,
}

type CreateCaches = Box<dyn Fn() -> Caches + Send + Sync + UnwindSafe + RefUnwindSafe>;

impl Automaton {
    /// Builds the automaton for a pattern anchored at both ends; `None` only past the engines' own index limits.
    pub(crate) fn new(hir: &Hir) -> Option<Automaton> {
        let config = thompson::Config::new().which_captures(WhichCaptures::None);
        let nfa: NFA = NFA::compiler().configure(config).build_from_hir(hir).ok()?;
        let fallback = PikeVM::new_from_nfa(nfa.clone()).ok()?;
        // A DFA that keeps filling its cache is slower than simulating the NFA.
        let config = dfa::Config::new()
            .cache_capacity(STATES_BYTES)
            .skip_cache_capacity_check(true)
            .minimum_cache_clear_count(Some(3))
            .minimum_bytes_per_state(Some(10));
        let dfa = DFA::builder().configure(config).build_from_nfa(nfa).ok()?;
        let template = dfa.clone();
        let create: CreateCaches = Box::new(move || Caches { dfa: template.create_cache(), fallback: None });
        Some(Automaton { dfa, fallback, caches: Pool::new(create) })
    }

    pub(crate) fn is_match(&self, haystack: &str) -> bool {
        let mut caches = self.caches.get();
        let input = Input::new(haystack).anchored(Anchored::Yes).earliest(true);
        match self.dfa.try_search_fwd(&mut caches.dfa, &input) {
            Ok(found) => found.is_some(),
            Err(_) => {
                let cache = caches.fallback.get_or_insert_with(|| self.fallback.create_cache());
                self.fallback.is_match(cache, input)
            }
        }
    }
}

/// Whether compiling a tree of this height needs a stack of its own, which may be refused.
pub(crate) fn needs_stack(height: u32) -> bool {
    height > HEIGHT_INLINE_MAX
}

/// Runs a compilation where the stack suffices for a tree of `height`; `None` if it failed or got no stack.
pub(crate) fn compile<T: Send>(height: u32, build: impl FnOnce() -> Option<T> + Send) -> Option<T> {
    if !needs_stack(height) {
        return build();
    }
    std::thread::scope(|scope| {
        let worker = std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, build).ok()?;
        worker.join().ok().flatten()
    })
}

impl std::fmt::Debug for Automaton {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Automaton").field("states", &self.fallback.get_nfa().states().len()).finish()
    }
}

/// Builds an engine that reports capture groups; `None` only past the engines' own index limits.
pub(crate) fn capturing(hir: &Hir) -> Option<meta::Regex> {
    // Without the lazy DFA no reverse automaton is built; capture groups need the forward one only.
    let config = meta::Config::new().nfa_size_limit(None).hybrid(false);
    meta::Regex::builder().configure(config).build_from_hir(hir).ok()
}

/// Start and end of group 0 and of the `groups` groups of the first match, if there is one.
pub(crate) fn groups(
    engine: &meta::Regex,
    input: &Input<'_>,
    groups: usize,
) -> Option<Vec<Option<(usize, usize)>>> {
    let mut slots = vec![None; 2 * (groups + 1)];
    engine.search_slots(input, &mut slots)?;
    let pairs = slots.chunks_exact(2).map(|pair| pair[0].zip(pair[1]));
    Some(pairs.map(|pair| pair.map(|(start, end)| (start.get(), end.get()))).collect())
}
