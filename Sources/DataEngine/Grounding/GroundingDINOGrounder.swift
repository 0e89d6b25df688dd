import Foundation
import GroundingDINO
import Recipes
import Torch

/// How phrases are grounded with Grounding DINO.
public struct GroundingDINOSettings: Codable, Sendable, Equatable {
    /// Folder of the model in Hugging Face form.
    public var folder = ""
    /// Where it runs: `cpu`, `cuda`, `cuda:1` or `mps`.
    public var device = "cpu"
    /// A box counts where some token's score is above it, 0...1.
    public var boxThreshold = 0.35
    /// A box belongs to its best phrase where a token of that is above it, 0...1.
    public var textThreshold = 0.25
    /// Boxes of a phrase that overlap a better one by more are dropped, 0...1; 1 keeps all.
    public var overlapLimit = 0.7

    public init() {}

    /// - Throws: `GroundingDINOError.setting` naming the first setting that cannot be meant; `TorchError` for a device that is none.
    public func validate() throws {
        if folder.isEmpty {
            throw GroundingDINOError.setting(name: "folder", reason: "is empty; give the folder of a model")
        }
        for (name, value) in [
            ("boxThreshold", boxThreshold), ("textThreshold", textThreshold), ("overlapLimit", overlapLimit),
        ] where !(0...1).contains(value) {
            throw GroundingDINOError.setting(name: name, reason: "is \(value), but must be 0 to 1")
        }
        _ = try Device(parsing: device)
    }
}

/// Grounds phrases with Grounding DINO, as the paper does.
public struct GroundingDINOGrounder: PhraseGrounder {
    private let model: GroundingDINO
    private let settings: GroundingDINOSettings

    /// Loads the model.
    /// - Throws: what `GroundingDINOSettings.validate` and `GroundingDINO.load` throw.
    public init(_ settings: GroundingDINOSettings) async throws {
        try settings.validate()
        model = try await GroundingDINO.load(
            URL(fileURLWithPath: settings.folder, isDirectory: true), device: Device(parsing: settings.device))
        self.settings = settings
    }

    public func ground(_ phrases: [NounPhrase], of text: String, in image: EngineImage) async throws -> [[ScoredBox]] {
        let found = try await model.ground(
            phrases.map(\.text), in: image.image, boxThreshold: settings.boxThreshold,
            textThreshold: settings.textThreshold, overlapLimit: settings.overlapLimit)
        return found.map { boxes in boxes.map { ScoredBox(box: $0.box, score: $0.score) } }
    }
}

extension GroundingDINOError: InvalidSetting {
    public var setting: (name: String, reason: String)? {
        if case .setting(let name, let reason) = self { (name, reason) } else { nil }
    }
}
