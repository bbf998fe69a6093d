//! Scrape bodies: Prometheus text and OpenMetrics.
