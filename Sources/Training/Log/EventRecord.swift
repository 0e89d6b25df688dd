// TensorBoard's event files: protobuf messages `Event` (tensorflow/core/util/event.proto, framework/summary.proto) as records of a
// TFRecord file: length, checksum of the length, the message, checksum of the message.

import Foundation

/// A message of an event file.
package struct EventRecord: Sendable, Equatable {
    package enum Content: Sendable, Equatable {
        /// What every file begins with.
        case version
        /// A session begins: what former sessions told of this step and of later ones no longer counts.
        case sessionStart
        case scalars([Scalar])
    }

    package struct Scalar: Sendable, Equatable {
        package var tag: String, value: Float

        package init(tag: String, value: Float) {
            (self.tag, self.value) = (tag, value)
        }
    }

    /// Seconds since 1970.
    package var time: Double
    package var step: Int
    package var content: Content

    package init(time: Double, step: Int, _ content: Content) {
        (self.time, self.step, self.content) = (time, step, content)
    }

    /// The message as it stands in a file.
    package var framed: Data {
        let message = encoded, length = Self.bytes(UInt64(message.count))
        return length + Self.bytes(CRC32C.masked(length)) + message + Self.bytes(CRC32C.masked(message))
    }

    /// The protobuf message.
    private var encoded: Data {
        var event = Message()
        event.add(1, double: time)
        event.add(2, integer: step)
        switch content {
        case .version: event.add(3, bytes: Data("brain.Event:2".utf8))
        case .sessionStart:
            var session = Message()
            session.add(1, integer: 1)
            event.add(7, bytes: session.bytes)
        case .scalars(let scalars):
            var summary = Message()
            for scalar in scalars {
                var value = Message()
                value.add(1, bytes: Data(scalar.tag.utf8))
                value.add(2, float: scalar.value)
                summary.add(1, bytes: value.bytes)
            }
            event.add(5, bytes: summary.bytes)
        }
        return event.bytes
    }

    private static func bytes(_ value: some FixedWidthInteger) -> Data {
        withUnsafeBytes(of: value.littleEndian) { Data($0) }
    }

    /// Fields of a protobuf message.
    private struct Message {
        private(set) var bytes = Data()

        mutating func add(_ field: Int, double: Double) {
            key(field, wire: 1)
            bytes += EventRecord.bytes(double.bitPattern)
        }

        mutating func add(_ field: Int, float: Float) {
            key(field, wire: 5)
            bytes += EventRecord.bytes(float.bitPattern)
        }

        mutating func add(_ field: Int, integer: Int) {
            key(field, wire: 0)
            variable(UInt64(bitPattern: Int64(integer)))
        }

        mutating func add(_ field: Int, bytes content: Data) {
            key(field, wire: 2)
            variable(UInt64(content.count))
            bytes += content
        }

        private mutating func key(_ field: Int, wire: Int) { variable(UInt64(field << 3 | wire)) }

        /// Seven bits a byte, the lowest first.
        private mutating func variable(_ value: UInt64) {
            var rest = value
            while rest >= 0x80 {
                bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
                rest >>= 7
            }
            bytes.append(UInt8(rest))
        }
    }
}

/// The Castagnoli checksum.
package enum CRC32C {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 0 ? value >> 1 : value >> 1 ^ 0x82F6_3B78 }
    }

    package static func checksum(_ data: some Sequence<UInt8>) -> UInt32 {
        ~data.reduce(~UInt32(0)) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 }
    }

    /// As TFRecord files have it: a checksum of data that holds checksums would say little.
    package static func masked(_ data: some Sequence<UInt8>) -> UInt32 {
        let sum = checksum(data)
        return (sum >> 15 | sum << 17) &+ 0xA282_EAD8
    }
}
