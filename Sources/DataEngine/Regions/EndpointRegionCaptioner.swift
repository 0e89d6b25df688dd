import Boxes
import Imaging

/// Module 4 by a vision model behind an endpoint: the phrase is part of the prompt, so that less is made up.
public struct EndpointRegionCaptioner: RegionCaptioner {
    private let settings: RegionCaptionSettings
    private let interview: Interview

    /// Most characters of a phrase within a prompt.
    private static let phraseLimit = 200

    /// - Throws: `EngineError.invalidSetting`.
    public init(_ model: any ChatModel, _ settings: RegionCaptionSettings = RegionCaptionSettings()) throws {
        try settings.validate()
        self.settings = settings
        interview = Interview(model, repetitions: settings.repetitions)
    }

    /// How many answers were not taken, by `AnswerFault`'s names.
    public var faults: [String: Int] { interview.faults }

    /// All regions are asked about at once; the endpoint's own limit decides how many questions are under way.
    public func describe(_ regions: [RegionSubject], in image: EngineImage) async throws -> [Result<String, Drop>] {
        try await withThrowingTaskGroup(of: (Int, Result<String, Drop>).self) { group in
            for (index, region) in regions.enumerated() {
                group.addTask { (index, try await describe(region, in: image)) }
            }
            var results: [Int: Result<String, Drop>] = [:]
            for try await (index, result) in group { results[index] = result }
            return regions.indices.compactMap { results[$0] }
        }
    }

    private func describe(_ region: RegionSubject, in image: EngineImage) async throws -> Result<String, Drop> {
        do {
            let text = try await description(of: region, in: image)
            return .success(text)
        } catch let drop as Drop {
            return .failure(drop)
        }
    }

    private func description(of region: RegionSubject, in image: EngineImage) async throws -> String {
        let crop = try RegionCrop(region.box, inWidth: image.image.width, height: image.image.height, settings.crop)
        let picture = try crop.picture(of: image.image, settings.crop).encoded(as: .jpeg(quality: settings.jpegQuality))
        let question = ChatQuestion(prompt(for: region.phrase), system: settings.system, pictures: [picture])
        switch try await interview.ask(question, judge: settings.answer.judge) {
        case .good(let text): return text
        case .faulty(let fault, let excerpt): throw AnswerSubject.description.drop(for: fault, detail: excerpt)
        }
    }

    private func prompt(for phrase: String?) -> String {
        let phrase = (phrase ?? "").excerpt(Self.phraseLimit)
        return phrase.isEmpty
            ? settings.unconditionedPrompt : settings.prompt.replacing(RegionCaptionSettings.gap, with: phrase)
    }
}
