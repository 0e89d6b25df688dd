// Loss and gradients of a padded batch, and the rows that added tokens start with.

import ChatRex
import Checkpoints
import Foundation
import LanguageModels
import Torch
import TorchNN
import VisionEncoders

struct ChatRexTrainingGolden {
    private struct Expected: Decodable {
        let loss: Double
        let grad_norms: [String: Double?]
    }

    private let folder: URL
    private let expected: any TensorArchive, inputs: any TensorArchive

    init(_ folder: URL) throws {
        self.folder = folder
        expected = try TensorArchives.open(at: folder.appendingPathComponent("training_expected.safetensors"))
        inputs = try TensorArchives.open(at: folder.appendingPathComponent("training_inputs.safetensors"))
    }

    func climb(_ ladder: inout GoldenLadder, _ model: ChatRexModel) throws {
        try model.setTrainable(true)
        let batch = try spliced(model)
        func compare(_ name: String, _ found: Tensor, _ tolerance: Double) throws {
            try ladder.compare("training.\(name)", found.detached(), expected.tensor(named: name), tolerance: tolerance)
        }
        try compare("inputs_embeds", batch.rows, ChatRexGolden.Tolerance.language)
        try compare("attention_mask", batch.valid.converted(to: .int64), 0)
        try compare("labels", batch.labels, 0)
        let length = batch.rows.size(1)
        let causal = try Tensor.ones([length, length], dtype: .bool).lowerTriangle()
        let mask = try causal.logicalAnd(batch.valid.unsqueezed(1)).unsqueezed(1)
        let logits = try model.language.logits(model.language(batch.rows, mask: mask))
        try compare("logits", logits, ChatRexGolden.Tolerance.language)
        let loss = try logits[.all, .upTo(-1)].flattened(to: 1).crossEntropy(batch.labels[.all, .from(1)].flattened())
        try compare("loss", loss.reshaped(1), ChatRexGolden.Tolerance.loss)
        try loss.backward()
        try climbGradients(&ladder, model)
        try climbTokenRows(&ladder)
    }

    /// Rows [B, T, D] padded with zeros, which positions are real, and labels.
    private func spliced(_ model: ChatRexModel) throws -> (rows: Tensor, valid: Tensor, labels: Tensor) {
        let ids = try inputs.tensor(named: "input_ids"), (count, width) = try ids.shape2()
        let allIDs = try ids.array(of: Int.self), labels = try inputs.tensor(named: "labels").array(of: Int.self)
        let real = try inputs.tensor(named: "attention_mask").array(of: Int.self)
        let boxCounts = try inputs.tensor(named: "num_gt_boxes").array(of: Int.self)
        let features = try model.visualFeatures(
            lowResolution: inputs.tensor(named: "pixel_values"),
            highResolution: inputs.tensor(named: "pixel_values_aux"))
        let boxes = try (0..<count).map { try ChatRexGolden.boxes(inputs.tensor(named: "gt_boxes")[.at($0)]) }
        let image = try model.imageTokens(features), objects = try model.objectTokens(features.pyramid, boxes: boxes)
        var rows: [Tensor] = [], rowLabels: [[Int]] = []
        for index in 0..<count {
            let range = (index * width..<(index + 1) * width).filter { real[$0] != 0 }
            let own = try objects[.at(index), .upTo(boxCounts[index])]
            rows.append(try model.splice(range.map { allIDs[$0] }, image: image[.at(index)], objects: own).rows)
            rowLabels.append(
                range.flatMap { position in
                    allIDs[position] == Prompt.imageID
                        ? [Int](repeating: -100, count: image.size(1))
                        : [allIDs[position] < 0 ? -100 : labels[position]]
                })
        }
        let length = rows.map { $0.size(0) }.max() ?? 0
        let padded = try rows.map { try $0.padded([0, 0, 0, length - $0.size(0)]) }
        let valid = rows.flatMap { row in (0..<length).map { $0 < row.size(0) } }
        let flatLabels = rowLabels.flatMap { $0 + [Int](repeating: -100, count: length - $0.count) }
        return try (
            Tensor.stacked(padded), Tensor(valid, shape: [count, length]), Tensor(flatLabels, shape: [count, length])
        )
    }

    private func climbGradients(_ ladder: inout GoldenLadder, _ model: ChatRexModel) throws {
        let figures = try JSONDecoder().decode(
            Expected.self, from: Data(contentsOf: folder.appendingPathComponent("training_expected.json")))
        let parameters = Dictionary(uniqueKeysWithValues: model.namedParameters.map { ($0.name, $0.tensor) })
        for name in expected.names.filter({ $0.hasPrefix("grad/") }).sorted() {
            guard let gradient = parameters[String(name.dropFirst(5))]?.gradient else {
                ladder.add("training.\(name)", isExact: false)
                continue
            }
            let reference = try expected.tensor(named: name)
            let largest = try Double(reference.absolute().max().item(Float.self))
            try ladder.compare(
                "training.\(name)", gradient / largest, reference / largest, tolerance: ChatRexGolden.Tolerance.gradient
            )
        }
        var worst = 0.0, unexpected = 0
        for (name, norm) in figures.grad_norms {
            let found = try parameters[name]?.gradient.map { try Double($0.norm().item(Float.self)) }
            switch (norm, found) {
            case (nil, nil): break
            // Key biases of CLIP shift all scores alike: their gradient is zero but for rounding, and so is any relation to it.
            case (let norm?, let found?): worst = max(worst, abs(found - norm) / max(norm, 1e-3))
            default: unexpected += 1
            }
        }
        ladder.add("training.grad_norms (relative)", error: worst, tolerance: ChatRexGolden.Tolerance.gradient)
        ladder.add("training.parameters without a gradient", error: Double(unexpected), tolerance: 0)
    }

    private func climbTokenRows(_ ladder: inout GoldenLadder) throws {
        let values = try TensorArchives.open(at: folder.appendingPathComponent("token_init.safetensors"))
        let used = try values.tensor(named: "old_rows_used").item(Int.self),
            total = try values.tensor(named: "new_vocab").item(Int.self)
        for name in ["input", "output"] {
            let resized = try AddedTokenRows.resized(values.tensor(named: "\(name)_before"), keeping: used, to: total)
            try ladder.compare(
                "token_init.\(name)_new_row", resized[-1], values.tensor(named: "\(name)_new_row"), tolerance: 1e-6)
        }
    }
}
