// The set `chatrex-tiny`: every stage of a tiny model with seeded weights. Its README lists tensors and tolerances.

import Boxes
import ChatRex
import Checkpoints
import Foundation
import Imaging
import LanguageModels
import Tokenizers
import Torch
import TorchNN
import VisionEncoders

struct ChatRexGolden {
    struct Manifest: Decodable {
        let question: String, greedy_tokens: [Int], eos_override: Int, repetition_penalty: Double
    }

    /// Largest differences allowed, from the set's README.
    enum Tolerance {
        static let pixels = 1e-6, reducedPixels = 3e-6, vision = 3e-5, language = 1e-4, loss = 1e-5, gradient = 1e-4
    }

    let folder: URL
    let expected: any TensorArchive
    private let manifest: Manifest

    init(_ folder: URL) throws {
        self.folder = folder
        manifest = try JSONDecoder().decode(
            Manifest.self, from: Data(contentsOf: folder.appendingPathComponent("manifest.json")))
        expected = try TensorArchives.open(at: folder.appendingPathComponent("expected.safetensors"))
    }

    func climb(_ ladder: inout GoldenLadder) throws {
        try climbText(&ladder)
        try climbPreprocessing(&ladder)
        let model = try loadModel()
        let inputs = try TensorArchives.open(at: folder.appendingPathComponent("inputs.safetensors"))
        try inference {
            let features = try climbVision(&ladder, model, inputs)
            let rows = try climbObjects(&ladder, model, features, inputs)
            try climbLanguage(&ladder, model, rows)
        }
        try ChatRexTrainingGolden(folder).climb(&ladder, loadModel())
        let climbed = Set(ladder.rungs.map(\.name))
        for name in expected.names where !climbed.contains(name) && name != "generate.eos_override" {
            ladder.add(name, isExact: false)
        }
    }

    /// The set's weights lie in `weights.safetensors`, not under the name of a model folder.
    private func loadModel() throws -> ChatRexModel {
        let archive = try TensorArchives.open(at: folder.appendingPathComponent("weights.safetensors"))
        let configuration = try ChatRexConfiguration(folder: folder) { archive.shape(of: $0) }
        let store = ParameterStore(archive, dtype: .float32)
        let model = try ChatRexModel(configuration, store.weights)
        try store.checkComplete()
        return model
    }

    private func json<Value: Decodable>(_ name: String, as type: Value.Type) throws -> Value {
        try JSONDecoder().decode(type, from: Data(contentsOf: folder.appendingPathComponent(name)))
    }

    // MARK: Text

    private struct GrammarCase: Decodable {
        struct Group: Decodable, Equatable {
            let phrase: String, tags: [String]
            init(from decoder: any Decoder) throws {
                var pair = try decoder.unkeyedContainer()
                phrase = try pair.decode(String.self)
                tags = try pair.decode([String].self)
            }
            func equals(_ group: ReferenceGroup) -> Bool {
                same(phrase, group.phrase) && tags.count == group.tags.count && zip(tags, group.tags).allSatisfy(same)
            }
        }
        let text: String, visualizer: [Group], evaluator: [Group]
    }

    private func climbText(_ ladder: inout GoldenLadder) throws {
        try TokenizerGolden(folder, [folder.appendingPathComponent("tokenizer_cases.json")]).climb(&ladder)
        let tokenizer = try BytePairTokenizer(contentsOf: folder.appendingPathComponent("tokenizer.json"))
        try TokenizerGolden.climbPrompts(
            &ladder, "prompt_cases", json("prompt_cases.json", as: [TokenizerGolden.PromptCase].self), tokenizer)
        let cases = try json("grammar_cases.json", as: [GrammarCase].self)
        func equal(_ expected: [GrammarCase.Group], _ found: [ReferenceGroup]) -> Bool {
            expected.count == found.count && zip(expected, found).allSatisfy { $0.equals($1) }
        }
        ladder.count("grammar_cases.visualizer", of: cases) {
            equal($0.visualizer, ReferenceParsers.visualizer($0.text))
        }
        ladder.count("grammar_cases.evaluator", of: cases) { equal($0.evaluator, ReferenceParsers.evaluator($0.text)) }
    }

    // MARK: Preprocessing

    private struct PreprocessCases: Decodable {
        struct Case: Decodable {
            let name: String, file: String, aux_size: Int, clip_size: Int, resized_u8: String?
        }
        let cases: [Case]
    }

    private func climbPreprocessing(_ ladder: inout GoldenLadder) throws {
        let values = try TensorArchives.open(at: folder.appendingPathComponent("preprocess.safetensors"))
        for item in try json("preprocess_cases.json", as: PreprocessCases.self).cases {
            let image = try Image(contentsOf: folder.appendingPathComponent(item.file).path)
            let preprocessor = ImagePreprocessor(highResolution: item.aux_size, lowResolution: item.clip_size)
            let input = try preprocessor(image)
            if let square = values.record(named: "\(item.name).square_u8"), square.elementCount > 0 {
                let padded = try image.paddedToSquare(color: ImagePreprocessor.padding)
                ladder.add("\(item.name).square_u8", isExact: padded.pixels == Array(square.packedBytes()))
            }
            if let file = item.resized_u8 {
                let resized = try Image(contentsOf: folder.appendingPathComponent(file).path)
                ladder.add(file, isExact: try preprocessor.squarePixels(image) == resized)
            }
            let high = try input.highResolution[0]
            if values.record(named: "\(item.name).pixel_values_aux_every16") != nil {
                try ladder.compare(
                    "\(item.name).pixel_values_aux_every16", high[.all, .every(16), .every(16)],
                    values.tensor(named: "\(item.name).pixel_values_aux_every16"), tolerance: Tolerance.pixels)
            } else {
                try ladder.compare(
                    "\(item.name).pixel_values_aux", high, values.tensor(named: "\(item.name).pixel_values_aux"),
                    tolerance: Tolerance.pixels)
            }
            try ladder.compare(
                "\(item.name).pixel_values", input.lowResolution[0], values.tensor(named: "\(item.name).pixel_values"),
                tolerance: Tolerance.reducedPixels)
            try climbBoxes(&ladder, item.name, input.frame, values)
        }
    }

    private func climbBoxes(
        _ ladder: inout GoldenLadder, _ name: String, _ frame: SquareFrame, _ values: any TensorArchive
    ) throws {
        let given = try [Box](flat: values.tensor(named: "\(name).boxes_in").array(of: Double.self), format: .xyxy)
        let converted = given.map(frame.converted).flatMap { [$0.x, $0.y, $0.z, $0.w] }
        try ladder.compare(
            "\(name).boxes_out", Tensor(converted, shape: [given.count, 4]), values.tensor(named: "\(name).boxes_out"),
            tolerance: 0)
        if values.record(named: "\(name).boxes_out_fp16") != nil {
            let half = try Tensor(converted, shape: [given.count, 4]).converted(to: .float16)
            try ladder.compare(
                "\(name).boxes_out_fp16", half, values.tensor(named: "\(name).boxes_out_fp16"), tolerance: 0)
        }
    }

    // MARK: Vision

    private func climbVision(
        _ ladder: inout GoldenLadder, _ model: ChatRexModel, _ inputs: any TensorArchive
    ) throws -> ChatRexModel.VisualFeatures {
        let low = try inputs.tensor(named: "pixel_values"), high = try inputs.tensor(named: "pixel_values_aux")
        func compare(_ name: String, _ found: Tensor) throws {
            try ladder.compare(name, found, expected.tensor(named: name), tolerance: Tolerance.vision)
        }
        for (index, state) in try model.clip.hiddenStates(low).enumerated() {
            try compare("clip.hidden_states.\(index)", state)
        }
        try compare("clip.tokens", model.clip.patchTokens(low, layer: model.configuration.clipLayer))
        try compare("convnext.stem", model.convNeXt.stemMap(high))
        let features = try model.visualFeatures(lowResolution: low, highResolution: high)
        for (index, map) in features.pyramid.enumerated() { try compare("convnext.stage_\(index)", map) }
        try compare("image.concat", features.image)
        try compare("image.tokens", model.imageTokens(features))
        return features
    }

    /// - Returns: rows of the spliced prompt, [T, D]
    private func climbObjects(
        _ ladder: inout GoldenLadder, _ model: ChatRexModel, _ features: ChatRexModel.VisualFeatures,
        _ inputs: any TensorArchive
    ) throws -> Tensor {
        func compare(_ name: String, _ found: Tensor) throws {
            try ladder.compare(name, found, expected.tensor(named: name), tolerance: Tolerance.vision)
        }
        let encoder = model.objectEncoder, maps = features.pyramid
        let boxes = try Self.boxes(inputs.tensor(named: "gt_boxes")[0])
        let side = maps[0].size(2)
        let pyramid = try Tensor.concatenated(
            maps.map { try $0.upsampledBilinear(height: side, width: side) }, dimension: 1)
        try compare("object.pyramid_every4", pyramid[.all, .all, .every(4), .every(4)])
        let cells = try encoder.cells(maps, boxes: boxes)
        try compare("object.roi_7x7_first4ch", cells[.all, .upTo(4)])
        try compare("object.roi_7x7_last4ch", cells[.all, .from(-4)])
        try compare("object.roi_mean", encoder.averages(maps, boxes: [boxes])[0])
        try compare("object.boxes_cxcywh", encoder.relativeBoxes(boxes))
        try compare("object.pos_embed", encoder.boxEmbedding(boxes, channels: cells.size(1)))
        try compare("object.features_pre", encoder(maps, boxes: [boxes])[0])
        let half = try Self.boxes(inputs.tensor(named: "gt_boxes")[0].converted(to: .float16))
        try compare("object.features_pre_fp16_boxes", encoder(maps, boxes: [half])[0])
        try compare(
            "object.edge_features_pre", encoder(maps, boxes: [Self.boxes(inputs.tensor(named: "edge_boxes"))])[0])
        let objects = try model.objectTokens(features.pyramid, boxes: [boxes])[0]
        try compare("object.features", objects)
        let ids = try inputs.tensor(named: "input_ids")[0].array(of: Int.self)
        return try model.splice(ids, image: model.imageTokens(features)[0], objects: objects).rows
    }

    static func boxes(_ tensor: Tensor) throws -> [SIMD4<Float>] {
        let values = try tensor.array(of: Float.self)
        return stride(from: 0, to: values.count, by: 4).map {
            SIMD4(values[$0], values[$0 + 1], values[$0 + 2], values[$0 + 3])
        }
    }

    // MARK: Language

    private func climbLanguage(_ ladder: inout GoldenLadder, _ model: ChatRexModel, _ rows: Tensor) throws {
        func compare(_ name: String, _ found: Tensor) throws {
            try ladder.compare(name, found, expected.tensor(named: name), tolerance: Tolerance.language)
        }
        try compare("llm.inputs_embeds", rows.unsqueezed(0))
        var states: [Tensor] = []
        let hidden = try model.language(rows.unsqueezed(0)) { states.append($1) }
        for (index, state) in (states + [hidden]).enumerated() { try compare("llm.hidden_states.\(index)", state) }
        try compare("llm.logits", model.language.logits(hidden))

        let end = try expected.tensor(named: "generate.eos_override").array(of: Int.self)
        let count = manifest.greedy_tokens.count
        func generate(_ name: String, stop: Set<Int>, penalty: Double = 1) throws {
            let options = GenerationOptions(
                maxTokens: count, stopTokens: stop, sampling: SamplingOptions(repetitionPenalty: penalty))
            let ids = try model.language.generate([GenerationRequest(rows: rows)], options)[0].ids
            ladder.add(name, isExact: ids == (try expected.tensor(named: name).array(of: Int.self)))
        }
        try generate("generate.tokens", stop: [])
        try generate("generate.tokens_eos_override", stop: Set(end))
        try generate("generate.tokens_repetition_penalty", stop: [], penalty: manifest.repetition_penalty)
        try compare("generate.step_logits", stepLogits(model, rows, manifest.greedy_tokens))
    }

    /// Logits before each of some tokens, one position at a time through the cache.
    private func stepLogits(_ model: ChatRexModel, _ rows: Tensor, _ tokens: [Int]) throws -> Tensor {
        let cache = try KeyValueCache(model.configuration.language, capacity: rows.size(0) + tokens.count)
        var hidden = try model.language(continuing: [(rows, cache)])
        var logits: [Tensor] = []
        for token in tokens {
            logits.append(try model.language.logits(hidden[-1]))
            hidden = try model.language(continuing: [(model.language.embedding(Tensor([token])), cache)])
        }
        return try Tensor.stacked(logits)
    }
}
