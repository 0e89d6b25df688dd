import Boxes
import LanguageModels

/// What a report says about a benchmark on scenes.
public struct SceneStudy: Sendable {
    private let outcomes: [SceneOutcome]
    private let proposals: ProposalStudy
    private let detection: DetectionStudy
    private let referring: ReferringStudy
    private let counting: CountingStudy
    private let regions: RegionStudy

    /// - Parameter categories: names by id
    /// - Throws: `EvaluationError` for unusable boxes, `TorchError` from the embedder.
    public init(_ outcomes: [SceneOutcome], categories: [Int: String], embedder: SentenceEmbedder? = nil) throws {
        self.outcomes = outcomes
        proposals = try ProposalStudy(outcomes.map { try $0.image($0.proposals) }, limit: 100)
        detection = try DetectionStudy(
            outcomes.map { try $0.image($0.detections) }, .coco, categories: categories)
        referring = ReferringStudy(outcomes.flatMap(\.references))
        counting = CountingStudy(outcomes.map(\.counts))
        regions = try RegionStudy(outcomes.map(\.regions), embedder: embedder)
    }

    public var figures: [EvaluationReport.Figure] {
        let absent = outcomes.reduce(0) { $0 + $1.absent },
            rightQuestions = outcomes.reduce(0) { $0 + $1.rightQuestions }
        var figures: [EvaluationReport.Figure] = [
            .init("upn_recall_50", "proposals, recall at IoU 0.5", proposals.report.recall50),
            .init("upn_ar", "proposals, average recall", proposals.report.ar),
            .init("precision_50", "detection, precision at IoU 0.5", detection.precision50),
            .init("recall_50", "detection, recall at IoU 0.5", detection.recall50),
            .init("map", "detection, AP, IoU 0.50:0.95", detection.report.ap),
            .init("map_50", "detection, AP, IoU 0.50", detection.report.ap50),
            .init("refer_acc_50", "referring, accuracy at IoU 0.5", referring.accuracy.accuracy),
            .init("count_exact", "counting, exact", counting.accuracy.accuracy),
            .init("count_mean_error", "counting, mean error", counting.accuracy.meanAbsoluteError, .number),
            .init("region_exact", "region category, exact", regions.report.exact),
            .init("region_s_iou", "region category, S-IoU", regions.report.semanticIoU),
            .init("answers_exact", "questions, exact answers", Double(rightQuestions) / Double(max(questions, 1))),
        ]
        if regions.report.semanticSimilarity != nil {
            figures.append(.init("region_similarity", "region category, SS", regions.report.semanticSimilarity))
        }
        if absent > 0 {
            let boxes = outcomes.reduce(0) { $0 + $1.absentBoxes }
            figures.append(
                .init(
                    "boxes_per_absent", "boxes for an absent category", Double(boxes) / Double(absent), .number))
        }
        return figures
    }

    private var questions: Int { outcomes.reduce(0) { $0 + $1.questions } }

    public var counts: [EvaluationReport.Count] {
        [
            .init("scenes", "scenes", outcomes.count),
            .init("objects", "objects", outcomes.reduce(0) { $0 + $1.objects.count }),
            .init("references", "referring expressions", referring.records.count),
            .init("counts", "counts", counting.accuracy.count), .init("regions", "regions", regions.report.regions),
            .init("questions", "questions", questions),
            .init("absent_categories", "absent categories asked for", outcomes.reduce(0) { $0 + $1.absent }),
        ]
    }

    public var faults: AnswerFaults { outcomes.reduce(AnswerFaults()) { $0 + $1.faults } }

    public var sections: [ReportSection] {
        func name(_ scene: Int) -> String { "scene \(scene)" }
        return [proposals.coverage.within("Proposals")] + detection.sections(name: name).map { $0.within("Detection") }
            + referring.sections(name: name).map { $0.within("Referring") }
            + counting.sections(name: name).map { $0.within("Counting") }
            + regions.sections(name: name).map { $0.within("Regions") }
    }
}

extension SceneOutcome {
    fileprivate func image(_ results: [COCOResult]) throws(EvaluationError) -> EvaluationImage {
        var entry = EvaluationImage(id: image, truths: [], detections: [])
        for object in objects { entry.truths.append(try GroundTruthBox(object)) }
        for result in results { entry.detections.append(try DetectedBox(result)) }
        return entry
    }
}
