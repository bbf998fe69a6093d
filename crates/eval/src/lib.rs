//! How a plan is computed: vectorized, series-major operators and their kernels.
