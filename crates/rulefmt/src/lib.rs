//! Rule files, typed, with spans, and exactly the refusals of a server.
