import DataEngine
import Testing

@Suite struct PhraseRulesTests {
    /// A hand-written parse: `word=lemma/POS/relation/head`, `[` and `]` around a chunk, `*` after its noun, `~` before
    /// what follows without a space. Left out, the relation follows from the part of speech, and the head is the
    /// chunk's noun.
    private static func parse(_ notation: String) -> (text: String, parse: ParsedText) {
        var text = "", tokens: [ParsedText.Token] = [], chunks: [ParsedText.Chunk] = []
        var heads: [Int?] = [], opened: Int?, root = 0
        for (index, item) in notation.split(whereSeparator: \.isWhitespace).enumerated() {
            var item = String(item)
            if item.hasPrefix("[") {
                item.removeFirst()
                opened = index
            }
            let isLast = item.hasSuffix("]")
            if isLast { item.removeLast() }
            if item.hasSuffix("*") {
                item.removeLast()
                root = index
            }
            let isJoined = item.hasPrefix("~")
            if isJoined { item.removeFirst() }
            let parts = item.split(separator: "/").map(String.init)
            let words = parts[0].split(separator: "=").map(String.init)
            if !isJoined && !text.isEmpty { text += " " }
            let start = text.unicodeScalars.count
            text += words[0]
            let relations = ["DET": "det", "ADJ": "amod", "NUM": "nummod", "PUNCT": "punct", "ADP": "prep"]
            tokens.append(
                ParsedText.Token(
                    start: start, end: text.unicodeScalars.count,
                    lemma: words.count > 1 ? words[1] : words[0].lowercased(),
                    partOfSpeech: parts[1], relation: parts.count > 2 ? parts[2] : relations[parts[1]] ?? "dep",
                    head: index))
            heads.append(parts.count > 3 ? Int(parts[3]) : nil)
            if isLast, let start = opened {
                chunks.append(ParsedText.Chunk(start: start, end: index + 1, root: root))
                for token in start...index { tokens[token].head = heads[token] ?? root }
                opened = nil
            } else if opened == nil {
                tokens[index].head = heads[index] ?? index
            }
        }
        return (text, ParsedText(tokens: tokens, chunks: chunks))
    }

    private static func phrases(_ notation: String, _ settings: PhraseSettings = PhraseSettings()) -> [String] {
        let (text, parse) = parse(notation)
        let phrases = PhraseRules(settings).phrases(of: parse, in: text)
        let scalars = Array(text.unicodeScalars)
        for phrase in phrases {
            #expect(Array(phrase.text.unicodeScalars) == Array(scalars[phrase.start..<phrase.end]))
        }
        return phrases.map { "\($0.kind.rawValue) \($0.category): \($0.text)" }
    }

    @Test(arguments: [
        // A name alone, with what says how many or which.
        ("[A/DET dog/NOUN*] runs/VERB", ["category dog: dog"]),
        ("[dogs=dog/NOUN*]", ["category dog: dogs"]),
        ("[two/NUM dogs=dog/NOUN*]", ["category dog: two dogs"]),
        ("[the/DET two/NUM dogs=dog/NOUN*]", ["category dog: the two dogs"]),
        ("[several/ADJ dogs=dog/NOUN*]", ["category dog: several dogs"]),
        ("[a/DET few/ADJ dogs=dog/NOUN*]", ["category dog: a few dogs"]),
        ("[All/DET/predet the/DET children=child/NOUN*]", ["category child: children"]),
        ("[her/PRON/poss dog/NOUN*]", ["category dog: dog"]),
        // Descriptions of at least three words; the article is one of them.
        ("[a/DET brown/ADJ dog/NOUN*]", ["descriptive dog: a brown dog"]),
        ("[brown/ADJ dogs=dog/NOUN*]", ["category dog: dogs"]),
        ("[two/NUM brown/ADJ dogs=dog/NOUN*]", ["descriptive dog: two brown dogs"]),
        ("[large/ADJ brown/ADJ dogs=dog/NOUN*]", ["descriptive dog: large brown dogs"]),
        ("[his/PRON/poss red/ADJ hat/NOUN*]", ["descriptive hat: his red hat"]),
        ("[the/DET man/NOUN/poss ~'s/PART/case hat/NOUN*]", ["descriptive hat: the man's hat"]),
        ("[a/DET black/ADJ ~-/PUNCT ~white/ADJ dog/NOUN*]", ["descriptive dog: a black-white dog"]),
        ("[black/ADJ ~-/PUNCT ~white/ADJ dogs=dog/NOUN*]", ["category dog: dogs"]),
        // Names of several words.
        ("[a/DET traffic/NOUN/compound light/NOUN*]", ["category traffic light: traffic light"]),
        ("[two/NUM fire/NOUN/compound hydrants=hydrant/NOUN*]", ["category fire hydrant: two fire hydrants"]),
        ("[a/DET red/ADJ Traffic/NOUN/compound light/NOUN*]", ["descriptive traffic light: a red Traffic light"]),
        ("[a/DET hot/ADJ dog/NOUN*]", ["category hot dog: hot dog"]),
        ("[Hot/ADJ dogs=dog/NOUN*]", ["category hot dog: Hot dogs"]),
        ("[a/DET T/PROPN/compound ~-/PUNCT ~shirt/NOUN*]", ["category t-shirt: T-shirt"]),
        (
            "[the/DET fire/NOUN/compound/2 hydrant/NOUN/compound cap/NOUN*]",
            ["category fire hydrant cap: fire hydrant cap"]
        ),
        (
            "[a/DET double/ADJ ~-/PUNCT ~decker/NOUN/compound bus/NOUN*]",
            ["category double-decker bus: double-decker bus"]
        ),
        ("[a/DET leather/NOUN/compound couch/NOUN*]", ["descriptive couch: a leather couch"]),
        // Basic forms that the parser has not.
        ("[people/NOUN*]", ["category person: people"]),
        ("[sunglasses=sunglass/NOUN*]", ["category sunglasses: sunglasses"]),
        ("[french/ADJ fries=fry/NOUN*]", ["category french fries: french fries"]),
    ])
    func `category and kind follow from the words before the noun`(notation: String, expected: [String]) {
        #expect(Self.phrases(notation) == expected)
    }

    @Test(arguments: [
        ("[It/PRON*] is/AUX [a/DET dog/NOUN*]", ["category dog: dog"]),
        ("[a/DET picture/NOUN*] of/ADP [a/DET dog/NOUN*] in/ADP [the/DET background/NOUN*]", ["category dog: dog"]),
        ("[a/DET busy/ADJ street/NOUN/compound scene/NOUN*]", []),
        ("[a/DET group/NOUN*] of/ADP [people/NOUN*]", ["category person: people"]),
        ("[a/DET couple/NOUN*] of/ADP [dogs=dog/NOUN*]", ["category dog: dogs"]),
        (
            "[A/DET close/ADJ ~-/PUNCT ~up/NOUN*] of/ADP [a/DET slice/NOUN*] of/ADP [bread/NOUN*]",
            ["category bread: bread"]
        ),
        ("[a/DET happy/ADJ couple/NOUN*]", ["descriptive couple: a happy couple"]),
        ("[two/NUM*] of/ADP [them/PRON*]", []),
        // Signs that are taken for nouns.
        ("[A/DET dog/NOUN/compound \u{1F415}/PROPN*] runs/VERB", ["category dog: dog"]),
        ("[\u{1F600}/PROPN*]", []),
        ("[“/PUNCT a/DET dog/NOUN* ”/PUNCT]", ["category dog: dog"]),
        ("[me@example.org/NOUN*]", []),
        ("[x/NOUN*] and/CCONJ [\u{72AC}/NOUN*]", ["category \u{72AC}: \u{72AC}"]),
    ])
    func `what names no thing is dropped`(notation: String, expected: [String]) {
        #expect(Self.phrases(notation) == expected)
    }

    @Test func `the settings drop and keep further kinds`() {
        var settings = PhraseSettings()
        settings.dropped = ["sky", "Parking Lot"]
        settings.kept = ["corner"]
        settings.names = ["red panda"]
        let notation = """
            [the/DET blue/ADJ sky/NOUN*] [a/DET parking/NOUN/compound lot/NOUN*] [a/DET corner/NOUN*] [a/DET red/ADJ panda/NOUN*]
            """
        #expect(Self.phrases(notation, settings) == ["category corner: corner", "category red panda: red panda"])
        settings.minimumWords = 2
        #expect(Self.phrases("[brown/ADJ dogs=dog/NOUN*]", settings) == ["descriptive dog: brown dogs"])
    }

    @Test func `what says the same twice is one phrase`() {
        let notation = """
            [A/DET dog/NOUN*] sees/VERB [the/DET dog/NOUN*] and/CCONJ [a/DET black/ADJ cat/NOUN*] ~,/PUNCT [The/DET black/ADJ cat/NOUN*]
            [a/DET white/ADJ cat/NOUN*]
            """
        #expect(
            Self.phrases(notation) == [
                "category dog: dog", "descriptive cat: a black cat", "descriptive cat: a white cat",
            ])
    }

    @Test func `a phrase takes in the next one by the prepositions of the settings`() {
        let notation =
            "[a/DET man/NOUN*] in/ADP/prep/1 [a/DET red/ADJ shirt/NOUN/pobj/2*] on/ADP/prep/9 [a/DET couch/NOUN/pobj/6*] sits/VERB"
        #expect(
            Self.phrases(notation) == ["category man: man", "descriptive shirt: a red shirt", "category couch: couch"])
        var settings = PhraseSettings()
        settings.prepositions = ["in", "on"]
        #expect(Self.phrases(notation, settings) == ["descriptive man: a man in a red shirt", "category couch: couch"])
        // Not by what is no thing.
        #expect(
            Self.phrases("[a/DET man/NOUN*] in/ADP/prep/1 [the/DET background/NOUN/pobj/2*]", settings) == [
                "category man: man"
            ])
    }

    @Test func `there is a most of phrases`() {
        var settings = PhraseSettings()
        settings.maximumPhrases = 2
        #expect(Self.phrases("[dogs=dog/NOUN*] [cats=cat/NOUN*] [cows=cow/NOUN*]", settings).count == 2)
    }

    @Test func `positions count Unicode scalars`() {
        let (text, parse) = Self.parse(
            "\u{1F469}\u{200D}\u{1F680}/X [cafe\u{301}s=cafe\u{301}/NOUN*] \u{1F1E9}\u{1F1EA}/X [a/DET dog/NOUN*]")
        let phrases = PhraseRules().phrases(of: parse, in: text)
        #expect(phrases.map(\.start) == [4, 16])
        #expect(phrases.map(\.end) == [10, 19])
        #expect(phrases.map(\.category) == ["cafe\u{301}", "dog"])
    }

    @Test func `a setting that cannot be is named`() throws {
        try PhraseSettings().validate()
        let changes: [(String, (inout PhraseSettings) -> Void)] = [
            ("minimumWords", { $0.minimumWords = 1 }), ("models", { $0.models = [] }), ("python", { $0.python = "" }),
            ("prepositions", { $0.prepositions = ["In"] }), ("maximumPhrases", { $0.maximumPhrases = 0 }),
        ]
        for (name, change) in changes {
            var settings = PhraseSettings()
            change(&settings)
            let error = #expect(throws: EngineError.self) { try settings.validate() }
            #expect("\(try #require(error))".contains("phrases.\(name)"))
        }
    }

    // MARK: Without a parser

    @Test(arguments: [
        ("A brown dog and two cats.", ["descriptive dog: A brown dog", "category cat: two cats"]),
        (
            "the dog sees the small hot dog stand",
            ["category dog: dog", "descriptive hot dog stand: the small hot dog stand"]
        ),
        (
            "Three traffic lights, a T-shirt; people",
            ["category traffic light: Three traffic lights", "category t-shirt: T-shirt", "category person: people"]
        ),
        ("a picture with nothing in it", []),
        ("\u{1F600} two big boxes \u{1F600} on a knife", ["descriptive box: two big boxes", "category knife: knife"]),
        ("", []),
    ])
    func `known names are found without a parser`(text: String, expected: [String]) async {
        let names = ["dog", "cat", "hot dog stand", "traffic light", "T-shirt", "person", "box", "knife"]
        let phrases = await RulePhraseExtractor(names: names).phrases(in: text)
        let scalars = Array(text.unicodeScalars)
        #expect(phrases.map { "\($0.kind.rawValue) \($0.category): \($0.text)" } == expected)
        for phrase in phrases {
            #expect(Array(phrase.text.unicodeScalars) == Array(scalars[phrase.start..<phrase.end]))
        }
    }
}
