import NIOCore

/// Many downloads that share connections and manners.
///
/// Each host gets a few requests at a time with a gap between them, is asked for its robots.txt, and is left alone for as long as it
/// wants; what may pass is tried again after growing, random waits. As many files as the caller asks for at once are under way; a
/// connection is kept open and used again, and only ever leads to the address that was judged for its host.
public final class DownloadSession: Sendable {
    public let settings: DownloadSettings
    private let downloader: Downloader

    /// - Throws: `DownloadError.invalidSetting`.
    public convenience init(_ settings: DownloadSettings = .init()) throws(DownloadError) {
        try self.init(settings) { PublicAddress.contains($0) }
    }

    /// - Parameter isAllowed: judges resolved addresses in place of the usual rule
    package init(
        _ settings: DownloadSettings, isAllowed: @escaping @Sendable (SocketAddress) -> Bool
    ) throws(DownloadError) {
        try settings.validate()
        self.settings = settings
        let hosts = settings.allowedHosts.compactMap { HostPattern($0) }
        var downloader = Downloader(hosts: hosts.isEmpty ? nil : hosts, isAllowed: isAllowed)
        downloader.byteLimit = settings.byteLimit
        downloader.redirectLimit = settings.redirectLimit
        downloader.timeLimit = .seconds(settings.timeLimit)
        downloader.userAgent = settings.userAgent
        downloader.refusesOtherTypes = true
        downloader.manners = DownloadManners(settings)
        downloader.asksRobots = settings.respectRobots
        self.downloader = downloader
    }

    /// The file at an address.
    /// - Throws: `DownloadError`, `CancellationError`.
    public func bytes(from address: String) async throws -> [UInt8] {
        try await downloader.bytes(from: address, trying: settings)
    }
}

extension Downloader {
    /// The file at an address, tried again where the failure may pass.
    func bytes(from address: String, trying settings: DownloadSettings) async throws -> [UInt8] {
        var wait = settings.firstWait
        var attempt = 1
        while true {
            do {
                return try await bytes(from: address)
            } catch let error as DownloadError where error.isTransient && attempt < settings.attempts {
                var pause = wait * Double.random(in: 0.5...1)
                if case .status(_, let asked?) = error {
                    if asked > settings.longestWait { throw error }
                    pause = max(pause, asked)
                }
                try await Task.sleep(for: .seconds(pause))
            }
            attempt += 1
            wait = min(wait * 2, settings.longestWait)
        }
    }
}
