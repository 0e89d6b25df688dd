import Foundation
import NIOCore

/// Tells addresses of the public Internet from those of machines, local networks and special uses (the registries of IANA:
/// iana-ipv4-special-registry, iana-ipv6-special-registry).
enum PublicAddress {
    static func contains(_ address: SocketAddress) -> Bool {
        switch address {
        case .v4(let address): isPublic(v4: UInt32(bigEndian: address.address.sin_addr.s_addr))
        case .v6(let address): isPublic(v6: withUnsafeBytes(of: address.address.sin6_addr) { Array($0) })
        case .unixDomainSocket: false
        }
    }

    /// First address and length of the prefix.
    private static let special: [(UInt32, Int)] = [
        (0x0000_0000, 8), (0x0A00_0000, 8), (0x6440_0000, 10), (0x7F00_0000, 8), (0xA9FE_0000, 16), (0xAC10_0000, 12),
        (0xC000_0000, 24), (0xC000_0200, 24), (0xC058_6300, 24), (0xC0A8_0000, 16), (0xC612_0000, 15),
        (0xC633_6400, 24), (0xCB00_7100, 24), (0xE000_0000, 3),
    ]

    private static func isPublic(v4 address: UInt32) -> Bool {
        !special.contains { first, length in (address ^ first) >> (32 - length) == 0 }
    }

    private static func isPublic(v6 bytes: [UInt8]) -> Bool {
        // 64:ff9b::/96 stands for an IPv4 address; other prefixes that do are refused with all that is not global unicast, 2000::/3.
        if bytes.starts(with: [0, 0x64, 0xFF, 0x9B] + [UInt8](repeating: 0, count: 8)) {
            return isPublic(v4: bytes[12...].reduce(0) { $0 << 8 | UInt32($1) })
        }
        let isGlobal = bytes[0] >> 5 == 1
        // Protocol assignments (Teredo among them), documentation, 6to4, documentation again.
        let isSpecial =
            bytes.starts(with: [0x20, 0x01]) && (bytes[2] < 2 || bytes[2...3].elementsEqual([0x0D, 0xB8]))
            || bytes.starts(with: [0x20, 0x02]) || bytes.starts(with: [0x3F, 0xFF]) && bytes[2] < 0x10
        return isGlobal && !isSpecial
    }
}
