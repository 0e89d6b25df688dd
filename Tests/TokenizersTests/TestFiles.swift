import Foundation
import Tokenizers

/// Where the tests find their files, relative to this one.
enum TestFiles {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()

    static func golden(_ path: String) -> URL {
        folder.deletingLastPathComponent().appending(path: "Golden").appending(path: path)
    }

    static func fixture(_ path: String) -> URL { folder.appending(path: "Fixtures").appending(path: path) }

    static func decode<T: Decodable>(_ type: T.Type, from url: URL) throws -> T {
        try JSONDecoder().decode(type, from: Data(contentsOf: url))
    }

    /// Runs `body` with a path for a file, which is removed afterwards.
    static func withTemporaryFile<T>(_ body: (URL) throws -> T) rethrows -> T {
        let url = FileManager.default.temporaryDirectory.appending(path: "tokenizers-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: url) }
        return try body(url)
    }
}

/// Scalars, to compare texts exactly: `==` on strings is canonical equivalence.
func scalars(_ text: String) -> [Unicode.Scalar] { Array(text.unicodeScalars) }

/// A `tokenizer.json` of 256 bytes (ids 0...255 in byte order) and some merges, with parts to replace.
struct TokenizerJSON {
    static let byteNames: [String] = {
        var next: UInt32 = 0x100
        return (UInt8.min...UInt8.max).map { byte in
            switch byte {
            case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: return String(Unicode.Scalar(byte))
            default:
                defer { next += 1 }
                return Unicode.Scalar(next).map { String($0) } ?? ""
            }
        }
    }()

    var vocabulary: [(token: String, id: String)] =
        byteNames.enumerated().map { ($0.element, String($0.offset)) }
        + [("ab", "256"), ("abc", "257"), ("Ġab", "258")]
    var merges = #"["a b", ["ab", "c"], ["Ġ", "ab"]]"#
    var addedTokens = #"[{"id": 259, "content": "<end>", "special": true}]"#
    var normalizer = #"{"type": "NFC"}"#
    var pattern =
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    var modelExtras = #""type": "BPE""#

    var text: String {
        func quoted(_ text: String) -> String {
            "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
        }
        let entries = vocabulary.map { "\(quoted($0.token)): \($0.id)" }.joined(separator: ", ")
        return """
            {
              "added_tokens": \(addedTokens),
              "normalizer": \(normalizer),
              "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": \(quoted(pattern))}, "behavior": "Isolated", "invert": false},
                {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]},
              "decoder": {"type": "ByteLevel"},
              "model": {\(modelExtras), "vocab": {\(entries)}, "merges": \(merges)}
            }
            """
    }

    func tokenizer() throws -> BytePairTokenizer { try BytePairTokenizer(json: text.utf8) }
}
