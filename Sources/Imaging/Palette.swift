import Foundation

extension Color {
    /// The fixed colour of a phrase: the same one in every picture, on every machine and in every run.
    ///
    /// There are 20 distinct colours, so two of many phrases may share one.
    public init(forKey key: String) {
        // FNV-1a, since Swift's own hashes are seeded anew in each process.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in key.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        // The low bits of FNV alone are weak for short keys.
        hash ^= hash >> 32
        self = Self.palette[Int(hash % UInt64(Self.palette.count))]
    }

    /// Black or white, whichever is easier to read on this colour (the higher contrast ratio of WCAG 2).
    public var readableTextColor: Color {
        let onBlack = (relativeLuminance + 0.05) / 0.05
        let onWhite = 1.05 / (relativeLuminance + 0.05)
        return onBlack > onWhite ? .black : .white
    }

    /// Light that the colour gives off, 0 black to 1 white.
    var relativeLuminance: Double {
        func linear(_ level: UInt8) -> Double {
            let value = Double(level) / 255
            return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
        }
        return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }

    /// Distinct hues in a bright and a dark row.
    private static let palette: [Color] = [
        0xE6194B, 0xF58231, 0xFFC400, 0xA8D61A, 0x3CB44B, 0x12C9C0, 0x22B8F0, 0x2F6BFF, 0x7A4CFF, 0xB43BF0,
        0xE83BD8, 0xFF5FA2, 0xB0413E, 0xB87333, 0x7A8B00, 0x1E7B4F, 0x0F7C8A, 0x1F4FA8, 0x8E3B8E, 0xF0A0A0,
    ].map { (value: UInt32) in
        Color(red: UInt8(value >> 16), green: UInt8(value >> 8 & 255), blue: UInt8(value & 255))
    }
}
