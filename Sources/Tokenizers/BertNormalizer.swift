/// BERT's basic tokenisation: cleans text, lowers case, drops accents and cuts it into words and punctuation marks.
struct BertNormalizer: Sendable {
    /// Whether control characters are dropped and all white space becomes a plain space.
    var cleansText = true
    /// Whether each Chinese character is a word.
    var separatesChinese = true
    var lowercases = true
    /// Whether text is decomposed and loses its combining marks.
    var stripsAccents = true

    /// The words and punctuation marks of `text`.
    func words(of text: String) -> [String] {
        var words: [String] = []
        var word = String.UnicodeScalarView()
        func endWord() {
            if !word.isEmpty { words.append(String(word)) }
            word.removeAll()
        }
        for scalar in normalized(text).unicodeScalars {
            if scalar.properties.isWhitespace {
                endWord()
            } else if scalar.isBertPunctuation {
                endWord()
                words.append(String(scalar))
            } else {
                word.append(scalar)
            }
        }
        endWord()
        return words
    }

    private func normalized(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if cleansText, scalar.isDroppedByBert { continue }
            if cleansText, scalar.properties.isWhitespace {
                scalars.append(" ")
            } else if separatesChinese, scalar.isChinese {
                scalars.append(contentsOf: [" ", scalar, " "])
            } else {
                scalars.append(scalar)
            }
        }
        var text = String(scalars)
        if stripsAccents {
            let decomposed = lossyText(CanonicalNormalizer.shared.decomposed(text)).unicodeScalars
            text = String(
                String.UnicodeScalarView(decomposed.filter { $0.properties.generalCategory != .nonspacingMark }))
        }
        // Scalar by scalar: `lowercased()` of the whole would turn a final capital sigma into another letter.
        return lowercases ? text.unicodeScalars.map(\.properties.lowercaseMapping).joined() : text
    }
}

extension Unicode.Scalar {
    /// U+FFFD, control, format and private characters, except tab and line breaks, which are white space.
    fileprivate var isDroppedByBert: Bool {
        switch self {
        case "\t", "\n", "\r": return false
        case "\u{FFFD}": return true
        default:
            switch properties.generalCategory {
            case .control, .format, .privateUse: return true
            default: return false
            }
        }
    }

    /// Punctuation by category, and the ASCII symbols too.
    fileprivate var isBertPunctuation: Bool {
        switch value {
        case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: return true
        default: break
        }
        switch properties.generalCategory {
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
            .finalPunctuation, .otherPunctuation:
            return true
        default: return false
        }
    }

    /// The blocks of unified and compatibility ideographs that BERT separates.
    fileprivate var isChinese: Bool {
        switch value {
        case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F,
            0x2B920...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
            return true
        default: return false
        }
    }
}
