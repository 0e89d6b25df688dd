import Foundation

extension String {
    /// Its UTF-8 in Unicode normalisation form C.
    var composedUTF8: [UInt8] { normalizedUTF8(\.precomposedStringWithCanonicalMapping) }

    /// Its UTF-8 in Unicode normalisation form D.
    var decomposedUTF8: [UInt8] { normalizedUTF8(\.decomposedStringWithCanonicalMapping) }

    /// Normalises in stretches of half a kilobyte: Foundation's time grows with the square of the length.
    private func normalizedUTF8(_ normalize: (String) -> String) -> [UInt8] {
        let source = Array(utf8)
        guard source.contains(where: { $0 >= 0x80 }) else { return source }
        var result: [UInt8] = []
        result.reserveCapacity(source.count)
        var start = 0
        while start < source.count {
            var end = Swift.min(start + 512, source.count)
            while end < source.count, !source.canNormalizeApart(at: end) { end += 1 }
            let stretch = source[start..<end]
            if stretch.contains(where: { $0 >= 0x80 }) {
                result.append(contentsOf: normalize(lossyText(stretch)).utf8)
            } else {
                result.append(contentsOf: stretch)
            }
            start = end
        }
        return result
    }
}

extension [UInt8] {
    /// Whether what is before `index` and what follows can be normalised apart: a character begins here that never
    /// joins the one before. Those that may are marks, vowels and finals of Hangul, and a few beyond U+FFFF.
    fileprivate func canNormalizeApart(at index: Int) -> Bool {
        guard self[index] & 0xC0 != 0x80 else { return false }
        let value = scalar(at: index).value
        guard value < 0x10000, !(0x1160...0x11FF).contains(value), let scalar = Unicode.Scalar(value) else {
            return false
        }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark: return false
        default: return true
        }
    }
}
