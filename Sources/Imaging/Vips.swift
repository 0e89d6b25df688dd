import CVips

/// The process-wide state of libvips: no operation cache, and one worker thread per call, since parallelism comes from
/// the callers (a server's requests, a loader's tasks), each of which may decode at the same time.
enum Vips {
    private static let startError: String? = cv_start() == CV_OK ? nil : takeError()

    /// Starts libvips on first use.
    ///
    /// - Throws: `ImagingError.libraryUnavailable`.
    static func start() throws {
        if let startError { throw ImagingError.libraryUnavailable(reason: startError) }
    }

    /// The last message of libvips on one line, without the full stop.
    static func takeError() -> String {
        guard let text = cv_take_error() else { return "unknown reason" }
        defer { cv_free(text) }
        let lines = String(cString: text).split(whereSeparator: \.isNewline)
        return lines.isEmpty ? "unknown reason" : lines.joined(separator: "; ")
    }
}
