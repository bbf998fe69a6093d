//! The text/template subset of rules and notifications.
