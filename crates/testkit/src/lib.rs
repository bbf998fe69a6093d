//! Fixtures and golden files for tests.
