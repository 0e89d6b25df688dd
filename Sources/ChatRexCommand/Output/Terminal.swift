import Foundation

/// Standard output and standard error.
package enum Terminal {
    private static let lock = NSLock()
    nonisolated(unsafe) private static var hasProgress = false

    /// Whether standard error is looked at by a person: then progress may overwrite itself.
    package static let isInteractive = isatty(STDERR_FILENO) != 0 && environment("TERM") != "dumb"
    private static let hasColor = isInteractive && (environment("NO_COLOR") ?? "").isEmpty

    /// Writes results to standard output, whole lines at a time.
    ///
    /// - Throws: `CommandLineError.brokenOutput`.
    package static func write(_ text: String) throws {
        if text.isEmpty { return }
        clearProgress()
        do {
            try Interrupt.uninterrupted { try FileHandle.standardOutput.write(contentsOf: Data((text + "\n").utf8)) }
        } catch {
            throw CommandLineError.brokenOutput(reason: ExitStatus.message(error))
        }
    }

    /// Says what went wrong.
    package static func complain(_ message: String) {
        say(hasColor ? "\u{1B}[31mchatrex:\u{1B}[0m \(printable(message))" : "chatrex: \(printable(message))")
    }

    /// Says what the user should know about a result.
    package static func warn(_ message: String) {
        say(hasColor ? "\u{1B}[33mwarning:\u{1B}[0m \(printable(message))" : "warning: \(printable(message))")
    }

    /// Shows what is being done: one line that the next one replaces, or, where nobody looks, a line in the log.
    ///
    /// - Parameter isLogged: whether it is worth a line in a log.
    package static func showProgress(_ text: String, isLogged: Bool = true) {
        if isInteractive {
            lock.withLock {
                emit("\r\u{1B}[K" + printable(text))
                hasProgress = true
            }
        } else if isLogged {
            say(printable(text))
        }
    }

    package static func clearProgress() {
        lock.withLock {
            if hasProgress { emit("\r\u{1B}[K") }
            hasProgress = false
        }
    }

    /// Text without the control characters by which a file name could command the terminal; line breaks stay.
    package static func printable(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            result.append(scalar.properties.generalCategory == .control && scalar != "\n" ? "\u{FFFD}" : scalar)
        }
        return String(result)
    }

    private static func say(_ line: String) {
        clearProgress()
        emit(line + "\n")
    }

    private static func emit(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }

    private static func environment(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }
}
