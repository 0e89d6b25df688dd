import Foundation

/// Plain data of a pickle: what JSON could hold.
///
/// Reading runs nothing and looks nothing up: a pickle that names any function or class (but an ordered dictionary) is refused.
public enum PickledData: Sendable, Equatable {
    case none
    case bool(Bool)
    case integer(Int)
    case real(Double)
    case string(String)
    /// Also a tuple.
    case list([PickledData])
    /// Keys that are numbers are written out.
    case dictionary([String: PickledData])

    /// - Throws: `CheckpointError` for a file that cannot be read, is no pickle, or holds more than plain data.
    public init(contentsOf url: URL) throws {
        let file = try MappedFile(url: url)
        let pickle = try file.withBytes { try PickleMachine.evaluate($0, path: url.path, .plainData) }
        var reader = Reader(pickle: pickle, path: url.path)
        self = try reader.data(pickle.root, depth: 0)
    }

    /// Reads each object once, so that sharing, however often, costs nothing.
    private struct Reader {
        let pickle: PickleResult
        let path: String
        var known: [Int: PickledData] = [:]

        private static let maximumDepth = 64

        init(pickle: PickleResult, path: String) {
            (self.pickle, self.path) = (pickle, path)
        }

        mutating func data(_ value: PickleValue, depth: Int) throws -> PickledData {
            switch value {
            case .none: return .none
            case .bool(let flag): return .bool(flag)
            case .integer(let number): return .integer(number)
            case .real(let number): return .real(number)
            case .string(let text): return .string(text)
            case .global(let name): throw unsupported("the class '\(name)'")
            case .object(let index):
                if let data = known[index] { return data }
                // Also what contains itself ends here.
                guard depth < Self.maximumDepth else {
                    throw CheckpointError(
                        .limitExceeded, path: path, "its lists are nested deeper than \(Self.maximumDepth).")
                }
                let data = try self.data(pickle.objects[index], depth: depth + 1)
                known[index] = data
                return data
            }
        }

        private mutating func data(_ object: PickleObject, depth: Int) throws -> PickledData {
            switch object {
            case .tuple(let items), .list(let items): return .list(try items.map { try data($0, depth: depth) })
            case .dictionary(let items):
                var members: [String: PickledData] = [:]
                for (key, value) in items {
                    switch key {
                    case .string(let name): members[name] = try data(value, depth: depth)
                    case .integer(let number): members["\(number)"] = try data(value, depth: depth)
                    default: throw unsupported("a key that is neither text nor number")
                    }
                }
                return .dictionary(members)
            case .data: throw unsupported("a set or a number past 64 bits")
            case .storage, .tensor, .opaque: throw unsupported("an object that is no plain data")
            }
        }

        private func unsupported(_ what: String) -> CheckpointError {
            CheckpointError(.unsupported, path: path, "the pickle holds \(what).")
        }
    }
}

extension PickledData: Encodable {
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .none: try container.encodeNil()
        case .bool(let flag): try container.encode(flag)
        case .integer(let number): try container.encode(number)
        case .real(let number): try container.encode(number)
        case .string(let text): try container.encode(text)
        case .list(let items): try container.encode(items)
        case .dictionary(let members): try container.encode(members)
        }
    }
}
