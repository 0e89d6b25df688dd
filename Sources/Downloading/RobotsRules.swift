/// What a robots.txt allows to one crawler (RFC 9309).
package struct RobotsRules: Sendable {
    private struct Rule {
        let pattern: [UInt8]
        let allows: Bool
    }

    private var rules: [Rule] = []
    /// Seconds between requests that the host asks for: `Crawl-delay`, which is common though not in the standard.
    package private(set) var delay: Double?

    static let allowingAll = RobotsRules([], userAgent: "")

    /// - Parameters:
    ///   - text: the file; what is no rule is skipped
    ///   - userAgent: as requests present themselves; its leading letters, `-` and `_` are the crawler's name
    package init(_ text: [UInt8], userAgent: String) {
        let name = Self.name(userAgent)
        let groups = Self.groups(text)
        var own = groups.filter { !name.isEmpty && $0.agents.contains(name) }
        if own.isEmpty { own = groups.filter { $0.agents.contains("*") } }
        for group in own {
            rules += group.rules
            delay = group.delay ?? delay
        }
    }

    /// Whether a path, with its query, may be asked for. The longest pattern that fits decides; of equally long ones the allowing one.
    package func allow(_ path: String) -> Bool {
        let path = Self.normalized(Array(path.utf8))
        if path == Array("/robots.txt".utf8) { return true }
        var best: Rule?
        for rule in rules where Self.matches(rule.pattern, path) {
            if let best, (best.pattern.count, best.allows ? 1 : 0) >= (rule.pattern.count, rule.allows ? 1 : 0) {
                continue
            }
            best = rule
        }
        return best?.allows ?? true
    }

    // MARK: Reading

    /// A crawler's name without its version.
    private static func name(_ userAgent: String) -> String {
        userAgent.prefix { $0.isASCII && ($0.isLetter || $0 == "-" || $0 == "_") }.lowercased()
    }

    private struct Group {
        var agents: Set<String> = []
        var rules: [Rule] = []
        var delay: Double?
        var isOpen = true
    }

    /// Each group with the crawlers that it is for. Lines of `user-agent` that follow each other share one group.
    private static func groups(_ text: [UInt8]) -> [Group] {
        var groups: [Group] = []
        let text = text.starts(with: [0xEF, 0xBB, 0xBF]) ? text[3...] : text[...]
        for line in text.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) {
            let line = line.prefix { $0 != UInt8(ascii: "#") }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
            let key = String(decoding: trimmed(line[..<colon]), as: UTF8.self).lowercased()
            let value = trimmed(line[(colon + 1)...])
            if key == "user-agent" {
                if groups.last?.isOpen != true { groups.append(Group()) }
                let agent = String(decoding: value, as: UTF8.self)
                groups[groups.count - 1].agents.insert(agent == "*" ? agent : name(agent))
                continue
            }
            guard !groups.isEmpty, ["allow", "disallow", "crawl-delay"].contains(key) else { continue }
            let last = groups.count - 1
            groups[last].isOpen = false
            if key == "crawl-delay" {
                if let delay = Double(String(decoding: value, as: UTF8.self)), delay >= 0, delay.isFinite {
                    groups[last].delay = delay
                }
            } else if !value.isEmpty {
                groups[last].rules.append(Rule(pattern: normalized(Array(value)), allows: key == "allow"))
            }
        }
        return groups
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
        guard let first = bytes.firstIndex(where: { !isSpace($0) }),
            let last = bytes.lastIndex(where: { !isSpace($0) })
        else { return [] }
        return bytes[first...last]
    }

    // MARK: Comparing

    /// One spelling (section 2.2.2): escaped letters, digits and `-._~` are written plainly, bytes beyond ASCII are escaped.
    private static func normalized(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "%"), index + 2 < bytes.count,
                let high = Character(UnicodeScalar(bytes[index + 1])).hexDigitValue,
                let low = Character(UnicodeScalar(bytes[index + 2])).hexDigitValue
            {
                let value = UInt8(high * 16 + low)
                if isUnreserved(value) { result.append(value) } else { result += escaped(value) }
                index += 3
                continue
            }
            if byte < 0x80 { result.append(byte) } else { result += escaped(byte) }
            index += 1
        }
        return result
    }

    private static func escaped(_ byte: UInt8) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "-._~".utf8.contains(byte)
        }
    }

    /// Whether a path begins as the pattern says; `*` stands for anything, `$` at the end for the path's end.
    private static func matches(_ pattern: [UInt8], _ path: [UInt8]) -> Bool {
        var pattern = pattern[...]
        let isAnchored = pattern.last == UInt8(ascii: "$")
        if isAnchored { pattern = pattern.dropLast() } else { pattern.append(UInt8(ascii: "*")) }
        // When something does not fit, the last `*` takes one more byte: it never pays to go back to an earlier one.
        var (place, position, star, resume) = (pattern.startIndex, 0, -1, 0)
        while position < path.count {
            if place < pattern.endIndex, pattern[place] == UInt8(ascii: "*") {
                (star, resume) = (place, position)
                place += 1
            } else if place < pattern.endIndex, pattern[place] == path[position] {
                place += 1
                position += 1
            } else if star >= 0 {
                place = star + 1
                resume += 1
                position = resume
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
