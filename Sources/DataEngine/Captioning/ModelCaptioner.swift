import ChatRex
import Foundation

/// How a ChatRex model captions pictures.
public enum ModelCaptionStyle: String, Codable, Sendable, CaseIterable {
    /// The model's own caption (Table 9), in a sentence or in several.
    case brief, detailed
    /// A list of what the model calls each proposed region. Small models name what they are shown far better than they tell what there
    /// is, and every phrase of the list can be grounded.
    case inventory
}

/// Module 2 by a ChatRex model in this process.
public struct ModelCaptioner: ImageCaptioner {
    private let session: ChatRexSession
    private let style: ModelCaptionStyle
    private let rules: AnswerRules

    /// The most things that an inventory names, those of the surest proposals.
    private static let inventoryLimit = 12

    public init(_ session: ChatRexSession, style: ModelCaptionStyle = .brief, rules: AnswerRules = AnswerRules()) {
        (self.session, self.style, self.rules) = (session, style, rules)
    }

    public func caption(_ image: EngineImage) async throws -> String {
        switch style {
        case .brief: try rules.text(of: await session.caption(image.image, style: .brief), for: .caption)
        case .detailed: try rules.text(of: await session.caption(image.image, style: .detailed), for: .caption)
        case .inventory: try await inventory(of: image)
        }
    }

    private func inventory(of image: EngineImage) async throws -> String {
        var names: [String] = []
        for answer in try await session.describeProposals(of: image.image, level: .category) {
            let name = answer.text.trimmingCharacters(in: .whitespacesAndNewlines)
            let isName = !answer.isTruncated && name.contains(where: \.isLetter)
            if isName, names.count < Self.inventoryLimit, !names.contains(name) { names.append(name) }
        }
        if names.isEmpty { throw AnswerSubject.caption.drop(for: .empty) }
        let things = names.map(EnglishPhrase.withArticle)
        let (last, others) = (things[things.count - 1], things.dropLast())
        return "A picture with \(others.isEmpty ? last : "\(others.joined(separator: ", ")) and \(last)")."
    }
}

extension AnswerRules {
    /// The usable part of an answer that is always the same.
    /// - Throws: `Drop`.
    func text(of answer: GroundedAnswer, for subject: AnswerSubject) throws(Drop) -> String {
        switch judge(ChatReply(text: answer.text, finishReason: answer.isTruncated ? "length" : "stop")) {
        case .success(let text): return text
        case .failure(let fault): throw subject.drop(for: fault, detail: answer.text.excerpt(80))
        }
    }
}
