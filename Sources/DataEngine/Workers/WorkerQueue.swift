import Foundation

/// The requests to a worker: those that wait, those that the process is working on, and those that it did not survive.
///
/// A request stays here until it is answered, however many processes that takes. Where a process ends over a batch, the
/// batch is asked again in parts, at last one request alone; one that ends it three times alone is given up.
actor WorkerQueue {
    private struct Request {
        let payload: [UInt8]
        let continuation: CheckedContinuation<[UInt8], any Error>
        /// Processes that ended while they worked on this alone.
        var deaths = 0
    }

    private let name: String
    private let options: PythonWorker.Options

    private var requests: [Int: Request] = [:]
    private var nextID = 0
    /// Requests that no process has seen, in their order.
    private var fresh: [Int] = []
    /// Requests whose process ended, in groups that are asked together.
    private var suspects: [[Int]] = []
    private var underWay: Set<Int> = []

    /// A process is wanted although nothing is asked yet.
    private var isWanted = false
    private var refusal: (error: WorkerError, end: ContinuousClock.Instant?)?
    private var sleepers: [CheckedContinuation<Void, Never>] = []

    // The present process.
    private(set) var processIdentifier: Int32?
    private(set) var isReady = false
    private(set) var fatal: String?
    private(set) var isOverdue = false
    /// When the process must have said something.
    private(set) var deadline: ContinuousClock.Instant?

    init(name: String, options: PythonWorker.Options) {
        (self.name, self.options) = (name, options)
    }

    // MARK: Callers

    /// - Returns: the line that answers
    func answer(to payload: [UInt8]) async throws -> [UInt8] {
        try checkAcceptance()
        let id = nextID
        nextID += 1
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                if Task.isCancelled { return continuation.resume(throwing: CancellationError()) }
                requests[id] = Request(payload: payload, continuation: continuation)
                fresh.append(id)
                wake()
            }
        } onCancel: {
            Task { await self.finish(id, .failure(CancellationError())) }
        }
    }

    /// Returns once a process is ready for work.
    func waitUntilReady() async throws {
        while !isReady {
            try checkAcceptance()
            try Task.checkCancellation()
            isWanted = true
            wake()
            await change()
        }
    }

    private func checkAcceptance() throws(WorkerError) {
        guard let refusal else { return }
        if let end = refusal.end, end <= .now { self.refusal = nil } else { throw refusal.error }
    }

    private func finish(_ id: Int, _ result: Result<[UInt8], any Error>) {
        requests.removeValue(forKey: id)?.continuation.resume(with: result)
    }

    // MARK: Supervision

    /// Waits until a process is needed. Returns without, too, when the task is cancelled.
    func waitForWork() async {
        while !hasWork, !isWanted, !Task.isCancelled { await change() }
    }

    /// Fails all requests, and those to come until an instant.
    func refuse(_ error: WorkerError, until end: ContinuousClock.Instant?) {
        refusal = (error, end)
        isWanted = false
        (fresh, suspects, underWay) = ([], [], [])
        for id in requests.keys { finish(id, .failure(error)) }
        wake()
    }

    func processStarted(_ identifier: Int32) {
        processIdentifier = identifier
        deadline = .now + options.startTime
        wake()
    }

    /// - Parameter reason: why, as a part of a sentence
    func processEnded(because reason: String) {
        let lost = underWay.filter { requests[$0] != nil }.sorted()
        underWay = []
        (processIdentifier, isReady, fatal, isOverdue, deadline) = (nil, false, nil, false, nil)
        if lost.count > 1 {
            let size = (lost.count + 7) / 8
            let starts = stride(from: 0, to: lost.count, by: size)
            suspects.insert(contentsOf: starts.map { Array(lost[$0..<min($0 + size, lost.count)]) }, at: 0)
        } else if let id = lost.first, var request = requests[id] {
            request.deaths += 1
            requests[id] = request
            if request.deaths < options.deathsPerRequest {
                suspects.insert([id], at: 0)
            } else {
                let error = WorkerRequestError.killsWorker(worker: name, count: request.deaths, last: reason)
                finish(id, .failure(error))
            }
        }
        wake()
    }

    // MARK: The process

    /// The next line for the process; it is due for answers from then on.
    ///
    /// - Returns: nil when the task is cancelled
    func nextBatch() async -> [UInt8]? {
        while !isReady || !hasWork {
            if Task.isCancelled { return nil }
            await change()
        }
        if suspects.isEmpty, options.gatherTime > .zero, options.batchSize > fresh.count {
            try? await Task.sleep(for: options.gatherTime)
        }
        if Task.isCancelled { return nil }
        let ids = takeBatch()
        if ids.isEmpty { return await nextBatch() }
        underWay = Set(ids)
        deadline = .now + options.answerTime
        wake()
        var line = Array(#"{"requests":["#.utf8)
        for (index, id) in ids.enumerated() {
            guard let request = requests[id] else { continue }
            line += "\(index == 0 ? "" : ","){\"id\":\(id),\"payload\":".utf8
            line += request.payload
            line.append(UInt8(ascii: "}"))
        }
        line += "]}\n".utf8
        return line
    }

    /// Returns once all requests of the batch are answered, or when the task is cancelled.
    func batchIsDone() async {
        while !underWay.isEmpty, !Task.isCancelled { await change() }
    }

    /// Waits for an instant by which the process must have said something, and until it passes.
    ///
    /// - Returns: whether it has kept silent; false when the task is cancelled
    func isSilent() async -> Bool {
        while !Task.isCancelled {
            guard let deadline else {
                await change()
                continue
            }
            if deadline <= .now {
                isOverdue = true
                return true
            }
            // In short steps, since a new deadline may be nearer.
            try? await Task.sleep(for: min(deadline - .now, .milliseconds(200)))
        }
        return false
    }

    /// - Returns: whether the line is one that a worker writes
    func receive(_ message: WorkerMessage, line: [UInt8]) -> Bool {
        if message.ready == true {
            (isReady, isWanted, deadline) = (true, false, nil)
        } else if let reason = message.fatal {
            fatal = reason
        } else if let id = message.id, underWay.remove(id) != nil {
            if let reason = message.error {
                finish(id, .failure(WorkerRequestError.refused(worker: name, reason: reason)))
            } else {
                finish(id, .success(line))
            }
            deadline = underWay.isEmpty ? nil : .now + options.answerTime
        } else if message.alive == true {
            if !underWay.isEmpty { deadline = .now + options.answerTime }
            return true
        } else {
            return false
        }
        wake()
        return true
    }

    private var hasWork: Bool { !fresh.isEmpty || !suspects.isEmpty }

    private func takeBatch() -> [Int] {
        if !suspects.isEmpty { return suspects.removeFirst().filter { requests[$0] != nil } }
        var ids: [Int] = [], taken = 0, bytes = 0
        for id in fresh {
            guard let request = requests[id] else {
                taken += 1
                continue
            }
            bytes += request.payload.count
            if ids.count == options.batchSize || !ids.isEmpty && bytes > options.batchBytes { break }
            taken += 1
            ids.append(id)
        }
        fresh.removeFirst(taken)
        return ids
    }

    // MARK: Waiting

    /// Returns after the next `wake`, or when the task is cancelled.
    private func change() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if Task.isCancelled { return continuation.resume() }
                sleepers.append(continuation)
            }
        } onCancel: {
            Task { await self.wake() }
        }
    }

    private func wake() {
        let woken = sleepers
        sleepers = []
        for continuation in woken { continuation.resume() }
    }
}

/// A line of a worker, as far as the queue needs it.
struct WorkerMessage: Decodable {
    var id: Int?
    var error: String?
    var ready: Bool?
    var fatal: String?
    var alive: Bool?

    init?(_ line: [UInt8]) {
        guard line.first == UInt8(ascii: "{"), let message = try? JSONDecoder().decode(Self.self, from: Data(line))
        else { return nil }
        self = message
    }
}
