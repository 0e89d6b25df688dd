import Torch
import TorchNN

/// Tensors of another source, some of which a model holds as one.
///
/// The joined tensor's name writes its parts in braces: `attention.{query,key,value}.weight` is the three of them along their first
/// dimension.
package struct JoinedTensors: TensorSource {
    private let base: any TensorSource
    package let tensorNames: [String]

    /// - Parameters:
    ///   - parts: last but one components of the names that are joined, in their order
    ///   - prefix: of the names that are joined; others keep theirs
    package init(_ base: any TensorSource, joining parts: [String], below prefix: String) {
        self.base = base
        let group = "{" + parts.joined(separator: ",") + "}"
        var seen: Set<String> = []
        tensorNames = base.tensorNames.compactMap { name in
            var components = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            guard name.hasPrefix(prefix), components.count > 1, parts.contains(components[components.count - 2]) else {
                return name
            }
            components[components.count - 2] = group
            let joined = components.joined(separator: ".")
            return seen.insert(joined).inserted ? joined : nil
        }
    }

    package func shape(of name: String) -> [Int]? {
        let shapes = Self.parts(of: name).map(base.shape(of:))
        guard var joined = shapes.first ?? nil, !joined.isEmpty || shapes.count == 1 else { return nil }
        for shape in shapes.dropFirst() {
            guard let shape, shape.dropFirst() == joined.dropFirst(), let length = shape.first else { return nil }
            joined[0] += length
        }
        return joined
    }

    package func tensor(named name: String) throws -> Tensor {
        let parts = try Self.parts(of: name).map(base.tensor(named:))
        return parts.count == 1 ? parts[0] : try Tensor.concatenated(parts)
    }

    /// The names that a name with braces stands for.
    private static func parts(of name: String) -> [String] {
        guard let open = name.firstIndex(of: "{"), let close = name[open...].firstIndex(of: "}") else { return [name] }
        return name[name.index(after: open)..<close].split(separator: ",").map {
            String(name[..<open] + $0 + name[name.index(after: close)...])
        }
    }
}
