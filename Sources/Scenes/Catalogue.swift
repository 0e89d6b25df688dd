/// Which part of the data a scene belongs to. No scene, background photograph or held-out name is in two of them.
public enum SceneSplit: String, Sendable, Hashable, CaseIterable, Codable {
    /// What networks learn from: the training names and backgrounds.
    case training
    /// The names of training on other seeds and backgrounds.
    case validation
    /// Names, seeds and backgrounds that training never sees.
    case heldOut
}

/// How large a thing usually is beside the others. Scenes compress real sizes: an ant must stay visible beside a bus.
public enum SizeClass: String, Sendable, Hashable, Codable {
    case small = "S"
    case medium = "M"
    case large = "L"

    /// Factor on the drawn size of an object.
    var scale: Double {
        switch self {
        case .small: 0.72
        case .medium: 1
        case .large: 1.3
        }
    }
}

/// Where the pixels of a sprite come from.
public enum SpriteSource: Sendable, Hashable {
    /// A picture below the stamps' folder.
    case stamp(String)
    /// A glyph of the emoji font.
    case emoji(UInt32)

    /// The file's path or `U+XXXX`.
    public var name: String {
        switch self {
        case .stamp(let path): path
        case .emoji(let scalar): "U+" + String(scalar, radix: 16, uppercase: true)
        }
    }
}

/// A basic-level category: a name that COCO or LVIS would use.
public struct SceneCategory: Sendable, Hashable, Identifiable {
    /// Position in the catalogue.
    public let id: Int
    /// Singular, lower case, e.g. "fire truck".
    public let name: String
    public let plural: String
    /// The broad family, e.g. "vehicle".
    public let supercategory: String
    /// The narrow family, e.g. "truck". A category of the same name stands for any member: the two never share a scene.
    public let kind: String
    public let size: SizeClass
    /// Whether training never sees the category.
    public let isHeldOut: Bool
    public let sources: [SpriteSource]

    /// Whether a mirror image is as good: not where there is writing.
    var isMirrorable: Bool {
        kind != "street object" && !["calendar", "clock", "stopwatch", "newspaper", "keyboard"].contains(name)
    }

    /// What one of them is called where the name alone cannot be counted: "pair of jeans", "slice of pizza", "dog".
    public var counted: String {
        if plural.hasSuffix(" of " + name) || plural.hasPrefix(name + " ") { return English.singular(plural) }
        return name
    }

    /// Whether one of the two names also fits things of the other.
    func overlaps(_ other: SceneCategory) -> Bool {
        guard id != other.id else { return false }
        return kind == other.kind && (name == kind || other.name == other.kind) || name.hasSuffix(" " + other.name)
            || other.name.hasSuffix(" " + name)
    }
}

/// The categories that scenes are made of.
public struct Catalogue: Sendable {
    /// In the order of the table; `id` is the index.
    public let categories: [SceneCategory]

    /// All categories of the built-in table with at least this many sprites.
    ///
    /// About 630 categories have a sprite; about 300 have two or more, which is what a small network can learn to
    /// recognise rather than to memorise.
    ///
    /// - Parameter names: keeps these alone, for a smaller and faster world; all where nil.
    public init(minimumSprites: Int = 2, names: Set<String>? = nil) {
        self.init(table: CatalogueTable.text) { entry in
            entry.sources.count >= minimumSprites && (names?.contains(entry.name) ?? true)
        }
    }

    /// Categories from a text in the form that `CatalogueTable` describes; lines that do not follow it are skipped.
    private init(table: String, where isWanted: (Entry) -> Bool) {
        var categories: [SceneCategory] = []
        var section = Section(supercategory: "", kind: "", size: .medium)
        for line in Self.logicalLines(of: table) {
            if let next = Section(line: line) {
                section = next
            } else if let entry = Entry(line: line), isWanted(entry) {
                categories.append(entry.category(id: categories.count, in: section))
            }
        }
        self.categories = categories
    }

    /// Categories of a split: held-out scenes use held-out names, the others use the rest.
    public func categories(for split: SceneSplit) -> [SceneCategory] {
        categories.filter { $0.isHeldOut == (split == .heldOut) }
    }

    /// The category of this name.
    public func category(named name: String) -> SceneCategory? {
        categories.first { $0.name == name }
    }

    /// Lines with their continuations.
    private static func logicalLines(of table: String) -> [String] {
        var lines: [String] = []
        for line in table.split(separator: "\n") {
            let text = line.trimmed
            if line.contains("=") || text.hasPrefix("#") || lines.isEmpty {
                lines.append(text)
            } else {
                lines[lines.count - 1] += " " + text
            }
        }
        return lines
    }
}

/// `# supercategory / kind / size`.
private struct Section {
    let supercategory: String, kind: String, size: SizeClass

    init(supercategory: String, kind: String, size: SizeClass) {
        self.supercategory = supercategory
        self.kind = kind
        self.size = size
    }

    init?(line: String) {
        let parts = line.drop { $0 == "#" }.split(separator: "/").map(\.trimmed)
        guard line.hasPrefix("#"), parts.count == 3, let size = SizeClass(rawValue: parts[2]) else { return nil }
        self.init(supercategory: parts[0], kind: parts[1], size: size)
    }
}

/// `name*(plural):size = sprites`.
private struct Entry {
    let name: String, plural: String?, isHeldOut: Bool, size: SizeClass?, sources: [SpriteSource]

    init?(line: String) {
        guard let equals = line.firstIndex(of: "=") else { return nil }
        let head = line[..<equals]
        name = head.prefix { !"*(:".contains($0) }.trimmed
        isHeldOut = head.contains("*")
        size = head.lastIndex(of: ":").flatMap { SizeClass(rawValue: head[head.index(after: $0)...].trimmed) }
        plural =
            if let open = head.firstIndex(of: "("), let close = head.lastIndex(of: ")"), open < close {
                head[head.index(after: open)..<close].trimmed
            } else {
                nil
            }
        sources = line[line.index(after: equals)...].split(separator: " ").map { word in
            UInt32(word.dropFirst(2), radix: 16).flatMap { word.hasPrefix("U+") ? .emoji($0) : nil }
                ?? .stamp(String(word))
        }
        guard !name.isEmpty else { return nil }
    }

    func category(id: Int, in section: Section) -> SceneCategory {
        SceneCategory(
            id: id, name: name, plural: plural ?? English.regularPlural(name), supercategory: section.supercategory,
            kind: section.kind, size: size ?? section.size, isHeldOut: isHeldOut, sources: sources)
    }
}

extension StringProtocol {
    /// Without spaces at its ends.
    fileprivate var trimmed: String {
        guard let first = firstIndex(where: { $0 != " " }), let last = lastIndex(where: { $0 != " " }) else {
            return ""
        }
        return String(self[first...last])
    }
}
