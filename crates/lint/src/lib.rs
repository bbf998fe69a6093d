//! What is unwise in a rule file.
