//! Fuzz targets as plain functions, replayed on stable.
