import Foundation
import Testing
import Torch

/// The kernel against the same formula in libtorch operators.
@Suite struct DeformableAttentionTests {
    static let kernel = Operator("chatrex::multi_scale_deformable_attention")
    static let reference = Operator("chatrex::multi_scale_deformable_attention_reference")

    /// Arguments of the operator; locations reach beyond the maps.
    struct Inputs {
        let value: Tensor, shapes: Tensor, starts: Tensor, locations: Tensor, weights: Tensor

        init(batch: Int = 2, heads: Int, width: Int, points: Int, queries: Int, dtype: DType = .float32) throws {
            let sizes = [[13, 21], [7, 11], [2, 3], [1, 1]]
            let counts = sizes.map { $0[0] * $0[1] }
            shapes = try Tensor(sizes.flatMap { $0 }, shape: [sizes.count, 2])
            starts = try Tensor(counts.indices.map { counts[..<$0].reduce(0, +) })
            value = try Tensor.normal([batch, counts.reduce(0, +), heads, width], dtype: dtype)
            let rows = [batch, queries, heads, sizes.count, points]
            locations = try Tensor.uniform(rows + [2]) * 1.3 - 0.15
            weights = try Tensor.normal(rows).flattened(from: 3).softmax(over: -1).reshaped(rows)
        }

        func callAsFunction(_ attention: Operator) throws -> Tensor {
            try attention(.tensor(value), .tensor(shapes), .tensor(starts), .tensor(locations), .tensor(weights))
        }

        /// Gradients of value, locations and weights for a fixed mixture of the outputs.
        func gradients(_ attention: Operator) throws -> [Tensor] {
            let leaves = try [value, locations, weights].map { try $0.detached().requiringGradient() }
            let output = try attention(
                .tensor(leaves[0]), .tensor(shapes), .tensor(starts), .tensor(leaves[1]), .tensor(leaves[2]))
            let mixture = try Tensor.range(0, Double(output.count)).sine().reshaped(output.shape)
            return try Torch.gradients(of: (output.converted(to: .float32) * mixture).sum(), withRespectTo: leaves)
                .map { try #require($0) }
        }
    }

    /// Largest difference, relative to the largest expected number but at least 1.
    static func difference(_ a: Tensor, _ b: Tensor) throws -> Double {
        let (a, b) = (try a.converted(to: .float64), try b.converted(to: .float64))
        #expect(a.shape == b.shape)
        let scale = try max(1, b.absolute().max().item(Double.self))
        return try (a - b).absolute().max().item(Double.self) / scale
    }

    // Head widths with loops of their own and others, few and many points.
    static let extents = [(heads: 4, width: 32, points: 4), (3, 16, 3), (2, 64, 1), (2, 5, 20)]

    @Test(arguments: extents) func theKernelAgreesWithTheReference(heads: Int, width: Int, points: Int) throws {
        try Runtime.seed(7)
        let inputs = try Inputs(heads: heads, width: width, points: points, queries: 37)
        #expect(try Self.difference(inputs(Self.kernel), inputs(Self.reference)) < 1e-5)
        for (ours, theirs) in zip(try inputs.gradients(Self.kernel), try inputs.gradients(Self.reference)) {
            #expect(try Self.difference(ours, theirs) < 1e-5)
        }
    }

    @Test func doublePrecisionAgreesClosely() throws {
        try Runtime.seed(8)
        let inputs = try Inputs(heads: 2, width: 8, points: 2, queries: 9, dtype: .float64)
        #expect(try Self.difference(inputs(Self.kernel), inputs(Self.reference)) < 1e-12)
        for (ours, theirs) in zip(try inputs.gradients(Self.kernel), try inputs.gradients(Self.reference)) {
            #expect(try Self.difference(ours, theirs) < 1e-6)  // the locations are float32
        }
    }

    @Test func bfloat16IsStoredButSummedInFloat() throws {
        try Runtime.seed(9)
        let inputs = try Inputs(heads: 4, width: 32, points: 4, queries: 37, dtype: .bfloat16)
        let output = try inputs(Self.kernel)
        #expect(output.dtype == .bfloat16)
        #expect(try Self.difference(output, inputs(Self.reference)) < 0.005)
        let gradients = try inputs.gradients(Self.kernel)
        #expect(gradients.map(\.dtype) == [.bfloat16, .float32, .float32])
        for (ours, theirs) in zip(gradients, try inputs.gradients(Self.reference)) {
            #expect(try Self.difference(ours, theirs) < 0.01)
        }
    }

    /// A query that looks at the middle of a cell with all its weight reads that cell.
    @Test func aSampleAtACellsCentreIsThatCell() throws {
        let value = try Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [1, 6, 1, 1])
        let output = try Self.kernel(
            .tensor(value), .tensor(Tensor([2, 3], shape: [1, 2])), .tensor(Tensor([0])),
            .tensor(Tensor([0.5, 0.75] as [Float], shape: [1, 1, 1, 1, 1, 2])),
            .tensor(Tensor([1] as [Float], shape: [1, 1, 1, 1, 1])))
        #expect(try output.array(of: Float.self) == [5])
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity, 1e30, -1e30]) func wildLocationsReadNothing(_ location: Float)
        throws
    {
        let inputs = try Inputs(batch: 1, heads: 1, width: 16, points: 1, queries: 1)
        let wild = try Tensor([Float](repeating: location, count: 8), shape: [1, 1, 1, 4, 1, 2])
        let output = try Self.kernel(
            .tensor(inputs.value), .tensor(inputs.shapes), .tensor(inputs.starts), .tensor(wild),
            .tensor(inputs.weights))
        #expect(try output.array(of: Float.self).allSatisfy { $0 == 0 })
    }

    @Test func levelsOutsideTheTokensAreRefused() throws {
        let inputs = try Inputs(batch: 1, heads: 1, width: 16, points: 1, queries: 1)
        for (shapes, starts) in [
            (try inputs.shapes + 1, inputs.starts), (inputs.shapes, try inputs.starts - 1),
            (inputs.shapes, try inputs.starts + 1000),
            (try inputs.shapes * 4e9, inputs.starts), (try inputs.shapes.converted(to: .int32), inputs.starts),
        ] {
            #expect(throws: TorchError.self) {
                try Self.kernel(
                    .tensor(inputs.value), .tensor(shapes), .tensor(starts), .tensor(inputs.locations),
                    .tensor(inputs.weights))
            }
        }
    }
}
