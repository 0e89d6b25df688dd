import Foundation

/// Runs an actor's work on one thread of its own, since libtorch keeps gradient and autocast modes per thread and a forward pass
/// must not block the threads that Swift's tasks share.
package final class ModelExecutor: SerialExecutor {
    private let queue = JobQueue()

    package init(name: String) {
        let queue = queue
        let thread = Thread { while let job = queue.next() { job() } }
        thread.name = name
        thread.stackSize = 8 << 20
        thread.start()
    }

    deinit {
        queue.close()
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = asUnownedSerialExecutor()
        queue.append { job.runSynchronously(on: executor) }
    }
}

/// Work waiting for a thread. All state is behind the condition's lock.
private final class JobQueue: @unchecked Sendable {
    private let condition = NSCondition()
    private var jobs: [@Sendable () -> Void] = []
    private var isClosed = false

    func append(_ job: @escaping @Sendable () -> Void) {
        condition.withLock {
            jobs.append(job)
            condition.signal()
        }
    }

    /// Waits for work; nil once closed and empty.
    func next() -> (@Sendable () -> Void)? {
        condition.withLock {
            while jobs.isEmpty && !isClosed { condition.wait() }
            return jobs.isEmpty ? nil : jobs.removeFirst()
        }
    }

    func close() {
        condition.withLock {
            isClosed = true
            condition.signal()
        }
    }
}
