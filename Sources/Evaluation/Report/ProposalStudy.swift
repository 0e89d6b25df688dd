import Boxes
import Foundation

/// What a report says about proposals: how they cover the objects, whatever their categories.
public struct ProposalStudy: Sendable {
    /// With the largest number of boxes.
    public let report: ProposalRecall.Report
    private let byLimit: [(limit: Int, report: ProposalRecall.Report)]
    private let images: [EvaluationImage]

    /// - Parameter limit: the largest number of boxes a picture
    /// - Throws: ``EvaluationError`` for unusable boxes.
    public init(_ images: [EvaluationImage], limit: Int) throws(EvaluationError) {
        self.images = images.map { image in
            var image = image
            for index in image.truths.indices { image.truths[index].category = 0 }
            for index in image.detections.indices { image.detections[index].category = 0 }
            return image
        }
        var byLimit: [(limit: Int, report: ProposalRecall.Report)] = []
        for limit in Set([10, 30, 100, 300].filter { $0 < limit } + [limit]).sorted() {
            var recall = ProposalRecall(maxProposals: limit)
            for image in images { try recall.add(image) }
            byLimit.append((limit, recall.report()))
        }
        self.byLimit = byLimit
        report = byLimit[byLimit.count - 1].report
    }

    public var figures: [EvaluationReport.Figure] {
        [
            .init("recall50", "recall at IoU 0.5", report.recall50),
            .init("ar", "average recall, IoU 0.50:0.95", report.ar),
            .init("arSmall", "AR, small objects", report.arSmall),
            .init("arMedium", "AR, medium objects", report.arMedium),
            .init("arLarge", "AR, large objects", report.arLarge),
        ]
    }

    /// - Parameter name: of a picture, by id
    public func sections(name: (Int) -> String) -> [ReportSection] { [coverage] + pictures(name) }

    var coverage: ReportSection {
        ReportSection(
            "coverage", "Coverage by number of boxes",
            .table(
                ReportTable(
                    [
                        .init("limit", "boxes"), .init("recall50", "recall at 0.5"), .init("ar", "average recall"),
                        .init("ar_small", "small"), .init("ar_medium", "medium"), .init("ar_large", "large"),
                    ],
                    byLimit.map { limit, report in
                        [
                            .count(limit), .share(report.recall50), .share(report.ar), .share(report.arSmall),
                            .share(report.arMedium), .share(report.arLarge),
                        ]
                    })))
    }

    private func pictures(_ name: (Int) -> String) -> [ReportSection] {
        let matchings = images.map { ImageMatching($0, minimumScore: -.infinity) }
        let shown = images.indices.filter { images[$0].truths.contains { !$0.isCrowd } }
        let marks = shown.map { index in
            let (found, missed) = (matchings[index].right.count, matchings[index].missed.count)
            return (value: Double(found) / Double(max(1, found + missed)), weight: found + missed)
        }
        return ReportPicture.extremes(marks) { position in
            let (image, matching) = (images[shown[position]], matchings[shown[position]])
            return ReportPicture(
                image: image.id, name: name(image.id),
                figure: "\(matching.right.count) of \(matching.right.count + matching.missed.count) covered",
                findings: matching.missed.map {
                    .init(.missed, "object", detail: "missed", truths: [image.truths[$0].box])
                }
                    + matching.right.map {
                        let (truth, box) = (image.truths[$0.truth].box, image.detections[$0.answer].box)
                        return .init(
                            .right, "object", detail: String(format: "IoU %.2f", truth.iou(with: box)), truths: [truth],
                            answers: [box])
                    })
        }
    }
}
