/// Why a model endpoint gave no usable answer to one question.
public struct EndpointError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Problem: Sendable, Hashable {
        /// No connection, or one that broke off.
        case unreachable(String)
        case timeout(seconds: Double)
        /// An answer that is no success, with what the server says of it.
        case status(Int, String)
        /// It kept asking for fewer requests.
        case rateLimited(seconds: Double)
        /// JSON that ends in its middle.
        case brokenOff
        /// Not JSON at all, such as the page of a proxy.
        case notJSON(beginning: String)
        /// JSON without a field that an answer needs.
        case missing(field: String)
        case tooManyBytes(limit: Int)
    }

    /// Address of the endpoint.
    public var endpoint: String
    public var problem: Problem
    /// How often the question was sent.
    public var attempts: Int

    public init(endpoint: String, problem: Problem, attempts: Int = 1) {
        (self.endpoint, self.problem, self.attempts) = (endpoint, problem, attempts)
    }

    public var description: String {
        "the model endpoint \(endpoint) \(problem)" + (attempts > 1 ? " (after \(attempts) attempts)" : "")
    }
}

extension EndpointError.Problem: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unreachable(let reason): "cannot be reached: \(reason); see that its server runs and that 'url' is right"
        case .timeout(let seconds):
            "did not answer within \(seconds) seconds; lower 'concurrency' or raise 'timeoutSeconds'"
        case .status(let code, let message):
            "answered with status \(code)" + (message.isEmpty ? "" : ": \(message)") + Self.advice(for: code)
        case .rateLimited(let seconds):
            "asked for fewer requests for \(Int(seconds)) seconds; set 'requestsPerMinute' to what it allows, or see its quota"
        case .brokenOff: "sent JSON that ends in its middle; see its log, or a proxy's on the way"
        case .notJSON(let beginning): "sent no JSON but '\(beginning)'; see that 'url' is that of a chat interface"
        case .missing(let field): "sent an answer without '\(field)'; it is no OpenAI-compatible chat interface"
        case .tooManyBytes(let limit): "sent more than \(limit) bytes; lower 'maxTokens' or raise 'responseBytes'"
        }
    }

    private static func advice(for status: Int) -> String {
        switch status {
        case 401: "; set 'keyVariable' to the variable that holds its key"
        case 402: "; its account is empty"
        case 404: "; see 'url' and 'model'"
        case 300..<400: "; set 'url' to where it leads"
        case 413: "; send smaller pictures with 'maximumSide'"
        default: ""
        }
    }
}

/// An endpoint that answers no question at all: the run stops, and its pictures wait for the next one.
public struct EndpointUnusable: Error, StopsRun, Sendable, Hashable, CustomStringConvertible {
    public var error: EndpointError

    public init(_ error: EndpointError) { self.error = error }

    public var description: String { "\(error); mend it and repeat the command" }
}
