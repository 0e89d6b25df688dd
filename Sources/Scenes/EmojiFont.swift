import Foundation

/// The colour bitmaps of a font with `CBLC` and `CBDT` tables, such as Noto Color Emoji: one PNG for a glyph.
///
/// Reads what the emoji of a single code point need: `cmap` format 12, index format 1, image format 17.
struct EmojiFont: Sendable {
    private let data: [UInt8]
    private let map: Int, locations: Int, bitmaps: Int

    /// - Throws: `ScenesError.unusableAsset` where the file is no such font.
    init(data: [UInt8], path: String) throws(ScenesError) {
        self.data = data
        var tables: [String: Int] = [:]
        let count = Self.number(data, at: 4, bytes: 2) ?? 0
        for index in 0..<count {
            let record = 12 + 16 * index
            guard record + 16 <= data.count, let offset = Self.number(data, at: record + 8, bytes: 4) else { break }
            tables[String(decoding: data[record..<record + 4], as: UTF8.self)] = offset
        }
        guard let cmap = tables["cmap"], let locations = tables["CBLC"], let bitmaps = tables["CBDT"],
            let map = Self.segmentedMap(data, cmap: cmap)
        else {
            throw .unusableAsset(path: path, reason: "it has no colour bitmaps (CBDT) with a format 12 character map")
        }
        self.map = map
        self.locations = locations
        self.bitmaps = bitmaps
    }

    /// The PNG file of a code point's glyph, nil where the font has none.
    func png(for scalar: UInt32) -> [UInt8]? {
        guard let glyph = glyph(for: Int(scalar)), let strikes = number(locations + 4, 4), strikes > 0,
            let subtables = number(locations + 8, 4), let count = number(locations + 16, 4)
        else { return nil }
        let array = locations + subtables
        for index in 0..<count {
            let entry = array + 8 * index
            guard let first = number(entry, 2), let last = number(entry + 2, 2), let offset = number(entry + 4, 4)
            else {
                return nil
            }
            if (first...max(first, last)).contains(glyph) {
                return image(subtable: array + offset, position: glyph - first)
            }
        }
        return nil
    }

    private func image(subtable: Int, position: Int) -> [UInt8]? {
        guard number(subtable, 2) == 1, number(subtable + 2, 2) == 17, let base = number(subtable + 4, 4),
            let start = number(subtable + 8 + 4 * position, 4), let end = number(subtable + 12 + 4 * position, 4),
            end > start, let length = number(bitmaps + base + start + 5, 4)
        else { return nil }
        // Five bytes of metrics and four of length come before the PNG.
        let png = bitmaps + base + start + 9
        guard length > 0, png + length <= data.count else { return nil }
        return Array(data[png..<png + length])
    }

    private func glyph(for scalar: Int) -> Int? {
        guard let groups = number(map + 12, 4) else { return nil }
        for index in 0..<groups {
            let group = map + 16 + 12 * index
            guard let first = number(group, 4), let last = number(group + 4, 4), let glyph = number(group + 8, 4) else {
                return nil
            }
            if first <= scalar, scalar <= last { return glyph + scalar - first }
        }
        return nil
    }

    /// Where the format 12 subtable starts.
    private static func segmentedMap(_ data: [UInt8], cmap: Int) -> Int? {
        guard let count = number(data, at: cmap + 2, bytes: 2) else { return nil }
        for index in 0..<count {
            guard let offset = number(data, at: cmap + 8 + 8 * index, bytes: 4) else { return nil }
            if number(data, at: cmap + offset, bytes: 2) == 12 { return cmap + offset }
        }
        return nil
    }

    private func number(_ offset: Int, _ bytes: Int) -> Int? {
        Self.number(data, at: offset, bytes: bytes)
    }

    /// A big-endian number, nil beyond the end of the file.
    private static func number(_ data: [UInt8], at offset: Int, bytes: Int) -> Int? {
        guard offset >= 0, offset <= data.count - bytes else { return nil }
        return data[offset..<offset + bytes].reduce(0) { $0 << 8 | Int($1) }
    }
}
