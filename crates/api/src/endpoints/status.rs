//! What a server says of itself, and of what a bare store has none of.

use serde_json::json;

use crate::{Answer, BuildInfo, Data};

/// `/status/buildinfo`
pub(crate) fn build_info(build: &BuildInfo) -> Answer {
    Answer::new(Data::Json(json!({
        "version": build.version, "revision": build.revision,
        "branch": "", "buildUser": "", "buildDate": "", "goVersion": "",
    })))
}

/// `/metadata`: types and help texts come with scrapes, and a bare store is not scraped into.
pub(crate) fn metadata() -> Answer {
    Answer::new(Data::Json(json!({})))
}

/// `/rules`: none are evaluated.
pub(crate) fn rules() -> Answer {
    Answer::new(Data::Json(json!({"groups": []})))
}

/// `/alerts`: none fire.
pub(crate) fn alerts() -> Answer {
    Answer::new(Data::Json(json!({"alerts": []})))
}
