import ArgumentParser
import ChatRex
import Downloading
import Foundation
import Logging
import Server

/// The model as a service.
package struct ServeCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve the model over HTTP, with a web page.",
        discussion: """
            Prints the address and serves until interrupted; then accepted requests are answered first. Only this machine reaches \
            the server unless --host says otherwise, which takes an API key.

            EXAMPLES
              chatrex serve
              CHATREX_API_KEY=... chatrex serve --host 0.0.0.0 --port 80
            """)

    @Option(help: "Address to listen on; 0.0.0.0 is every address of the machine.")
    var host = "127.0.0.1"

    @Option(help: "Port to listen on; 0 takes a free one.")
    var port = 8080

    @Option(
        name: .customLong("api-key"),
        help: ArgumentHelp(
            "A key that requests must carry; may be repeated. CHATREX_API_KEY, which other users of the machine do not see, may hold one too.",
            valueName: "key"))
    var apiKeys: [String] = []

    @Flag(help: "Serve other machines without an API key.")
    var allowAnyone = false

    @Option(
        name: .customLong("cors-origin"),
        help: ArgumentHelp("Origin of other web pages that may use the server; may be repeated.", valueName: "origin"))
    var origins: [String] = []

    @Option(
        name: .customLong("image-host"),
        help: ArgumentHelp(
            "Host from which pictures are fetched whose addresses come with requests, such as images.example.org or *.example.org; may be repeated. (default: none)",
            valueName: "host"))
    var imageHosts: [String] = []

    @Flag(help: "Let the model read earlier turns of a chat; for models that were trained on conversations.")
    var history = false

    @Option(help: "Requests that are worked on at a time.")
    var concurrency = ServerOptions().concurrency

    @Option(help: "Requests that may wait beside those; more are answered with 429.")
    var queue = ServerOptions().queueLimit

    @Option(help: "Seconds that a request may wait and be worked on.")
    var deadline = 120

    @Option(help: "Requests for work in a minute, by key or address. (default: no limit)")
    var rateLimit: Int?

    @Flag(help: "Do not log requests.")
    var quiet = false

    @OptionGroup(title: "Model") var model: ModelOptions

    package init() {}

    private var options: ServerOptions {
        var options = ServerOptions()
        (options.host, options.port) = (host, port)
        let key = ProcessInfo.processInfo.environment["CHATREX_API_KEY"] ?? ""
        options.apiKeys = apiKeys + (key.isEmpty ? [] : [key])
        (options.allowsAnyone, options.allowedOrigins) = (allowAnyone, origins)
        options.readsHistory = history
        options.imageHosts = imageHosts.compactMap(HostPattern.init)
        options.modelName = URL(fileURLWithPath: model.model).lastPathComponent
        (options.queueLimit, options.requestsPerMinute) = (queue, rateLimit)
        (options.concurrency, options.deadline) = (concurrency, .seconds(deadline))
        return options
    }

    package func validate() throws {
        if let odd = imageHosts.first(where: { HostPattern($0) == nil }) {
            throw ValidationError("--image-host: '\(odd)' is no host; write images.example.org or *.example.org.")
        }
        if !(1...86_400).contains(deadline) { throw ValidationError("--deadline must be within 1...86400.") }
        do { try options.validate() } catch { throw ValidationError("\(error)") }
    }

    package func run() async throws {
        var logger = Logger(label: "chatrex") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = quiet ? .warning : .info
        let server = try ChatRexServer(options, logger: logger, load: model.loader())
        try await server.run(endsOnSignals: true) { address in
            // Who closed standard output does not want to know.
            _ = try? Terminal.write("listening on \(address)")
        }
    }
}
