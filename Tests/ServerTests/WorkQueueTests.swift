import Foundation
import Server
import Synchronization
import Testing

/// Turns at the model.
@Suite struct WorkQueueTests {
    /// What happened, in order.
    private final class Log: Sendable {
        private let state = Mutex((names: [String](), now: 0, most: 0))

        func begin(_ name: String) {
            state.withLock {
                $0.names.append(name)
                $0.now += 1
                $0.most = max($0.most, $0.now)
            }
        }

        func end() { state.withLock { $0.now -= 1 } }
        var names: [String] { state.withLock { $0.names } }
        var most: Int { state.withLock { $0.most } }
    }

    @Test("A client with one request does not wait for all of a client with many")
    func fairness() async throws {
        let queue = WorkQueue(limit: 2), log = Log()
        try await withThrowingTaskGroup(of: Void.self) { group in
            func add(_ client: String) {
                group.addTask {
                    try await queue.turn(of: client) {
                        log.begin(client)
                        // Nobody is done before all have come.
                        while queue.count < 9 && log.names.count < 3 { try await Task.sleep(for: .milliseconds(2)) }
                        log.end()
                    }
                }
            }
            for _ in 0..<8 { add("many") }
            while queue.count < 8 { try await Task.sleep(for: .milliseconds(2)) }
            add("one")
            try await group.waitForAll()
        }
        // Two of the many were at work when it came; the first turn that ends is its, and logs of two that begin may change places.
        #expect(log.names.prefix(4).contains("one") && log.names.count == 9 && log.most <= 2, "\(log.names)")
    }

    @Test("Who gives up while waiting leaves the queue, and whoever fails gives its turn back")
    func givingUp() async throws {
        let queue = WorkQueue(limit: 1), log = Log()
        let first = Task {
            try await queue.turn(of: "a") {
                log.begin("a")
                try await Task.sleep(for: .seconds(600))
            }
        }
        while log.names.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        let second = Task { try await queue.turn(of: "b") { log.begin("b") } }
        try await Task.sleep(for: .milliseconds(10))
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
        first.cancel()
        await #expect(throws: CancellationError.self) { try await first.value }
        try await queue.turn(of: "c") { log.begin("c") }
        #expect(log.names == ["a", "c"])
    }
}
