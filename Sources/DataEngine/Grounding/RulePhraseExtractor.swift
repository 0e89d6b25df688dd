/// Noun phrases without a parser: the known names of things with the words that lead up to them from an article or
/// number.
///
/// It finds what it is told the names of and nothing else. For texts of known vocabulary, such as those of the built-in
/// model.
public struct RulePhraseExtractor: PhraseExtractor {
    private let rules: PhraseRules
    /// Names by their last word, each as its words.
    private let names: [String: [[String]]]

    /// - Parameter names: of kinds of things, singular: `dog`, `traffic light`
    public init(names: [String], settings: PhraseSettings = PhraseSettings()) {
        var settings = settings
        settings.names += names
        settings.kept += names
        rules = PhraseRules(settings)
        let words = names.map { $0.lowercased().split { !$0.isNameCharacter }.map(String.init) }
        self.names = Dictionary(grouping: words.filter { !$0.isEmpty }) { $0.last ?? "" }
    }

    public func phrases(in text: String) async -> [NounPhrase] {
        rules.phrases(of: parse(text), in: text)
    }

    /// Words that may stand between an article and a noun end here.
    private static let boundaries: Set<String> = [
        "and", "or", "but", "in", "on", "at", "of", "with", "by", "to", "from", "near", "under", "over", "above",
        "below", "behind",
        "between", "beside", "into", "onto", "is", "are", "was", "were", "has", "have", "that", "which", "who", "while",
        "as", "there",
    ]
    static let determiners: Set<String> = [
        "a", "an", "the", "this", "that", "these", "those", "his", "her", "its", "their", "my", "your", "our", "some",
        "no", "each", "every",
    ]
    static let numbers: Set<String> = [
        "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    ]
    /// Most words between an article and a name.
    private static let reach = 4

    private func parse(_ text: String) -> ParsedText {
        let words = Self.words(Array(text.unicodeScalars))
        var tokens = words.enumerated().map { index, word in
            ParsedText.Token(
                start: word.start, end: word.end, lemma: word.text, partOfSpeech: Self.partOfSpeech(word.text),
                relation: "dep",
                head: index)
        }
        var chunks: [ParsedText.Chunk] = []
        var free = 0
        for (index, word) in words.enumerated() where index >= free {
            guard let (name, singular) = name(endingAt: index, word.text, words, from: free) else { continue }
            // `hot dog stand` ends with the longer name.
            if index + 1 < words.count, words[index + 1].isJoined,
                let (longer, _) = self.name(endingAt: index + 1, words[index + 1].text, words, from: free),
                longer.count > name.count
            {
                continue
            }
            tokens[index].partOfSpeech = "NOUN"
            tokens[index].lemma = singular
            let start = Self.start(before: name.lowerBound, words, from: free)
            chunks.append(ParsedText.Chunk(start: start, end: index + 1, root: index))
            free = index + 1
        }
        return ParsedText(tokens: tokens, chunks: chunks)
    }

    private static func partOfSpeech(_ word: String) -> String {
        if determiners.contains(word) { return "DET" }
        return numbers.contains(word) || word.utf8.allSatisfy { (48...57).contains($0) } ? "NUM" : "X"
    }

    /// The longest known name that ends with a word, and that word's singular.
    private func name(endingAt index: Int, _ word: String, _ words: [Word], from start: Int) -> (Range<Int>, String)? {
        for singular in Self.singulars(word) {
            let fitting = names[singular, default: []].filter { name in
                let first = index + 1 - name.count
                return first >= start
                    && zip(name.dropLast(), words[first..<index]).allSatisfy { $0 == $1.text }
                    && words[first..<index + 1].dropFirst().allSatisfy(\.isJoined)
            }
            if let longest = fitting.max(by: { $0.count < $1.count }) {
                return (index + 1 - longest.count..<index + 1, singular)
            }
        }
        return nil
    }

    /// Where the phrase of a name begins: at its article or number, if one stands near enough.
    private static func start(before name: Int, _ words: [Word], from free: Int) -> Int {
        var index = name
        while index > free, name - index < reach + 1, words[index].isJoined, !boundaries.contains(words[index - 1].text)
        {
            index -= 1
            if ["DET", "NUM"].contains(partOfSpeech(words[index].text)) { break }
        }
        // A number may have an article before it.
        guard index < name, ["DET", "NUM"].contains(partOfSpeech(words[index].text)) else { return name }
        let hasArticle = index > free && words[index].isJoined && determiners.contains(words[index - 1].text)
        return hasArticle ? index - 1 : index
    }

    /// The word itself and what it may be the plural of.
    private static func singulars(_ word: String) -> [String] {
        let irregular = [
            "people": "person", "children": "child", "men": "man", "women": "woman", "mice": "mouse", "geese": "goose",
        ]
        var forms = [word] + (irregular[word].map { [$0] } ?? [])
        for (ending, singular) in [("ies", "y"), ("ves", "f"), ("ves", "fe"), ("es", ""), ("s", "")]
        where word.hasSuffix(ending) && word.count > ending.count + 1 {
            forms.append(word.dropLast(ending.count) + singular)
        }
        return forms
    }

    private struct Word {
        let text: String
        /// In Unicode scalars.
        let start: Int, end: Int
        /// Whether only spaces or a hyphen stand between it and the word before.
        let isJoined: Bool
    }

    private static func words(_ scalars: [Unicode.Scalar]) -> [Word] {
        var words: [Word] = []
        var index = 0
        while index < scalars.count {
            guard scalars[index].isWordPart else {
                index += 1
                continue
            }
            let end = scalars[index...].firstIndex { !Character($0).isNameCharacter } ?? scalars.count
            var view = String.UnicodeScalarView()
            view.append(contentsOf: scalars[index..<end])
            let gap = scalars[(words.last?.end ?? index)..<index]
            words.append(
                Word(
                    text: String(view).lowercased(), start: index, end: end,
                    isJoined: !words.isEmpty && gap.allSatisfy { $0.properties.isWhitespace || $0 == "-" }))
            index = end
        }
        return words
    }
}

extension Character {
    fileprivate var isNameCharacter: Bool {
        self == "'" || self == "’"
            || unicodeScalars.allSatisfy { $0.isWordPart || $0.properties.canonicalCombiningClass != .notReordered }
    }
}
