import ChatRex
import Foundation
import Torch

/// The modules that a recipe names, ready to work.
public final class EngineAssembly: Sendable {
    public let modules: EngineModules
    private let endpoints: [ChatEndpoint]
    private let spacy: SpacyPhraseExtractor?

    /// Loads models, starts workers and asks endpoints whether they are there, so that what is missing is known before work begins.
    ///
    /// - Parameter answers: the file that keeps what endpoints answered
    /// - Throws: what the parts' initialisers throw.
    public init(_ recipe: EngineRecipe, answers: URL) async throws {
        try recipe.validate()
        let usesModel = recipe.caption.by == .model || recipe.grounding.by == .model || recipe.regions.by == .model
        let session = usesModel ? try await Self.session(recipe.model) : nil
        let instant = InstantModules(delay: .milliseconds(recipe.instantMilliseconds))
        let maker = EndpointMaker(answers: answers)

        let captioner: (any ImageCaptioner)? =
            switch recipe.caption.by {
            case .model:
                session.map {
                    ModelCaptioner($0, style: recipe.caption.style, rules: recipe.caption.settings.answer)
                }
            case .endpoint:
                try EndpointCaptioner(maker.model(recipe.caption.endpoint), recipe.caption.settings)
            case .source: nil
            case .instant: instant
            }
        let extractor: any PhraseExtractor
        var spacy: SpacyPhraseExtractor?
        switch recipe.phrases.by {
        case .spacy:
            let worker = try SpacyPhraseExtractor(recipe.phrases.settings)
            try await worker.start()
            (extractor, spacy) = (worker, worker)
        case .names:
            extractor = RulePhraseExtractor(names: recipe.phrases.settings.names, settings: recipe.phrases.settings)
        case .instant: extractor = instant
        }
        let grounder: any PhraseGrounder
        switch recipe.grounding.by {
        case .groundingDINO: grounder = try await GroundingDINOGrounder(recipe.grounding.groundingDINO)
        case .model:
            guard let session else { throw EngineError.invalidSetting(name: "grounding.by", reason: "no model") }
            grounder = ModelGrounder(session, minimumScore: recipe.rules.grounding.minimumScore)
        case .instant: grounder = instant
        }
        let describer: (any RegionCaptioner)? =
            switch recipe.regions.by {
            case .model:
                session.map {
                    ModelRegionCaptioner($0, level: recipe.regions.level, rules: recipe.regions.settings.answer)
                }
            case .endpoint:
                try EndpointRegionCaptioner(maker.model(recipe.regions.endpoint), recipe.regions.settings)
            case .none: nil
            case .instant: instant
            }
        let refiner: (any TextRefiner)?
        switch recipe.refinement.by {
        case .rules: refiner = RuleRefiner(try await PhraseAgreement(recipe.refinement.agreement))
        case .endpoint:
            refiner = CheckedRefiner(
                try EndpointRefiner(maker.model(recipe.refinement.endpoint), recipe.refinement.settings),
                after: try await PhraseAgreement(recipe.refinement.agreement))
        case .none: refiner = nil
        case .instant: refiner = instant
        }
        let judge: (any LowContentJudge)? =
            recipe.collection.lowContentThreshold < 1
            ? try await PageClassifier(
                recipe.pageClassifier.isEmpty ? nil : URL(fileURLWithPath: recipe.pageClassifier, isDirectory: true))
            : nil
        modules = EngineModules(
            collector: try Collector(recipe.collection, judge: judge), captioner: captioner, extractor: extractor,
            grounder: grounder, describer: describer, refiner: refiner)
        endpoints = maker.endpoints
        self.spacy = spacy
        for endpoint in endpoints { try await endpoint.check() }
    }

    private static func session(_ model: EngineRecipe.Model) async throws -> ChatRexSession {
        let folder = model.folder.isEmpty ? nil : ModelFolder(URL(fileURLWithPath: model.folder, isDirectory: true))
        return try await ChatRexSession(
            model: folder, proposalNetwork: model.proposals.isEmpty ? nil : URL(fileURLWithPath: model.proposals),
            device: Device(parsing: model.device))
    }

    /// What was asked of each endpoint, and what it cost.
    public var usage: [(address: String, usage: EndpointUsage, cost: Double)] {
        endpoints.map { ($0.address, $0.usage, $0.usage.cost($0.settings)) }
    }

    /// Ends workers and connections.
    public func stop() async {
        await spacy?.stop()
        for endpoint in endpoints { await endpoint.shutdown() }
    }
}

/// Makes one client for each endpoint; modules that ask the same one share its limits.
private final class EndpointMaker {
    private let answers: URL
    private var cache: AnswerCache?
    private var made: [(settings: EndpointSettings, model: StoredAnswersModel)] = []

    init(answers: URL) { self.answers = answers }

    var endpoints: [ChatEndpoint] { made.map(\.model.endpoint) }

    func model(_ settings: EndpointSettings) throws -> StoredAnswersModel {
        if let found = made.first(where: { $0.settings == settings }) { return found.model }
        let cache = try cache ?? AnswerCache(answers)
        self.cache = cache
        let model = StoredAnswersModel(try ChatEndpoint(settings), cache: cache)
        made.append((settings, model))
        return model
    }
}
