import ChatRex
import Testing

@Suite struct AnswerParserTests {
    private func parse(_ text: String, boxCount: Int? = 10) -> ParsedAnswer {
        AnswerParser.parse(text, boxCount: boxCount)
    }

    @Test func `groups, phrases and plain text are read`() {
        let answer = parse(
            "A <ground>plaid couch,</ground><objects><obj2></objects> and a <ground> "
                + "couple.</ground><objects><obj9><obj1></objects>\n<|im_end|>"
        )
        #expect(answer.plainText == "A plaid couch, and a  couple.")
        #expect(answer.groups.map(\.phrase) == ["plaid couch,", "couple."])
        #expect(answer.groups.map(\.range) == [2..<14, 22..<29])
        #expect(answer.groups.map { $0.objects.map(\.index) } == [[2], [9, 1]])
        #expect(answer.groups.flatMap(\.objects).map(\.ordinal) == [0, 1, 2])
        #expect(answer.issues.isEmpty && answer.isEnded && answer.objectTagCount == 3)
    }

    @Test func `positions count Unicode scalars`() {
        let answer = parse("\u{1F468}\u{200D}\u{1F469}\r\n<ground>e\u{301}\u{732B}</ground><objects><obj11></objects>")
        #expect(answer.groups[0].range == 5..<8)
        #expect(answer.plainText.unicodeScalars.dropFirst(5).elementsEqual("e\u{301}\u{732B}".unicodeScalars))
        #expect(answer.issues == [AnswerIssue(.unknownIndex, text: "<obj11>", position: 5 + 8 + 3 + 9 + 9)])
    }

    @Test func `an index in running text is a mention`() {
        let answer = parse("<obj0> shows a brown dog near <obj3>.")
        #expect(answer.plainText == "shows a brown dog near .")
        #expect(answer.mentions.map(\.object.index) == [0, 3])
        #expect(answer.mentions.map(\.position) == [0, 23])
        #expect(answer.groups.isEmpty && answer.issues.isEmpty)
    }

    @Test func `an empty group says that there is no such thing`() {
        let answer = parse("<ground>cat</ground><objects></objects>")
        #expect(answer.groups.map(\.objects) == [[]] && answer.issues.isEmpty)
    }

    /// Text, the issues it must raise, and the groups that are saved from it.
    static let broken: [(String, [AnswerIssue.Kind], [String: [Int]])] = [
        ("<ground>a", [.unclosedPhrase], [:]),
        ("<ground>a<objects><obj1></objects>", [.unclosedPhrase], ["a": [1]]),
        ("<ground>a</ground>", [.phraseWithoutObjects], [:]),
        ("<ground>a</ground> and <ground>b</ground><objects><obj1></objects>", [.phraseWithoutObjects], ["b": [1]]),
        ("<ground>a</ground><ground>b</ground><objects><obj1></objects>", [.phraseWithoutObjects], ["b": [1]]),
        ("<ground>a</ground> <objects><obj1></objects>", [.spaceBeforeObjects], ["a": [1]]),
        ("<ground>a</ground><obj1>", [.phraseWithoutObjects], [:]),
        ("<ground>a<ground>b</ground><objects><obj2></objects>", [.nestedPhrase], ["b": [2]]),
        ("<ground> \t</ground><objects><obj2></objects>", [.emptyPhrase], ["": [2]]),
        ("<ground>\u{3000}</ground><objects><obj2></objects>", [.emptyPhrase], ["": [2]]),
        ("<ground>a\nb</ground><objects><obj2></objects>", [.lineBreakInPhrase], ["a\nb": [2]]),
        ("<objects><obj1></objects>", [.objectsWithoutPhrase], [:]),
        ("<ground>a</ground><objects><obj1>", [.unclosedObjects], ["a": [1]]),
        ("<ground>a</ground><objects><obj1><|im_end|>", [.unclosedObjects], ["a": [1]]),
        (
            "<ground>a</ground><objects><obj1><ground>b</ground><objects><obj2></objects>", [.unclosedObjects],
            ["a": [1], "b": [2]]
        ),
        ("<ground>a</ground><objects><obj1>, <obj2>; x</objects>", [.textInObjects], ["a": [1, 2]]),
        ("<ground>a</ground><objects>none</objects>", [.textInObjects], ["a": []]),
        ("<ground>a</ground><objects><obj10></objects>", [.unknownIndex], ["a": []]),
        ("<ground>a</ground><objects><obj99999999999999999999></objects>", [.unknownIndex], ["a": []]),
        ("<ground>a</ground><objects><obj1><obj1></objects>", [.repeatedIndex], ["a": [1]]),
        ("<ground>a</ground><objects><obj007></objects>", [.nonCanonicalIndex], ["a": [7]]),
        ("<ground>a<obj1></ground><objects><obj2></objects>", [.indexInPhrase], ["a": [2]]),
        ("</ground></objects>", [.strayTag, .strayTag], [:]),
        ("<ground>a</ground><objects><objects><obj1></objects>", [.strayTag], ["a": [1]]),
        ("<ground>a<objfeat></ground><objects><obj1></objects>", [.placeholder], ["a": [1]]),
        ("hi<|im_end|> \n<|endoftext|>more<obj1>", [.textAfterEnd], [:]),
        ("<obj12>", [.unknownIndex], [:]),
    ]

    @Test(arguments: broken)
    func `what is malformed is reported and the rest is kept`(
        text: String, kinds: [AnswerIssue.Kind], groups: [String: [Int]]
    ) {
        let answer = parse(text)
        #expect(answer.issues.map(\.kind) == kinds)
        let found = answer.groups.map { ($0.phrase, $0.objects.map(\.index)) }
        #expect(Dictionary(found, uniquingKeysWith: { first, _ in first }) == groups)
        #expect(answer.groups.count == groups.count)
    }

    @Test func `issues say where they are`() {
        let answer = parse("\u{E9} <ground>a</ground><objects><obj1>,<obj1></objects></objects>")
        #expect(
            answer.issues == [
                AnswerIssue(.textInObjects, text: ",", position: 35),
                AnswerIssue(.repeatedIndex, text: "<obj1>", position: 36),
                AnswerIssue(.strayTag, text: "</objects>", position: 52),
            ])
    }

    @Test func `what only resembles a tag is text`() {
        let text = "a < b <<groun <Ground> <g> <obj> <objx> <obj\u{0663}> </ ground> <|im_en <obj1"
        let answer = parse(text)
        #expect(answer.plainText == text)
        #expect(answer.issues.isEmpty && answer.groups.isEmpty && answer.mentions.isEmpty)
        #expect(parse("<<ground>x</ground><objects></objects>").groups.count == 1)
    }

    @Test func `pieces of any size give the same answer as the whole`() {
        var random = SeededGenerator(seed: 1)
        let alphabet = [
            "<ground>", "</ground>", "<objects>", "</objects>", "<obj1>", "<obj2>", "<obj77>", "<", ">", "a ", "\u{E9}",
            "\u{1F600}", "\n", " ", "<obj", "<image>", "e\u{301}", "<|im_end|>",
        ]
        var issueCount = 0
        for _ in 0..<2000 {
            let text = (0..<Int.random(in: 0...20, using: &random)).map { _ in alphabet.randomElement(using: &random)! }
                .joined()
            let whole = parse(text, boxCount: 5)
            var parser = AnswerParser(boxCount: 5)
            var events: [AnswerEvent] = []
            var unread = text.unicodeScalars[...]
            while !unread.isEmpty {
                let piece = unread.prefix(Int.random(in: 1...4, using: &random))
                events += parser.feed(String(piece))
                unread = unread.dropFirst(piece.count)
            }
            events += parser.finish()
            #expect(parser.answer.groups == whole.groups && parser.answer.mentions == whole.mentions)
            #expect(parser.answer.plainText.unicodeScalars.elementsEqual(whole.plainText.unicodeScalars))
            #expect(parser.answer.issues.map(\.kind) == whole.issues.map(\.kind))
            #expect(parser.answer.issues.map(\.position) == whole.issues.map(\.position))
            issueCount += whole.issues.count

            // The events tell the same as the answer.
            var told = ParsedParts()
            for event in events { told.add(event) }
            #expect(
                told.groups == whole.groups && told.mentions == whole.mentions && told.issueCount == whole.issues.count)
            #expect(told.text.unicodeScalars.starts(with: whole.plainText.unicodeScalars))
            let rest = told.text.unicodeScalars.dropFirst(whole.plainText.unicodeScalars.count)
            let visible = rest.filter { !$0.properties.isWhitespace }
            #expect(visible.isEmpty)
        }
        #expect(issueCount > 2000)
    }

    private struct ParsedParts {
        var text = ""
        var groups: [ParsedAnswer.Group] = []
        var mentions: [ParsedAnswer.Mention] = []
        var issueCount = 0

        mutating func add(_ event: AnswerEvent) {
            switch event {
            case .text(let more): text += more
            case .group(let group): groups.append(group)
            case .mention(let mention): mentions.append(mention)
            case .issue: issueCount += 1
            case .end: break
            }
        }
    }

    @Test func `a group is told as soon as it closes`() {
        var parser = AnswerParser(boxCount: nil)
        #expect(parser.feed("A <ground>do") == [.text("A do")])
        #expect(parser.feed("g</ground><objects><obj3></obj") == [.text("g")])
        let group = ParsedAnswer.Group(phrase: "dog", range: 2..<5, objects: [.init(index: 3, ordinal: 0)])
        #expect(parser.feed("ects> run<") == [.group(group), .text(" run")])
        #expect(parser.feed("3") == [.text("<3")])
        #expect(parser.feed("<|im_end|>") == [.end])
        #expect(parser.finish() == [])
    }
}
