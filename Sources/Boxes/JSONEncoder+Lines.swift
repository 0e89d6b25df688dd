import Foundation

extension JSONEncoder {
    /// Equal values give equal bytes, on one line.
    package static var lines: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}
