//! `meta.json`: what a block says of itself.
//!
//! The only file of a block without a checksum. Ours carry one in a key of their own, which other programs pass over
//! and which is looked at only when it is there.

use std::fmt::Write;

use narthex_model::{TimeRange, Timestamp};
use serde_json::Value;

use super::Ulid;

/// The only version there is.
const VERSION: u64 = 1;
/// The key that holds what is ours.
const OWN_KEY: &str = "narthex";
const CHECKSUM_KEY: &str = "crc32c";

/// What a block says of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BlockMeta {
    /// Its name, which is that of its directory.
    pub ulid: Ulid,
    /// No sample is earlier.
    pub min_ms: Timestamp,
    /// All samples are earlier: the end is not part of the block.
    pub max_ms: Timestamp,
    /// How much is in it.
    pub stats: BlockStats,
    /// What it was made from.
    pub compaction: Compaction,
    /// The section of Thanos as JSON, if there is one; kept as it is.
    pub thanos: Option<Box<str>>,
}

/// How much is in a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct BlockStats {
    /// Samples of both kinds.
    pub samples: u64,
    /// Float samples; 0 also where nobody counted.
    pub float_samples: u64,
    /// Histogram samples; 0 also where nobody counted.
    pub histogram_samples: u64,
    /// Series.
    pub series: u64,
    /// Chunks.
    pub chunks: u64,
    /// Deleted ranges that are still in the chunks.
    pub tombstones: u64,
}

/// What a block was made from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Compaction {
    /// 1 from a head, one more than the highest of its parents otherwise.
    pub level: u32,
    /// The blocks of level 1 that went into it, sorted; of a block of level 1 itself.
    pub sources: Vec<Ulid>,
    /// The blocks it was made from.
    pub parents: Vec<Parent>,
    /// Compacting it failed; it is not tried again.
    pub is_failed: bool,
    /// Its content is in another block.
    pub is_deletable: bool,
    /// Where its samples come from, such as `from-out-of-order`.
    pub hints: Vec<Box<str>>,
}

/// A block that went into another one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parent {
    /// Its name.
    pub ulid: Ulid,
    /// Its first instant.
    pub min_ms: Timestamp,
    /// Its end.
    pub max_ms: Timestamp,
}

impl BlockMeta {
    /// The instants that may have samples.
    pub fn range(&self) -> TimeRange {
        TimeRange::new(self.min_ms, self.max_ms.saturating_sub(1))
    }
}

impl Compaction {
    /// Of a block that was cut from a head: level 1, its own source.
    pub fn of_head(ulid: Ulid) -> Compaction {
        Compaction {
            level: 1,
            sources: vec![ulid],
            parents: Vec::new(),
            is_failed: false,
            is_deletable: false,
            hints: Vec::new(),
        }
    }
}

/// The text of the file, checksum included, in the layout of Prometheus.
pub(crate) fn render(meta: &BlockMeta) -> String {
    let checksum = format!("{{\"{CHECKSUM_KEY}\": \"{:08x}\"}}", checksum(meta));
    render_with(meta, Some(&checksum))
}

/// Reads the file.
///
/// # Errors
/// What is wrong with it: the text is no JSON, something is missing, or the checksum is another one.
pub(crate) fn parse(text: &[u8]) -> Result<BlockMeta, String> {
    let root: Value = serde_json::from_slice(text).map_err(|error| format!("no JSON: {error}"))?;
    let version = root["version"].as_u64();
    if version != Some(VERSION) {
        return Err(format!("expected version {VERSION}, not {}", root["version"]));
    }
    let meta = BlockMeta {
        ulid: ulid(&root["ulid"])?,
        min_ms: integer(&root, "minTime")?,
        max_ms: integer(&root, "maxTime")?,
        stats: stats(&root["stats"]),
        compaction: compaction(&root["compaction"])?,
        thanos: root.get("thanos").map(|section| section.to_string().into()),
    };
    if meta.max_ms < meta.min_ms {
        return Err(format!("the end {} lies before the start {}", meta.max_ms, meta.min_ms));
    }
    match root[OWN_KEY].get(CHECKSUM_KEY) {
        Some(found) if found.as_str() != Some(&format!("{:08x}", checksum(&meta))) => {
            Err(format!("expected the checksum {:08x}, not {found}", checksum(&meta)))
        }
        _ => Ok(meta),
    }
}

/// Whether the text carries our checksum, right or wrong.
pub(crate) fn is_protected(text: &[u8]) -> bool {
    let root = serde_json::from_slice::<Value>(text);
    root.is_ok_and(|root| root[OWN_KEY].get(CHECKSUM_KEY).is_some())
}

/// The compaction section of a text that is otherwise of no use.
pub(crate) fn salvaged_compaction(text: &[u8]) -> Option<Compaction> {
    let root: Value = serde_json::from_slice(text).ok()?;
    compaction(&root["compaction"]).ok().filter(|compaction| !compaction.sources.is_empty())
}

fn checksum(meta: &BlockMeta) -> u32 {
    crc32c::crc32c(render_with(meta, None).as_bytes())
}

fn render_with(meta: &BlockMeta, own: Option<&str>) -> String {
    let mut fields = vec![
        ("ulid", quoted(&meta.ulid.to_string())),
        ("minTime", meta.min_ms.to_string()),
        ("maxTime", meta.max_ms.to_string()),
        ("stats", object(1, &stats_fields(&meta.stats))),
        ("compaction", object(1, &compaction_fields(&meta.compaction))),
        ("version", VERSION.to_string()),
    ];
    fields.extend(meta.thanos.as_ref().map(|section| ("thanos", section.to_string())));
    fields.extend(own.map(|own| (OWN_KEY, own.to_owned())));
    object(0, &fields)
}

fn stats_fields(stats: &BlockStats) -> Vec<(&'static str, String)> {
    let fields = [
        ("numSamples", stats.samples),
        ("numFloatSamples", stats.float_samples),
        ("numHistogramSamples", stats.histogram_samples),
        ("numSeries", stats.series),
        ("numChunks", stats.chunks),
        ("numTombstones", stats.tombstones),
    ];
    fields.into_iter().filter(|field| field.1 > 0).map(|(key, count)| (key, count.to_string())).collect()
}

fn compaction_fields(compaction: &Compaction) -> Vec<(&'static str, String)> {
    let mut fields = vec![("level", compaction.level.to_string())];
    let flag = |is_set: bool, key| is_set.then(|| (key, "true".to_owned()));
    let sources: Vec<String> = compaction.sources.iter().map(|ulid| quoted(&ulid.to_string())).collect();
    fields.extend((!sources.is_empty()).then(|| ("sources", array(2, &sources))));
    fields.extend(flag(compaction.is_deletable, "deletable"));
    let parents: Vec<String> = compaction.parents.iter().map(parent_object).collect();
    fields.extend((!parents.is_empty()).then(|| ("parents", array(2, &parents))));
    fields.extend(flag(compaction.is_failed, "failed"));
    let hints: Vec<String> = compaction.hints.iter().map(|hint| quoted(hint)).collect();
    fields.extend((!hints.is_empty()).then(|| ("hints", array(2, &hints))));
    fields
}

fn parent_object(parent: &Parent) -> String {
    let fields = [
        ("ulid", quoted(&parent.ulid.to_string())),
        ("minTime", parent.min_ms.to_string()),
        ("maxTime", parent.max_ms.to_string()),
    ];
    object(3, &fields)
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn object(depth: usize, fields: &[(&str, String)]) -> String {
    let fields: Vec<String> = fields.iter().map(|(key, value)| format!("\"{key}\": {value}")).collect();
    enclosed(depth, '{', &fields, '}')
}

fn array(depth: usize, elements: &[String]) -> String {
    enclosed(depth, '[', elements, ']')
}

/// Elements on lines of their own, indented by tabs.
fn enclosed(depth: usize, open: char, elements: &[String], close: char) -> String {
    if elements.is_empty() {
        return format!("{open}{close}");
    }
    let indent = "\t".repeat(depth);
    let mut text = String::from(open);
    for (at, element) in elements.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        let _ = write!(text, "{comma}\n{indent}\t{element}");
    }
    let _ = write!(text, "\n{indent}{close}");
    text
}

fn integer(object: &Value, key: &str) -> Result<i64, String> {
    object[key].as_i64().ok_or_else(|| format!("expected an integer as {key}, not {}", object[key]))
}

fn ulid(value: &Value) -> Result<Ulid, String> {
    let text = value.as_str().ok_or_else(|| format!("expected a block name, not {value}"))?;
    text.parse().map_err(|error| format!("{text}: {error}"))
}

fn stats(section: &Value) -> BlockStats {
    let count = |key: &str| section[key].as_u64().unwrap_or(0);
    BlockStats {
        samples: count("numSamples"),
        float_samples: count("numFloatSamples"),
        histogram_samples: count("numHistogramSamples"),
        series: count("numSeries"),
        chunks: count("numChunks"),
        tombstones: count("numTombstones"),
    }
}

fn compaction(section: &Value) -> Result<Compaction, String> {
    let elements = |key: &str| section[key].as_array().map_or(&[][..], Vec::as_slice);
    let parent = |value: &Value| {
        let (min_ms, max_ms) = (integer(value, "minTime")?, integer(value, "maxTime")?);
        Ok::<_, String>(Parent { ulid: ulid(&value["ulid"])?, min_ms, max_ms })
    };
    Ok(Compaction {
        level: section["level"].as_u64().and_then(|level| u32::try_from(level).ok()).unwrap_or(0),
        sources: elements("sources").iter().map(ulid).collect::<Result<_, _>>()?,
        parents: elements("parents").iter().map(parent).collect::<Result<_, _>>()?,
        is_failed: section["failed"] == true,
        is_deletable: section["deletable"] == true,
        hints: elements("hints").iter().filter_map(Value::as_str).map(Box::from).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta() -> BlockMeta {
        let ulid = Ulid::from_parts(1_700_000_000_000, 7);
        let parent = Parent { ulid: Ulid::from_parts(5, 5), min_ms: -5, max_ms: 20 };
        BlockMeta {
            ulid,
            min_ms: -5,
            max_ms: 7_200_000,
            stats: BlockStats { samples: 9, float_samples: 9, series: 2, chunks: 3, ..BlockStats::default() },
            compaction: Compaction {
                level: 2,
                parents: vec![parent, parent],
                hints: vec!["from-out-of-order".into()],
                ..Compaction::of_head(ulid)
            },
            thanos: Some(r#"{"labels":{"replica":"a"}}"#.into()),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let meta = meta();
        let text = render(&meta);
        assert_eq!(parse(text.as_bytes()), Ok(meta));
        assert!(is_protected(text.as_bytes()) && text.contains("\n\t\"stats\": {\n\t\t\"numSamples\": 9,"));
    }

    #[test]
    fn every_flipped_bit_is_noticed_or_without_effect() {
        let text = render(&meta()).into_bytes();
        for at in 0..text.len() {
            for bit in 0..8 {
                let mut damaged = text.clone();
                damaged[at] ^= 1 << bit;
                let is_still_protected = is_protected(&damaged);
                if let Ok(read) = parse(&damaged) {
                    assert!(read == meta() || !is_still_protected, "byte {at} bit {bit}");
                }
            }
        }
    }

    #[test]
    fn a_file_of_prometheus_needs_no_checksum() {
        let text = r#"{"ulid":"01DXXFZDYD1MQW6079WK0K6EDQ","minTime":0,"maxTime":7200000,"version":1,
            "compaction":{"level":1,"sources":["01DXXFZDYD1MQW6079WK0K6EDQ"]}}"#;
        let meta = parse(text.as_bytes()).unwrap();
        assert_eq!((meta.range(), meta.compaction.level), (TimeRange::new(0, 7_199_999), 1));
        assert!(!is_protected(text.as_bytes()));
        for (from, to) in [("version\":1", "version\":2"), ("7200000", "-1"), ("01DXX", "U1DXX"), ("{", "")] {
            assert!(parse(text.replace(from, to).as_bytes()).is_err(), "{from}");
        }
    }
}
