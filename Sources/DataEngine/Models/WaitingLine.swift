/// Tasks that wait for a signal, first come, first served. Kept by an actor; a cancelled task stops waiting.
struct WaitingLine {
    private var feeds: [(ticket: Int, feed: AsyncStream<Void>.Continuation)] = []
    private var next = 0

    /// Adds a waiter, who then iterates over the signal until it ends.
    mutating func join() -> (ticket: Int, signal: AsyncStream<Void>) {
        let (signal, feed) = AsyncStream<Void>.makeStream()
        defer { next += 1 }
        feeds.append((next, feed))
        return (next, signal)
    }

    /// Ends the wait of the first.
    /// - Returns: whether there was one
    mutating func wakeFirst() -> Bool {
        if feeds.isEmpty { return false }
        feeds.removeFirst().feed.finish()
        return true
    }

    mutating func wakeAll() {
        while wakeFirst() {}
    }

    /// - Returns: whether the waiter had not been woken
    mutating func leave(_ ticket: Int) -> Bool {
        guard let index = feeds.firstIndex(where: { $0.ticket == ticket }) else { return false }
        feeds.remove(at: index).feed.finish()
        return true
    }
}

extension AsyncStream<Void> {
    /// Waits for the end of the stream, or of the task.
    func end() async {
        for await _ in self {}
    }
}
