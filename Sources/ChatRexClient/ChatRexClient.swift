// A client of `chatrex serve`. It needs Foundation alone: no libtorch, no model.

import Boxes
import ChatRexAPI
import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Asks a server about pictures.
///
///     let rex = ChatRexClient(address: URL(string: "http://127.0.0.1:8080")!)
///     let answer = try await rex.detect(["dog", "red car"], in: try Data(contentsOf: street))
///     for found in answer.detections ?? [] { print(found.label, found.box, found.score) }
///
/// Cancelling the task that asks ends the work on the server. Errors are ``ClientError``s.
public struct ChatRexClient: Sendable {
    /// What a question may say beside itself; nil leaves the choice to the server.
    public struct Options: Sendable {
        /// Lowest score of a detection.
        public var minimumScore: Double?
        public var maximumDetections: Int?
        /// `fine`, `coarse` or `both`.
        public var granularity: String?
        /// Lowest score of a suggested box, and overlap above which it gives way to a better one.
        public var proposalMinimumScore: Double?, iou: Double?
        public var maxTokens: Int?
        /// 0 takes the likeliest words.
        public var temperature: Double?
        public var seed: Int?

        public init() {}
    }

    let address: URL
    let apiKey: String?
    private let session: URLSession

    /// - Parameters:
    ///   - address: of the server, such as `http://127.0.0.1:8080`
    ///   - apiKey: where the server asks for one
    ///   - timeout: seconds without a byte after which a question is given up
    public init(address: URL, apiKey: String? = nil, timeout: Double = 120) {
        (self.address, self.apiKey) = (address, apiKey)
        let configuration = URLSessionConfiguration.ephemeral
        configuration.timeoutIntervalForRequest = timeout
        session = URLSession(configuration: configuration)
    }

    // MARK: Tasks

    /// Boxes for categories, phrases or referring expressions.
    /// - Parameter image: a file of a format that the server reads, such as JPEG or PNG
    public func detect(_ phrases: [String], in image: Data, options: Options = Options()) async throws -> VisionAnswer {
        try await ask("detect", VisionRequest(image, options, phrases: phrases))
    }

    /// The number and places of things of each category or phrase.
    public func count(_ phrases: [String], in image: Data, options: Options = Options()) async throws -> VisionAnswer {
        try await ask("count", VisionRequest(image, options, phrases: phrases))
    }

    /// A caption whose objects are located.
    /// - Parameter style: `brief` or `detailed`
    public func caption(_ image: Data, style: String = "brief", options: Options = Options()) async throws
        -> VisionAnswer
    {
        try await ask("caption", VisionRequest(image, options, style: style))
    }

    /// What is in each of some boxes, or in each suggested box where none are given.
    /// - Parameter level: `category`, `phrase`, `brief` or `sentence`
    public func describe(
        _ boxes: [Box] = [], of image: Data, level: String = "category", options: Options = Options()
    ) async throws -> VisionAnswer {
        try await ask("regions", VisionRequest(image, options, boxes: boxes.isEmpty ? nil : boxes, level: level))
    }

    /// Boxes that hold something, whatever it is.
    public func propose(in image: Data, options: Options = Options()) async throws -> VisionAnswer {
        try await ask("propose", VisionRequest(image, options))
    }

    /// Whether the server is there and has loaded its model.
    public func isReady() async -> Bool {
        let answer = try? await session.data(for: request("readyz", nil))
        return (answer?.1 as? HTTPURLResponse)?.statusCode == 200
    }

    // MARK: Requests

    /// The body of a task's route. Names are those of the interface.
    private struct VisionRequest: Encodable {
        var image: String
        var phrases: [String]?, boxes: [Box]?, style: String?, level: String?
        var granularity: String?, minScore: Double?, maxDetections: Int?
        var proposalMinScore: Double?, iou: Double?, maxTokens: Int?, temperature: Double?, seed: Int?

        init(
            _ image: Data, _ options: Options, phrases: [String]? = nil, boxes: [Box]? = nil, style: String? = nil,
            level: String? = nil
        ) {
            self.image = image.base64EncodedString()
            (self.phrases, self.boxes, self.style, self.level) = (phrases, boxes, style, level)
            (granularity, minScore) = (options.granularity, options.minimumScore)
            (maxDetections, proposalMinScore) = (options.maximumDetections, options.proposalMinimumScore)
            (iou, maxTokens, temperature, seed) = (options.iou, options.maxTokens, options.temperature, options.seed)
        }

        enum CodingKeys: String, CodingKey {
            case image, phrases, boxes, style, level, granularity, iou, temperature, seed
            case minScore = "min_score"
            case maxDetections = "max_detections"
            case proposalMinScore = "proposal_min_score"
            case maxTokens = "max_tokens"
        }
    }

    private func ask(_ task: String, _ body: VisionRequest) async throws -> VisionAnswer {
        try await send("v1/" + task, body)
    }

    func send<Answer: Decodable>(_ path: String, _ body: some Encodable) async throws -> Answer {
        let request = try request(path, JSONEncoder().encode(body))
        let (data, response): (Data, URLResponse)
        do {
            (data, response) = try await session.data(for: request)
        } catch {
            try Task.checkCancellation()
            throw ClientError.unreachable(address: address.absoluteString, reason: error.localizedDescription)
        }
        guard let status = (response as? HTTPURLResponse)?.statusCode, status == 200 else {
            throw ClientError(data, response)
        }
        do {
            return try JSONDecoder().decode(Answer.self, from: data)
        } catch {
            throw ClientError.unexpected("\(error)")
        }
    }

    private func request(_ path: String, _ body: Data?) -> URLRequest {
        var request = URLRequest(url: address.appendingPathComponent(path))
        request.httpMethod = body == nil ? "GET" : "POST"
        request.httpBody = body
        if body != nil { request.setValue("application/json", forHTTPHeaderField: "Content-Type") }
        if let apiKey { request.setValue("Bearer " + apiKey, forHTTPHeaderField: "Authorization") }
        return request
    }
}
