import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Why a server gave no answer.
public enum ClientError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Nobody answers there.
    case unreachable(address: String, reason: String)
    /// The server says no.
    ///
    /// - Parameters:
    ///   - status: of HTTP
    ///   - code: for programs, such as `queue_full` or `invalid_image`
    ///   - retryAfter: seconds after which a repetition has a chance
    case refused(status: Int, code: String, message: String, retryAfter: Int?)
    /// What came is not an answer of this interface.
    case unexpected(String)

    public var description: String {
        switch self {
        case .unreachable(let address, let reason): "no server answers at \(address): \(reason)"
        case .refused(_, _, let message, _): message
        case .unexpected(let text): "the answer is none of this interface: \(text)"
        }
    }

    private struct Document: Decodable {
        struct Problem: Decodable {
            var message: String, code: String
        }

        var error: Problem
    }

    init(_ data: Data, _ response: URLResponse) {
        guard let http = response as? HTTPURLResponse,
            let problem = (try? JSONDecoder().decode(Document.self, from: data))?.error
        else {
            self = .unexpected(String(decoding: data.prefix(200), as: UTF8.self))
            return
        }
        self = .refused(
            status: http.statusCode, code: problem.code, message: problem.message,
            retryAfter: http.value(forHTTPHeaderField: "Retry-After").flatMap { Int($0) })
    }
}
