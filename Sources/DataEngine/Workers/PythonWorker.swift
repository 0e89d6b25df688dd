import Foundation

/// A Python process that works on requests of many callers, kept alive: JSON lines over pipes, see `worker.py`.
///
/// Requests that come at the same time are handed over together. The process starts with the first request. Where it
/// dies or falls silent it is replaced, and what it had not answered is asked again; nobody is answered twice. It ends
/// with this object, with `stop()`, or with the program.
public final class PythonWorker: Sendable {
    public struct Options: Sendable {
        /// Most requests that are handed over together.
        public var batchSize = 64
        /// Most bytes of them; a larger request goes alone.
        public var batchBytes = 1 << 20
        /// How long an idle process waits for more requests to come along.
        public var gatherTime = Duration.milliseconds(3)
        /// How long a process may take to be ready.
        public var startTime = Duration.seconds(180)
        /// How long a process may say nothing while it works.
        public var answerTime = Duration.seconds(120)
        /// Processes that may end within `restartWindow`, or one after the other before they are ready, until the
        /// worker is given up for as long.
        public var restartLimit = 30
        public var restartWindow = Duration.seconds(60)
        /// Processes that one request may end before it is given up.
        public var deathsPerRequest = 3
        /// Most bytes of an answer.
        public var answerBytes = 1 << 28

        public init() {}
    }

    private let name: String
    private let queue: WorkerQueue
    private let supervisor: Task<Void, Never>

    /// - Parameters:
    ///   - name: of what it does, for messages
    ///   - script: Python source that ends with `serve(load)`
    ///   - settings: what `load` is given
    ///   - python: the interpreter; by default that of `.deps/engine-venv`, else `python3`
    public init(
        name: String, script: [UInt8], settings: some Encodable, python: String? = nil, options: Options = Options()
    ) throws {
        let source = PackageResources.worker_py + [UInt8(ascii: "\n")] + script
        let process = WorkerProcess(
            python: python ?? Self.installedPython,
            arguments: [
                "-c", String(decoding: source, as: UTF8.self),
                String(decoding: try JSONEncoder().encode(settings), as: UTF8.self),
            ], lineLimit: options.answerBytes)
        let queue = WorkerQueue(name: name, options: options)
        Self.ignoreBrokenPipes
        (self.name, self.queue) = (name, queue)
        supervisor = Task { await Self.supervise(process, queue, name, options) }
    }

    deinit { supervisor.cancel() }

    /// Starts the process, if it does not run yet, and returns once it is ready.
    ///
    /// - Throws: `WorkerError` where that cannot be.
    public func start() async throws {
        try await queue.waitUntilReady()
    }

    /// - Throws: `WorkerError` for a worker that is of no use, `WorkerRequestError` for a request without an answer.
    public func ask<Answer: Decodable>(_ request: some Encodable, for type: Answer.Type = Answer.self) async throws
        -> Answer
    {
        let line = try await queue.answer(to: Array(try JSONEncoder().encode(request)))
        do {
            return try JSONDecoder().decode(Reply<Answer>.self, from: Data(line)).result
        } catch {
            throw WorkerRequestError.unreadableAnswer(worker: name, reason: "\(error)")
        }
    }

    /// Ends the process; requests that are not answered fail.
    public func stop() async {
        supervisor.cancel()
        await supervisor.value
    }

    /// Of the process that runs, if one does.
    package var processIdentifier: Int32? {
        get async { await queue.processIdentifier }
    }

    private struct Reply<Answer: Decodable>: Decodable {
        var result: Answer
    }

    private static var installedPython: String {
        // Beside where one works, or in the package, so that the program can be called from anywhere.
        var package = URL(fileURLWithPath: #filePath)
        for _ in 0..<4 { package.deleteLastPathComponent() }
        let places = [
            ".deps/engine-venv/bin/python", package.appendingPathComponent(".deps/engine-venv/bin/python").path,
        ]
        return places.first(where: FileManager.default.isExecutableFile) ?? "python3"
    }

    /// Writing to a process that has died must be an error, not the end of the program.
    private static let ignoreBrokenPipes: Void = { _ = signal(SIGPIPE, SIG_IGN) }()

    /// Sees to it that there is a process whenever there is work.
    private static func supervise(
        _ process: WorkerProcess, _ queue: WorkerQueue, _ name: String, _ options: Options
    ) async {
        var deaths: [ContinuousClock.Instant] = [], stillborn = 0
        while !Task.isCancelled {
            await queue.waitForWork()
            if Task.isCancelled { break }
            switch await process.live(serving: queue) {
            case .cancelled: break
            case .unusable(let reason):
                await queue.processEnded(because: reason)
                await queue.refuse(.unusable(worker: name, reason: reason), until: nil)
            case .died(let reason, let wasReady):
                await queue.processEnded(because: reason)
                let now = ContinuousClock.now
                deaths = deaths.filter { now - $0 < options.restartWindow } + [now]
                stillborn = wasReady ? 0 : stillborn + 1
                let count = max(deaths.count, stillborn)
                if count > options.restartLimit {
                    await queue.refuse(
                        .diesTooOften(worker: name, count: count, last: reason),
                        until: now + options.restartWindow)
                    (deaths, stillborn) = ([], 0)
                }
            }
        }
        await queue.refuse(.stopped(worker: name), until: nil)
    }
}
