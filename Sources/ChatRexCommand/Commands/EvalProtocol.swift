import Boxes
import ChatRex
import Evaluation
import Foundation
import Imaging
import Torch
import UPN

extension ModelOptions {
    /// By what answers of these networks are told from those of others.
    func settings() throws -> [String: String] {
        let folder = try ModelFolder.find(model)
        let place = proposals.map { URL(fileURLWithPath: $0) } ?? folder.proposalNetwork
        func named(_ url: URL) throws -> String { "\(url.lastPathComponent) \(try Fingerprint.of(url))" }
        return [
            "model": try named(folder.url), "proposal network": try named(place),
            "weights": dtype?.rawValue ?? (device.kind == .cpu ? Precision.float32 : .bfloat16).rawValue,
        ]
    }

    /// The networks, for a report.
    func protocolItem(_ settings: [String: String]) -> EvaluationReport.ProtocolItem {
        .init("model", "\(settings["model"] ?? model), \(settings["weights"] ?? "")")
    }
}

extension DeviceOptions {
    fileprivate var kind: Device.Kind {
        switch device {
        case .auto: Device.best.kind
        case .device(let device): device.kind
        }
    }
}

extension CandidateOptions {
    /// By what answers about these boxes are told from those about others.
    var settings: [String: String] {
        [
            "granularity": proposals.granularity.rawValue, "proposal conf": proposalConf.map { "\($0)" } ?? "default",
            "iou": proposals.iou.map { "\($0)" } ?? "default", "boxes": "\(maxBoxes)",
        ]
    }

    /// - Parameters:
    ///   - limits: of the network, which count where the options say nothing
    ///   - networks: settings of the model
    func protocolItem(_ limits: ProposalFilter, _ networks: [String: String]) -> EvaluationReport.ProtocolItem {
        Self.protocolItem(
            of: ProposalFilter(
                minimumScore: filter.minimumScore ?? limits.minimumScore,
                iouThreshold: filter.iouThreshold ?? limits.iouThreshold, maximumCount: filter.maximumCount),
            networks, proposals.granularity)
    }

    static func protocolItem(
        of filter: ProposalFilter, _ networks: [String: String], _ granularity: ProposalOptions.Grain = .fine
    ) -> EvaluationReport.ProtocolItem {
        func number(_ value: Double?) -> String { value.map { "\($0)" } ?? "that the network states" }
        return .init(
            "proposals",
            """
            \(granularity.rawValue) boxes of \(networks["proposal network"] ?? "the proposal network"), score at least \
            \(number(filter.minimumScore)), of boxes with an IoU above \(number(filter.iouThreshold)) the better one, at most \
            \(filter.maximumCount)
            """)
    }
}

extension EvaluationReport.ProtocolItem {
    static let decoding = Self("decoding", "greedy, under the index grammar")
    static let score = Self("score", "square root of the index's confidence times the proposal's score")

    static func data(_ path: String, _ dataset: COCODataset) -> Self {
        .init(
            "data",
            "\(path): \(dataset.images.count) pictures, \(dataset.annotations.count) annotations, \(dataset.categories.count) categories"
        )
    }
}

/// A data set and its pictures, for an evaluation.
struct EvalDataset {
    let path: String
    let dataset: COCODataset
    private let entries: [Int: COCOImage]

    /// - Throws: `BoxesError`, `EvaluationError` for annotations that nothing can be measured by.
    init(_ path: String) throws {
        self.path = path
        dataset = try COCODataset(forEvaluationAt: URL(fileURLWithPath: path))
        entries = Dictionary(dataset.images.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// What a picture is called in a report.
    func name(_ image: Int) -> String { entries[image]?.name ?? "picture \(image)" }

    /// What loads a picture from a folder, by id.
    func loader(_ folder: String) -> (Int) throws -> Image {
        let benchmark = DatasetBenchmark(dataset, images: URL(fileURLWithPath: folder, isDirectory: true))
        return { image in
            guard let entry = entries[image] else { throw EvaluationError.unknownImage(image) }
            return try benchmark.picture(entry)
        }
    }

    /// A benchmark that shows how far it is, ends at Ctrl-C and goes on where it was.
    ///
    /// - Parameter settings: what the answers depend on, beside the data
    func benchmark(
        _ task: String, images: String, settings: [String: String], output: EvalOutputOptions
    ) throws -> DatasetBenchmark {
        Interrupt.install()
        let folder = URL(fileURLWithPath: images, isDirectory: true)
        var benchmark = DatasetBenchmark(dataset, images: folder)
        try benchmark.checkPictures()
        var settings = settings
        settings["task"] = task
        settings["annotations"] = try Fingerprint.of(URL(fileURLWithPath: path), readingAtMost: .max)
        settings["pictures"] = folder.standardizedFileURL.path
        benchmark.journal = try output.journal(settings)
        let count = dataset.images.count
        benchmark.progress = { done in
            if Interrupt.isPending { throw CancellationError() }
            Terminal.showProgress("picture \(done)/\(count)", isLogged: done % 50 == 0)
        }
        return benchmark
    }
}

extension COCOImage {
    fileprivate var name: String? { fileName ?? cocoURL.map { ($0 as NSString).lastPathComponent } }
}
