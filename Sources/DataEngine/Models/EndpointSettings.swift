import Foundation

/// Where a language model is asked, how often, and what it costs.
public struct EndpointSettings: Codable, Sendable, Equatable {
    /// How an endpoint is held to one of a few answers.
    public enum Choices: String, Codable, Sendable, CaseIterable {
        /// It is only asked to.
        case free
        /// By a grammar, as llama.cpp's server and llama-cpp-python's read it.
        case grammar
        /// By `structured_outputs`, as vLLM reads it.
        case structured
    }

    /// Address of the server, with or without `/v1`: `http://127.0.0.1:8000`.
    public var url = "http://127.0.0.1:8000"
    /// The model's name there; empty for servers that have one model.
    public var model = ""
    /// Environment variable that holds the key; empty where none is asked for. The key itself is never stored.
    public var keyVariable = ""
    /// Time for one answer, from the request's first byte to the answer's last.
    public var timeoutSeconds = 120.0
    public var connectSeconds = 10.0
    /// How often a request is sent before it fails, where a repetition has a chance.
    public var attempts = 5
    /// Wait before the second attempt; it doubles with every further one, up to a minute.
    public var retryDelaySeconds = 1.0
    /// Whether requests wait while nobody answers at the address, instead of using up their attempts.
    public var waitsWhenDown = true
    /// How long an endpoint may be down, or refuse for its rate limit, before the run stops.
    public var patienceSeconds = 1800.0
    /// Requests at a time.
    public var concurrency = 4
    /// Most requests that begin within a minute, evenly spaced; 0 for no limit.
    public var requestsPerMinute = 0
    public var temperature = 0.0
    public var seed = 0
    /// Most tokens of an answer.
    public var maxTokens = 128
    /// Further parameters of the request as a JSON object: `{"top_p": 0.9}`. They win over all others; null leaves one out.
    public var parameters = ""
    public var choices = Choices.free
    /// Price of a million tokens that are read.
    public var promptPrice = 0.0
    /// Price of a million tokens that are written.
    public var completionPrice = 0.0
    /// Most bytes of an answer.
    public var responseBytes = 4 << 20

    public init() {}

    /// - Parameter name: of these settings within the recipe
    /// - Throws: `EngineError.invalidSetting`.
    public func validate(as name: String = "endpoint") throws {
        _ = try address(as: name)
        try EngineError.check(timeoutSeconds, 0.001...86_400, "\(name).timeoutSeconds")
        try EngineError.check(connectSeconds, 0.001...3600, "\(name).connectSeconds")
        try EngineError.check(attempts, 1...100, "\(name).attempts")
        try EngineError.check(retryDelaySeconds, 0.001...60, "\(name).retryDelaySeconds")
        try EngineError.check(patienceSeconds, 0...2_592_000, "\(name).patienceSeconds")
        try EngineError.check(concurrency, 1...4096, "\(name).concurrency")
        try EngineError.check(requestsPerMinute, 0...1_000_000, "\(name).requestsPerMinute")
        try EngineError.check(temperature, 0...5, "\(name).temperature")
        try EngineError.check(seed, 0...Int(Int32.max), "\(name).seed")
        try EngineError.check(maxTokens, 1...1_000_000, "\(name).maxTokens")
        try EngineError.check(promptPrice, 0...1e6, "\(name).promptPrice")
        try EngineError.check(completionPrice, 0...1e6, "\(name).completionPrice")
        try EngineError.check(responseBytes, 1024...(1 << 30), "\(name).responseBytes")
        _ = try extra(as: name)
    }

    /// The address below which the interface lies, ending with `/v1`.
    func address(as name: String = "endpoint") throws -> URL {
        guard let parts = URLComponents(string: url), let scheme = parts.scheme?.lowercased(),
            scheme == "http" || scheme == "https", let host = parts.host, !host.isEmpty, parts.query == nil,
            parts.fragment == nil, let address = parts.url
        else {
            throw EngineError.invalidSetting(
                name: "\(name).url", reason: "'\(url)' is no address of the form http://host:port")
        }
        guard parts.user == nil, parts.password == nil else {
            throw EngineError.invalidSetting(
                name: "\(name).url",
                reason: "it has a user or password; put a key into a variable and name it in 'keyVariable'")
        }
        return address.lastPathComponent == "v1" ? address : address.appendingPathComponent("v1")
    }

    /// `parameters`, read.
    func extra(as name: String = "endpoint") throws -> [String: Any] {
        let text = parameters.trimmingCharacters(in: .whitespacesAndNewlines)
        if text.isEmpty { return [:] }
        guard let object = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] else {
            throw EngineError.invalidSetting(
                name: "\(name).parameters", reason: #"it is no JSON object such as {"top_p": 0.9}"#)
        }
        for key in ["messages", "stream"] where object[key] != nil {
            throw EngineError.invalidSetting(name: "\(name).parameters", reason: "'\(key)' cannot be set")
        }
        return object
    }

    /// The key.
    /// - Throws: `EngineError.invalidSetting` when the variable is not set.
    func key(as name: String = "endpoint") throws -> String? {
        if keyVariable.isEmpty { return nil }
        guard let key = ProcessInfo.processInfo.environment[keyVariable], !key.isEmpty else {
            throw EngineError.invalidSetting(
                name: "\(name).keyVariable", reason: "the environment variable \(keyVariable) is not set")
        }
        return key
    }
}
