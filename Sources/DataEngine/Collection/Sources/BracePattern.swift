/// Names of many files in one, as WebDataset writes them: `shard-{000..123}.tar`, `{a,b}/{0..9}.tar`.
enum BracePattern {
    /// Most names of a pattern.
    private static let limit = 1_000_000

    /// The names in order, the last braces changing fastest.
    /// - Throws: `CollectionError.unknownSource` for braces that do not fit or mean too many names.
    static func expand(_ pattern: String) throws(CollectionError) -> [String] {
        var names = [""]
        var rest = pattern[...]
        while let open = rest.firstIndex(of: "{") {
            guard let close = rest[open...].firstIndex(of: "}") else {
                throw malformed(pattern, "a brace is not closed")
            }
            let body = rest[rest.index(after: open)..<close]
            guard let choices = choices(body) else {
                throw malformed(pattern, "'{\(body)}' is neither a range such as {000..123} nor a choice such as {a,b}")
            }
            guard choices.count <= limit / names.count else {
                throw malformed(pattern, "it names more than \(limit) files")
            }
            let before = rest[..<open]
            names = names.flatMap { name in choices.map { name + before + $0 } }
            rest = rest[rest.index(after: close)...]
        }
        return names.map { $0 + rest }
    }

    private static func malformed(_ pattern: String, _ reason: String) -> CollectionError {
        .unknownSource(place: pattern, reason: reason)
    }

    /// - Returns: nil for what is neither range nor choice
    private static func choices(_ body: Substring) -> [String]? {
        if body.contains("{") { return nil }
        if body.contains(",") { return body.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
        guard let dots = body.firstRange(of: "..") else { return nil }
        let (first, last) = (body[..<dots.lowerBound], body[dots.upperBound...])
        func isNumber(_ text: Substring) -> Bool { !text.isEmpty && text.utf8.allSatisfy { (48...57).contains($0) } }
        guard isNumber(first), isNumber(last), let start = Int(first), let end = Int(last), start <= end,
            end - start < limit
        else { return nil }
        // Leading zeros mean equally long numbers.
        let width = first.hasPrefix("0") || last.hasPrefix("0") ? max(first.count, last.count) : 0
        return (start...end).map { number in
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
    }
}
