//! Groups of rules over time: alerts that are pending and firing, series that are recorded.
//!
//! Nothing here knows a clock, a thread or a file: whoever owns the time calls [`Group::tick`], and all that happens is a
//! function of the state, the store and the time given. A day of alerting is a loop.
//!
//! ```
//! use narthex_eval::{Engine, EngineOptions};
//! use narthex_model::Labels;
//! use narthex_promql::ParseOptions;
//! use narthex_rules::{AlertState, EngineQueries, Group, GroupDefinition, Restoration};
//! use narthex_storage::{Appender, MemoryStorage};
//!
//! let text = "groups: [{name: api, rules: [{alert: Down, expr: up == 0, for: 1m}]}]";
//! let file = narthex_rulefmt::parse(text, &narthex_rulefmt::Options::PROMETHEUS).file;
//! let definition = GroupDefinition::new(&file.groups[0]);
//! let mut group = Group::new(definition.into(), Restoration::Done);
//!
//! let mut store = MemoryStorage::new();
//! for minute in 0..=2 {
//!     store.append(&Labels::from_pairs([("__name__", "up"), ("job", "api")]), minute * 60_000, 0.0.into(), 0)?;
//! }
//! let engine = Engine::new(EngineOptions::STABLE);
//! for minute in 0..=1 {
//!     let data = store.clone();
//!     let queries = EngineQueries::new(engine, &data, ParseOptions::STABLE);
//!     group.tick(minute * 60_000, &queries, &mut store);
//! }
//! let alerts: Vec<_> = group.alerting_rules().flat_map(|rule| rule.alerts()).collect();
//! assert_eq!((alerts.len(), alerts[0].state), (1, AlertState::Firing));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Reading order: [`definition`], [`queries`], [`alert`], [`alerting`], `recording`, `expand`, [`group`], [`restore`],
//! [`error`].

pub mod alert;
pub mod alerting;
pub mod definition;
pub mod error;
mod expand;
pub mod group;
pub mod queries;
mod recording;
pub mod restore;

pub use alert::{Alert, AlertState};
pub use alerting::{AlertingState, Restoration};
pub use definition::{GroupDefinition, RuleDefinition, RuleKind};
pub use error::RuleError;
pub use group::{Group, RuleOutcome};
pub use queries::{EngineQueries, RuleQueries, Surroundings};
pub use restore::RestoreOptions;
