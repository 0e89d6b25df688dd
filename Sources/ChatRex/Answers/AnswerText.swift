import Foundation

/// Writes answers: what training teaches the model to say, and what ``IndexGrammar`` makes it say.
public enum AnswerText {
    /// Stands between the groups of a list.
    public static let separator = "\n"

    /// `<ground>phrase</ground><objects><obj3><obj7></objects>`. No index means that the image has no such thing.
    public static func group(_ phrase: String, _ indices: [Int]) -> String {
        "<ground>\(phrase)</ground><objects>" + indices.map { "<obj\($0)>" }.joined() + "</objects>"
    }

    /// The answer to ``VisionTask/detect(_:)``: one group for each phrase, in the order of the prompt.
    public static func detection(_ groups: [(phrase: String, indices: [Int])]) -> String {
        groups.map { group($0.phrase, $0.indices) }.joined(separator: separator)
    }

    /// The answer to ``VisionTask/count(_:)``: for each phrase the group, a space, and the number. The objects come first, so that
    /// the number is read off the list instead of being guessed before it.
    public static func count(_ groups: [(phrase: String, indices: [Int])]) -> String {
        groups.map { group($0.phrase, $0.indices) + total($0.indices.count) }.joined(separator: separator)
    }

    /// The number after a group.
    static func total(_ count: Int) -> String { " \(count)" }

    /// The answer to ``VisionTask/describeRegions(_:level:)``: the bare text for one region, for several one group
    /// each.
    public static func regions(_ descriptions: [(index: Int, text: String)]) -> String {
        if descriptions.count == 1 { return descriptions[0].text }
        return descriptions.map { group($0.text, [$0.index]) }.joined(separator: separator)
    }

    /// The text without end tokens and white space at its end.
    static func withoutEnd(_ text: String) -> String {
        var text = Substring(text)
        while true {
            if let last = text.unicodeScalars.last, last.properties.isWhitespace {
                text.unicodeScalars.removeLast()
            } else if let end = AnswerTag.spellings.first(where: { $0.tag == .end && text.hasSuffix($0.text) }) {
                text.unicodeScalars.removeLast(end.text.unicodeScalars.count)
            } else {
                return String(text)
            }
        }
    }
}
