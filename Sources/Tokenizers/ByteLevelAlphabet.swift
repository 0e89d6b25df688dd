/// The 256 printable characters that stand for bytes in a byte-level vocabulary file (GPT-2's table): printable
/// Latin-1 stands for itself, the other 68 bytes take U+0100 and following, in order.
enum ByteLevelAlphabet {
    /// All bytes in the order of their characters; GPT-2, Qwen2 and the trainer give them the ids 0...255 so.
    static let bytesInOrder: [UInt8] = printable + (UInt8.min...UInt8.max).filter { !printable.contains($0) }

    private static let printable = Array(UInt8(0x21)...0x7E) + Array(0xA1...0xAC) + Array(0xAE...0xFF)

    /// Character by byte.
    private static let scalars: [Unicode.Scalar] = {
        var table = (UInt8.min...UInt8.max).map { Unicode.Scalar($0) }
        for (index, byte) in bytesInOrder.dropFirst(printable.count).enumerated() {
            table[Int(byte)] = Unicode.Scalar(0x100 + UInt32(index)) ?? "\u{FFFD}"
        }
        return table
    }()

    /// Byte by character, up to the highest one, U+0143.
    private static let bytes: [UInt8?] = {
        var table = [UInt8?](repeating: nil, count: 0x144)
        for byte in UInt8.min...UInt8.max { table[Int(scalars[Int(byte)].value)] = byte }
        return table
    }()

    /// The bytes that `text` (UTF-8) stands for, or nil when it holds a character outside the alphabet.
    static func decode(_ text: some Sequence<UInt8>) -> [UInt8]? {
        var result: [UInt8] = []
        result.reserveCapacity(text.underestimatedCount)
        var lead: UInt8 = 0
        for unit in text {
            if unit < 0x80 {
                guard lead == 0, let byte = bytes[Int(unit)] else { return nil }
                result.append(byte)
            } else if unit >= 0xC0 {
                guard lead == 0, unit <= 0xC5 else { return nil }
                lead = unit
            } else {
                let value = Int(lead & 0x1F) << 6 | Int(unit & 0x3F)
                guard lead != 0, value < bytes.count, let byte = bytes[value] else { return nil }
                result.append(byte)
                lead = 0
            }
        }
        return lead == 0 ? result : nil
    }

    /// The characters for `bytes`.
    static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var text = String.UnicodeScalarView()
        for byte in bytes { text.append(scalars[Int(byte)]) }
        return String(text)
    }
}
