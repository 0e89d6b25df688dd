/// Why a worker process is of no use to any request.
public enum WorkerError: Error, Sendable, Hashable, StopsRun {
    /// Python does not start, or lacks what the worker needs.
    case unusable(worker: String, reason: String)
    /// The process was started again and again and did not last.
    case diesTooOften(worker: String, count: Int, last: String)
    /// The program has stopped the worker.
    case stopped(worker: String)
}

extension WorkerError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unusable(let worker, let reason):
            """
            The worker for \(worker) cannot start: \(reason). Scripts/engine/install.sh installs what it needs into \
            .deps/engine-venv; the setting 'python' names another Python.
            """
        case .diesTooOften(let worker, let count, let last):
            "The worker for \(worker) ended \(count) times in short order, the last time because \(last)."
        case .stopped(let worker): "The worker for \(worker) was stopped."
        }
    }
}

/// Why a worker has no answer to one request; the others are not concerned.
public enum WorkerRequestError: Error, Sendable, Hashable {
    /// The worker's own message.
    case refused(worker: String, reason: String)
    /// The process did not survive this request, each time it was asked for it alone.
    case killsWorker(worker: String, count: Int, last: String)
    /// An answer of another form than expected.
    case unreadableAnswer(worker: String, reason: String)
}

extension WorkerRequestError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .refused(let worker, let reason): "The worker for \(worker): \(reason)"
        case .killsWorker(let worker, let count, let last):
            "The worker for \(worker) did not survive this request, \(count) times; the last time \(last)."
        case .unreadableAnswer(let worker, let reason):
            "The worker for \(worker) gave an answer that cannot be read: \(reason)"
        }
    }
}
