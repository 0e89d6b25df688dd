/// Decides when a request to an endpoint may begin: so many at a time, so many a minute, none while it asks for a pause or is down.
actor RequestGate {
    private let interval: Duration
    private let clock = ContinuousClock()
    private var free: Int
    private var waitingForPlace = WaitingLine()
    private var nextStart: ContinuousClock.Instant
    private var pausedUntil: ContinuousClock.Instant

    // While someone looks whether the endpoint is there, nobody begins.
    private var isExamined = false
    private var waitingForFinding = WaitingLine()
    private var wasDown = false
    /// Since when nothing has worked, where it was found so.
    private(set) var downSince: ContinuousClock.Instant?

    /// - Parameter perMinute: 0 for no limit
    init(concurrency: Int, perMinute: Int) {
        free = concurrency
        interval = perMinute > 0 ? .seconds(60) / perMinute : .zero
        (nextStart, pausedUntil) = (clock.now, clock.now)
    }

    /// Waits until a request may begin; ``leave()`` must follow.
    /// - Throws: `CancellationError`.
    func enter() async throws {
        try await takePlace()
        do {
            while true {
                if isExamined {
                    try await finding()
                    continue
                }
                let start = max(nextStart, pausedUntil), now = clock.now
                if start <= now {
                    nextStart = now + interval
                    return
                }
                try await clock.sleep(until: start)
            }
        } catch {
            leave()
            throw error
        }
    }

    func leave() {
        if !waitingForPlace.wakeFirst() { free += 1 }
    }

    private func takePlace() async throws {
        try Task.checkCancellation()
        if free > 0 {
            free -= 1
            return
        }
        let (ticket, signal) = waitingForPlace.join()
        await signal.end()
        if Task.isCancelled {
            // A place that came at the same time goes to the next.
            if !waitingForPlace.leave(ticket) { leave() }
            throw CancellationError()
        }
    }

    /// No request begins for a while.
    func pause(_ duration: Duration) {
        pausedUntil = max(pausedUntil, clock.now + duration)
    }

    func noteSuccess() { downSince = nil }

    // MARK: Whether anybody is there

    /// - Returns: false where someone else is looking
    func beginExamination() -> Bool {
        if isExamined { return false }
        isExamined = true
        return true
    }

    func noteDown() { downSince = downSince ?? clock.now }

    func endExamination(wasDown: Bool) {
        (isExamined, self.wasDown) = (false, wasDown)
        waitingForFinding.wakeAll()
    }

    /// Waits for what the one who looks finds: whether the endpoint was down.
    @discardableResult func finding() async throws -> Bool {
        if isExamined {
            let (ticket, signal) = waitingForFinding.join()
            await signal.end()
            if Task.isCancelled {
                _ = waitingForFinding.leave(ticket)
                throw CancellationError()
            }
        }
        return wasDown
    }
}
