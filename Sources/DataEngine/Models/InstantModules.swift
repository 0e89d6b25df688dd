// Stand-ins for models that answer at once and without sense, for benchmarks and tests of the engine itself.

import Boxes
import Imaging

/// Answers the same for the same question. Captions name what they are given; boxes come from a hash.
public struct InstantModules: ImageCaptioner, PhraseExtractor, PhraseGrounder, RegionCaptioner, TextRefiner {
    private let delay: Duration

    /// - Parameter delay: how long an answer takes all the same
    public init(delay: Duration = .zero) { self.delay = delay }

    private func wait() async throws {
        if delay > .zero { try await Task.sleep(for: delay) }
    }

    public func caption(_ image: EngineImage) async throws -> String {
        try await wait()
        return "A thing and \(image.sha256.prefix(4)) beside a grey box."
    }

    /// Every third word of the text.
    public func phrases(in text: String) async throws -> [NounPhrase] {
        var phrases: [NounPhrase] = [], position = 0
        for (number, word) in text.split(separator: " ", omittingEmptySubsequences: false).enumerated() {
            let end = position + word.unicodeScalars.count
            if number % 3 == 1, position < end {
                phrases.append(
                    NounPhrase(
                        text: String(word), start: position, end: end, kind: .category, category: String(word)))
            }
            position = end + 1
        }
        return phrases
    }

    public func ground(_ phrases: [NounPhrase], of text: String, in image: EngineImage) async throws -> [[ScoredBox]] {
        try await wait()
        return phrases.map { phrase in
            var hash = (phrase.text + image.sha256).utf8.reduce(14_695_981_039_346_656_037 as UInt64) {
                ($0 ^ UInt64($1)) &* 1_099_511_628_211
            }
            func share() -> Double {
                hash = hash &* 6_364_136_223_846_793_005 &+ 1
                return Double(hash >> 40) / Double(1 << 24)
            }
            let (x, y) = (share() * 0.5 * Double(image.image.width), share() * 0.5 * Double(image.image.height))
            let box = Box(
                x: x, y: y, width: 0.4 * Double(image.image.width), height: 0.4 * Double(image.image.height))
            return [ScoredBox(box: box, score: 0.5 + share() / 2)]
        }
    }

    public func describe(_ regions: [RegionSubject], in image: EngineImage) async throws -> [Result<String, Drop>] {
        try await wait()
        return regions.map { .success("This is \($0.phrase ?? "something") at \(Int($0.box.x1)), \(Int($0.box.y1)).") }
    }

    public func agrees(_ description: String, with phrase: String) async throws -> Bool { true }

    public func referringExpression(from description: String, phrase: String) async throws -> String? {
        "the \(phrase)"
    }
}
