import AsyncHTTPClient
import NIOCore

/// Open connections to hosts, each host's to one judged address.
actor ConnectionShelf {
    private struct Slot {
        let client: HTTPClient
        let authority: String
        let address: String
        /// When the address was last found and judged.
        var judged: ContinuousClock.Instant
        var lastUse: ContinuousClock.Instant
        var users = 0
    }

    /// How long an address is taken for the host's without asking again.
    private static let lifetime = Duration.seconds(300)
    /// Hosts whose connections are kept while nobody uses them.
    private static let limit = 256

    private var slots: [Int: Slot] = [:]
    private var current: [String: Int] = [:]
    private var lastID = 0

    deinit {
        for slot in slots.values { Self.close(slot.client) }
    }

    /// Runs `body` with a client that connects to the target's host alone.
    /// - Parameter address: finds and judges the host's address
    nonisolated func withClient<Result: Sendable>(
        for target: DownloadTarget, address: @Sendable () async throws -> String,
        _ body: @Sendable (HTTPClient) async throws -> Result
    ) async throws -> Result {
        let taken = await take(target)
        let (id, client): (Int, HTTPClient)
        if let taken { (id, client) = taken } else { (id, client) = await place(target, at: try await address()) }
        do {
            let result = try await body(client)
            await putBack(id)
            return result
        } catch {
            await putBack(id)
            throw error
        }
    }

    private func take(_ target: DownloadTarget) -> (Int, HTTPClient)? {
        let now = ContinuousClock.now
        guard let id = current[target.authority], let slot = slots[id], now - slot.judged < Self.lifetime else {
            return nil
        }
        slots[id]?.users += 1
        slots[id]?.lastUse = now
        return (id, slot.client)
    }

    /// The client for an address that was just judged.
    private func place(_ target: DownloadTarget, at address: String) -> (Int, HTTPClient) {
        let now = ContinuousClock.now
        if let id = current[target.authority], slots[id]?.address == address {
            slots[id]?.judged = now
            if let taken = take(target) { return taken }
        }
        var configuration = HTTPClient.Configuration(host: target.host, at: address)
        configuration.connectionPool.idleTimeout = .seconds(30)
        // The waits between attempts are the session's.
        configuration.connectionPool.retryConnectionEstablishment = false
        let client = HTTPClient(configuration: configuration)
        lastID += 1
        let former = current.updateValue(lastID, forKey: target.authority)
        slots[lastID] = Slot(
            client: client, authority: target.authority, address: address, judged: now, lastUse: now, users: 1)
        if let former { closeIfUnused(former) }
        if slots.count > Self.limit { removeIdle() }
        return (lastID, client)
    }

    private func putBack(_ id: Int) {
        slots[id]?.users -= 1
        closeIfUnused(id)
    }

    /// Closes a client that another has replaced, when the last user is done.
    private func closeIfUnused(_ id: Int) {
        guard let slot = slots[id], slot.users == 0, current[slot.authority] != id else { return }
        slots[id] = nil
        Self.close(slot.client)
    }

    private func removeIdle() {
        let idle = slots.filter { $0.value.users == 0 }.sorted { $0.value.lastUse < $1.value.lastUse }
        for (id, slot) in idle.prefix(Self.limit / 4) {
            current[slot.authority] = nil
            closeIfUnused(id)
        }
    }

    private static func close(_ client: HTTPClient) {
        Task { try? await client.shutdown() }
    }
}
