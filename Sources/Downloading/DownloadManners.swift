import Foundation

/// What the requests of a session share: the hosts' turns, their robots.txt, and the open connections.
final class DownloadManners: Sendable {
    let connections = ConnectionShelf()
    private let settings: DownloadSettings
    private let turns: HostTurns
    private let robots = RobotsCache()

    init(_ settings: DownloadSettings) {
        self.settings = settings
        turns = HostTurns(width: settings.connectionsPerHost, longestHold: .seconds(settings.longestWait))
    }

    /// Waits until a request may begin. Each call that returns is followed by one of `leave`.
    ///
    /// - Parameter downloader: asks for the robots.txt; nil where it plays no part
    /// - Throws: `DownloadError`, `CancellationError`.
    func enter(_ target: DownloadTarget, robotsBy downloader: Downloader?) async throws {
        var gap = settings.secondsBetweenRequests
        if let downloader {
            let rules = try await robots.rules(for: target, by: downloader, trying: settings)
            guard rules.allow(target.path) else { throw DownloadError.disallowed(target.url.absoluteString) }
            gap = max(gap, rules.delay ?? 0)
            // Nobody can wait so long; to ask sooner would be against the host's will.
            if gap > max(settings.longestWait, settings.secondsBetweenRequests) {
                throw DownloadError.disallowed(target.url.absoluteString)
            }
        }
        try await turns.enter(target.authority, gap: .seconds(gap))
    }

    func leave(_ target: DownloadTarget, after error: DownloadError? = nil) async {
        if case .status(let code, let asked) = error, code == 429 || code == 503 {
            let time = asked ?? (code == 429 ? settings.firstWait : 0)
            await turns.hold(target.authority, for: .seconds(min(time, 86_400)), status: code)
        }
        await turns.leave(target.authority)
    }
}
