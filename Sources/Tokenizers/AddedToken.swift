/// A token that is found in the text before it is split, and so never comes out in parts.
public struct AddedToken: Sendable, Equatable {
    /// Its id in the vocabulary.
    public let id: Int
    /// The text it stands for.
    public let content: String
    /// Whether it controls the model rather than being text; decoding can leave these out.
    public let isSpecial: Bool
    /// Whether white space before it is dropped (`lstrip` in the file).
    public let stripsLeft: Bool
    /// Whether white space after it is dropped (`rstrip` in the file).
    public let stripsRight: Bool
    /// Whether it is meant for normalised text. Kept for the file only: all text is normalised before the search.
    public let isNormalized: Bool

    init(
        id: Int, content: String, isSpecial: Bool = true,
        stripsLeft: Bool = false, stripsRight: Bool = false, isNormalized: Bool = false
    ) {
        self.id = id
        self.content = content
        self.isSpecial = isSpecial
        self.stripsLeft = stripsLeft
        self.stripsRight = stripsRight
        self.isNormalized = isNormalized
    }

    public static func == (a: AddedToken, b: AddedToken) -> Bool {
        a.id == b.id && a.content.utf8.elementsEqual(b.content.utf8) && a.isSpecial == b.isSpecial
            && a.stripsLeft == b.stripsLeft && a.stripsRight == b.stripsRight && a.isNormalized == b.isNormalized
    }
}

/// The added tokens of a tokenizer and the search for them.
struct AddedTokens: Sendable {
    /// A stretch of text, or an added token between two.
    enum Segment {
        case text(Range<Int>)
        case token(AddedToken)
    }

    /// Ordered by id.
    private(set) var all: [AddedToken] = []
    private var byContent: [[UInt8]: AddedToken] = [:]
    private var byID: [Int: AddedToken] = [:]
    /// For each first byte the contents that begin with it, longest first.
    private var contentsByFirstByte = [[[UInt8]]](repeating: [], count: 256)

    /// One more than the highest id.
    var idCount: Int { all.last.map { $0.id + 1 } ?? 0 }

    subscript(id id: Int) -> AddedToken? { byID[id] }
    subscript(content content: [UInt8]) -> AddedToken? { byContent[content] }

    mutating func insert(_ token: AddedToken) throws(TokenizerError) {
        let content = Array(token.content.utf8)
        guard let first = content.first else { throw .emptyToken(id: token.id) }
        guard (0..<Vocabulary.idLimit).contains(token.id) else {
            throw .invalidID(token: token.content, value: String(token.id))
        }
        if let other = byContent[content] {
            throw .duplicateToken(token: token.content, first: other.id, second: token.id)
        }
        if let other = byID[token.id] {
            throw .duplicateID(id: token.id, first: other.content, second: token.content)
        }
        byContent[content] = token
        byID[token.id] = token
        all.insert(token, at: all.firstIndex { $0.id > token.id } ?? all.count)
        let siblings = contentsByFirstByte[Int(first)]
        contentsByFirstByte[Int(first)].insert(
            content, at: siblings.firstIndex { $0.count < content.count } ?? siblings.count)
    }

    /// Splits `text` (UTF-8) at the added tokens: leftmost first and of those the longest.
    func segments(of text: [UInt8]) -> [Segment] {
        guard !all.isEmpty else { return [.text(0..<text.count)] }
        var segments: [Segment] = []
        var textStart = 0
        var position = 0
        while position < text.count {
            guard let token = token(in: text, at: position) else {
                position += 1
                continue
            }
            let textEnd = token.stripsLeft ? text.trimmingSpace(in: textStart..<position).upperBound : position
            if textStart < textEnd { segments.append(.text(textStart..<textEnd)) }
            segments.append(.token(token))
            position += token.content.utf8.count
            textStart = token.stripsRight ? text.skippingSpace(from: position) : position
            position = textStart
        }
        if textStart < text.count { segments.append(.text(textStart..<text.count)) }
        return segments
    }

    private func token(in text: [UInt8], at position: Int) -> AddedToken? {
        for content in contentsByFirstByte[Int(text[position])] where text[position...].starts(with: content) {
            return byContent[content]
        }
        return nil
    }
}
