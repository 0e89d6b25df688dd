/// A JSON value together with its path in the file, so that every complaint names the place.
struct JSONField {
    let path: String
    let value: JSONValue

    /// The document's top level.
    init(document bytes: [UInt8]) throws(TokenizerError) {
        path = ""
        value = try JSONValue(parsing: bytes)
    }

    private init(path: String, value: JSONValue) {
        self.path = path
        self.value = value
    }

    private func wrongType(_ expected: String) -> TokenizerError {
        .wrongType(field: path.isEmpty ? "(top level)" : path, expected: expected)
    }

    var members: [(key: [UInt8], value: JSONValue)] {
        get throws(TokenizerError) {
            guard case .object(let members) = value else { throw wrongType("an object") }
            return members
        }
    }

    var elements: [JSONField] {
        get throws(TokenizerError) {
            guard case .array(let elements) = value else { throw wrongType("an array") }
            return elements.enumerated().map { JSONField(path: "\(path)[\($0.offset)]", value: $0.element) }
        }
    }

    var bytes: [UInt8] {
        get throws(TokenizerError) {
            guard case .string(let bytes) = value else { throw wrongType("a string") }
            return bytes
        }
    }

    var string: String {
        get throws(TokenizerError) { lossyText(try bytes) }
    }

    var bool: Bool {
        get throws(TokenizerError) {
            guard case .bool(let bool) = value else { throw wrongType("true or false") }
            return bool
        }
    }

    var integer: Int {
        get throws(TokenizerError) {
            guard case .number(let number) = value, let integer = Int(exactly: number) else {
                throw wrongType("a whole number")
            }
            return integer
        }
    }

    /// The member called `name`, or nil when it is absent or null.
    func optional(_ name: String) throws(TokenizerError) -> JSONField? {
        let key = Array(name.utf8)
        guard let member = try members.first(where: { $0.key == key }) else { return nil }
        if case .null = member.value { return nil }
        return JSONField(path: path.isEmpty ? name : "\(path).\(name)", value: member.value)
    }

    /// The member called `name`.
    func required(_ name: String) throws(TokenizerError) -> JSONField {
        guard let field = try optional(name) else {
            throw .missingField(path.isEmpty ? name : "\(path).\(name)")
        }
        return field
    }

    /// The member called `name` as a flag; `false` when absent.
    func flag(_ name: String) throws(TokenizerError) -> Bool { try optional(name)?.bool ?? false }

    /// Refuses any other string than `expected` in the member called `name`.
    func require(_ name: String, _ expected: String) throws(TokenizerError) {
        let field = try required(name)
        let found = try field.string
        guard found == expected else { throw .unsupported(field: field.path, value: found) }
    }

    /// Refuses any other flag than `expected` in the member called `name`, absent meaning `false`.
    func require(_ name: String, _ expected: Bool) throws(TokenizerError) {
        let found = try flag(name)
        guard found == expected else {
            throw .unsupported(field: path.isEmpty ? name : "\(path).\(name)", value: String(found))
        }
    }

    /// The vocabulary in this object of token to id; `decode` turns a key into the token's bytes, nil skips it.
    func vocabulary(
        decode: (_ key: [UInt8], _ id: Int) throws(TokenizerError) -> [UInt8]?
    ) throws(TokenizerError) -> Vocabulary {
        let members = try members
        var vocabulary = Vocabulary(reserving: members.count)
        for (key, value) in members {
            guard case .number(let number) = value else {
                throw .wrongType(field: "\(path).\(lossyText(key))", expected: "a whole number")
            }
            guard let id = Int(exactly: number) else {
                throw .invalidID(token: lossyText(key), value: String(number))
            }
            if let bytes = try decode(key, id) { try vocabulary.insert(bytes, id: id) }
        }
        return vocabulary
    }
}
