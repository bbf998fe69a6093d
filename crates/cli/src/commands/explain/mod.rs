//! `narthex explain`: how an expression would be computed, and with `--analyze` what computing it takes.

mod analyze;

use std::fmt::Write;

use narthex_plan::optimize::Rewrite;
use narthex_plan::{LogicalPlan, Optimizer, build};

use super::read_query;
use crate::args::ExplainArgs;
use crate::exit::{Ended, Outcome};
use crate::screen::Screen;

/// Runs the command.
pub(crate) fn run(args: &ExplainArgs, screen: &Screen) -> Ended {
    let query = match read_query(&args.expr, &args.features.parse_options(), screen) {
        Ok(query) => query,
        Err(outcome) => return Ok(outcome),
    };
    if args.analyze {
        return analyze::run(args, &query, screen);
    }
    // A plan needs times; explaining one does not need now.
    match build(&query.expr, args.range.parameters(0, args.defaults)?) {
        Ok(mut plan) => {
            screen.print(&text(&mut plan, args.passes))?;
            Ok(Outcome::Clean)
        }
        Err(error) => {
            screen.complain(&[error.to_diagnostic().in_source(query.source)], &query.sources);
            Ok(Outcome::Findings)
        }
    }
}

fn text(plan: &mut LogicalPlan, shows_passes: bool) -> String {
    if !shows_passes {
        Optimizer::ALL.run(plan);
        return plan.to_string();
    }
    let mut text = format!("as built\n{plan}");
    for record in Optimizer::ALL.run_recorded(plan) {
        let written = match record.rewrite {
            Rewrite::Changed => write!(text, "\nafter {}\n{}", record.name, record.plan),
            Rewrite::Unchanged => writeln!(text, "\nafter {}: unchanged", record.name),
        };
        debug_assert!(written.is_ok(), "writing to a string cannot fail");
    }
    text
}
