//! Rule files as teams write them: alerts with annotations, recording rules, block scalars, comments.

use std::fmt::Write;

use narthex_testkit::SplitMix64;

/// Groups of a file.
pub const GROUPS_PER_FILE: usize = 10;
/// Rules of a group.
pub const RULES_PER_GROUP: usize = 20;
/// Rules of a file.
pub const RULES_PER_FILE: usize = GROUPS_PER_FILE * RULES_PER_GROUP;

const SERVICES: [&str; 8] = ["api", "auth", "billing", "cart", "ingest", "search", "storage", "web"];
const METRICS: [&str; 6] = [
    "http_requests_total",
    "grpc_server_handled_total",
    "queue_messages_total",
    "cache_lookups_total",
    "db_queries_total",
    "jobs_finished_total",
];
const SEVERITIES: [&str; 3] = ["info", "page", "ticket"];

/// What a rule is about.
#[derive(Clone, Copy)]
struct Subject {
    service: &'static str,
    metric: &'static str,
    severity: &'static str,
    number: usize,
}

/// The shapes of rules, each written at the indentation of a group's items.
const SHAPES: [fn(&mut String, Subject) -> std::fmt::Result; 5] =
    [error_ratio, recorded_rate, slow_quantile, down, disk_full];

/// The text of rule file number `file`; group and rule names are unique over all files.
pub fn file(file: usize) -> String {
    let mut random = SplitMix64::new(file as u64);
    let mut out = format!("# Rules of shard {file}.\ngroups:\n");
    for group in 0..GROUPS_PER_FILE {
        let written = write_group(&mut out, &mut random, file * GROUPS_PER_FILE + group);
        debug_assert!(written.is_ok(), "a string takes any text");
    }
    out
}

fn write_group(out: &mut String, random: &mut SplitMix64, group: usize) -> std::fmt::Result {
    let service = SERVICES[random.below(SERVICES.len())];
    writeln!(out, "  - name: {service}-{group}\n    interval: 30s\n    rules:")?;
    for rule in 0..RULES_PER_GROUP {
        let subject = Subject {
            service,
            metric: METRICS[random.below(METRICS.len())],
            severity: SEVERITIES[random.below(SEVERITIES.len())],
            number: group * RULES_PER_GROUP + rule,
        };
        SHAPES[random.below(SHAPES.len())](out, subject)?;
    }
    Ok(())
}

fn error_ratio(out: &mut String, subject: Subject) -> std::fmt::Result {
    let Subject { service, metric, severity, number } = subject;
    write!(
        out,
        r#"      - alert: ErrorRatioHigh{number}
        expr: |
          sum by (cluster, namespace) (rate({metric}{{job="{service}", code=~"5.."}}[5m]))
            /
          sum by (cluster, namespace) (rate({metric}{{job="{service}"}}[5m]))
            > 0.05
        for: 10m
        keep_firing_for: 5m
        labels:
          severity: {severity}
        annotations:
          summary: "{service} in {{{{ $labels.namespace }}}} fails {{{{ $value | humanizePercentage }}}} of its work"
          runbook_url: https://runbooks.example.org/{service}/errors
"#
    )
}

fn recorded_rate(out: &mut String, subject: Subject) -> std::fmt::Result {
    let Subject { service, metric, number, .. } = subject;
    write!(
        out,
        r#"      - record: cluster_job:{metric}:rate5m_{number}
        expr: sum without (instance, pod) (rate({metric}{{job="{service}"}}[5m]))
"#
    )
}

fn slow_quantile(out: &mut String, subject: Subject) -> std::fmt::Result {
    let Subject { service, severity, number, .. } = subject;
    write!(
        out,
        r#"      - alert: Slow{number}
        # The slowest percent of requests, long polls left out.
        expr: >-
          histogram_quantile(0.99,
            sum by (le, cluster) (rate({service}_request_duration_seconds_bucket{{handler!~"/watch|/poll"}}[10m]))
          ) > 0.75
        for: 15m
        labels: {{severity: {severity}, team: '{service}'}}
        annotations:
          summary: '{{{{ $labels.cluster }}}}: p99 of {service} is {{{{ $value | humanizeDuration }}}}'
"#
    )
}

fn down(out: &mut String, subject: Subject) -> std::fmt::Result {
    let Subject { service, severity, number, .. } = subject;
    write!(
        out,
        r#"      - alert: Down{number}
        expr: up{{job="{service}"}} == 0 unless on (instance) maintenance{{job="{service}"}} == 1
        for: 5m
        labels:
          severity: {severity}
        annotations:
          summary: "{{{{ $labels.instance }}}} of {{{{ $labels.job }}}} is down"
"#
    )
}

fn disk_full(out: &mut String, subject: Subject) -> std::fmt::Result {
    let Subject { service, severity, number, .. } = subject;
    write!(
        out,
        r#"      - alert: DiskFullSoon{number}
        expr: |-
          predict_linear(node_filesystem_avail_bytes{{job="{service}",fstype!="tmpfs"}}[6h], 4 * 3600) < 0
          and
          node_filesystem_avail_bytes / node_filesystem_size_bytes < 0.2
        for: 1h
        labels:
          severity: {severity}
        annotations:
          summary: "{{{{ $labels.device }}}} on {{{{ $labels.instance }}}} fills up within four hours"
          description: |
            {{{{ with printf "node_filesystem_avail_bytes{{instance='%s'}}" $labels.instance | query }}}}
            {{{{ . | first | value | humanize1024 }}}}B are left.
            {{{{ end }}}}
"#
    )
}
