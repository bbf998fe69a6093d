//! The body of a request, with limits of length and time.

use std::pin::Pin;
use std::time::Duration;

use hyper::StatusCode;
use hyper::body::{Body as _, Incoming};
use tokio::time::timeout;

/// Why a body could not be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum UploadError {
    /// It is longer than is accepted.
    TooLong,
    /// It did not come in time.
    TooSlow,
    /// The client left.
    Broken,
}

impl UploadError {
    /// Status and text to answer with.
    pub(crate) fn answer(self) -> (StatusCode, &'static str) {
        match self {
            UploadError::TooLong => (StatusCode::PAYLOAD_TOO_LARGE, "request body too large"),
            UploadError::TooSlow => (StatusCode::REQUEST_TIMEOUT, "request body not received in time"),
            UploadError::Broken => (StatusCode::BAD_REQUEST, "request body is incomplete"),
        }
    }
}

/// Reads a whole body.
pub(crate) async fn read(
    mut body: Incoming,
    bytes_max: usize,
    limit: Duration,
) -> Result<Vec<u8>, UploadError> {
    let announced = body.size_hint().lower();
    if announced > bytes_max as u64 {
        return Err(UploadError::TooLong);
    }
    let reading = async {
        // A client may announce much and send nothing.
        let mut bytes = Vec::with_capacity((announced as usize).min(64 << 10));
        while let Some(frame) = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await
        {
            let frame = frame.map_err(|_| UploadError::Broken)?;
            let Ok(data) = frame.into_data() else { continue };
            if bytes.len() + data.len() > bytes_max {
                return Err(UploadError::TooLong);
            }
            bytes.extend_from_slice(&data);
        }
        Ok(bytes)
    };
    timeout(limit, reading).await.unwrap_or(Err(UploadError::TooSlow))
}
