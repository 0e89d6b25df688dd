/// Chooses the phrases of a parsed text that name things: the paper's category names and descriptive phrases (section 4).
///
/// - Pronouns and abstract nouns are dropped (`PhraseVocabulary`).
/// - The category is the chunk's noun in its basic form with the nouns that make one name with it: `traffic light`.
/// - A chunk that says no more than that, apart from article and number, is a category name: `dog` of `a dog`,
///   `two dogs`.
/// - One that says more is a descriptive phrase if it is long enough: `a brown dog`. If not, its name alone is left:
///   `dog` of `brown dogs`.
public struct PhraseRules: Sendable {
    private let settings: PhraseSettings
    private let abstract: Set<String>, kept: Set<String>
    /// Names of more than an adjective and a noun as they are spelt, by their words.
    private let names: [String: String]

    public init(_ settings: PhraseSettings = PhraseSettings()) {
        self.settings = settings
        kept = Set(settings.kept.map { $0.lowercased() })
        abstract = PhraseVocabulary.abstractNouns.union(settings.dropped.map { $0.lowercased() }).subtracting(kept)
        names = Dictionary(
            PhraseVocabulary.names.union(settings.names.map { $0.lowercased() }).map { (Self.words($0), $0) },
            uniquingKeysWith: min)
    }

    /// - Returns: phrases in the order of the text, none of which overlap and none of which says the same as another
    public func phrases(of parse: ParsedText, in text: String) -> [NounPhrase] {
        let sentence = Sentence(parse, Array(text.unicodeScalars))
        let candidates = parse.chunks.map { candidate($0, sentence) }
        let extended = candidates.compactMap { candidate in candidate.map { extending($0, candidates, sentence) } }
        var seen: Set<String> = []
        let phrases = Self.withoutOverlaps(extended).map { phrase($0, sentence) }.filter { phrase in
            // `a dog` and `the dog` find the same boxes.
            let words = phrase.text.lowercased().split(whereSeparator: \.isWhitespace).map(String.init)
            let description = words.drop { ["a", "an", "the"].contains($0) }.joined(separator: " ")
            return seen.insert(phrase.kind == .category ? "= " + phrase.category : description).inserted
        }
        return Array(phrases.prefix(settings.maximumPhrases))
    }

    /// A text with its parse.
    private struct Sentence {
        let tokens: [ParsedText.Token]
        let scalars: [Unicode.Scalar]

        init(_ parse: ParsedText, _ scalars: [Unicode.Scalar]) {
            self.scalars = scalars
            tokens = parse.tokens.map { token in
                // Without signs, such as a byte order mark, that the parser leaves at words.
                let range = token.start..<token.end
                guard let first = scalars[range].firstIndex(where: \.isWordPart),
                    let last = scalars[range].lastIndex(where: { $0.isWordPart || $0.properties.generalCategory.isMark }
                    )
                else { return token }
                var token = token
                (token.start, token.end) = (first, last + 1)
                return token
            }
        }

        func text(_ range: Range<Int>) -> String {
            var view = String.UnicodeScalarView()
            view.append(contentsOf: scalars[range])
            return String(view)
        }

        /// A token in lower case.
        func word(_ token: Int) -> String { text(tokens[token].start..<tokens[token].end).lowercased() }

        func span(_ range: Range<Int>) -> Range<Int> {
            range.isEmpty ? 0..<0 : tokens[range.lowerBound].start..<tokens[range.upperBound - 1].end
        }

        /// Whether a token has a letter or digit.
        func isWord(_ token: Int) -> Bool {
            scalars[tokens[token].start..<tokens[token].end].contains(where: \.isWordPart)
        }

        /// Words between spaces that have a letter or digit.
        func wordCount(_ range: Range<Int>) -> Int {
            scalars[range].split { $0.properties.isWhitespace }.count { $0.contains(where: \.isWordPart) }
        }

        /// Whether nothing stands between two tokens.
        func touch(_ first: Int, _ second: Int) -> Bool { tokens[first].end == tokens[second].start }
    }

    private struct Candidate {
        /// Tokens of the whole phrase, and of the kind's name at its end.
        var all: Range<Int>, name: Range<Int>
        var category: String
        /// Whether it says how many or which.
        var isCounted: Bool
        /// Whether it says more than that.
        var isDescribed: Bool
        var root: Int
    }

    // MARK: Chunks

    /// - Returns: nil for a chunk that names no thing
    private func candidate(_ chunk: ParsedText.Chunk, _ sentence: Sentence) -> Candidate? {
        let tokens = sentence.tokens
        guard let start = (chunk.start..<chunk.end).first(where: sentence.isWord),
            tokens[chunk.root].partOfSpeech != "PRON"
        else { return nil }
        // Signs such as emoji are taken for nouns; then the noun before them is meant.
        let nouns = (start..<chunk.end).filter {
            ["NOUN", "PROPN"].contains(tokens[$0].partOfSpeech) && sentence.isWord($0)
        }
        guard let root = nouns.contains(chunk.root) ? chunk.root : nouns.last else { return nil }
        let name = nameTokens(root, from: start, sentence)
        let category = category(name, root, sentence)
        guard Self.isName(category), !isAbstract(category, root, sentence) else { return nil }
        let quantities = (start..<name.lowerBound).filter { isQuantity($0, sentence) }
        let isDescribed = (start..<name.lowerBound).contains {
            sentence.isWord($0) && !isDeterminer(tokens[$0]) && !quantities.contains($0)
        }
        return Candidate(
            all: start..<root + 1, name: name, category: category, isCounted: !quantities.isEmpty,
            isDescribed: isDescribed, root: root)
    }

    private func isDeterminer(_ token: ParsedText.Token) -> Bool {
        ["DET", "PRON"].contains(token.partOfSpeech) || ["det", "predet"].contains(token.relation)
    }

    private func isQuantity(_ token: Int, _ sentence: Sentence) -> Bool {
        let (relation, part) = (sentence.tokens[token].relation, sentence.tokens[token].partOfSpeech)
        return relation == "nummod" || part == "NUM" || PhraseVocabulary.quantities.contains(sentence.word(token))
    }

    private func isAbstract(_ category: String, _ root: Int, _ sentence: Sentence) -> Bool {
        if kept.contains(category) { return false }
        if abstract.contains(category) { return true }
        if names[Self.words(category)] != nil { return false }
        let noun = category.split(separator: " ").last.map(String.init) ?? category
        if kept.contains(noun) { return false }
        let isFollowedByOf = root + 1 < sentence.tokens.count && sentence.word(root + 1) == "of"
        return abstract.contains(noun) || isFollowedByOf && PhraseVocabulary.measureNouns.contains(noun)
    }

    // MARK: Names

    /// The tokens that make the name of the kind: the noun, nouns before it that belong to it, and adjectives of known
    /// names.
    private func nameTokens(_ root: Int, from start: Int, _ sentence: Sentence) -> Range<Int> {
        let tokens = sentence.tokens
        var first = root, words = 1
        while first > start {
            let before = first - 1
            let isHyphen =
                ["-", "\u{2010}", "\u{2011}"].contains(sentence.word(before)) && sentence.touch(before, first)
            let word = isHyphen ? before - 1 : before
            guard word >= start, sentence.isWord(word), !isHyphen || sentence.touch(word, before) else { break }
            let token = tokens[word]
            let isPart =
                words < 3 && token.relation == "compound" && (first...root).contains(token.head)
                && token.partOfSpeech != "NUM" && !PhraseVocabulary.describingNouns.contains(sentence.word(word))
            // What a hyphen joins is one word, whatever its parts are to each other: `close-up`, `double-decker bus`.
            guard isHyphen || isPart else { break }
            first = word
            words += isHyphen ? 0 : 1
        }
        let known = stride(from: max(start, root - 5), to: first, by: 1).first { start in
            names[Self.words(spelling(start..<root + 1, root, sentence))] != nil
        }
        return (known ?? first)..<root + 1
    }

    private func category(_ name: Range<Int>, _ root: Int, _ sentence: Sentence) -> String {
        let spelling = spelling(name, root, sentence)
        return names[Self.words(spelling)] ?? spelling
    }

    /// A name in lower case, its noun in the basic form.
    private func spelling(_ name: Range<Int>, _ root: Int, _ sentence: Sentence) -> String {
        let token = sentence.tokens[root]
        let word = sentence.word(root)
        let lemma = token.lemma.lowercased()
        let noun =
            PhraseVocabulary.pluralNouns.contains(word) || lemma.isEmpty
            ? word : PhraseVocabulary.singulars[lemma] ?? lemma
        let before = sentence.text(sentence.tokens[name.lowerBound].start..<token.start).lowercased()
        return (before + noun).split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    /// The words of a name, however they are joined.
    private static func words(_ name: String) -> String {
        name.split { $0 == "-" || $0.isWhitespace }.joined(separator: " ")
    }

    /// Whether a text can be the name of a kind: letters, with hyphens and such between them.
    private static func isName(_ text: String) -> Bool {
        let scalars = text.unicodeScalars
        let isPlain = scalars.allSatisfy {
            $0.isWordPart || $0.properties.generalCategory.isMark || " -'’.&".unicodeScalars.contains($0)
        }
        let letters = scalars.filter(\.properties.isAlphabetic)
        // A single Latin letter names nothing; a single Chinese character may.
        return isPlain && (letters.count > 1 || letters.first.map { !$0.isASCII } == true) && scalars.count <= 60
    }

    // MARK: Phrases

    /// A candidate together with the one that follows it by a preposition, where the settings say so.
    private func extending(_ candidate: Candidate, _ others: [Candidate?], _ sentence: Sentence) -> Candidate {
        let tokens = sentence.tokens
        let preposition = candidate.root + 1
        guard preposition + 1 < tokens.count, tokens[preposition].relation == "prep",
            tokens[preposition].head == candidate.root,
            settings.prepositions.contains(sentence.word(preposition)),
            let object = others.compactMap({ $0 }).first(where: { $0.all.lowerBound == preposition + 1 }),
            tokens[object.root].head == preposition, tokens[object.root].relation == "pobj"
        else { return candidate }
        let whole = candidate.all.lowerBound..<object.all.upperBound
        guard sentence.wordCount(sentence.span(whole)) >= settings.minimumWords else { return candidate }
        var extended = candidate
        (extended.all, extended.isDescribed) = (whole, true)
        return extended
    }

    /// Longer ones win; for the rest, the order stays.
    private static func withoutOverlaps(_ candidates: [Candidate]) -> [Candidate] {
        var taken: [Candidate] = []
        for candidate in candidates.sorted(by: { ($1.all.count, $0.all.lowerBound) < ($0.all.count, $1.all.lowerBound) }
        )
        where !taken.contains(where: { $0.all.overlaps(candidate.all) }) {
            taken.append(candidate)
        }
        return taken.sorted { $0.all.lowerBound < $1.all.lowerBound }
    }

    private func phrase(_ candidate: Candidate, _ sentence: Sentence) -> NounPhrase {
        let whole = sentence.span(candidate.all)
        let isDescriptive = candidate.isDescribed && sentence.wordCount(whole) >= settings.minimumWords
        let isWhole = isDescriptive || candidate.isCounted && !candidate.isDescribed
        let span = isWhole ? whole : sentence.span(candidate.name)
        return NounPhrase(
            text: sentence.text(span), start: span.lowerBound, end: span.upperBound,
            kind: isDescriptive ? .descriptive : .category, category: candidate.category)
    }
}

extension Unicode.Scalar {
    /// Whether it is a letter or digit of any script.
    var isWordPart: Bool { properties.isAlphabetic || properties.numericType != nil }
}

extension Unicode.GeneralCategory {
    fileprivate var isMark: Bool { [.nonspacingMark, .spacingMark, .enclosingMark].contains(self) }
}
