import DataEngine
import Foundation
import Testing

@Suite(.enabled(if: EngineVenv.has("spacy"), EngineVenv.hint))
struct SpacyPhraseTests {
    private static let extractor = Result {
        var settings = PhraseSettings()
        settings.python = EngineVenv.python
        return try SpacyPhraseExtractor(settings)
    }

    @Test(arguments: [
        (
            "A brown dog and two black cats sit on a wooden bench near a traffic light.",
            [
                "descriptive dog: A brown dog", "descriptive cat: two black cats", "descriptive bench: a wooden bench",
                "category traffic light: traffic light",
            ]
        ),
        (
            "A man in a red shirt is holding a T-shirt in the background of the image.",
            ["category man: man", "descriptive shirt: a red shirt", "category t-shirt: T-shirt"]
        ),
        ("It is eating french fries. They see it.", ["category french fries: french fries"]),
        ("A couple of women wearing sunglasses.", ["category woman: women", "category sunglasses: sunglasses"]),
        ("A dog \u{1F415} runs with its owner's ball.", ["category dog: dog", "descriptive ball: its owner's ball"]),
        ("", []), ("\n \t", []), ("\u{1F600}\u{200D}", []), ("12 34", []),
    ])
    func `phrases of captions`(text: String, expected: [String]) async throws {
        let phrases = try await Self.extractor.get().phrases(in: text)
        #expect(phrases.map { "\($0.kind.rawValue) \($0.category): \($0.text)" } == expected)
    }

    @Test func `1,000 sentences of many scripts: spans are whole words of the text`() async throws {
        let extractor = try Self.extractor.get()
        let things = [
            "dog", "traffic light", "cafe\u{301} table", "na\u{EF}ve cat", "umbrella", "teddy bear", "old man",
            "\u{442}\u{440}\u{430}\u{43C}\u{432}\u{430}\u{439}",
        ]
        let signs = [
            "", "\u{1F600} ", "\u{1F469}\u{200D}\u{1F469}\u{200D}\u{1F467} ", "\u{1F1E9}\u{1F1EA}",
            "\u{65E5}\u{672C}\u{8A9E}\u{306E} ", "\u{5D0}\u{5B8} ", "\u{1112}\u{1161}\u{11AB} ", "\u{200F}", "\u{FEFF}",
            "\u{1D54F} ", "e\u{301}\u{323} ",
        ]
        let endings = [".", " \u{1F415}\u{200D}\u{1F9BA}!", "\u{2026}", " (\u{4E2D}\u{6587})", "\r\n", ""]
        let sentences = (0..<1000).map { index in
            let (first, second) = (things[index % things.count], things[index / 7 % things.count])
            let (sign, other) = (signs[index % signs.count], signs[index / 3 % signs.count])
            let ending = endings[index % endings.count]
            return "\(sign)A red \(first) and \(index % 9 + 2) \(second)s stand \(other)near a big \(second)\(ending)"
        }
        let found = try await withThrowingTaskGroup(of: (Int, ParsedText, [NounPhrase]).self) { group in
            for (index, sentence) in sentences.enumerated() {
                group.addTask {
                    let parse = try await extractor.parse(sentence)
                    return (index, parse, PhraseRules().phrases(of: parse, in: sentence))
                }
            }
            return try await group.reduce(into: [(Int, ParsedText, [NounPhrase])]()) { $0.append($1) }
        }
        #expect(found.count == 1000)
        func isLetter(_ scalar: Unicode.Scalar?) -> Bool { scalar?.properties.isAlphabetic == true }
        var count = 0
        for (index, parse, phrases) in found {
            let scalars = Array(sentences[index].unicodeScalars)
            // The tokens cover all but spaces: no position has slipped.
            let covered = parse.tokens.flatMap { scalars[$0.start..<$0.end] }.filter { !$0.properties.isWhitespace }
            #expect(covered == scalars.filter { !$0.properties.isWhitespace })
            for phrase in phrases {
                #expect(Array(phrase.text.unicodeScalars) == Array(scalars[phrase.start..<phrase.end]))
                let (before, after) = (
                    phrase.start > 0 ? scalars[phrase.start - 1] : nil,
                    phrase.end < scalars.count ? scalars[phrase.end] : nil
                )
                #expect(isLetter(scalars[phrase.start]) || scalars[phrase.start].properties.numericType != nil)
                #expect(!isLetter(before) && !isLetter(after), "\(phrase) of \(sentences[index])")
            }
            count += phrases.count
        }
        #expect(count > 2000)
    }

    @Test func `a model that is not installed is named`() async throws {
        var settings = PhraseSettings()
        settings.python = EngineVenv.python
        settings.models = ["no_such_model"]
        let extractor = try SpacyPhraseExtractor(settings)
        let error = await #expect(throws: WorkerError.self) { try await extractor.start() }
        let text = "\(try #require(error))"
        #expect(text.contains("no_such_model") && text.contains("Scripts/engine/install.sh"))
    }
}
