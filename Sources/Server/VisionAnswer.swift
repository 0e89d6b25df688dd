import Boxes
import ChatRex
import ChatRexAPI
import Foundation
import HTTPTypes
import Hummingbird
import Imaging
import UPN

extension Detection {
    static func all(in groups: [GroundedAnswer.Group]) -> [Detection] {
        groups.flatMap { group in
            group.objects.map {
                Detection(
                    label: group.phrase, box: $0.box, index: $0.index, score: $0.score,
                    proposalScore: $0.proposalScore, span: [group.range.lowerBound, group.range.upperBound])
            }
        }
    }
}

/// How results are written.
enum ResultFormat: String, Decodable, Sendable {
    case json, coco, yolo, png, jpeg
    case labelStudio = "label-studio"

    /// What an `Accept` header asks for.
    init(accept: String?) {
        let accept = (accept ?? "").lowercased()
        self = accept.contains("image/png") ? .png : accept.contains("image/jpeg") ? .jpeg : .json
    }
}

/// A result in the forms that the other formats are made from.
struct VisionResult: Sendable {
    var json: VisionAnswer
    /// Labels with boxes.
    var grounded: GroundedAnswer
    /// Classes in the order in which they are numbered.
    var classes: [String]
    /// The annotations of the drawn picture.
    var annotations: [Annotation]

    /// - Parameter asked: the phrases that were asked for; the answer's own where empty
    init(_ answer: GroundedAnswer, asked: [String], model: String, of image: Image) {
        grounded = answer
        classes = asked.isEmpty ? answer.groups.map(\.phrase).uniqued : asked
        annotations = answer.detections.map { phrase, object in
            Annotation(object.box, label: "\(phrase) \(Int((object.score * 100).rounded()))%", colorKey: phrase)
        }
        json = VisionAnswer(
            model: model, image: .init(width: image.width, height: image.height), text: answer.text,
            detections: Detection.all(in: answer.groups),
            notFound: answer.groups.filter { $0.objects.isEmpty }.map(\.phrase).uniqued,
            isTruncated: answer.isTruncated)
    }

    init(proposals: [Proposal], model: String, of image: Image) {
        let groups = proposals.enumerated().map { index, proposal in
            GroundedAnswer.Group(
                phrase: proposal.granularity.rawValue, range: 0..<0,
                objects: [.init(index: index, box: proposal.box, score: proposal.score, proposalScore: proposal.score)])
        }
        grounded = GroundedAnswer(rawText: "", text: "", groups: groups)
        classes = Granularity.allCases.map(\.rawValue)
        annotations = proposals.map {
            Annotation($0.box, label: "\(Int(($0.score * 100).rounded()))%", colorKey: $0.granularity.rawValue)
        }
        json = VisionAnswer(
            model: model, image: .init(width: image.width, height: image.height),
            proposals: proposals.map { .init(box: $0.box, score: $0.score, granularity: $0.granularity.rawValue) })
    }

    /// - Parameter regions: one answer a region; its first mention is the region.
    init(regions: [GroundedAnswer], model: String, of image: Image) {
        let found = regions.compactMap { answer in answer.mentions.first.map { (answer.text, $0.object) } }
        let groups = found.map { GroundedAnswer.Group(phrase: $0.0, range: 0..<0, objects: [$0.1]) }
        grounded = GroundedAnswer(rawText: "", text: "", groups: groups)
        classes = found.map(\.0).uniqued
        annotations = found.map { Annotation($0.1.box, label: $0.0, colorKey: $0.0) }
        json = VisionAnswer(
            model: model, image: .init(width: image.width, height: image.height),
            regions: found.map {
                .init(index: $0.1.index, box: $0.1.box, text: $0.0, proposalScore: $0.1.proposalScore)
            },
            isTruncated: regions.contains(where: \.isTruncated))
    }

    func response(_ format: ResultFormat, of image: Image) throws -> Response {
        switch format {
        case .json: return try JSONText.response(json)
        case .coco: return try JSONText.response(dataset(image))
        case .yolo:
            return API.text(
                grounded.yoloLabels(names: classes, width: image.width, height: image.height, includesScores: true))
        case .labelStudio:
            return try JSONText.response([
                grounded.labelStudioTask(
                    image: "", width: image.width, height: image.height, modelVersion: json.model)
            ])
        case .png: return API.text(try image.draw(annotations).encoded(as: .png), type: "image/png")
        case .jpeg: return API.text(try image.draw(annotations).encoded(as: .jpeg()), type: "image/jpeg")
        }
    }

    /// A COCO data set of this one picture, which is number 1; classes count from 1.
    private func dataset(_ image: Image) -> COCODataset {
        var dataset = COCODataset(categories: classes.enumerated().map { COCOCategory(id: $0 + 1, name: $1) })
        dataset.images.append(COCOImage(id: 1, fileName: "image", width: image.width, height: image.height))
        for result in grounded.cocoResults(imageID: 1, categories: dataset.categories) {
            guard let box = result.box else { continue }
            dataset.annotations.append(
                COCOAnnotation(
                    id: dataset.annotations.count + 1, imageID: 1, categoryID: result.categoryID, box: box,
                    score: result.score))
        }
        return dataset
    }
}

extension Annotation {
    fileprivate init(_ box: Box, label: String, colorKey: String) {
        self.init(x1: box.x1, y1: box.y1, x2: box.x2, y2: box.y2, label: label, colorKey: colorKey)
    }
}

extension [String] {
    /// Each text once, where it stood first.
    fileprivate var uniqued: [String] {
        var seen: Set<String> = []
        return filter { seen.insert($0).inserted }
    }
}
