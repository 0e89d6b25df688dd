import Testing

/// Tests that use libtorch's random generator or the process's signals: one at a time.
@Suite(.serialized) enum SharedStateTests {}
