import Foundation

/// Reading and writing Hugging Face's `tokenizer.json`.
extension BytePairTokenizer {
    /// Reads a `tokenizer.json`.
    ///
    /// - Throws: `TokenizerError` when the file cannot be read, is damaged or describes another kind of tokenizer.
    public init(contentsOf url: URL) throws(TokenizerError) {
        try self.init(json: try readFile(url))
    }

    /// Reads the content of a `tokenizer.json`.
    ///
    /// - Throws: `TokenizerError` when it is damaged or describes another kind of tokenizer.
    public init(json: some Sequence<UInt8>) throws(TokenizerError) {
        let file = try JSONField(document: Array(json))
        let model = try file.required("model")
        if let type = try model.optional("type")?.string, type != "BPE" {
            throw .unsupported(field: "model.type", value: type)
        }
        try Self.checkModel(model)
        try Self.checkPreTokenizer(try file.required("pre_tokenizer"))
        if let decoder = try file.optional("decoder") { try decoder.require("type", "ByteLevel") }
        let normalizer = try file.optional("normalizer")
        try normalizer?.require("type", "NFC")

        let added = try AddedTokens(file)
        let vocabulary = try Self.readVocabulary(try model.required("vocab"), added: added)
        for token in added.all {
            guard let bytes = vocabulary.bytes(of: token.id) else { continue }
            guard ByteLevelAlphabet.decode(token.content.utf8) == bytes else {
                throw .duplicateID(id: token.id, first: lossyText(bytes), second: token.content)
            }
        }
        try self.init(
            vocabulary: vocabulary, merges: try Self.readMerges(try model.required("merges"), vocabulary),
            added: added, composesText: normalizer != nil)
    }

    private static func checkModel(_ model: JSONField) throws(TokenizerError) {
        if let dropout = try model.optional("dropout") {
            guard case .number(0) = dropout.value else { throw .unsupported(field: dropout.path, value: "not null") }
        }
        for name in ["continuing_subword_prefix", "end_of_word_suffix"] {
            guard let affix = try model.optional(name)?.string, !affix.isEmpty else { continue }
            throw .unsupported(field: "model.\(name)", value: affix)
        }
        try model.require("byte_fallback", false)
        try model.require("ignore_merges", false)
    }

    /// Accepts what Qwen2 has: a split by its regular expression, then the byte-level alphabet.
    private static func checkPreTokenizer(_ preTokenizer: JSONField) throws(TokenizerError) {
        try preTokenizer.require("type", "Sequence")
        let steps = try preTokenizer.required("pretokenizers").elements
        guard steps.count == 2 else {
            throw .unsupported(field: "pre_tokenizer.pretokenizers", value: "\(steps.count) steps")
        }
        try steps[0].require("type", "Split")
        try steps[0].required("pattern").require("Regex", PieceScanner.pattern)
        try steps[0].require("behavior", "Isolated")
        try steps[0].require("invert", false)
        try steps[1].require("type", "ByteLevel")
        try steps[1].require("add_prefix_space", false)
        try steps[1].require("use_regex", false)
    }

    private static func readVocabulary(
        _ field: JSONField, added: AddedTokens
    ) throws(TokenizerError) -> Vocabulary {
        try field.vocabulary { (key, id) throws(TokenizerError) in
            let bytes = ByteLevelAlphabet.decode(key)
            if let token = added[content: key] {
                guard token.id == id else {
                    throw .duplicateToken(token: token.content, first: token.id, second: id)
                }
            } else if bytes == nil {
                throw .notByteLevel(token: lossyText(key))
            }
            return bytes
        }
    }

    private static func readMerges(_ field: JSONField, _ vocabulary: Vocabulary) throws(TokenizerError) -> MergeRules {
        guard case .array(let entries) = field.value else {
            throw .wrongType(field: field.path, expected: "an array")
        }
        var merges = MergeRules(reserving: entries.count)
        for (index, entry) in entries.enumerated() {
            guard let names = mergedNames(entry) else { throw .malformedMerge(index: index) }
            func find(_ bytes: [UInt8]) throws(TokenizerError) -> Int32 {
                guard let id = vocabulary.id(of: bytes) else {
                    throw .unknownTokenInMerge(index: index, token: ByteLevelAlphabet.encode(bytes))
                }
                return Int32(id)
            }
            func decode(_ name: ArraySlice<UInt8>) throws(TokenizerError) -> [UInt8] {
                guard let bytes = ByteLevelAlphabet.decode(name) else {
                    throw .unknownTokenInMerge(index: index, token: lossyText(name))
                }
                return bytes
            }
            let left = try decode(names.left)
            let right = try decode(names.right)
            merges.append(try find(left), try find(right), makes: try find(left + right), rank: UInt32(index))
        }
        return merges
    }

    /// The two names in `"a b"` or `["a", "b"]`.
    private static func mergedNames(_ entry: JSONValue) -> (left: ArraySlice<UInt8>, right: ArraySlice<UInt8>)? {
        switch entry {
        case .string(let text):
            guard let space = text.firstIndex(of: UInt8(ascii: " ")) else { return nil }
            return (text[..<space], text[(space + 1)...])
        case .array(let parts):
            guard parts.count == 2, case .string(let left) = parts[0], case .string(let right) = parts[1] else {
                return nil
            }
            return (left[...], right[...])
        default:
            return nil
        }
    }

    /// Writes a `tokenizer.json` that this package and Hugging Face's libraries read, with merges as arrays.
    ///
    /// - Throws: `TokenizerError.inaccessibleFile`.
    public func write(to url: URL) throws(TokenizerError) {
        do {
            try Data(json.utf8).write(to: url, options: .atomic)
        } catch {
            throw .inaccessibleFile(path: url.path, reason: error.localizedDescription)
        }
    }

    private var json: String {
        let addedTokens = added.all.map { token in
            """
                {"id": \(token.id), "content": \(quoted(token.content)), "single_word": false, \
            "lstrip": \(token.stripsLeft), "rstrip": \(token.stripsRight), \
            "normalized": \(token.isNormalized), "special": \(token.isSpecial)}
            """
        }
        func name(_ id: Int) -> String { quoted(ByteLevelAlphabet.encode(vocabulary.bytes(of: id) ?? [])) }
        let entries = (0..<vocabulary.idCount).filter { vocabulary.bytes(of: $0) != nil }.map { id in
            "      \(name(id)): \(id)"
        }
        let rules = merges.pairs.map { "      [\(name($0.left)), \(name($0.right))]" }
        let byteLevel = #""type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false"#
        return """
            {
              "version": "1.0",
              "truncation": null,
              "padding": null,
              "added_tokens": [
            \(addedTokens.joined(separator: ",\n"))
              ],
              "normalizer": \(composesText ? #"{"type": "NFC"}"# : "null"),
              "pre_tokenizer": {
                "type": "Sequence",
                "pretokenizers": [
                  {"type": "Split", "pattern": {"Regex": \(quoted(PieceScanner.pattern))}, \
            "behavior": "Isolated", "invert": false},
                  {\(byteLevel)}
                ]
              },
              "post_processor": {\(byteLevel)},
              "decoder": {\(byteLevel)},
              "model": {
                "type": "BPE",
                "dropout": null,
                "unk_token": null,
                "continuing_subword_prefix": "",
                "end_of_word_suffix": "",
                "fuse_unk": false,
                "byte_fallback": false,
                "ignore_merges": false,
                "vocab": {
            \(entries.joined(separator: ",\n"))
                },
                "merges": [
            \(rules.joined(separator: ",\n"))
                ]
              }
            }

            """
    }
}

extension AddedTokens {
    /// The tokens that the top-level field `added_tokens` lists; none when it is absent.
    init(_ file: JSONField) throws(TokenizerError) {
        self.init()
        guard let list = try file.optional("added_tokens") else { return }
        for entry in try list.elements {
            try entry.require("single_word", false)
            try insert(
                AddedToken(
                    id: try entry.required("id").integer,
                    content: try entry.required("content").string,
                    isSpecial: try entry.flag("special"),
                    stripsLeft: try entry.flag("lstrip"),
                    stripsRight: try entry.flag("rstrip"),
                    isNormalized: try entry.flag("normalized")))
        }
    }
}

/// The bytes of a file.
func readFile(_ url: URL) throws(TokenizerError) -> [UInt8] {
    do {
        return Array(try Data(contentsOf: url))
    } catch {
        throw .inaccessibleFile(path: url.path, reason: error.localizedDescription)
    }
}

/// `text` as a JSON string.
private func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        case "\u{0}"..."\u{1F}":
            let digits = String(scalar.value, radix: 16)
            result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}
