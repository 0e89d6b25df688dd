import ChatRex
import Foundation

/// What is taken of an answer, and when none of it is.
public struct AnswerRules: Codable, Sendable, Equatable {
    /// Which language an answer must be in, by its code: en, de, es, fr, it, nl, pt; `any` for all.
    public var language = "en"
    /// Sentences that are kept, from the first.
    public var sentences = 1
    /// Most words of what is kept.
    public var words = 60

    public init() {}

    public init(sentences: Int, words: Int) {
        (self.sentences, self.words) = (sentences, words)
    }

    /// - Throws: `EngineError.invalidSetting`.
    public func validate(as name: String = "answer") throws {
        let known = ["any"] + FunctionWords.languages
        try EngineError.check(
            known.contains(language), "\(name).language", "'\(language)' is none of \(known.joined(separator: ", "))")
        try EngineError.check(sentences, 1...100, "\(name).sentences")
        try EngineError.check(words, 1...10_000, "\(name).words")
    }

    /// The usable part of an answer, or what is wrong with it.
    public func judge(_ reply: ChatReply) -> Result<String, AnswerFault> {
        if reply.isWithheld { return .failure(.refused) }
        let text = AnswerCleaner.unwrapped(reply.text)
        guard text.contains(where: \.isLetter) else { return .failure(reply.isCutOff ? .cutOff : .empty) }
        if Refusal.matches(text) { return .failure(.refused) }
        if reply.isCutOff, !AnswerCleaner.endsSentence(text), Self.isRepetitive(text) { return .failure(.repetitive) }
        guard
            let kept = AnswerCleaner.sentences(text, limit: sentences, isCutOff: reply.isCutOff)
                .map(AnswerCleaner.withoutQuotes)
        else { return .failure(.cutOff) }
        if Self.isRepetitive(kept) { return .failure(.repetitive) }
        if kept.split(separator: " ").count > words { return .failure(.tooLong) }
        if language != "any", !FunctionWords.isText(kept, in: language) { return .failure(.otherLanguage) }
        return .success(kept)
    }

    /// Whether a text goes round in circles: a run of words that comes three times in a row (five times for a single word or two), or
    /// few different threes of words in a long text.
    static func isRepetitive(_ text: String) -> Bool {
        let words = text.lowercased().split { !$0.isLetter && !$0.isNumber && $0 != "'" }
        for length in 1..<9 where words.count >= 3 * length {
            let limit = length < 3 ? 5 : 3
            var run = 0
            for index in words.indices.dropFirst(length) {
                run = words[index] == words[index - length] ? run + 1 : 0
                if run >= (limit - 1) * length { return true }
            }
        }
        guard words.count >= 24 else { return false }
        let threes = (0..<words.count - 2).map { words[$0...($0 + 2)].joined(separator: " ") }
        return Double(Set(threes).count) < 0.5 * Double(threes.count)
    }
}

/// Answers in which a model says that it will not, or cannot, describe.
enum Refusal {
    private static let beginnings = [
        "i'm sorry", "i am sorry", "sorry,", "sorry but", "i apologize", "i apologise", "my apologies",
        "unfortunately, i",
        "i can't", "i cannot", "i can not", "i'm unable", "i am unable", "i'm not able", "i am not able", "i won't",
        "i will not", "i don't have the ability", "i do not have the ability", "as an ai", "as a language model",
        "as a text-based", "as a large language model",
    ]
    private static let anywhere = [
        "as an ai language model", "i cannot see", "i can't see", "i'm not able to see", "i am not able to see",
        "i cannot view", "i can't view", "i cannot assist", "i can't assist", "i cannot help with", "i can't help with",
        "unable to view the image", "unable to see the image", "no image was provided", "no image has been provided",
        "no image attached", "provide an image", "provide the image", "upload the image", "upload an image",
        "don't see an image", "do not see an image", "i don't see any image",
    ]

    static func matches(_ text: String) -> Bool {
        let text = text.lowercased().replacing("\u{2019}", with: "'")
        return beginnings.contains(where: text.hasPrefix) || anywhere.contains(where: text.contains)
    }
}

/// Takes an answer out of what models put around it.
enum AnswerCleaner {
    /// The text without thoughts, tags, markup, lead-in and quotation marks, on one line.
    static func unwrapped(_ answer: String) -> String {
        var text = withoutThoughts(answer)
        if text.contains("<ground>") || text.contains("<obj") { text = AnswerParser.parse(text, boxCount: 0).plainText }
        text = text.replacing(controlToken, with: " ")
        text = withoutMarkup(text)
        while true {
            let shorter = withoutQuotes(withoutLeadIn(text.trimmingCharacters(in: .whitespacesAndNewlines)))
            if shorter == text { break }
            text = shorter
        }
        return text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    // Patterns are no `Sendable` values, so each use makes its own; that is nothing beside the answer.
    private static var thought: Regex<Substring> {
        /<think(?:ing)?>.*?<\/think(?:ing)?>/.dotMatchesNewlines().ignoresCase()
    }
    private static var thoughtEnd: Regex<Substring> { /^.*<\/think(?:ing)?>/.dotMatchesNewlines().ignoresCase() }
    private static var thoughtStart: Regex<Substring> { /<think(?:ing)?>.*$/.dotMatchesNewlines().ignoresCase() }
    private static var controlToken: Regex<Substring> { /<\|[A-Za-z0-9_]+\|>|<\/?s>/ }

    /// An open thought runs to the end; one whose beginning was the prompt's runs from the start.
    static func withoutThoughts(_ text: String) -> String {
        text.replacing(thought, with: "").replacing(thoughtEnd, with: "").replacing(thoughtStart, with: "")
    }

    private static var fence: Regex<Substring> { /```[A-Za-z0-9]*/ }
    private static var lineStart: Regex<Substring> {
        /^[ \t]*(?:#{1,6} |[-*+•] |>|\d{1,2}[.)] )[ \t]*/.anchorsMatchLineEndings()
    }
    private static var emphasis: Regex<(Substring, Substring?, Substring?, Substring?)> {
        /\*{1,3}([^*\n]+)\*{1,3}|__([^_\n]+)__|`([^`\n]+)`/
    }
    private static var link: Regex<(Substring, Substring)> { /!?\[([^\]\n]*)\]\([^)\n]*\)/ }

    private static func withoutMarkup(_ text: String) -> String {
        text.replacing(fence, with: "").replacing(lineStart, with: "")
            .replacing(emphasis) { $0.output.1 ?? $0.output.2 ?? $0.output.3 ?? "" }
            .replacing(link) { $0.output.1 }
    }

    private static var courtesy: Regex<Substring> {
        /^(?:sure(?: thing)?|certainly|of course|okay|ok|absolutely|great|yes)\b[ ]?(?:[!:]|\.(?= )|,(?= here| i ))\s*/
            .ignoresCase()
    }
    private static var announcement: Regex<Substring> {
        /^(?:here(?:'s| is| are)|this is|below is|i(?:'d| would) describe)\b[^.!?\n]{0,80}:\s*/.ignoresCase()
    }
    private static var label: Regex<Substring> {
        /^(?:(?:image |region |one-sentence |short |brief )?(?:caption|description|answer|response|summary|sentence|expression|output|referring expression))\s*:\s*/
            .ignoresCase()
    }

    private static func withoutLeadIn(_ text: String) -> String {
        let text = text.replacing("\u{2019}", with: "'")
        for pattern in [courtesy, announcement, label] {
            if let match = text.prefixMatch(of: pattern) { return String(text[match.range.upperBound...]) }
        }
        return text
    }

    private static let quotes: [Character: Character] = [
        "\"": "\"", "'": "'", "\u{201C}": "\u{201D}", "\u{201E}": "\u{201C}", "\u{2018}": "\u{2019}", "«": "»",
        "`": "`",
    ]

    /// A text that is quoted as a whole, without the marks.
    static func withoutQuotes(_ text: String) -> String {
        guard text.count > 1, let first = text.first, let last = text.last, quotes[first] == last,
            !text.dropFirst().dropLast().contains(where: { $0 == first && first != "'" })
        else { return text }
        return String(text.dropFirst().dropLast())
    }

    // MARK: Sentences

    private static let abbreviations: Set<String> = [
        "mr", "mrs", "ms", "dr", "st", "prof", "vs", "etc", "e.g", "i.e", "u.s", "jr", "sr", "ft", "approx",
    ]

    static func endsSentence(_ text: String) -> Bool {
        text.reversed().first { !"\"')\u{201D}\u{2019}".contains($0) }.map { ".!?".contains($0) } ?? false
    }

    /// The first sentences; nil where not even the first came to its end.
    static func sentences(_ text: String, limit: Int, isCutOff: Bool) -> String? {
        var kept: [Substring] = [], rest = text.split(separator: " ")[...]
        var sentences = 0, current: [Substring] = []
        while sentences < limit, let word = rest.popFirst() {
            current.append(word)
            if endsSentence(String(word)), !isAbbreviation(word), startsSentence(rest.first) {
                kept += current
                (current, sentences) = ([], sentences + 1)
            }
        }
        if sentences < limit, !isCutOff { kept += current }
        return kept.isEmpty ? nil : kept.joined(separator: " ")
    }

    private static func isAbbreviation(_ word: Substring) -> Bool {
        guard word.hasSuffix(".") else { return false }
        let stem = word.dropLast().drop { "(\"'".contains($0) }.lowercased()
        return abbreviations.contains(stem) || stem.count == 1 && stem != "i"
    }

    private static func startsSentence(_ word: Substring?) -> Bool {
        guard let first = word?.first(where: { !"\"'(\u{201C}\u{2018}".contains($0) }) else { return true }
        return !first.isLowercase
    }
}
