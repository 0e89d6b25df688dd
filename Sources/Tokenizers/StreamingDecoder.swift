/// Turns ids into text one at a time, for text that is shown while it is generated.
///
/// A character can span tokens: its bytes are held back until it is complete or cannot become so. The texts that
/// `append` and `finish` return, joined, equal `decode` of all ids.
public struct StreamingDecoder: Sendable {
    private let tokenizer: BytePairTokenizer
    private let skipsSpecialTokens: Bool
    private var held: [UInt8] = []

    /// - Parameter skippingSpecialTokens: whether special tokens are left out of the text.
    public init(_ tokenizer: BytePairTokenizer, skippingSpecialTokens: Bool = false) {
        self.tokenizer = tokenizer
        skipsSpecialTokens = skippingSpecialTokens
    }

    /// The text that is certain once `id` is known; often empty within a character.
    public mutating func append(_ id: Int) -> String {
        if let token = tokenizer.added[id: id] {
            guard !(token.isSpecial && skipsSpecialTokens) else { return "" }
            return finish() + token.content
        }
        guard let bytes = tokenizer.vocabulary.bytes(of: id) else { return "" }
        held += bytes
        let certain = held.count - held.incompleteSuffixLength
        defer { held.removeFirst(certain) }
        return lossyText(held[..<certain])
    }

    /// What was held back, as U+FFFD; call it after the last id.
    public mutating func finish() -> String {
        defer { held.removeAll() }
        return lossyText(held)
    }
}

extension [UInt8] {
    /// How many bytes at the end are the beginning of a UTF-8 character that more bytes could complete.
    fileprivate var incompleteSuffixLength: Int {
        for length in 1...3 where length <= count {
            let byte = self[count - length]
            if byte & 0xC0 == 0x80 { continue }
            let isPossible: Bool
            switch byte {
            case 0xC2...0xDF: isPossible = length < 2
            case 0xE0...0xEF: isPossible = length < 3
            case 0xF0...0xF4: isPossible = length < 4
            default: isPossible = false
            }
            guard isPossible, length > 1 else { return isPossible ? length : 0 }
            return Self.isSecondByte(self[count - length + 1], after: byte) ? length : 0
        }
        return 0
    }

    /// Whether UTF-8 allows `second` after the lead: it rules out overlong forms, surrogates, beyond U+10FFFF.
    private static func isSecondByte(_ second: UInt8, after lead: UInt8) -> Bool {
        switch lead {
        case 0xE0: second >= 0xA0
        case 0xED: second < 0xA0
        case 0xF0: second >= 0x90
        case 0xF4: second < 0x90
        default: true
        }
    }
}
