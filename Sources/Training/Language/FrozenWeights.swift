import Foundation
import Torch

/// Tells weights that rest, and that checkpoints therefore leave out, from others: an adapter means nothing beside other weights.
struct FrozenWeights {
    /// What a checkpoint holds of them: their checksum, int64 [1].
    let entry: (name: String, tensor: Tensor)
    private let checksum: Int64

    init(_ tensors: [(name: String, tensor: Tensor)]) throws {
        var sum = Checksum()
        for (_, tensor) in tensors {
            try tensor.withUnsafeBytes { bytes in
                let words = bytes.count / 8
                for word in 0..<words {
                    sum.add(bytes.loadUnaligned(fromByteOffset: word * 8, as: UInt64.self))
                }
                for byte in bytes[(words * 8)...] { sum.add(UInt64(byte)) }
            }
        }
        checksum = Int64(bitPattern: sum.value)
        entry = ("frozen.checksum", try Tensor([checksum]))
    }

    /// - Throws: `TrainingError.unusableRun` where a restored checkpoint was trained beside other weights.
    func check() throws {
        guard try entry.tensor.item(Int64.self) != checksum else { return }
        throw TrainingError.unusableRun(
            path: "The checkpoint",
            reason: """
                its low-rank updates belong to a model with other weights. Give the model that the run began with by --init.
                """)
    }
}
