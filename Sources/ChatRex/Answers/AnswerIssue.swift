/// Something in an answer that breaks the grammar `<ground>phrase</ground><objects><obj3><obj7></objects>`.
///
/// An answer with issues is still read as far as it makes sense; each issue says what was lost or guessed.
public struct AnswerIssue: Sendable, Hashable, Codable {
    /// What is wrong.
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        /// `<ground>` without `</ground>`: the phrase ends at `<objects>`, or stays plain text.
        case unclosedPhrase
        /// `<ground>` within a phrase: the outer phrase becomes plain text.
        case nestedPhrase
        /// A phrase of nothing but white space; the group is kept.
        case emptyPhrase
        /// A line break within a phrase; the phrase is kept, the reference parsers lose it.
        case lineBreakInPhrase
        /// A phrase that no `<objects>` follows: it becomes plain text.
        case phraseWithoutObjects
        /// White space between `</ground>` and `<objects>`; ignored.
        case spaceBeforeObjects
        /// `<objects>` without a phrase before it: its indices are dropped.
        case objectsWithoutPhrase
        /// `<objects>` without `</objects>`: the group ends at the next `<ground>` or with the text.
        case unclosedObjects
        /// Text between the indices of a group; dropped.
        case textInObjects
        /// An index that no box has; dropped.
        case unknownIndex
        /// An index that the same group already has; dropped.
        case repeatedIndex
        /// An index with leading zeros; read as the number.
        case nonCanonicalIndex
        /// An index within a phrase; dropped.
        case indexInPhrase
        /// A closing tag, or a second `<objects>`, where none belongs; dropped.
        case strayTag
        /// `<image>` or `<objfeat>`, which belong to prompts only; dropped.
        case placeholder
        /// Text after the end token; dropped.
        case textAfterEnd
    }

    /// What is wrong.
    public var kind: Kind
    /// The text at fault, as it is spelled.
    public var text: String
    /// Where it begins in the raw answer, in Unicode scalars.
    public var position: Int

    public init(_ kind: Kind, text: String, position: Int) {
        (self.kind, self.text, self.position) = (kind, text, position)
    }
}

extension AnswerIssue: CustomStringConvertible {
    public var description: String { "\(kind.rawValue) at \(position): \(text)" }
}
