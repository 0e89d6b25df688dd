import Annotations
import Crypto
import Foundation

/// Makes keys of items: the last part of a name, so that people recognise it, and a digest of the whole location, which tells it from all others.
///
/// A location that a source lists twice has the same key twice; the engine takes a key once.
package enum ItemKey {
    /// - Parameters:
    ///   - name: a path or an address
    ///   - location: what is the same for the same picture, on every machine
    package static func make(_ name: String, location: String) -> String {
        let last = name.split(separator: "/").last.map(String.init) ?? ""
        var stem = last.prefix { $0 != "?" && $0 != "#" }
        if let dot = stem.lastIndex(of: "."), dot != stem.startIndex { stem = stem[..<dot] }
        let readable = stem.utf8.prefix(40).map { isPlain($0) ? $0 : UInt8(ascii: "-") }
        // 80 bits: two of 100 million differ with all but certainty.
        let digest = SHA256.hash(data: Data(location.utf8)).hexadecimal.prefix(20)
        return readable.isEmpty ? String(digest) : String(decoding: readable, as: UTF8.self) + "-" + digest
    }

    /// An id that is a good key already, else a key made of it and the name.
    package static func make(_ name: String, id: String?) -> String {
        if let id, !id.isEmpty, id.utf8.count <= 80, id.utf8.allSatisfy(isPlain) { return id }
        return make(name, location: id ?? name)
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
