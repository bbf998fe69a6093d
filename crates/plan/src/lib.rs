//! What to compute: logical plans, their analyses and the optimizer passes.
