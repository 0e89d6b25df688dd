import ChatRex
import Testing

@Suite struct ReferenceParserTests {
    struct Case: Decodable {
        var text: String
        var visualizer: [ReferenceGroup]
        var evaluator: [ReferenceGroup]

        enum CodingKeys: CodingKey { case text, visualizer, evaluator }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            text = try container.decode(String.self, forKey: .text)
            visualizer = try Self.groups(container, .visualizer)
            evaluator = try Self.groups(container, .evaluator)
        }

        private static func groups(
            _ container: KeyedDecodingContainer<CodingKeys>, _ key: CodingKeys
        ) throws -> [ReferenceGroup] {
            var list = try container.nestedUnkeyedContainer(forKey: key)
            var groups: [ReferenceGroup] = []
            while !list.isAtEnd {
                var pair = try list.nestedUnkeyedContainer()
                groups.append(
                    ReferenceGroup(phrase: try pair.decode(String.self), tags: try pair.decode([String].self)))
            }
            return groups
        }
    }

    @Test func `both parsers read the golden cases as the originals do`() throws {
        let cases: [Case] = try Golden.json("chatrex-tiny/grammar_cases.json")
        #expect(cases.count > 30)
        for item in cases {
            #expect(ReferenceParsers.visualizer(item.text) == item.visualizer, "\(item.text)")
            #expect(ReferenceParsers.evaluator(item.text) == item.evaluator, "\(item.text)")
        }
    }

    /// Expected values from the patterns themselves, run with Python's `re`.
    @Test(arguments: [
        ("<ground>a</ground><objects><obj\u{0663}\u{0664}></objects>", "a", ["<obj\u{0663}\u{0664}>"], [34]),
        ("<ground>a</ground><objects><obj\u{00B2}><obj1></objects>", "a", ["<obj1>"], [1]),
        ("<ground>\u{1C}a\r</ground><objects><obj1>\r<obj2></objects>", "a", ["<obj1>", "<obj2>"], [1, 2]),
        ("<ground>a\u{2028}b</ground><objects><obj1></objects>", "a\u{2028}b", ["<obj1>"], [1]),
        ("<ground>x<ground>\n<ground>y</ground><objects><obj<obj5>></objects>", "y", ["<obj5>"], [5]),
        ("<ground>a\u{338}</ground><objects><obj1>\u{338}</objects>", "a\u{338}", ["<obj1>"], [1]),
    ])
    func `characters are Unicode scalars`(text: String, phrase: String, tags: [String], indices: [Int]) {
        let groups = ReferenceParsers.visualizer(text)
        #expect(groups == [ReferenceGroup(phrase: phrase, tags: tags)])
        #expect(groups.first?.indices == indices)
    }

    @Test func `phrases that only look the same are two phrases`() {
        let text = "<ground>e\u{301}</ground><objects><obj1></objects><ground>\u{E9}</ground><objects><obj2></objects>"
        #expect(ReferenceParsers.visualizer(text).count == 2)
        #expect(ReferenceParsers.evaluator(text).count == 2)
    }

    @Test func `indices of a lost group count as seen`() {
        let text = AnswerText.group("a", [1]) + AnswerText.group("a", [2]) + AnswerText.group("b", [2])
        #expect(ReferenceParsers.visualizer(text) == [ReferenceGroup(phrase: "a", tags: ["<obj1>"])])
    }
}
