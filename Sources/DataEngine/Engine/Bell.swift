/// Wakes tasks that wait for something to change.
actor Bell {
    private var rings = 0
    private var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
    private var nextID = 0

    /// How often it has rung.
    var count: Int { rings }

    func ring() {
        rings += 1
        let woken = waiting.values
        waiting = [:]
        for continuation in woken { continuation.resume() }
    }

    /// Returns once it has rung more than `count` times, or when the task is cancelled.
    func wait(after count: Int) async {
        if rings > count || Task.isCancelled { return }
        let id = nextID
        nextID += 1
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if Task.isCancelled { return continuation.resume() }
                waiting[id] = continuation
            }
        } onCancel: {
            Task { await self.wake(id) }
        }
    }

    private func wake(_ id: Int) { waiting.removeValue(forKey: id)?.resume() }
}
