/// What has been added to an answer that is still being written.
public struct AnswerUpdate: Sendable, Hashable {
    /// More of `GroundedAnswer.rawText`.
    public var rawText: String
    /// More of `GroundedAnswer.text`.
    public var text: String
    /// Groups that are complete now.
    public var groups: [GroundedAnswer.Group]
    /// More of `GroundedAnswer.tokens`.
    public var tokens: [TokenChoice]

    public init(rawText: String, text: String, groups: [GroundedAnswer.Group], tokens: [TokenChoice] = []) {
        (self.rawText, self.text, self.groups, self.tokens) = (rawText, text, groups, tokens)
    }

    var isEmpty: Bool { rawText.isEmpty && text.isEmpty && groups.isEmpty && tokens.isEmpty }
}

/// Tells what each state of an answer adds to the one before.
package final class AnswerProgress {
    private let report: (AnswerUpdate) -> Bool
    private var rawText = "", text = ""
    private var groupCount = 0, tokenCount = 0

    /// - Parameter report: gets each addition; false ends the answer.
    package init(_ report: @escaping (AnswerUpdate) -> Bool) {
        self.report = report
    }

    /// - Parameters:
    ///   - answer: all that is written so far
    ///   - isGroupClosed: whether the last thing written closed a group; before that its objects are not all there
    /// - Returns: false when the answer is to end.
    package func advance(to answer: GroundedAnswer, isGroupClosed: Bool) -> Bool {
        send(
            AnswerUpdate(
                rawText: Self.addition(&rawText, Self.certain(answer.rawText)),
                text: Self.addition(&text, Self.certain(answer.text)),
                groups: isGroupClosed ? newGroups(of: answer) : [], tokens: newTokens(of: answer)))
    }

    /// Reports what is left when the answer is complete.
    package func finish(_ answer: GroundedAnswer) {
        _ = send(
            AnswerUpdate(
                rawText: Self.addition(&rawText, answer.rawText), text: Self.addition(&text, answer.text),
                groups: newGroups(of: answer), tokens: newTokens(of: answer)))
    }

    private func send(_ update: AnswerUpdate) -> Bool {
        update.isEmpty || report(update)
    }

    private func newGroups(of answer: GroundedAnswer) -> [GroundedAnswer.Group] {
        defer { groupCount = max(groupCount, answer.groups.count) }
        return Array(answer.groups.dropFirst(groupCount))
    }

    private func newTokens(of answer: GroundedAnswer) -> [TokenChoice] {
        let tokens = answer.tokens ?? []
        defer { tokenCount = max(tokenCount, tokens.count) }
        return Array(tokens.dropFirst(tokenCount))
    }

    /// The text without a character at its end whose bytes are not all there yet.
    private static func certain(_ text: String) -> String {
        var text = text
        while text.unicodeScalars.last == "\u{FFFD}" { text.unicodeScalars.removeLast() }
        return text
    }

    private static func addition(_ former: inout String, _ text: String) -> String {
        guard text.utf8.starts(with: former.utf8) else { return "" }
        let addition = String(decoding: text.utf8.dropFirst(former.utf8.count), as: UTF8.self)
        former = text
        return addition
    }
}
