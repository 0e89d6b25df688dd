import Foundation

/// Ctrl-C and SIGTERM end the process at once, but never in the middle of a write.
package enum Interrupt {
    /// Held while something is written.
    private static let writing = NSLock()
    private static let state = NSLock()
    nonisolated(unsafe) private static var isInstalled = false
    nonisolated(unsafe) private static var received = false
    /// Where the signal handler puts the number of the signal: it may do no more than that.
    nonisolated(unsafe) private static var pipeEnds: [Int32] = [-1, -1]

    /// Whether a signal has come and waits for the write under way. Long writes look at this and stop.
    package static var isPending: Bool { state.withLock { received } }

    /// Starts to listen.
    /// - Parameter farewell: said before the process ends
    package static func install(saying farewell: String? = nil) {
        let isFirst = state.withLock {
            defer { isInstalled = true }
            return !isInstalled
        }
        guard isFirst, pipe(&pipeEnds) == 0 else { return }
        let reading = pipeEnds[0]
        Thread.detachNewThread {
            // Whoever started this process may have left the signals blocked; one thread that takes them is enough.
            var signals = sigset_t()
            sigemptyset(&signals)
            for number in [SIGINT, SIGTERM] { sigaddset(&signals, number) }
            pthread_sigmask(SIG_UNBLOCK, &signals, nil)
            var number: UInt8 = 0
            while read(reading, &number, 1) != 1 {}
            state.withLock { received = true }
            writing.lock()
            Terminal.clearProgress()
            if let farewell { Terminal.complain(farewell) }
            _exit(128 + Int32(number))
        }
        for number in [SIGINT, SIGTERM] { listen(to: number) }
    }

    /// Runs a write that must be whole or not at all.
    package static func uninterrupted<Result>(_ body: () throws -> Result) rethrows -> Result {
        try writing.withLock { try body() }
    }

    private static func listen(to number: Int32) {
        var action = sigaction(), former = sigaction()
        sigaction(number, nil, &former)
        // A shell's background jobs and `nohup` ignore the signal on purpose.
        if former.ignoresSignal { return }
        action.setHandler { number in
            var byte = UInt8(truncatingIfNeeded: number)
            _ = write(Interrupt.pipeEnds[1], &byte, 1)
        }
        action.sa_flags = Int32(SA_RESTART)
        sigaction(number, &action, nil)
    }
}

// The handler sits in a union whose name differs between systems.
extension sigaction {
    fileprivate var ignoresSignal: Bool {
        let ignore = unsafeBitCast(SIG_IGN, to: Int.self)
        #if canImport(Glibc)
            return unsafeBitCast(__sigaction_handler.sa_handler, to: Int.self) == ignore
        #else
            return unsafeBitCast(__sigaction_u.__sa_handler, to: Int.self) == ignore
        #endif
    }

    fileprivate mutating func setHandler(_ handler: @escaping @convention(c) (Int32) -> Void) {
        #if canImport(Glibc)
            __sigaction_handler.sa_handler = handler
        #else
            __sigaction_u.__sa_handler = handler
        #endif
    }
}
