/// The robots.txt of each host, asked for once and kept for a while.
actor RobotsCache {
    private enum Outcome: Sendable {
        case rules(RobotsRules)
        case failure(DownloadError)
        case cancelled
    }

    private struct Entry {
        let id: Int
        let task: Task<Outcome, Never>
        var expires: ContinuousClock.Instant
    }

    /// RFC 9309, section 2.4: no longer than a day.
    private static let lifetime = Duration.seconds(24 * 3600)
    private static let lifetimeOfFailure = Duration.seconds(600)
    private static let limit = 20_000

    private var entries: [String: Entry] = [:]
    private var lastID = 0

    /// - Throws: `DownloadError.robotsUnreachable`, or why the host cannot be asked at all; `CancellationError`.
    func rules(
        for target: DownloadTarget, by downloader: Downloader, trying settings: DownloadSettings
    ) async throws -> RobotsRules {
        let origin = "\(target.scheme)://\(target.authority)"
        while true {
            try Task.checkCancellation()
            let entry = entry(for: origin) { await Self.ask(target, by: downloader, trying: settings) }
            let outcome = await withTaskCancellationHandler {
                await entry.task.value
            } onCancel: {
                entry.task.cancel()
            }
            switch outcome {
            case .rules(let rules): return rules
            case .failure(let error):
                shorten(origin, entry.id)
                throw error
            case .cancelled:
                // Whoever started it gave up; the next in line starts anew.
                if entries[origin]?.id == entry.id { entries[origin] = nil }
            }
        }
    }

    private func entry(for origin: String, _ work: @escaping @Sendable () async -> Outcome) -> Entry {
        let now = ContinuousClock.now
        if let entry = entries[origin], entry.expires > now { return entry }
        if entries.count >= Self.limit {
            let oldest = entries.sorted { $0.value.expires < $1.value.expires }.prefix(Self.limit / 2)
            for (origin, _) in oldest { entries[origin] = nil }
        }
        lastID += 1
        let entry = Entry(id: lastID, task: Task { await work() }, expires: now + Self.lifetime)
        entries[origin] = entry
        return entry
    }

    private func shorten(_ origin: String, _ id: Int) {
        guard let entry = entries[origin], entry.id == id else { return }
        entries[origin]?.expires = min(entry.expires, ContinuousClock.now + Self.lifetimeOfFailure)
    }

    /// RFC 9309, section 2.3.1: refused or missing means that all is allowed, unreachable that nothing is.
    private static func ask(
        _ target: DownloadTarget, by downloader: Downloader, trying settings: DownloadSettings
    ) async -> Outcome {
        var downloader = downloader
        (downloader.asksRobots, downloader.refusesOtherTypes, downloader.cutsAtLimit) = (false, false, true)
        (downloader.byteLimit, downloader.redirectLimit) = (512 << 10, 5)
        do {
            let bytes = try await downloader.bytes(from: target.robots, trying: settings)
            return .rules(RobotsRules(bytes, userAgent: settings.userAgent))
        } catch let error as DownloadError {
            switch error {
            case .status, .timeout, .failed, .robotsUnreachable:
                if !error.isTransient { return .rules(.allowingAll) }
                return .failure(.robotsUnreachable(host: target.host, reason: error.description))
            case .tooManyRedirects: return .rules(.allowingAll)
            default: return .failure(error)
            }
        } catch {
            return .cancelled
        }
    }
}
