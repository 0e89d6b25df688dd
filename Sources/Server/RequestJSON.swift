import Foundation
import HTTPTypes

/// JSON that came from outside.
enum RequestJSON {
    /// Deeper nesting than any request needs. Foundation's decoder would end the process at some depths.
    private static let depthLimit = 64

    /// - Throws: `ServerError` for text that is nested too deeply, `DecodingError` for all else that does not fit.
    static func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws -> Value {
        try checkDepth(bytes)
        return try JSONDecoder().decode(type, from: Data(bytes))
    }

    static func checkDepth(_ bytes: some Sequence<UInt8>) throws(ServerError) {
        var depth = 0, isString = false, isEscaped = false
        for byte in bytes {
            if isEscaped {
                isEscaped = false
            } else if isString {
                isEscaped = byte == UInt8(ascii: "\\")
                isString = byte != UInt8(ascii: "\"")
            } else {
                switch byte {
                case UInt8(ascii: "\""): isString = true
                case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
                case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
                default: break
                }
                if depth > depthLimit {
                    throw ServerError(.badRequest, .invalidJSON, "the JSON is nested more than \(depthLimit) deep")
                }
            }
        }
    }
}
