import Downloading
import Foundation

/// How a server is run.
public struct ServerOptions: Sendable {
    /// Address to listen on.
    public var host = "127.0.0.1"
    /// 0 takes any free one.
    public var port = 8080
    /// A request must carry one of these; none asks for none.
    public var apiKeys: [String] = []
    /// Whether a server that others can reach may go without keys.
    public var allowsAnyone = false
    /// Web pages of these origins (`https://example.org`) may use the server beside its own page.
    public var allowedOrigins: [String] = []
    /// Hosts from which pictures are fetched whose addresses come with requests; none fetches nothing. Addresses that are not of the
    /// public Internet are refused whatever their name.
    public var imageHosts: [HostPattern] = []
    /// Whether earlier turns of a chat are part of the question; for models that were trained on conversations.
    public var readsHistory = false
    /// The name that the model goes by.
    public var modelName = "nano"
    /// Requests that are worked on at a time; their answers are written together.
    public var concurrency = 8
    /// Requests that may wait beside those that are worked on.
    public var queueLimit = 32
    /// How long a request may wait and be worked on, all in all.
    public var deadline = Duration.seconds(120)
    /// How long a request's body may take to arrive.
    public var uploadTime = Duration.seconds(30)
    /// Most bytes of a request's body.
    public var bodyLimit = 20 << 20
    /// Most pixels of a picture.
    public var pixelLimit = 25_000_000
    /// Most categories or phrases in a request.
    public var phraseLimit = 200
    /// Most boxes in a request.
    public var boxLimit = 100
    /// Open connections; more wait.
    public var connectionLimit = 64
    /// Requests for work in a minute from one key, or from one address where there are no keys; nil sets no limit.
    public var requestsPerMinute: Int?

    public init() {}

    /// Whether only this machine reaches the address.
    public var isLocal: Bool {
        host == "localhost" || host == "::1" || host.hasPrefix("127.") && host.split(separator: ".").count == 4
    }

    /// - Throws: `ServerError` for settings that would leave the server open or useless.
    public func validate() throws(ServerError) {
        if !isLocal && apiKeys.isEmpty && !allowsAnyone {
            throw .configuration(
                "\(host) can be reached by other machines: give --api-key or CHATREX_API_KEY, or --allow-anyone to do without"
            )
        }
        if apiKeys.contains(where: { $0.utf8.count < 8 || !$0.utf8.allSatisfy { (33...126).contains($0) } }) {
            throw .configuration("an API key needs 8 or more visible ASCII characters")
        }
        if !(0...65535).contains(port) { throw .configuration("the port must be within 0...65535") }
        if queueLimit < 0 || concurrency < 1 || bodyLimit < 1 || pixelLimit < 1 || connectionLimit < 1
            || (requestsPerMinute ?? 1) < 1
        {
            throw .configuration("limits must be at least 1")
        }
    }
}
