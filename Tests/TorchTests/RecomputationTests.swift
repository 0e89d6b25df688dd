import Foundation
import Testing
import Torch

@Suite struct RecomputationTests {
    /// Gradients of two weights and an input through two parts in a row.
    private func gradients(recomputes: Bool, precision: DType? = nil) throws -> [[Float]] {
        func numbers(_ rows: Int, _ phase: Float) throws -> Tensor {
            try Tensor((0..<rows * 8).map { sin(Float($0) * 1.7 + phase) }, shape: [rows, 8]).requiringGradient()
        }
        let x = try numbers(4, 0), weights = try [numbers(8, 1), numbers(8, 2)]
        let loss = try autocast(to: precision) {
            var y = x
            for weight in weights {
                y = try recomputed([y], if: recomputes) { try $0[0].matmul(weight).relu() + $0[0] }
            }
            return try y.power(2).sum()
        }
        try loss.backward()
        return try ([x] + weights).map { try #require($0.gradient).array(of: Float.self) }
    }

    @Test(arguments: [nil, DType.bfloat16]) func gradientsAreTheSame(_ precision: DType?) throws {
        #expect(
            try gradients(recomputes: true, precision: precision) == gradients(recomputes: false, precision: precision))
    }

    @Test func aPartRunsOnceForwardAndOnceBackwardAndIsThenReleased() throws {
        final class Counter {
            var runs = 0
        }
        let weight = try Tensor([2] as [Float]).requiringGradient()
        weak var released: Counter?
        do {
            let counter = Counter()
            released = counter
            let input = try Tensor([3] as [Float])
            // Nothing but the weight is trained.
            let y = try recomputed([input]) { [counter] in
                counter.runs += 1
                return try $0[0] * weight
            }
            #expect(counter.runs == 1 && y.requiresGradient)
            try y.sum().backward()
            #expect(counter.runs == 2)
            #expect(try weight.gradient?.item(Float.self) == 3)
            _ = try withoutGradients {
                try recomputed([input]) { [counter] in
                    counter.runs += 1
                    return $0[0]
                }
            }
            #expect(counter.runs == 3)
        }
        #expect(released == nil)
    }

    @Test func severalInputsGetTheirGradients() throws {
        let a = try Tensor([2, 3] as [Float]).requiringGradient(),
            b = try Tensor([5, 7] as [Float]).requiringGradient()
        let numbers = try Tensor([1, 0])
        try recomputed([a, numbers, b]) { try $0[0] * $0[2].selected(0, $0[1]) }.sum().backward()
        #expect(try a.gradient?.array(of: Float.self) == [7, 5])
        #expect(try b.gradient?.array(of: Float.self) == [3, 2])
    }

    @Test func errorsOfAPartComeThroughInBothPasses() throws {
        struct Stop: Error {}
        let x = try Tensor([1] as [Float]).requiringGradient()
        #expect(throws: Stop.self) { try recomputed([x]) { _ in throw Stop() } }
        var runs = 0
        let y = try recomputed([x]) {
            runs += 1
            return runs == 1 ? try $0[0] * 2 : try $0[0].matmul(Tensor.zeros([2, 2]))
        }
        #expect(throws: TorchError.self) { try y.backward() }
    }
}
