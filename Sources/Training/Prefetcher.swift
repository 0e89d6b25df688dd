import Foundation

/// Makes numbered elements ahead of their use on background threads and hands them out in order.
///
/// An element depends on its number alone, so a run that is resumed, or uses another number of threads, sees the same.
public final class Prefetcher<Element: Sendable>: Sendable {
    private let shared: Shared

    /// What the threads share; every access is under the condition's lock.
    private final class Shared: @unchecked Sendable {
        let condition = NSCondition()
        let depth: Int
        let make: @Sendable (Int) throws -> Element
        var ready: [Int: Result<Element, any Error>] = [:]
        /// The number that is handed out next, and the next one to be made.
        var next: Int, upcoming: Int
        var isOver = false

        init(start: Int, depth: Int, make: @escaping @Sendable (Int) throws -> Element) {
            (next, upcoming, self.depth, self.make) = (start, start, depth, make)
        }

        /// A thread's work: makes whatever comes next while there is room.
        func work() {
            while let number = claim() {
                let result = Result { try make(number) }
                condition.withLock {
                    ready[number] = result
                    condition.broadcast()
                }
            }
        }

        private func claim() -> Int? {
            condition.withLock {
                while !isOver && upcoming >= next + depth { condition.wait() }
                if isOver { return nil }
                upcoming += 1
                return upcoming - 1
            }
        }

        func take() throws -> Element {
            let result = condition.withLock {
                while true {
                    if let result = ready.removeValue(forKey: next) { return result }
                    condition.wait()
                }
            }
            condition.withLock {
                next += 1
                condition.broadcast()
            }
            return try result.get()
        }
    }

    /// - Parameters:
    ///   - start: number of the first element.
    ///   - depth: elements that may wait to be used; bounds the memory.
    ///   - make: called on several threads at once.
    public init(start: Int, threads: Int, depth: Int, make: @escaping @Sendable (Int) throws -> Element) {
        let shared = Shared(start: start, depth: max(1, depth), make: make)
        self.shared = shared
        for _ in 0..<max(1, threads) {
            let thread = Thread { shared.work() }
            thread.stackSize = 8 << 20
            thread.start()
        }
    }

    deinit {
        shared.condition.withLock {
            shared.isOver = true
            shared.condition.broadcast()
        }
    }

    /// The number that `take()` hands out next.
    public var position: Int { shared.condition.withLock { shared.next } }

    /// The next element; waits for it. Call from one thread.
    /// - Throws: what making it threw.
    public func take() throws -> Element { try shared.take() }
}
