import ChatRex
import ChatRexAPI
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Imaging

/// The tasks with a route of their own, `/v1/NAME`.
enum VisionEndpoint: String, CaseIterable, Sendable {
    case detect, count, caption, regions, propose
}

extension API {
    /// Answers a task about one picture.
    func vision(_ endpoint: VisionEndpoint, _ request: Request, _ context: ServerContext) async throws -> Response {
        let (request, body) = try await collected(request)
        let (fields, sent) = try VisionFields.read(body, contentType: request.headers[.contentType])
        let format = fields.format ?? ResultFormat(accept: request.headers[.accept])
        let work = try plan(endpoint, fields)
        let place = try model.admit(context.client)
        let (bytes, limits) = (try await picture(sent, fields), options)
        let (result, image) = try await watching(request) {
            try await place.work { session in
                // In its turn, so that no more pictures are unpacked than are worked on.
                let image = try PictureSource.decode(bytes, limits)
                return (try await work(session, image), image)
            }.result
        }
        return try result.response(format, of: image).closing()
    }

    private func picture(_ sent: [UInt8]?, _ fields: VisionFields) async throws -> [UInt8] {
        if let sent { return sent }
        guard let text = fields.image else {
            throw ServerError(.badRequest, .missingImage, "there is no picture", parameter: "image")
        }
        return try await PictureSource.bytes(of: text, options)
    }

    /// What the session has to do; everything but the picture is checked before it.
    private func plan(
        _ endpoint: VisionEndpoint, _ fields: VisionFields
    ) throws -> @Sendable (ChatRexSession, Image) async throws -> VisionResult {
        let name = options.modelName
        let answerOptions = try fields.answerOptions(options)
        let limit = try fields.detectionLimit
        let boxes = try fields.proposals(options)
        switch endpoint {
        case .detect, .count:
            let phrases = try VisionTask.phrases(
                fields.phrases?.all ?? [], limits: TaskLimits(phraseCount: options.phraseLimit))
            let task: VisionTask = endpoint == .detect ? .detect(phrases) : .count(phrases)
            return { session, image in
                let answer = try await session.answer(task, about: image, boxes: boxes, options: answerOptions)
                    .keepingBest(limit)
                var result = VisionResult(answer, asked: phrases, model: name, of: image)
                if endpoint == .count {
                    result.json.counts = answer.counts(of: phrases).map { .init(label: $0.phrase, count: $0.count) }
                }
                return result
            }
        case .caption:
            let style = fields.style ?? .brief
            return { session, image in
                let answer = try await session.caption(image, style: style, boxes: boxes, options: answerOptions)
                    .keepingBest(limit)
                return VisionResult(answer, asked: [], model: name, of: image)
            }
        case .regions:
            let given = try fields.regions(options)
            let level = fields.level ?? .category
            return { session, image in
                let answers =
                    given.isEmpty
                    ? try await session.describeProposals(of: image, level: level, boxes: boxes, options: answerOptions)
                    : try await session.describe(given, of: image, level: level, options: answerOptions)
                return VisionResult(regions: answers, model: name, of: image)
            }
        case .propose:
            let (granularities, filter) = (fields.granularities, try fields.filter(maximumCount: limit))
            return { session, image in
                let found = try await session.propose([image], granularities: granularities, filter: filter)
                return VisionResult(proposals: found.first ?? [], model: name, of: image)
            }
        }
    }
}
