import Boxes
import ChatRex
import Downloading
import Foundation
import HTTPTypes
import Hummingbird
import Imaging
import LanguageModels
import UPN

/// What a request may say beside its picture. The names are those of the JSON and of the form.
struct VisionFields: Decodable, Sendable {
    /// Which boxes the proposal network is asked for.
    enum Grain: String, Decodable, Sendable {
        case fine, coarse, both
    }

    /// A text or a list of them.
    struct Texts: Decodable, Sendable {
        var all: [String]

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let list = try? container.decode([String].self) {
                all = list
            } else {
                all = [try container.decode(String.self)]
            }
        }
    }

    /// A data URL or bare base64.
    var image: String?
    var phrases: Texts?
    /// In pixels of the picture, `[x1, y1, x2, y2]` each.
    var boxes: [[Double]]?
    var style: VisionTask.CaptionStyle?
    var level: VisionTask.RegionLevel?
    var granularity: Grain?
    /// Lowest score of a detection.
    var minScore: Double?
    var maxDetections: Int?
    var proposalMinScore: Double?
    var iou: Double?
    var maxTokens: Int?
    var temperature: Double?
    var topP: Double?
    var seed: Int?
    var format: ResultFormat?

    enum CodingKeys: String, CodingKey {
        case image, phrases, boxes, style, level, granularity, iou, temperature, seed, format
        case minScore = "min_score"
        case maxDetections = "max_detections"
        case proposalMinScore = "proposal_min_score"
        case maxTokens = "max_tokens"
        case topP = "top_p"
    }

    /// Fields whose value in a form is a number, or JSON.
    private static let formNumbers: Set<CodingKeys> = [
        .boxes, .iou, .temperature, .seed, .minScore, .maxDetections, .proposalMinScore, .maxTokens, .topP,
    ]
}

// MARK: - From requests

extension VisionFields {
    /// Reads the body of a request, JSON or a form.
    /// - Returns: the fields, and the picture's bytes where the form has them.
    static func read(_ body: [UInt8], contentType: String?) throws -> (fields: VisionFields, picture: [UInt8]?) {
        let type = MediaType(from: contentType ?? "application/json")
        if type?.isType(.multipartForm) == true {
            guard let parameter = type?.parameter, parameter.name.lowercased() == "boundary" else {
                throw ServerError(.badRequest, .invalidMultipart, "the Content-Type of the form has no boundary")
            }
            return try read(Multipart(body, boundary: parameter.value))
        }
        guard type?.isType(.applicationJson) == true else {
            throw ServerError(
                .unsupportedMediaType, .unsupportedMediaType, "send application/json or multipart/form-data")
        }
        return (try RequestJSON.decode(VisionFields.self, from: body), nil)
    }

    /// A form's fields are put into JSON, so that both are checked by the same rules.
    private static func read(_ form: Multipart) throws -> (fields: VisionFields, picture: [UInt8]?) {
        var values: [String: Any] = [:]
        var picture: [UInt8]?
        for part in form.parts {
            if part.name == "image" || part.name == "file" {
                picture = part.body
                continue
            }
            let text = String(decoding: part.body, as: UTF8.self)
            guard let key = CodingKeys(rawValue: part.name) else { continue }
            if key == .phrases {
                values[part.name] = (values[part.name] as? [String] ?? []) + [text]
            } else if formNumbers.contains(key) {
                try RequestJSON.checkDepth(part.body)
                let options: JSONSerialization.ReadingOptions = .fragmentsAllowed
                guard let value = try? JSONSerialization.jsonObject(with: Data(text.utf8), options: options) else {
                    throw ServerError.value(part.name, "is no number and no JSON")
                }
                values[part.name] = value
            } else {
                values[part.name] = text
            }
        }
        let json = try JSONSerialization.data(withJSONObject: values)
        return (try JSONDecoder().decode(VisionFields.self, from: json), picture)
    }
}

// MARK: - To the session

extension VisionFields {
    /// How the question is answered.
    func answerOptions(_ limits: ServerOptions) throws(ServerError) -> AnswerOptions {
        try check(minScore, "min_score", in: 0...1)
        try check(temperature, "temperature", in: 0...2)
        try check(topP, "top_p", in: 0...1)
        if let maxTokens, !(1...4096).contains(maxTokens) { throw .value("max_tokens", "must be within 1...4096") }
        let sampling = SamplingOptions(
            temperature: temperature ?? 0, topP: topP ?? 1, seed: UInt64(bitPattern: Int64(seed ?? 0)))
        return AnswerOptions(
            maxTokens: maxTokens ?? AnswerOptions().maxTokens, sampling: sampling, minimumScore: minScore ?? 0,
            limits: TaskLimits(phraseCount: limits.phraseLimit))
    }

    var granularities: [Granularity] {
        switch granularity ?? .fine {
        case .fine: [.fine]
        case .coarse: [.coarse]
        case .both: [.fine, .coarse]
        }
    }

    func filter(maximumCount: Int? = nil) throws(ServerError) -> ProposalFilter {
        try check(proposalMinScore, "proposal_min_score", in: 0...1)
        try check(iou, "iou", in: 0...1)
        var filter = ProposalFilter()
        filter.minimumScore = proposalMinScore ?? filter.minimumScore
        filter.iouThreshold = iou ?? filter.iouThreshold
        filter.maximumCount = maximumCount ?? filter.maximumCount
        return filter
    }

    var detectionLimit: Int {
        get throws(ServerError) {
            let limit = maxDetections ?? ProposalFilter().maximumCount
            if limit < 1 { throw .value("max_detections", "must be at least 1") }
            return limit
        }
    }

    /// The boxes that the client gave.
    func regions(_ limits: ServerOptions) throws -> [RegionBox] {
        let boxes = boxes ?? []
        if boxes.count > limits.boxLimit {
            throw ServerError.value("boxes", "has \(boxes.count) boxes; the limit is \(limits.boxLimit)")
        }
        return try boxes.map { numbers in
            guard numbers.count == 4 else {
                throw ServerError.value("boxes", "needs four numbers a box, x1, y1, x2, y2")
            }
            return try RegionBox(Box(x1: numbers[0], y1: numbers[1], x2: numbers[2], y2: numbers[3]))
        }
    }

    /// Proposals, after the client's boxes where there are some.
    func proposals(_ limits: ServerOptions) throws -> BoxSource {
        let given = try regions(limits)
        return given.isEmpty
            ? .proposals(granularities: granularities, filter: try filter())
            : .givenWithProposals(given, granularities: granularities, filter: try filter())
    }

    private func check(_ value: Double?, _ name: String, in range: ClosedRange<Double>) throws(ServerError) {
        if let value, !range.contains(value) {
            throw .value(name, "must be within \(Int(range.lowerBound))...\(Int(range.upperBound))")
        }
    }
}

/// Pictures that come with a request.
enum PictureSource {
    /// The bytes of a data URL or of bare base64, or of what an address leads to where the server may fetch from its host.
    static func bytes(of text: String, _ limits: ServerOptions) async throws -> [UInt8] {
        let scheme = text.prefix(8).lowercased()
        if scheme.hasPrefix("http://") || scheme.hasPrefix("https://") { return try await fetched(text, limits) }
        return try decoded(text)
    }

    private static func fetched(_ address: String, _ limits: ServerOptions) async throws -> [UInt8] {
        if limits.imageHosts.isEmpty {
            throw ServerError(
                .badRequest, .remoteImage,
                "this server fetches no pictures; send the picture itself as a data URL (data:image/jpeg;base64,...)",
                parameter: "image")
        }
        var downloader = Downloader(hosts: limits.imageHosts)
        (downloader.byteLimit, downloader.timeLimit) = (limits.bodyLimit, limits.uploadTime)
        do {
            return try await downloader.bytes(from: address)
        } catch let error as DownloadError {
            throw ServerError(download: error)
        }
    }

    private static func decoded(_ text: String) throws(ServerError) -> [UInt8] {
        let scheme = text.prefix(8).lowercased()
        var base64 = text[...]
        if scheme.hasPrefix("data:") {
            guard let comma = text.firstIndex(of: ","), text[..<comma].lowercased().hasSuffix(";base64") else {
                throw invalid("the data URL has no ';base64,'")
            }
            base64 = text[text.index(after: comma)...]
        }
        var encoded = String(base64)
        if encoded.utf8.contains(where: { $0 <= 32 }) {
            encoded = String(decoding: encoded.utf8.filter { $0 > 32 }, as: UTF8.self)
        }
        guard let data = Data(base64Encoded: encoded), !data.isEmpty else { throw invalid("the picture is not base64") }
        return Array(data)
    }

    /// Decodes a picture within the server's limits; nothing touches the disk.
    static func decode(_ bytes: [UInt8], _ limits: ServerOptions) throws -> Image {
        try Image(
            decoding: bytes,
            limits: DecodingLimits(maximumPixelCount: limits.pixelLimit, maximumByteCount: limits.bodyLimit))
    }

    private static func invalid(_ message: String) -> ServerError {
        ServerError(.badRequest, .invalidImage, message, parameter: "image")
    }
}
