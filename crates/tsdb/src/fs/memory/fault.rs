//! Which calls fail.

use std::io;

/// Kinds of calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    /// Looking: listing, reading, opening.
    Read,
    /// Making a file, a directory or a lock.
    Create,
    /// Writing.
    Write,
    /// Cutting a file.
    Truncate,
    /// Making content durable.
    Sync,
    /// Making names durable.
    SyncDir,
    /// Renaming.
    Rename,
    /// Removing a file or directory.
    Remove,
}

const OPERATIONS: usize = 8;

/// How long it goes wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FaultMode {
    /// That one call fails.
    Once,
    /// That call and every later one of any kind that changes something: the process is dead, or the disk.
    Onwards,
}

/// Calls that are to fail.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Only calls of this kind are counted; all that change something with `None`.
    pub operation: Option<Operation>,
    /// The call that fails, from 0.
    pub nth: u64,
    /// For how long.
    pub mode: FaultMode,
    /// What the caller gets.
    pub error: io::ErrorKind,
}

pub(super) enum Verdict {
    Goes,
    Fails(io::ErrorKind),
}

#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    fault: Option<Fault>,
    calls: [u64; OPERATIONS],
    reached: bool,
}

impl Faults {
    pub(super) fn set(&mut self, fault: Option<Fault>) {
        *self = Faults { fault, ..Faults::default() };
    }

    pub(super) fn calls(&self, operation: Option<Operation>) -> u64 {
        match operation {
            Some(operation) => self.calls[operation as usize],
            None => self.calls.iter().sum::<u64>() - self.calls[Operation::Read as usize],
        }
    }

    /// Counts the call and says what becomes of it.
    pub(super) fn judge(&mut self, operation: Operation) -> Verdict {
        let changes = operation != Operation::Read;
        let counted = self.fault.is_some_and(|fault| fault.operation.map_or(changes, |one| one == operation));
        let number = self.calls(self.fault.and_then(|fault| fault.operation));
        self.calls[operation as usize] += 1;
        let Some(fault) = self.fault else { return Verdict::Goes };
        if self.reached && fault.mode == FaultMode::Onwards && changes {
            return Verdict::Fails(fault.error);
        }
        if counted && !self.reached && number == fault.nth {
            self.reached = true;
            return Verdict::Fails(fault.error);
        }
        Verdict::Goes
    }
}
