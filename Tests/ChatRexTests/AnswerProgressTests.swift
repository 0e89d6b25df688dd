import Boxes
import ChatRex
import Testing

/// What is told of an answer while it is being written.
@Suite struct AnswerProgressTests {
    private static let boxes = [Box(x1: 0, y1: 0, x2: 4, y2: 4), Box(x1: 2, y1: 2, x2: 8, y2: 8)]

    private static func answer(_ text: String) -> GroundedAnswer { GroundedAnswer(rawText: text, boxes: boxes) }

    /// An answer as it grows by a token each time, and whether the token closed a group.
    private static let states: [(text: String, closes: Bool)] = [
        ("<ground>", false), ("<ground>dog", false), ("<ground>dog</ground>", false),
        ("<ground>dog</ground><objects>", false), ("<ground>dog</ground><objects><obj0>", false),
        ("<ground>dog</ground><objects><obj0><obj1>", false),
        ("<ground>dog</ground><objects><obj0><obj1></objects>", true),
        ("<ground>dog</ground><objects><obj0><obj1></objects> in a caf\u{FFFD}", false),
        ("<ground>dog</ground><objects><obj0><obj1></objects> in a café", false),
    ]

    @Test("The pieces joined are the answer, and a group comes when it is closed, with all its boxes")
    func pieces() throws {
        var updates: [AnswerUpdate] = []
        let progress = AnswerProgress {
            updates.append($0)
            return true
        }
        var groupsAt: [Int] = []
        for (index, state) in Self.states.enumerated() {
            let count = updates.reduce(0) { $0 + $1.groups.count }
            #expect(progress.advance(to: Self.answer(state.text), isGroupClosed: state.closes))
            if updates.reduce(0, { $0 + $1.groups.count }) > count { groupsAt.append(index) }
        }
        let whole = Self.answer(try #require(Self.states.last).text)
        progress.finish(whole)
        #expect(updates.map(\.rawText).joined() == whole.rawText)
        #expect(updates.map(\.text).joined() == whole.text && whole.text == "dog in a café")
        #expect(updates.flatMap(\.groups) == whole.groups && groupsAt == [6])
        #expect(!updates.contains { $0.text.contains("\u{FFFD}") })
    }

    @Test("Who has heard enough says so")
    func enough() {
        let progress = AnswerProgress { $0.text.isEmpty }
        #expect(progress.advance(to: Self.answer("<ground>"), isGroupClosed: false))
        #expect(!progress.advance(to: Self.answer("<ground>dog"), isGroupClosed: false))
    }

    @Test("An answer that comes at once is one piece")
    func atOnce() {
        var updates: [AnswerUpdate] = []
        let whole = Self.answer(
            "<ground>dog</ground><objects><obj1></objects>\n<ground>cat</ground><objects></objects>")
        AnswerProgress {
            updates.append($0)
            return true
        }.finish(whole)
        #expect(updates == [AnswerUpdate(rawText: whole.rawText, text: "dog\ncat", groups: whole.groups)])
    }
}
