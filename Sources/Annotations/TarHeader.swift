/// A block that begins a member of a tar archive.
struct TarHeader {
    struct Malformed: Error {
        let reason: String
    }

    let name: [UInt8]
    let type: UInt8
    let size: Int
    /// Whether another block of a GNU sparse file's map follows.
    let sparseMapGoesOn: Bool

    /// - Parameter block: 512 bytes
    /// - Throws: what does not fit, for a block that is no header.
    init(_ block: [UInt8]) throws(Malformed) {
        guard block.count == 512, Self.hasRightSum(block) else {
            throw Malformed(reason: "a header's checksum is wrong")
        }
        type = block[156]
        guard let size = Self.number(block[124..<136]) else { throw Malformed(reason: "a header's size is no number") }
        self.size = size
        let name = block[0..<100].prefix { $0 != 0 }
        let prefix = block[345..<500].prefix { $0 != 0 }
        // GNU's own format keeps times in the place of the prefix.
        let isPOSIX = block[257..<263].elementsEqual("ustar\0".utf8)
        self.name = isPOSIX && !prefix.isEmpty ? prefix + [UInt8(ascii: "/")] + name : Array(name)
        sparseMapGoesOn = type == UInt8(ascii: "S") && block[482] != 0
    }

    var kind: TarMember.Kind {
        switch type {
        case 0, UInt8(ascii: "0"), UInt8(ascii: "7"): .file
        case UInt8(ascii: "5"): .folder
        default: .other
        }
    }

    /// Links, devices and folders may state a size, but no data follows.
    var hasNoData: Bool { (UInt8(ascii: "1")...UInt8(ascii: "6")).contains(type) }

    /// The sum of all bytes, the sum's own place taken as spaces; old archives have signed bytes in it.
    private static func hasRightSum(_ block: [UInt8]) -> Bool {
        var sum = 0, signed = 0
        for (index, byte) in block.enumerated() {
            let byte = (148..<156).contains(index) ? 0x20 : byte
            sum += Int(byte)
            signed += Int(Int8(bitPattern: byte))
        }
        guard let stated = number(block[148..<156]) else { return false }
        return stated == sum || stated == signed
    }

    /// Octal digits, or a binary number behind a first byte of 0x80; nil for what is neither, negative, or too large.
    private static func number(_ field: ArraySlice<UInt8>) -> Int? {
        guard let first = field.first else { return nil }
        if first & 0x80 != 0 {
            // A set second bit would make it negative.
            guard first & 0x40 == 0 else { return nil }
            var value = Int(first & 0x3F)
            for byte in field.dropFirst() {
                guard value <= Int.max >> 8 else { return nil }
                value = value << 8 | Int(byte)
            }
            return value
        }
        let digits = field.drop { $0 == 0x20 }.prefix { $0 != 0 && $0 != 0x20 }
        var value = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(digit) else { return nil }
            value = value << 3 | Int(digit - UInt8(ascii: "0"))
        }
        return value
    }
}
