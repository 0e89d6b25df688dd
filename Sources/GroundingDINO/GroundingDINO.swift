// Grounding DINO's front door: a picture and phrases in, boxes out.

import Boxes
import Foundation
import Imaging
import LanguageModels
import Tokenizers
import Torch
import UPN

/// A loaded model that finds phrases in pictures. Work runs on a thread of its own.
///
///     let model = try await GroundingDINO.load(URL(filePath: "grounding-dino-tiny"))
///     for (phrase, boxes) in zip(phrases, try await model.ground(phrases, in: image)) { print(phrase, boxes) }
public actor GroundingDINO {
    private let network: GroundingDINONetwork
    private let tokenizer: GroundingTokenizer
    private let preprocessor: GroundingDINOPreprocessor
    private let device: Device
    private let executor: ModelExecutor

    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private init(_ folder: URL, _ device: Device) async throws {
        self.device = try device.checked()
        Runtime.initialize()
        executor = ModelExecutor(name: "grounding-dino")
        network = try GroundingDINONetwork.load(folder, device: device)
        preprocessor = try GroundingDINOPreprocessor(folder: folder)
        tokenizer = try GroundingTokenizer(folder: folder)
        let vocabularySize = network.configuration.text.vocabularySize
        if tokenizer.pieces.vocabularySize > vocabularySize {
            throw GroundingDINOError.model(
                "\(folder.path): the tokenizer has \(tokenizer.pieces.vocabularySize) tokens, the model \(vocabularySize)"
            )
        }
    }

    /// Loads a folder in Hugging Face form: `config.json`, `model.safetensors` (or shards), `tokenizer.json` or `vocab.txt`, and
    /// `preprocessor_config.json`, such as `IDEA-Research/grounding-dino-tiny` or `-base`.
    ///
    /// - Throws: what `GroundingDINONetwork.load` throws, `TokenizerError`, `GroundingDINOError`.
    public static func load(_ folder: URL, device: Device = .cpu) async throws -> GroundingDINO {
        try await GroundingDINO(folder, device)
    }

    /// Finds phrases in a picture.
    ///
    /// Each box goes to one phrase, the one with the token that it is most like; see `textThreshold`. Phrases that do not fit into the
    /// text that the model can read at once are asked in several passes, which do not compete for boxes. Full stops and question marks
    /// within a phrase are dropped, since they end a phrase; phrases that are too long are cut.
    ///
    /// - Parameters:
    ///   - boxThreshold: a box counts where some token's score is above it.
    ///   - textThreshold: a box belongs to its best phrase where a token of that is above it.
    ///   - overlapLimit: boxes of a phrase that overlap a better one by more are dropped; 1 keeps all.
    /// - Returns: for each phrase, in their order, its boxes within the picture, best first; none for a phrase without words.
    /// - Throws: `ImagingError`, `TorchError` when memory runs out, `CancellationError`.
    public func ground(
        _ phrases: [String], in image: Image, boxThreshold: Double = 0.35, textThreshold: Double = 0.25,
        overlapLimit: Double = 0.7
    ) throws -> [[GroundedBox]] {
        var found = [[GroundedBox]](repeating: [], count: phrases.count)
        let passes = PhrasePass.passes(for: phrases, tokenizer, limit: network.configuration.maxTokens)
        if passes.isEmpty { return found }
        try inference {
            let picture = try picture(image)
            for pass in passes {
                let answer = try answer(pass.ids, picture, image)
                let assigned = answer.assigned(
                    pass.spans.map(\.tokens), boxThreshold: boxThreshold, textThreshold: textThreshold)
                for (index, span) in pass.spans.enumerated() {
                    let own = assigned.filter { $0.span == index }.compactMap { entry in
                        let box = answer.boxes[entry.box].clipped(
                            toWidth: Double(image.width), height: Double(image.height))
                        return box.isFinite && box.area > 0 ? GroundedBox(box: box, score: entry.score) : nil
                    }
                    let kept = try nonMaximumSuppression(
                        boxes: own.map(\.box), scores: own.map(\.score), iouThreshold: overlapLimit)
                    for phrase in span.phrases { found[phrase] = kept.map { own[$0] } }
                }
            }
        }
        return found
    }

    /// Finds what a text such as `a cat. a remote control.` speaks of, and labels it as transformers does.
    ///
    /// - Parameters:
    ///   - boxThreshold: a box counts where some token's score is above it.
    ///   - textThreshold: its label is made of the tokens above it.
    /// - Returns: boxes in no particular order. What is too long of a text is cut off.
    /// - Throws: as `ground`.
    public func detect(
        _ text: String, in image: Image, boxThreshold: Double = 0.35, textThreshold: Double = 0.25
    ) throws -> [LabelledBox] {
        let limit = network.configuration.maxTokens
        let ids = tokenizer.text(text, limit: limit)
        let answer = try inference { try self.answer(ids, picture(image), image) }
        return answer.labelled(
            ids, limit: limit, boxThreshold: boxThreshold, textThreshold: textThreshold, decode: tokenizer.pieces.decode
        )
    }

    private func picture(_ image: Image) throws -> GroundingDINONetwork.Picture {
        try Task.checkCancellation()
        let batch = try preprocessor([image])
        return try network.picture(batch.pixels.to(device: device), mask: batch.mask.to(device: device))
    }

    private func answer(_ ids: [Int], _ picture: GroundingDINONetwork.Picture, _ image: Image) throws -> GroundingAnswer
    {
        try Task.checkCancellation()
        let text = try GroundingText(
            [ids], padding: tokenizer.padding, separators: tokenizer.separators, device: device)
        let memory = try network.encode(picture, text)
        let (logits, boxes) = try network.decode(memory, network.select(memory))
        return try GroundingAnswer(logits: logits[0], boxes: boxes[0], width: image.width, height: image.height)
    }
}
