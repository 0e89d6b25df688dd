/// Lets a few requests at a time to each host, with a gap between their starts.
actor HostTurns {
    private struct Line {
        var running = 0
        var waiting: [(id: UInt64, continuation: CheckedContinuation<Void, any Error>)] = []
        /// When the next request may start.
        var next = ContinuousClock.now
        /// Until when the host wants to be left alone, and the status by which it said so.
        var heldUntil = ContinuousClock.now
        var status = 0

        func isIdle(at now: ContinuousClock.Instant) -> Bool {
            running == 0 && waiting.isEmpty && next <= now && heldUntil <= now
        }
    }

    private let width: Int
    private let longestHold: Duration
    private var lines: [String: Line] = [:]
    private var lastID: UInt64 = 0
    /// Idle lines are removed when this many have gathered.
    private var sweepCount = 1024

    /// - Parameters:
    ///   - width: requests to a host at a time
    ///   - longestHold: requests to a host that wants to be left alone for longer fail
    init(width: Int, longestHold: Duration) {
        (self.width, self.longestHold) = (width, longestHold)
    }

    /// Waits for the host's turn. Each call that returns is followed by one of `leave`.
    /// - Throws: `DownloadError.status` for a host that wants to be left alone for long, `CancellationError`.
    func enter(_ host: String, gap: Duration) async throws {
        try await takePlace(host)
        do {
            try await waitForStart(host, gap: gap)
        } catch {
            leave(host)
            throw error
        }
    }

    func leave(_ host: String) {
        guard var line = lines[host] else { return }
        if line.waiting.isEmpty {
            line.running -= 1
        } else {
            // The place goes to the first in line.
            line.waiting.removeFirst().continuation.resume()
        }
        lines[host] = line
        sweep()
    }

    /// Leaves a host alone for a while.
    func hold(_ host: String, for time: Duration, status: Int) {
        let until = ContinuousClock.now + time
        guard let line = lines[host], until > line.heldUntil else { return }
        lines[host]?.heldUntil = until
        lines[host]?.status = status
    }

    // MARK: Waiting

    private func takePlace(_ host: String) async throws {
        if lines[host, default: Line()].running < width {
            lines[host, default: Line()].running += 1
            return
        }
        lastID += 1
        let id = lastID
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                // A cancellation that came before finds nobody in the line.
                if Task.isCancelled {
                    continuation.resume(throwing: CancellationError())
                } else {
                    lines[host]?.waiting.append((id, continuation))
                }
            }
        } onCancel: {
            Task { await self.giveUp(host, id) }
        }
    }

    private func giveUp(_ host: String, _ id: UInt64) {
        guard let index = lines[host]?.waiting.firstIndex(where: { $0.id == id }) else { return }
        lines[host]?.waiting.remove(at: index).continuation.resume(throwing: CancellationError())
    }

    private func waitForStart(_ host: String, gap: Duration) async throws {
        while let line = lines[host] {
            let now = ContinuousClock.now
            let start = max(line.next, line.heldUntil)
            if line.heldUntil - now > longestHold {
                throw DownloadError.status(line.status, retryAfter: (line.heldUntil - now) / .seconds(1))
            }
            if start <= now {
                lines[host]?.next = now + gap
                return
            }
            try await Task.sleep(until: start, clock: .continuous)
        }
    }

    private func sweep() {
        guard lines.count > sweepCount else { return }
        let now = ContinuousClock.now
        lines = lines.filter { !$0.value.isIdle(at: now) }
        sweepCount = max(1024, 2 * lines.count)
    }
}
