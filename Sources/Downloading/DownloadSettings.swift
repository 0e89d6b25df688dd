/// How many files are downloaded without being a burden to anybody.
public struct DownloadSettings: Codable, Sendable, Equatable {
    /// How the requests present themselves. A crawler gives a name, and an address that says who runs it:
    /// `example-lab-bot/1.0 (+https://example.org/bot)`. The name is what a robots.txt knows it by.
    public var userAgent = "chatrex"
    /// Hosts that may be asked, as `HostPattern` has them; all when empty.
    public var allowedHosts: [String] = []
    /// Most bytes of a file.
    public var byteLimit = 20 << 20
    public var redirectLimit = 3
    /// Seconds for one attempt, without waiting for the host's turn.
    public var timeLimit = 30.0
    /// How often a file is tried where the failure may pass: no connection, time over, status 408, 429 or 5xx.
    public var attempts = 4
    /// Seconds before the second attempt; doubled before each further one, and shortened at random by up to a half.
    public var firstWait = 1.0
    /// Most seconds before an attempt. A host that asks for more by `Retry-After` is not asked again: its files fail.
    public var longestWait = 60.0
    /// Requests to one host at a time.
    public var connectionsPerHost = 4
    /// Seconds from the start of a request to that of the next to the same host. A `Crawl-delay` in its robots.txt counts if longer.
    public var secondsBetweenRequests = 0.1
    /// Whether the robots.txt of each host is asked for and followed.
    public var respectRobots = true

    public init() {}

    /// - Throws: `DownloadError.invalidSetting` for the first setting that nothing can be downloaded with.
    public func validate() throws(DownloadError) {
        func require(_ holds: Bool, _ name: String, _ reason: String) throws(DownloadError) {
            if !holds { throw DownloadError.invalidSetting(name: name, reason: reason) }
        }
        try require(
            !userAgent.isEmpty && userAgent.utf8.allSatisfy { (0x20...0x7E).contains($0) }, "userAgent",
            "it needs printable ASCII characters")
        for host in allowedHosts where HostPattern(host) == nil {
            try require(false, "allowedHosts", "'\(host)' is no host such as images.example.org or *.example.org")
        }
        try require(byteLimit > 0, "byteLimit", "it must be at least 1")
        try require((0...20).contains(redirectLimit), "redirectLimit", "it must be between 0 and 20")
        try require(timeLimit > 0 && timeLimit <= 600, "timeLimit", "it must be more than 0 and at most 600 seconds")
        try require((1...20).contains(attempts), "attempts", "it must be between 1 and 20")
        try require(firstWait >= 0 && firstWait <= longestWait, "firstWait", "it must be between 0 and longestWait")
        try require(longestWait >= 0 && longestWait <= 86_400, "longestWait", "it must be between 0 and 86400 seconds")
        try require(connectionsPerHost > 0, "connectionsPerHost", "it must be at least 1")
        try require(
            secondsBetweenRequests >= 0 && secondsBetweenRequests <= 3600, "secondsBetweenRequests",
            "it must be between 0 and 3600")
    }
}
