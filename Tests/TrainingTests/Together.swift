import Foundation
import Testing
import Torch
import Training

/// What each of several threads comes to; every access is under the lock.
private final class Outcomes<Value>: @unchecked Sendable {
    private let condition = NSCondition()
    private var values: [Int: Result<Value, any Error>] = [:]

    func note(_ rank: Int, _ value: Result<Value, any Error>) {
        condition.withLock {
            values[rank] = value
            condition.signal()
        }
    }

    func wait(for count: Int) -> [Result<Value, any Error>] {
        condition.withLock {
            while values.count < count { condition.wait() }
            return (0..<count).compactMap { values[$0] }
        }
    }
}

/// Runs `body` on a thread for each rank.
func onThreads<Value>(_ count: Int, _ body: @escaping (Int) throws -> Value) -> [Result<Value, any Error>] {
    let outcomes = Outcomes<Value>()
    // Each call stays on its own thread; the caller waits for all of them.
    nonisolated(unsafe) let body = body
    for rank in 0..<count {
        Thread.detachNewThread { outcomes.note(rank, Result { try body(rank) }) }
    }
    return outcomes.wait(for: count)
}

/// Groups that stand for as many processes, one for each rank.
func groups(_ count: Int, timeout: Duration = .seconds(30)) throws -> [ProcessGroup] {
    let port = try freePort()
    return try onThreads(count) { rank in
        var place = ProcessPlace(rank: rank, count: count, host: "127.0.0.1", port: port)
        place.timeout = timeout
        return try ProcessGroup(place)
    }.map { try $0.get() }
}

func freePort() throws -> UInt16 {
    #if canImport(Darwin)
        let descriptor = socket(AF_INET, SOCK_STREAM, 0)
    #else
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #endif
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
        }
    }
    try #require(status == 0)
    return UInt16(bigEndian: address.sin_port)
}
