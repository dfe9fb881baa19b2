//! The engine: one command, one commit, one answer; generic over the log, ignorant of any domain.
