//! What can be typed.

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use narthex_model::{TimeRange, Timestamp};
use narthex_plan::QueryParameters;

use crate::commands::test::{TestArgs, TestCommand};
use crate::data_args::DataArgs;
use crate::exit::Trouble;
use crate::output::OutputFormat;
use crate::query_options::{DefaultsArgs, FeatureArgs, LimitArgs};
use crate::screen::Color;
use crate::storage_args::StorageArgs;
use crate::times::{parse_step, parse_time};
use crate::tsdb_args::TsdbArgs;

/// Queries, lints and tests PromQL and Prometheus rule files.
#[derive(Debug, Parser)]
#[command(name = "narthex", version, max_term_width = 110)]
pub(crate) struct Args {
    /// What to do
    #[command(subcommand)]
    pub(crate) command: Command,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Evaluate an expression over the samples of exposition files
    #[command(after_help = QUERY_EXAMPLES)]
    Query(QueryArgs),
    /// Show how an expression would be computed
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(ExplainArgs),
    /// Show how an expression is read
    #[command(after_help = PARSE_EXAMPLES)]
    Parse(ParseArgs),
    /// Format a PromQL file; comments stay
    #[command(after_help = FMT_EXAMPLES)]
    Fmt(FmtArgs),
    /// Find what is wrong or unwise in rule files
    #[command(after_help = LINT_EXAMPLES)]
    Lint(LintArgs),
    /// Say what a server would refuse
    Check(CheckArgs),
    /// Run unit tests of rules
    Test(TestArgs),
    /// Run promqltest scripts
    #[command(after_help = CONFORMANCE_EXAMPLES)]
    Conformance(ConformanceArgs),
    /// Look into stores, take samples out of them, make blocks
    #[command(after_help = TSDB_EXAMPLES)]
    Tsdb(TsdbArgs),
    /// Answer queries over HTTP as Prometheus does
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(ServeArgs),
}

const QUERY_EXAMPLES: &str = "\
Examples:
  narthex query --data metrics.prom 'sum by (job) (up)'
  curl -s localhost:9100/metrics | narthex query --data - 'node_load1'
  narthex query --data shop.prom --from 2026-01-05T10:30:00Z --to 2026-01-05T11:00:00Z --step 5m \\
      'sum by (code) (rate(http_requests_total[5m]))'
  narthex query --data /var/lib/prometheus 'count by (job) (up)'
  narthex query '1 + 2 * 3'

Exit status: 0 with a result, 1 when the query or the data are wrong, 2 on wrong usage or unreadable files.";

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  narthex explain 'rate(a[5m] @ end()) + b'
  narthex explain --passes 'sum(rate(a{x=~\".*\"}[5m]))'
  narthex explain --analyze --data /var/lib/prometheus 'sum by (job) (rate(http_requests_total[5m]))'";

const PARSE_EXAMPLES: &str = "\
Examples:
  narthex parse 'sum by (job) (rate(http_requests_total[5m])) > 10'
  narthex parse -o json 'up == 0'";

const FMT_EXAMPLES: &str = "\
Examples:
  narthex fmt query.promql            rewrite the file
  narthex fmt --check query.promql    exit with 1 if it is not formatted
  echo 'sum( up )' | narthex fmt -    write the result to standard output";

const LINT_EXAMPLES: &str = "\
Examples:
  narthex lint rules/                  every .yml, .yaml and .json below the folder
  narthex lint 'rules/**/*.yml' --format github
  kubectl get prometheusrules -o yaml | narthex lint -

Exit status: 0 when nothing was found, 1 when something was, 2 on wrong usage or unreadable files.";

const CONFORMANCE_EXAMPLES: &str = "\
Examples:
  narthex conformance testdata/promql/functions
  narthex conformance --immediate-name-removal name_label_dropping.test";

const SERVE_EXAMPLES: &str = "\
Examples:
  narthex serve --data /var/lib/prometheus
  narthex serve --data metrics.prom --listen 127.0.0.1:9091
  curl -s 'localhost:9090/api/v1/query?query=up'

Ends on SIGTERM and Ctrl-C, after the requests that are running.";

const TSDB_EXAMPLES: &str = "\
Examples:
  narthex tsdb list -r /var/lib/prometheus
  narthex tsdb dump --match '{job=\"api\"}' --min-time 1767609000000 data/
  narthex tsdb create-blocks-from openmetrics backfill.om data/

A directory that Prometheus is using can be read as well: nothing in it is changed.";

/// Evaluations at regular distances.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub(crate) struct RangeArgs {
    /// Evaluate from this time on
    #[arg(long, value_name = "TIME", value_parser = parse_time, allow_hyphen_values = true, requires_all = ["to", "step"])]
    from: Option<Timestamp>,
    /// Evaluate up to this time
    #[arg(long, value_name = "TIME", value_parser = parse_time, allow_hyphen_values = true, requires = "from")]
    to: Option<Timestamp>,
    /// Distance of two evaluations
    #[arg(long, value_name = "DURATION", value_parser = parse_step, allow_hyphen_values = true, requires = "from")]
    step: Option<i64>,
}

impl Command {
    /// The features that are asked for, if the command knows any.
    pub(crate) fn features(&self) -> Option<&FeatureArgs> {
        match self {
            Command::Query(args) => Some(&args.features),
            Command::Explain(args) => Some(&args.features),
            Command::Parse(args) => Some(&args.features),
            Command::Fmt(args) => Some(&args.features),
            Command::Lint(args) => Some(&args.features),
            Command::Check(CheckArgs { what: CheckCommand::Rules(args) }) => Some(&args.features),
            Command::Test(TestArgs { what: TestCommand::Rules(args) }) => Some(&args.features),
            Command::Conformance(_) | Command::Tsdb(_) => None,
            Command::Serve(args) => Some(&args.features),
        }
    }
}

impl RangeArgs {
    /// The times of the query: the range if one is given, otherwise one evaluation at `at_ms`.
    pub(crate) fn parameters(
        &self,
        at_ms: Timestamp,
        defaults: DefaultsArgs,
    ) -> Result<QueryParameters, Trouble> {
        let DefaultsArgs { lookback_ms, subquery_step_ms } = defaults;
        let (Some(from_ms), Some(to_ms), Some(step_ms)) = (self.from, self.to, self.step) else {
            return Ok(QueryParameters::instant(at_ms, lookback_ms, subquery_step_ms));
        };
        if to_ms < from_ms {
            return Err(Trouble::new("--to must not lie before --from"));
        }
        let range = TimeRange::new(from_ms, to_ms);
        let parameters = QueryParameters::range(range, step_ms, lookback_ms, subquery_step_ms);
        if parameters.grid.len > STEPS_MAX {
            let steps = parameters.grid.len;
            return Err(Trouble::new(format!(
                "{steps} evaluations are more than {STEPS_MAX}; use a longer --step"
            )));
        }
        Ok(parameters)
    }
}

/// More evaluations than that are refused, as by a server.
const STEPS_MAX: usize = 11_000;

/// See [`Command::Query`].
#[derive(Debug, ClapArgs)]
pub(crate) struct QueryArgs {
    /// Over what
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// A range of evaluations
    #[command(flatten)]
    pub(crate) range: RangeArgs,
    /// How far selectors look and how often subqueries evaluate
    #[command(flatten)]
    pub(crate) defaults: DefaultsArgs,
    /// How the result is written
    #[arg(short, long, visible_alias = "format", value_enum, default_value_t = OutputFormat::Table)]
    pub(crate) output: OutputFormat,
    /// Features of the language and the engine
    #[command(flatten)]
    pub(crate) features: FeatureArgs,
    /// The expression
    #[arg(allow_hyphen_values = true)]
    pub(crate) expr: String,
}

/// How an analysis is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum AnalysisFormat {
    /// A table, an operator a line, for people.
    Text,
    /// One JSON object.
    Json,
}

/// See [`Command::Explain`].
#[derive(Debug, ClapArgs)]
pub(crate) struct ExplainArgs {
    /// Also show the plan as first built and after each pass that changed it
    #[arg(long)]
    pub(crate) passes: bool,
    /// Evaluate the expression over `--data` and show what each operator took
    #[arg(long, conflicts_with = "passes")]
    pub(crate) analyze: bool,
    /// How an analysis is written
    #[arg(short, long, visible_alias = "format", value_enum, default_value_t = AnalysisFormat::Text, requires = "analyze")]
    pub(crate) output: AnalysisFormat,
    /// Over what an expression that is analyzed is evaluated
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// A range of evaluations
    #[command(flatten)]
    pub(crate) range: RangeArgs,
    /// How far selectors look and how often subqueries evaluate
    #[command(flatten)]
    pub(crate) defaults: DefaultsArgs,
    /// Features of the language
    #[command(flatten)]
    pub(crate) features: FeatureArgs,
    /// The expression
    #[arg(allow_hyphen_values = true)]
    pub(crate) expr: String,
}

/// How a tree is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum TreeFormat {
    /// Indented, a node a line, with spans.
    Tree,
    /// One JSON object.
    Json,
}

/// See [`Command::Parse`].
#[derive(Debug, ClapArgs)]
pub(crate) struct ParseArgs {
    /// How the tree is written
    #[arg(short, long, value_enum, default_value_t = TreeFormat::Tree)]
    pub(crate) output: TreeFormat,
    /// Features of the language
    #[command(flatten)]
    pub(crate) features: FeatureArgs,
    /// The expression
    #[arg(allow_hyphen_values = true)]
    pub(crate) expr: String,
}

/// See [`Command::Fmt`].
#[derive(Debug, ClapArgs)]
pub(crate) struct FmtArgs {
    /// Change nothing; exit with 1 if a file is not formatted
    #[arg(long)]
    pub(crate) check: bool,
    /// Longest line
    #[arg(long, value_name = "COLUMNS", default_value_t = 100)]
    pub(crate) width: usize,
    /// Features of the language
    #[command(flatten)]
    pub(crate) features: FeatureArgs,
    /// PromQL files, `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<String>,
}

/// See [`Command::Lint`].
#[derive(Debug, ClapArgs)]
pub(crate) struct LintArgs {
    /// How findings are written
    #[arg(long, default_value = "full", value_parser = crate::commands::lint::parse_format)]
    pub(crate) format: narthex_report::Format,
    /// Only these codes or families (TPL, VAL001), separated by commas
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    pub(crate) select: Vec<String>,
    /// All but these codes or families, separated by commas
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    pub(crate) ignore: Vec<String>,
    /// Explain one lint and stop
    #[arg(long, value_name = "CODE", conflicts_with_all = ["paths", "select", "ignore"])]
    pub(crate) explain: Option<String>,
    /// Features of the language
    #[command(flatten)]
    pub(crate) features: FeatureArgs,
    /// Rule files, folders or patterns; `-` for standard input
    #[arg(required_unless_present = "explain", value_name = "PATH")]
    pub(crate) paths: Vec<String>,
}

/// See [`Command::Check`].
#[derive(Debug, ClapArgs)]
pub(crate) struct CheckArgs {
    /// What to check
    #[command(subcommand)]
    pub(crate) what: CheckCommand,
}

/// What can be checked.
#[derive(Debug, Subcommand)]
pub(crate) enum CheckCommand {
    /// Rule files, exactly as strictly as a server
    #[command(after_help = "Examples:\n  narthex check rules rules/*.yml")]
    Rules(CheckRulesArgs),
}

/// See [`CheckCommand::Rules`].
#[derive(Debug, ClapArgs)]
pub(crate) struct CheckRulesArgs {
    /// How findings are written
    #[arg(long, default_value = "full", value_parser = crate::commands::lint::parse_format)]
    pub(crate) format: narthex_report::Format,
    /// Features of the language
    #[command(flatten)]
    pub(crate) features: FeatureArgs,
    /// Rule files, folders or patterns; `-` for standard input
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<String>,
}

/// See [`Command::Conformance`].
#[derive(Debug, ClapArgs)]
pub(crate) struct ConformanceArgs {
    /// Drop metric names at each operation, as a server without features does
    #[arg(long)]
    pub(crate) immediate_name_removal: bool,
    /// Do not use the start times of samples
    #[arg(long)]
    pub(crate) no_start_timestamps: bool,
    /// Look at `__type__` for hints about counters
    #[arg(long)]
    pub(crate) type_and_unit_labels: bool,
    /// Do not evaluate instant queries again at other times and within ranges
    #[arg(long)]
    pub(crate) primary_only: bool,
    /// How far selectors look and how often subqueries evaluate
    #[command(flatten)]
    pub(crate) defaults: DefaultsArgs,
    /// Scripts, folders of `.test` files or patterns
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<String>,
}

/// See [`Command::Serve`].
#[derive(Debug, ClapArgs)]
pub(crate) struct ServeArgs {
    /// Directory of a store, Prometheus's own included, or an exposition file whose samples are served from memory
    #[arg(long, value_name = "PATH")]
    pub(crate) data: String,
    /// Address to listen on
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9090")]
    pub(crate) listen: String,
    /// Accept samples by remote write; without it nothing in the directory is changed
    #[arg(long = "web.enable-remote-write-receiver")]
    pub(crate) enable_receiver: bool,
    /// The store
    #[command(flatten)]
    pub(crate) storage: StorageArgs,
    /// Most connections at once; for one more, the one that has been idle longest is closed
    #[arg(long = "web.max-connections", value_name = "COUNT", default_value_t = 512)]
    pub(crate) connections_max: usize,
    /// An idle connection is closed after this long
    #[arg(long = "web.read-timeout", value_name = "DURATION", value_parser = parse_step, default_value = "5m")]
    pub(crate) idle_timeout_ms: i64,
    /// Origins whose pages may read answers, as a regular expression for the whole of them [default: none]
    #[arg(long = "web.cors.origin", value_name = "REGEX", value_parser = crate::commands::serve::parse_regex)]
    pub(crate) cors_origin: Option<narthex_server::options::Regex>,
    /// A public name that the server goes by, `*` for any; may be given several times
    #[arg(long = "web.allowed-host", value_name = "NAME")]
    pub(crate) hosts: Vec<String>,
    /// How far back a selector looks for a sample
    #[arg(long = "query.lookback-delta", value_name = "DURATION", value_parser = parse_step, default_value = "5m")]
    pub(crate) lookback_ms: i64,
    /// Give up on a query after this long
    #[arg(long = "query.timeout", value_name = "DURATION", value_parser = parse_step, default_value = "2m")]
    pub(crate) timeout_ms: i64,
    /// Most queries that are computed at once
    #[arg(long = "query.max-concurrency", value_name = "COUNT", default_value_t = 20)]
    pub(crate) queries_max: usize,
    /// How much a query may use
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
    /// Features of the language and the engine
    #[command(flatten)]
    pub(crate) features: FeatureArgs,
}
