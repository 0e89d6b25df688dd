import Foundation
import Tokenizers

/// The text encoder's tokenizer and the tokens that part a text into phrases.
package struct GroundingTokenizer: Sendable {
    package let pieces: WordPieceTokenizer
    /// `[CLS]`, `[SEP]`, `.` and `?`.
    let separators: Set<Int>
    let fullStop: Int
    let padding: Int

    /// Reads `tokenizer.json` or, where there is none, `vocab.txt`.
    package init(folder: URL) throws {
        let file = folder.appendingPathComponent("tokenizer.json")
        let vocabulary = folder.appendingPathComponent("vocab.txt")
        let usesVocabulary =
            !FileManager.default.fileExists(atPath: file.path)
            && FileManager.default.fileExists(atPath: vocabulary.path)
        pieces =
            usesVocabulary ? try WordPieceTokenizer(vocabularyAt: vocabulary) : try WordPieceTokenizer(contentsOf: file)
        guard let fullStop = pieces.tokenID(for: "."), let questionMark = pieces.tokenID(for: "?"),
            let padding = pieces.padding
        else { throw GroundingDINOError.model("\(folder.path): the tokenizer lacks '.', '?' or [PAD]") }
        (self.fullStop, self.padding) = (fullStop, padding)
        separators = [pieces.classification, pieces.separator, fullStop, questionMark]
    }

    /// A phrase's ids without anything that would part it; as many as fit beside `[CLS]`, a full stop and `[SEP]`.
    func phrase(_ text: String, limit: Int) -> [Int] {
        pieces.encode(text.lowercased(), addingSpecialTokens: false, maximumLength: limit - 3)
            .filter { !separators.contains($0) }
    }

    /// A text's ids, with a full stop at its end.
    func text(_ text: String, limit: Int) -> [Int] {
        var ids = pieces.encode(text.lowercased(), addingSpecialTokens: false, maximumLength: limit - 3)
        if ids.last != fullStop { ids.append(fullStop) }
        return [pieces.classification] + ids + [pieces.separator]
    }
}
