import ChatRex
import LanguageModels
import Testing
import Tokenizers

/// Runs a grammar as a decoder does, choosing among the allowed tokens.
struct RandomRun {
    var ids: [Int] = []

    init(
        _ grammar: IndexGrammar, logitCount: Int, limit: Int = 5000,
        choose: (AllowedTokens) throws -> Int?
    ) throws {
        var grammar = grammar
        while ids.count <= limit {
            let allowed = grammar.allowed()
            switch allowed {
            case .end: return
            case .forced(let run):
                try #require(!run.isEmpty)
                for token in run {
                    ids.append(token)
                    grammar.advance(token)
                }
            case .only, .any:
                let token = try #require(try choose(allowed), "nothing is allowed")
                #expect(allowed.contains(token))
                ids.append(token)
                grammar.advance(token)
            }
        }
        Issue.record("the generation does not end")
    }
}

@Suite struct IndexGrammarTests {
    @Test("A text that the budget ends is cut short, one that ends by itself is not", arguments: [true, false])
    func cutShort(isWordy: Bool) throws {
        let test = try TestVocabulary.adversarial(addedFirst: false)
        let word = try #require((0..<test.logitCount).first { test.text([$0]) == "cat" })
        var grammar = try IndexGrammar.text(boxCount: 0, budget: 6, vocabulary: test.vocabulary)
        var count = 0
        while true {
            let allowed = grammar.allowed()
            if case .end = allowed { break }
            let wanted = isWordy || count < 3 ? word : test.vocabulary.end
            grammar.advance(allowed.contains(wanted) ? wanted : test.vocabulary.end)
            count += 1
        }
        #expect(count == (isWordy ? 6 : 4) && grammar.isCutShort == isWordy)
    }

    @Test("A mentioned box is not offered again before there are words between")
    func repeatedMentions() throws {
        let test = try TestVocabulary.adversarial(addedFirst: true)
        let objects = test.vocabulary.objects
        let word = try #require((0..<test.logitCount).first { test.text([$0]) == "cat" })
        let blank = try #require((0..<test.logitCount).first { test.text([$0]) == "  " })
        var grammar = try IndexGrammar.grounded(
            boxCount: 3, allowsMentions: true, budget: 50, vocabulary: test.vocabulary)
        func offered() -> [Int] { (0..<3).filter { grammar.allowed().contains(objects[$0]) } }
        var seen: [[Int]] = []
        for token in [word, objects[1], blank, objects[2], word, objects[1]] {
            seen.append(offered())
            grammar.advance(token)
        }
        #expect(seen == [[0, 1, 2], [0, 1, 2], [0, 2], [0, 2], [0], [0, 1, 2]])
        #expect(grammar.allowed().contains(test.vocabulary.end))
    }

    @Test("What shows the same as a listed box is not offered beside it, but beside another phrase")
    func copies() throws {
        let test = try TestVocabulary.adversarial(addedFirst: true)
        let objects = test.vocabulary.objects
        var grammar = try IndexGrammar.detection(
            of: ["dog", "cat"], boxCount: 4, copies: [[2], [], [0], []], budget: 50, vocabulary: test.vocabulary)
        var offered: [[Int]] = []
        while offered.count < 4 {
            let allowed = grammar.allowed()
            if case .forced(let run) = allowed {
                for token in run { grammar.advance(token) }
            } else {
                offered.append((0..<4).filter { allowed.contains(objects[$0]) })
                grammar.advance([objects[0], test.vocabulary.objectsEnd][(offered.count - 1) % 2])
            }
        }
        #expect(offered == [[0, 1, 2, 3], [1, 3], [0, 1, 2, 3], [1, 3]])
    }

    @Test("An opening comes first, and the text may end after it")
    func opening() throws {
        let test = try TestVocabulary.adversarial(addedFirst: true)
        var grammar = try IndexGrammar.text(boxCount: 0, opening: "cat", budget: 9, vocabulary: test.vocabulary)
        guard case .forced(let run) = grammar.allowed() else {
            Issue.record("nothing is forced")
            return
        }
        #expect(test.text(run) == "cat")
        for token in run { grammar.advance(token) }
        #expect(grammar.allowed().contains(test.vocabulary.end))
        for text in ["<obj1>", "<ground>", "a\nb"] {
            #expect(throws: TaskError.reservedText(text)) {
                try IndexGrammar.text(boxCount: 4, opening: text, budget: 9, vocabulary: test.vocabulary)
            }
        }
    }

    @Test("A list that only copies could go on with is complete, not cut short")
    func onlyCopiesLeft() throws {
        let test = try TestVocabulary.adversarial(addedFirst: true)
        var grammar = try IndexGrammar.count(
            of: "dog", boxCount: 2, copies: [[1], [0]], budget: 50, vocabulary: test.vocabulary)
        while case .forced(let run) = grammar.allowed() { for token in run { grammar.advance(token) } }
        grammar.advance(test.vocabulary.objects[1])
        #expect(grammar.allowed().contains(test.vocabulary.objectsEnd))
        #expect(!grammar.allowed().contains(test.vocabulary.objects[0]))
        while case .forced(let run) = grammar.allowed() { for token in run { grammar.advance(token) } }
        #expect(!grammar.isCutShort)
        guard case .end = grammar.allowed() else {
            Issue.record("the answer does not end")
            return
        }
    }

    @Test("A list that the budget closes is cut short")
    func cutList() throws {
        let test = try TestVocabulary.adversarial(addedFirst: true)
        func isCutShort(_ listed: Int) throws -> Bool {
            var grammar = try IndexGrammar.detection(
                of: ["dog"], boxCount: 6, objectsPerGroup: 0...6, budget: 10, vocabulary: test.vocabulary)
            var said = 0
            while true {
                switch grammar.allowed() {
                case .end: return grammar.isCutShort
                case .forced(let run): for token in run { grammar.advance(token) }
                case .only(let tokens):
                    let next = said < listed ? tokens.first : test.vocabulary.objectsEnd
                    grammar.advance(try #require(next))
                    said += 1
                case .any: Issue.record("a detection has no free text")
                }
            }
        }
        #expect(try isCutShort(6) && !isCutShort(1))
    }

    // MARK: - Random generations

    enum Kind: CaseIterable { case detection, caption, count, conversation, regions, text }

    private static func grammar(
        _ kind: Kind, boxCount: Int, budget: Int, _ vocabulary: ChatRexVocabulary, _ shape: SeededGenerator
    ) throws -> IndexGrammar {
        var random = shape
        switch kind {
        case .detection:
            let phrases = ["dog", "red  car,", "\u{732B}", "a < b", "objects>", "<gro"].shuffled(using: &random)
            let lower = min(boxCount, Int.random(in: 0...2, using: &random))
            return try .detection(
                of: Array(phrases.prefix(.random(in: 1...4, using: &random))), boxCount: boxCount,
                objectsPerGroup: lower...lower + Int.random(in: 0...5, using: &random), budget: budget,
                vocabulary: vocabulary)
        case .caption:
            return try .grounded(
                boxCount: boxCount, phraseLimit: .random(in: 1...6, using: &random), budget: budget,
                vocabulary: vocabulary)
        case .count:
            return try .count(of: "red car", boxCount: boxCount, budget: budget, vocabulary: vocabulary)
        case .conversation:
            return try .grounded(
                boxCount: boxCount, objectsPerGroup: 2...4, allowsMentions: true, budget: budget, vocabulary: vocabulary
            )
        case .regions:
            let indices = boxCount == 0 ? [] : (0..<3).map { _ in Int.random(in: 0..<boxCount, using: &random) }
            return try .regions(
                indices, boxCount: boxCount, phraseLimit: .random(in: 1...9, using: &random), budget: budget,
                vocabulary: vocabulary)
        case .text:
            return try .text(boxCount: boxCount, budget: budget, vocabulary: vocabulary)
        }
    }

    /// A random choice among the allowed tokens: even, by favourites, or the best of random logits.
    private static func choose(
        _ allowed: AllowedTokens, _ test: TestVocabulary, _ random: inout SeededGenerator
    ) -> Int? {
        switch Int.random(in: 0..<10, using: &random) {
        case 0...5:
            let liked = test.favourites.filter(allowed.contains)
            if let token = liked.randomElement(using: &random) { return token }
        case 6 where test.logitCount < 2000:
            var logits = (0..<test.logitCount).map { _ in Float.random(in: -9...9, using: &random) }
            allowed.mask(&logits)
            let best = logits.indices.max { logits[$0] < logits[$1] }
            return best.flatMap { logits[$0] > -.infinity ? $0 : nil }
        default: break
        }
        if case .only(let tokens) = allowed { return tokens.randomElement(using: &random) }
        for _ in 0..<10_000 {
            let token = Int.random(in: 0..<test.logitCount, using: &random)
            if allowed.contains(token) { return token }
        }
        return nil
    }

    @Test func `nothing malformed can be generated`() throws {
        let vocabularies = [
            try TestVocabulary.tiny(), try .adversarial(addedFirst: false), try .adversarial(addedFirst: true),
        ]
        var tally = Tally()
        for seed in 0..<3600 {
            for test in vocabularies { try generate(test, seed: seed, &tally) }
        }
        #expect(tally.runs > 10_000 && tally.groups > 5000 && tally.emptyGroups > 500)
        #expect(tally.mentions > 500 && tally.atMinimum > 500 && tally.multibytePhrases > 100)
    }

    @Test func `nothing malformed can be generated with a large vocabulary`() throws {
        let test = try TestVocabulary.qwen()
        var tally = Tally()
        for seed in 0..<300 { try generate(test, seed: seed, &tally) }
        #expect(tally.runs > 250 && tally.groups > 200)
    }

    struct Tally {
        var runs = 0, groups = 0, emptyGroups = 0, mentions = 0, atMinimum = 0, multibytePhrases = 0
    }

    private func generate(_ test: TestVocabulary, seed: Int, _ tally: inout Tally) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let kind = Kind.allCases[seed % Kind.allCases.count]
        let limit = test.vocabulary.objects.count
        let boxCount = [0, 1, 2, 5, limit].randomElement(using: &random) ?? 0
        let shape = random
        guard let roomy = try? Self.grammar(kind, boxCount: boxCount, budget: 10_000, test.vocabulary, shape) else {
            #expect(kind == .regions && boxCount == 0)
            return
        }
        let budget = roomy.minimumBudget + ([0, 1, 2, 3, 7, 20, 60].randomElement(using: &random) ?? 0)
        let grammar = try Self.grammar(kind, boxCount: boxCount, budget: budget, test.vocabulary, shape)

        let run = try RandomRun(grammar, logitCount: test.logitCount) { Self.choose($0, test, &random) }
        let text = test.text(run.ids)
        let answer = AnswerParser.parse(text, boxCount: boxCount)
        let context = Comment("seed \(seed), \(kind), \(test.name): \(text)")
        #expect(answer.issues.isEmpty, context)
        #expect(answer.isEnded && !answer.plainText.isEmpty || kind == .conversation || kind == .text, context)
        #expect(answer.isEnded, context)
        // A count keeps room for a number of three figures.
        let leastCount = grammar.minimumBudget - (kind == .count ? 2 : 0)
        #expect(run.ids.count <= budget && run.ids.count >= leastCount, context)
        if kind == .count, let group = answer.groups.first {
            #expect(answer.plainText.hasSuffix(" \(group.objects.count)"), context)
        }
        #expect(run.ids.last == test.vocabulary.end, context)
        if kind == .text { #expect(answer.groups.isEmpty, context) }

        // The reference parsers see the same groups.
        let phrases = Set(answer.groups.map { Array(Self.trimmed($0.phrase)) })
        #expect(ReferenceParsers.evaluator(text).count == phrases.count, context)

        tally.runs += 1
        tally.groups += answer.groups.count
        tally.emptyGroups += answer.groups.filter(\.objects.isEmpty).count
        tally.mentions += answer.mentions.count
        tally.atMinimum += run.ids.count == grammar.minimumBudget ? 1 : 0
        tally.multibytePhrases += answer.groups.filter { $0.phrase.utf8.contains { $0 > 0x7F } }.count
    }

    private static func trimmed(_ text: String) -> [UInt32] {
        let isSpace = { (scalar: Unicode.Scalar) in
            scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
        }
        let scalars = Array(text.unicodeScalars)
        return scalars.drop(while: isSpace).reversed().drop(while: isSpace).reversed().map(\.value)
    }

    // MARK: - What must remain possible

    @Test func `every well-formed answer is accepted`() throws {
        for test in [try TestVocabulary.tiny(), try .adversarial(addedFirst: true), try .qwen()] {
            let vocabulary = test.vocabulary
            let captions = [
                "A <ground>plaid couch,</ground><objects><obj2></objects> and a "
                    + "<ground>couple.</ground><objects><obj9><obj1></objects>",
                "no group, 1 < 2 > 0", "<ground>a<b</ground><objects><obj0></objects>\n<g> <obj> </ground",
                "<ground>\u{732B}\u{1F600}</ground><objects><obj3></objects>",
            ]
            for text in captions {
                let grammar = try IndexGrammar.grounded(boxCount: 10, budget: 200, vocabulary: vocabulary)
                #expect(accepts(grammar, vocabulary.encode(text) + [vocabulary.end]), "\(test.name): \(text)")
            }
            let detection = AnswerText.detection([("dog", [2, 0]), ("red car", []), ("cat", [9])])
            let grammar = try IndexGrammar.detection(
                of: ["dog", "red car", "cat"], boxCount: 10, budget: 200, vocabulary: vocabulary)
            #expect(accepts(grammar, vocabulary.encode(detection) + [vocabulary.end]))
            let regions = AnswerText.regions([(3, "a black dog, asleep"), (0, "cat")])
            #expect(
                accepts(
                    try .regions([3, 0], boxCount: 4, budget: 200, vocabulary: vocabulary),
                    vocabulary.encode(regions) + [vocabulary.end]))
            #expect(
                accepts(
                    try .text(boxCount: 1, budget: 200, vocabulary: vocabulary),
                    vocabulary.encode("<obj0> shows a dog") + [vocabulary.end]))
        }
    }

    private func accepts(_ grammar: IndexGrammar, _ ids: [Int]) -> Bool {
        var grammar = grammar
        for id in ids {
            guard grammar.allowed().contains(id) else { return false }
            grammar.advance(id)
        }
        return grammar.allowed() == .end
    }

    @Test(arguments: [
        "<ground>a</ground><objects><obj1><obj1></objects>", "<ground>a</ground><objects></objects>",
        "<ground>a</ground><objects><obj4></objects>", "<ground> </ground><objects><obj1></objects>",
        "<ground>a</ground>", "a</ground>", "a</objects>", "a<objects>", "a<obj1>",
        "<ground>a\nb</ground><objects><obj1></objects>",
        "<ground>a<ground>b", "<ground>a<obj1>", "", " ", "a<|im_start|>", "a<|endoftext|>",
    ])
    func `no malformed caption is accepted`(text: String) throws {
        let vocabulary = try Golden.tiny.get().1
        let grammar = try IndexGrammar.grounded(boxCount: 4, budget: 200, vocabulary: vocabulary)
        #expect(!accepts(grammar, vocabulary.encode(text) + [vocabulary.end]))
    }

    // MARK: - Single rules

    @Test func `a detection chooses nothing but indices`() throws {
        let vocabulary = try Golden.tiny.get().1
        var grammar = try IndexGrammar.detection(of: ["dog", "cat"], boxCount: 3, budget: 100, vocabulary: vocabulary)
        let objects = vocabulary.objects
        func feed(_ tokens: [Int]) { for token in tokens { grammar.advance(token) } }

        let opening = vocabulary.encode("<ground>dog</ground><objects>")
        #expect(grammar.allowed() == .forced(opening))
        feed(opening)
        #expect(grammar.allowed() == .only([objects[0], objects[1], objects[2], vocabulary.objectsEnd]))
        feed([objects[1]])
        #expect(grammar.allowed() == .only([objects[0], objects[2], vocabulary.objectsEnd]))
        var branch = grammar
        feed([vocabulary.objectsEnd])
        let second = vocabulary.encode("\n<ground>cat</ground><objects>")
        #expect(grammar.allowed() == .forced(second))
        feed(second)
        feed([objects[1], objects[0]])
        // Both groups may have any box; with all used, closing and the end are one run.
        feed([objects[2]])
        #expect(grammar.allowed() == .forced([vocabulary.objectsEnd, vocabulary.end]))
        feed([vocabulary.objectsEnd, vocabulary.end])
        #expect(grammar.allowed() == .end)
        #expect(branch.allowed() == .only([objects[0], objects[2], vocabulary.objectsEnd]))
    }

    @Test func `without boxes a detection is a single forced text`() throws {
        let (tokenizer, vocabulary) = try Golden.tiny.get()
        let grammar = try IndexGrammar.detection(of: ["dog", "cat"], boxCount: 0, budget: 100, vocabulary: vocabulary)
        let run = try RandomRun(grammar, logitCount: 509) { _ in nil }
        #expect(tokenizer.decode(run.ids) == AnswerText.detection([("dog", []), ("cat", [])]) + "<|im_end|>")
        #expect(run.ids.count == grammar.minimumBudget)
    }

    @Test func `a budget too small for any answer is refused`() throws {
        let vocabulary = try Golden.tiny.get().1
        let minimum = try IndexGrammar.detection(
            of: ["dog", "cat"], boxCount: 3, objectsPerGroup: 1...2, budget: 100, vocabulary: vocabulary
        ).minimumBudget
        #expect(minimum == vocabulary.encode(AnswerText.detection([("dog", [0]), ("cat", [0])])).count + 1)
        #expect(throws: TaskError.budgetTooSmall(budget: minimum - 1, minimum: minimum)) {
            try IndexGrammar.detection(
                of: ["dog", "cat"], boxCount: 3, objectsPerGroup: 1...2, budget: minimum - 1, vocabulary: vocabulary)
        }
        #expect(throws: TaskError.budgetTooSmall(budget: 1, minimum: 2)) {
            try IndexGrammar.grounded(boxCount: 3, budget: 1, vocabulary: vocabulary)
        }
        #expect(try IndexGrammar.text(boxCount: 3, budget: .max, vocabulary: vocabulary).minimumBudget == 2)
    }

    @Test func `impossible demands are refused`() throws {
        let vocabulary = try Golden.tiny.get().1
        func detect(_ phrases: [String], _ boxCount: Int, _ range: ClosedRange<Int> = 0...9) throws {
            _ = try IndexGrammar.detection(
                of: phrases, boxCount: boxCount, objectsPerGroup: range, budget: 999, vocabulary: vocabulary)
        }
        #expect(throws: TaskError.noPhrase) { try detect([], 1) }
        #expect(throws: TaskError.noPhrase) { try detect(["dog", " \n"], 1) }
        #expect(throws: TaskError.tooManyBoxes(count: 101, limit: 100)) { try detect(["dog"], 101) }
        #expect(throws: TaskError.impossibleObjectCount(minimum: 3, maximum: 9, boxCount: 2)) {
            try detect(["dog"], 2, 3...9)
        }
        for phrase in ["a<ground>b", "a<obj1>", "a\nb", "a<|im_end|>", "\u{338}a", "x<tool_call>", "<objfeat>"] {
            #expect(throws: TaskError.reservedText(phrase)) { try detect([phrase], 2) }
        }
        #expect(throws: TaskError.unknownObject("<obj4>", boxCount: 4)) {
            try IndexGrammar.regions([4], boxCount: 4, budget: 99, vocabulary: vocabulary)
        }
    }

    @Test func `a token that was not allowed ends the answer`() throws {
        let vocabulary = try Golden.tiny.get().1
        var grammar = try IndexGrammar.text(boxCount: 0, budget: 9, vocabulary: vocabulary)
        grammar.advance(vocabulary.objectsEnd)
        #expect(grammar.allowed() == .end)
        grammar.advance(-1)
        #expect(grammar.allowed() == .end)
    }

    @Test func `ordinary tokens cannot spell a tag`() throws {
        let test = try TestVocabulary.adversarial(addedFirst: false)
        let vocabulary = test.vocabulary
        var grammar = try IndexGrammar.grounded(boxCount: 4, budget: 99, vocabulary: vocabulary)
        let bytes = Array("<obj1".utf8).map(Int.init)
        for byte in bytes { grammar.advance(byte) }
        #expect(!grammar.allowed().contains(Int(UInt8(ascii: ">"))))
        #expect(grammar.allowed().contains(Int(UInt8(ascii: "2"))))
        grammar.advance(Int(UInt8(ascii: "x")))
        #expect(grammar.allowed().contains(Int(UInt8(ascii: ">"))))
    }

    @Test func `every task has its grammar`() throws {
        let vocabulary = try Golden.tiny.get().1
        let tasks: [(VisionTask, Int)] = [
            (.detect(["dog", "cat"]), 1), (.count(["dog"]), 0), (.groundedCaption(.brief), 2),
            (.groundedQuestion("Who?"), 2),
            (.question("Who?"), 2), (.caption, 2), (.describeRegions([1], level: .brief), 2),
            (.describeRegions([1, 0], level: .brief), 2 * (1 + 2 + 3) + 1 + 1),
        ]
        for (task, minimum) in tasks {
            let prompt = try task.prompts(boxCount: 4)[0]
            let grammar = try prompt.grammar(boxCount: 4, budget: 500, vocabulary: vocabulary)
            if case .detect = task {
                let absent = AnswerText.detection([("dog", []), ("cat", [])])
                #expect(grammar.minimumBudget == vocabulary.encode(absent).count + 1)
            } else if case .count = task {
                #expect(grammar.minimumBudget == vocabulary.encode(AnswerText.count([("dog", [])])).count + 1)
            } else {
                #expect(grammar.minimumBudget == minimum, "\(task)")
            }
        }
    }
}

@Suite struct AllowedTokensTests {
    @Test func `a token set knows its members`() {
        let set = TokenSet([700, 5, 64, 63, 5, -3])
        #expect(set.ids == [5, 63, 64, 700])
        #expect((-5...2000).filter(set.contains) == set.ids)
        #expect(!TokenSet([]).contains(0) && !set.contains(.max) && !set.contains(.min))
    }

    @Test(arguments: [
        (AllowedTokens.any(except: [TokenSet([0, 2]), TokenSet([4, 99])]), [1, 3]),
        (.only([3, 1, 99]), [1, 3]), (.forced([4, 1]), [4]), (.end, []),
    ])
    func `a mask leaves what is allowed`(allowed: AllowedTokens, expected: [Int]) {
        var logits: [Float] = [10, 11, 12, 13, 14]
        allowed.mask(&logits)
        #expect(logits.indices.filter { logits[$0] > -.infinity } == expected)
        #expect(logits.indices.filter(allowed.contains) == expected)
        #expect(expected.allSatisfy { logits[$0] == Float($0) + 10 })
    }
}
