import ChatRex
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Imaging

// The interface that Label Studio expects of a machine learning backend: https://labelstud.io/guide/ml_create

extension API {
    /// Predicts boxes for tasks, with the labels of the labelling configuration.
    func labelStudioPredict(_ request: Request, _ context: ServerContext) async throws -> Response {
        let (request, body) = try await collected(request)
        let call = try RequestJSON.decode(PredictCall.self, from: body)
        let configuration = try LabelConfiguration(call.labelConfig ?? "")
        if call.tasks.count > 16 { throw ServerError.value("tasks", "has more than 16 tasks; send fewer at once") }
        let addresses = try call.tasks.map { task in
            guard let address = task.data[configuration.imageField]?.text else {
                throw ServerError(
                    .badRequest, .missingImage, "a task's data has no '\(configuration.imageField)'", parameter: "tasks"
                )
            }
            return address
        }
        let place = try model.admit(context.client)
        let limits = options
        let predictions = try await watching(request) {
            try await place.work { session in
                var predictions: [LabelStudioTask.Prediction] = []
                for address in addresses {
                    // One at a time, so that a call never holds the pixels of all its pictures.
                    let image = try await PictureSource.decode(PictureSource.bytes(of: address, limits), limits)
                    let answer = try await session.detect(
                        configuration.labels, in: image,
                        options: AnswerOptions(limits: TaskLimits(phraseCount: limits.phraseLimit)))
                    predictions += answer.labelStudioTask(
                        image: "", width: image.width, height: image.height, modelVersion: limits.modelName
                    ).predictions.map(configuration.named)
                }
                return predictions
            }.result
        }
        return try JSONText.response(["results": predictions]).closing()
    }

    /// Says which model there is. The labels come with each call, so nothing is kept.
    func labelStudioSetup(_ request: Request, _ context: ServerContext) async throws -> Response {
        _ = try await collected(request)
        return try JSONText.response(["model_version": options.modelName])
    }
}

/// The body of `/predict`.
private struct PredictCall: Decodable {
    struct Item: Decodable {
        var data: [String: Value]
    }

    /// A value of a task's data, of which only texts matter.
    struct Value: Decodable {
        var text: String?

        init(from decoder: any Decoder) throws {
            text = try? decoder.singleValueContainer().decode(String.self)
        }
    }

    var tasks: [Item]
    var labelConfig: String?

    enum CodingKeys: String, CodingKey {
        case tasks
        case labelConfig = "label_config"
    }
}

/// What a labelling configuration says about boxes on pictures.
struct LabelConfiguration: Sendable {
    var imageField = "image"
    var labels: [String] = []
    private var fromName = "label", toName = "image"

    /// - Parameter xml: with `<Image name="..." value="$field"/>` and `<RectangleLabels name="..." toName="...">` around
    ///   `<Label value="..."/>`.
    /// - Throws: `ServerError` when it asks for no boxes.
    init(_ xml: String) throws(ServerError) {
        var isInside = false
        for tag in Self.tags(of: xml.prefix(200_000)) {
            switch tag.name {
            case "Image":
                if let value = tag.attributes["value"], value.hasPrefix("$") { imageField = String(value.dropFirst()) }
                toName = tag.attributes["name"] ?? toName
            case "RectangleLabels":
                isInside = true
                fromName = tag.attributes["name"] ?? fromName
                toName = tag.attributes["toName"] ?? toName
            case "/RectangleLabels": isInside = false
            case "Label" where isInside:
                if let label = tag.attributes["value"], !label.isEmpty { labels.append(label) }
            default: break
            }
        }
        if labels.isEmpty {
            throw .value(
                "label_config", "has no <RectangleLabels> with <Label value=\"...\"/>; there is nothing to look for")
        }
    }

    /// A prediction under the configuration's own names.
    func named(_ prediction: LabelStudioTask.Prediction) -> LabelStudioTask.Prediction {
        var prediction = prediction
        for index in prediction.result.indices {
            prediction.result[index].fromName = fromName
            prediction.result[index].toName = toName
        }
        return prediction
    }

    /// The tags of a text one after the other. It is no XML parser: comments and nesting do not matter here.
    private static func tags(of xml: Substring) -> [(name: String, attributes: [String: String])] {
        xml.matches(of: /<(\/?\w+)((?:\s+[\w:]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*\/?>/).map { match in
            var attributes: [String: String] = [:]
            for pair in match.2.matches(of: /([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/) {
                attributes[String(pair.1)] = unescaped(pair.2 ?? pair.3 ?? "")
            }
            return (String(match.1), attributes)
        }
    }

    private static func unescaped(_ text: Substring) -> String {
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")].reduce(String(text)) {
            $0.replacingOccurrences(of: $1.0, with: $1.1)
        }
    }
}
