// The set `upn-tiny`: every stage of a tiny proposal network with seeded weights. Its README lists tensors and tolerances.

import Boxes
import Checkpoints
import Foundation
import Imaging
import Torch
import TorchNN
import UPN

struct UPNGolden {
    private struct Config: Decodable {
        struct Case: Decodable {}
        let model: UPNConfiguration
        let cases: [String: Case]
        let preprocess: Preprocess
        let postprocess: Postprocess
    }

    struct Preprocess: Decodable {
        struct Case: Decodable {
            let name: String
            let w: Int, h: Int, size: Int, max_size: Int, out_w: Int, out_h: Int
            let sample_step_h: Int?, sample_step_w: Int?
        }
        struct Size: Decodable { let w: Int, h: Int, out_w: Int, out_h: Int }
        let cases: [Case]
        let size_rule_800_1333: [Size]
    }

    struct Postprocess: Decodable {
        struct Filtered: Decodable {
            let min_score: Double, nms_value: Double
            let original_xyxy_boxes: [[[Int]]]
            let scores: [[Double]]
        }
        struct EarlyStop: Decodable {
            let lowered_image: Int
            let lowered_by: Double
            let results: [Filtered]
        }
        let image_sizes_hw: [[Int]]
        let filtered: [Filtered]
        let early_stop: EarlyStop
    }

    private let folder: URL
    private let config: Config
    private let expected: any TensorArchive

    init(_ folder: URL) throws {
        self.folder = folder
        config = try JSONDecoder().decode(
            Config.self, from: Data(contentsOf: folder.appendingPathComponent("config.json")))
        expected = try TensorArchives.open(at: folder.appendingPathComponent("expected.safetensors"))
    }

    func climb() throws -> [GoldenRung] {
        var ladder = GoldenLadder()
        try climbPreprocessing(&ladder)
        let weights = try TensorArchives.open(at: folder.appendingPathComponent("weights.safetensors"))
        let store = ParameterStore(weights, dtype: .float32, rename: UPNCheckpointKeys.rename(weights.names))
        let network = try UniversalProposalNetwork(config.model, store.weights)
        try store.checkComplete(ignoring: UPNCheckpointKeys.isRedundant)
        let inputs = try TensorArchives.open(at: folder.appendingPathComponent("inputs.safetensors"))
        try inference {
            for name in config.cases.keys.sorted() {
                let memory = try climbEncoder(&ladder, network, name, inputs)
                for granularity in Granularity.allCases {
                    try climbDecoder(&ladder, network, memory, name, granularity)
                }
            }
        }
        let climbed = Set(ladder.rungs.map(\.name))
        for name in expected.names where !climbed.contains(name) { ladder.add(name, isExact: false) }
        try climbPostprocessing(&ladder)
        return ladder.rungs
    }

    // MARK: - Network

    private func climbEncoder(
        _ ladder: inout GoldenLadder, _ network: UniversalProposalNetwork, _ name: String, _ inputs: any TensorArchive
    ) throws -> UniversalProposalNetwork.Memory {
        var seen: [(name: String, tensor: Tensor)] = []
        let mask = try inputs.tensor(named: name + ".mask").notEqual(to: 0)
        let memory = try network.encode(inputs.tensor(named: name + ".tensors"), mask: mask) { seen.append(($0, $1)) }
        let levels = memory.levels
        seen += levels.masks.enumerated().map { ("level_mask.\($0)", $1) }
        seen += [
            ("spatial_shapes", levels.spatialShapes), ("level_start_index", levels.starts),
            ("valid_ratios", levels.validRatios), ("memory", memory.tokens), ("proposals_unsig", memory.anchors),
            ("enc_coords_unsig", memory.coordinates),
        ]
        for (stage, tensor) in seen { try compareIfRecorded(&ladder, "\(name).\(stage)", tensor, stage: stage) }
        return memory
    }

    private func climbDecoder(
        _ ladder: inout GoldenLadder, _ network: UniversalProposalNetwork, _ memory: UniversalProposalNetwork.Memory,
        _ name: String, _ granularity: Granularity
    ) throws {
        let selection = try network.select(memory, granularity)
        let output = try network.decode(memory, selection, granularity)
        var seen: [(name: String, tensor: Tensor)] = [
            ("enc_logits", selection.scores), ("topk_indices", selection.indices), ("topk_logits", selection.logits),
            ("topk_coords_unsig", selection.coordinates),
        ]
        seen += output.references.enumerated().map { ("references.\($0)", $1) }
        seen += output.hidden.enumerated().map { ("hs.\($0)", $1) }
        let boxes = try Tensor.stacked(output.boxes), logits = try Tensor.stacked(output.logits).unsqueezed(-1)
        seen += [
            ("layer_boxes", boxes), ("layer_logits", logits), ("pred_boxes", try boxes[-1]),
            ("pred_logits", try logits[-1]),
        ]
        for (stage, tensor) in seen {
            try compareIfRecorded(&ladder, "\(name).\(granularity.rawValue).\(stage)", tensor, stage: stage)
        }
    }

    /// Not every stage is recorded for every case.
    private func compareIfRecorded(_ ladder: inout GoldenLadder, _ name: String, _ found: Tensor, stage: String) throws
    {
        guard expected.record(named: name) != nil else { return }
        try ladder.compare(name, found, expected.tensor(named: name), tolerance: Self.tolerance(of: stage))
    }

    private static func tolerance(of stage: String) -> Double {
        switch stage.prefix(while: { $0 != "." }) {
        case "level_mask", "spatial_shapes", "level_start_index", "topk_indices": 0
        case "valid_ratios", "pos", "proposals_unsig": 1e-5
        case "references", "layer_boxes", "pred_boxes": 1e-4
        case "hs", "topk_logits", "layer_logits", "pred_logits": 5e-4
        default: 2e-4  // backbone, src, memory, enc_logits, enc_coords_unsig, topk_coords_unsig
        }
    }

    // MARK: - Before and after

    private func climbPreprocessing(_ ladder: inout GoldenLadder) throws {
        let isRight = config.preprocess.size_rule_800_1333.allSatisfy {
            UPNPreprocessor().targetSize(width: $0.w, height: $0.h) == ($0.out_w, $0.out_h)
        }
        ladder.add("size_rule_800_1333", isExact: isRight)
        let archive = try TensorArchives.open(at: folder.appendingPathComponent("preprocess.safetensors"))
        for item in config.preprocess.cases {
            let pixels = try archive.tensor(named: item.name + ".image").array(of: UInt8.self)
            let image = try Image(width: item.w, height: item.h, channels: 3, pixels: pixels)
            let preprocessor = UPNPreprocessor(shortSide: item.size, longSide: item.max_size)
            let resized = try preprocessor.resized(image), normalized = try preprocessor.normalized(resized)
            if archive.record(named: item.name + ".resized") != nil {
                let found = try Tensor(resized.pixels, shape: [resized.height, resized.width, 3])
                try ladder.compare(
                    item.name + ".resized", found, archive.tensor(named: item.name + ".resized"), tolerance: 0)
            }
            if let rowStep = item.sample_step_h, let columnStep = item.sample_step_w {
                let name = item.name + ".normalized_sample"
                let sample = try normalized[.all, .every(rowStep), .every(columnStep)]
                try ladder.compare(name, sample, archive.tensor(named: name), tolerance: 1e-6)
            } else {
                let name = item.name + ".normalized"
                try ladder.compare(name, normalized, archive.tensor(named: name), tolerance: 1e-6)
            }
        }
    }

    private func climbPostprocessing(_ ladder: inout GoldenLadder) throws {
        let archive = try TensorArchives.open(at: folder.appendingPathComponent("postprocess.safetensors"))
        let boxes = try archive.tensor(named: "pred_boxes"),
            logits = try archive.tensor(named: "pred_logits").squeezed(-1)
        let sizes = config.postprocess.image_sizes_hw.map { (width: $0[1], height: $0[0]) }
        let decoded = try UniversalProposalNetwork.proposals(boxes, logits, sizes: sizes, .fine)
        let corners = decoded.flatMap { $0.flatMap { $0.box.values(.xyxy) } },
            scores = decoded.flatMap { $0.map(\.score) }
        try ladder.compare(
            "original_xyxy_boxes", Tensor(corners, shape: boxes.shape), archive.tensor(named: "original_xyxy_boxes"),
            tolerance: 1e-3)
        try ladder.compare(
            "scores", Tensor(scores, shape: logits.shape + [1]), archive.tensor(named: "scores"), tolerance: 1e-6)
        for (index, wanted) in config.postprocess.filtered.enumerated() {
            ladder.add("filtered.\(index)", isExact: try Self.filtered(decoded, matches: wanted))
        }
        let stop = config.postprocess.early_stop
        var lowered = try logits.copied().unbound(0)
        lowered[stop.lowered_image] = try lowered[stop.lowered_image] - stop.lowered_by
        let early = try UniversalProposalNetwork.proposals(boxes, Tensor.stacked(lowered), sizes: sizes, .fine)
        for (index, wanted) in stop.results.enumerated() {
            ladder.add("early_stop.\(index)", isExact: try Self.filtered(early, matches: wanted))
        }
    }

    /// Filters as recorded. The reference returns at the first picture that nothing is left of, cuts coordinates to integers
    /// and rounds scores to two decimals; only the comparison does.
    private static func filtered(_ proposals: [[Proposal]], matches wanted: Postprocess.Filtered) throws -> Bool {
        let filter = ProposalFilter(
            minimumScore: wanted.min_score, iouThreshold: wanted.nms_value > 0 ? wanted.nms_value : 1,
            maximumCount: .max)
        let kept = try proposals.map { try filter($0) }.prefix { !$0.isEmpty }
        let boxes = kept.map { $0.map { $0.box.values(.xyxy).map { Int($0) } } }
        let scores = kept.map { $0.map { Double((Float($0.score) * 100).rounded(.toNearestOrEven) / 100) } }
        let sameScores = zip(scores, wanted.scores).allSatisfy { zip($0, $1).allSatisfy { abs($0 - $1) < 1e-6 } }
        return boxes == wanted.original_xyxy_boxes && sameScores && scores.map(\.count) == wanted.scores.map(\.count)
    }
}
