//! A cluster of pods and its metrics, in the shape that the Thanos engine is measured with.
//!
//! Source of the shape: `synthesizeLoad` in `engine/bench_test.go` of thanos-io/promql-engine.

use narthex_model::{Labels, SampleValue};
use narthex_storage::{Appender, StorageError};

/// How large the cluster is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cluster {
    /// Pods.
    pub pods: usize,
    /// Containers of a pod.
    pub containers: usize,
    /// Scrapes of each series.
    pub samples: usize,
}

/// Distance of two scrapes.
pub const INTERVAL_MS: i64 = 30_000;

/// Upper bounds of the buckets of `http_response_seconds`.
pub const BOUNDS: [&str; 11] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "+Inf"];

impl Cluster {
    /// The size at which engines are compared: six hours of 15,000 series.
    pub const COMPARED: Cluster = Cluster { pods: 1000, containers: 3, samples: 721 };

    /// Series of `http_requests_total`.
    pub fn request_series(&self) -> usize {
        self.pods * self.containers
    }

    /// Series of `http_responses_total`.
    pub fn response_series(&self) -> usize {
        self.pods
    }

    /// Series of `http_response_seconds_bucket`.
    pub fn bucket_series(&self) -> usize {
        self.pods * BOUNDS.len()
    }

    /// Appends all samples, the first at time zero.
    ///
    /// # Errors
    /// When the store refuses one.
    pub fn fill(&self, store: &mut dyn Appender) -> Result<(), StorageError> {
        for pod in 0..self.pods {
            self.fill_pod(store, pod)?;
        }
        store.commit()
    }

    fn fill_pod(&self, store: &mut dyn Appender, pod: usize) -> Result<(), StorageError> {
        let pod_name = format!("p{pod}");
        for container in 0..self.containers {
            let container_name = format!("c{container}");
            let labels =
                [("__name__", "http_requests_total"), ("pod", &pod_name), ("container", &container_name)];
            self.append(store, &labels, |sample| (container + sample * pod) as f64)?;
        }
        self.append(store, &[("__name__", "http_responses_total"), ("pod", &pod_name)], |_| pod as f64)?;
        for (rank, bound) in BOUNDS.into_iter().enumerate() {
            let labels = [("__name__", "http_response_seconds_bucket"), ("pod", &pod_name), ("le", bound)];
            self.append(store, &labels, |sample| (sample * (rank + 1)) as f64)?;
        }
        Ok(())
    }

    fn append(
        &self,
        store: &mut dyn Appender,
        labels: &[(&str, &str)],
        value: impl Fn(usize) -> f64,
    ) -> Result<(), StorageError> {
        let labels = Labels::from_pairs(labels.iter().copied());
        for sample in 0..self.samples {
            let at_ms = sample as i64 * INTERVAL_MS;
            store.append(&labels, at_ms, SampleValue::Float(value(sample)), 0)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use narthex_storage::{MemoryStorage, Queryable};

    #[test]
    fn every_series_is_there() {
        let small = Cluster { pods: 2, containers: 3, samples: 4 };
        let mut store = MemoryStorage::new();
        small.fill(&mut store).unwrap();
        let querier = store.querier(narthex_model::TimeRange::ALL).unwrap();
        assert_eq!(querier.label_values("pod", &[]).unwrap(), ["p0", "p1"]);
        assert_eq!(querier.label_values("le", &[]).unwrap().len(), BOUNDS.len());
        assert_eq!((small.request_series(), small.response_series(), small.bucket_series()), (6, 2, 22));
    }
}
