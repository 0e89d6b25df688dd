import Foundation
import Testing
import Torch
import TorchNN

@Suite struct TrainingPartsTests {
    @Test func adamWFollowsItsDefinition() throws {
        let x = try Tensor([1.0, -2.0] as [Float]).requiringGradient()
        let optimizer = try AdamW([.init([("x", x)], weightDecay: 0.1)])
        var value = [1.0, -2.0], first = [0.0, 0.0], second = [0.0, 0.0]
        for step in 1...5 {
            try optimizer.clearGradients()
            try (x * x).sum().backward()
            try optimizer.step(learningRate: 0.05)
            for i in 0..<2 {
                let gradient = 2 * value[i]
                first[i] = 0.9 * first[i] + 0.1 * gradient
                second[i] = 0.999 * second[i] + 0.001 * gradient * gradient
                let (m, v) = (first[i] / (1 - pow(0.9, Double(step))), second[i] / (1 - pow(0.999, Double(step))))
                value[i] -= 0.05 * 0.1 * value[i] + 0.05 * m / (v.squareRoot() + 1e-8)
            }
        }
        for (a, b) in zip(try x.array(of: Double.self), value) { #expect(abs(a - b) < 1e-6) }
    }

    @Test func clippingLimitsTheJointNorm() throws {
        let x = try Tensor([3] as [Float]).requiringGradient(), y = try Tensor([4] as [Float]).requiringGradient()
        let optimizer = try AdamW([.init([("x", x), ("y", y)], weightDecay: 0)])
        try ((x * x) / 2 + (y * y) / 2).sum().backward()
        #expect(abs(try optimizer.clipGradients(to: 1) - 5) < 1e-5)
        #expect(abs(try #require(x.gradient).item(Float.self) - 0.6) < 1e-4)
    }

    @Test func schedulesWarmUpAndDecay() {
        let cosine = Schedule.cosine(warmup: 10, total: 110, floor: 0.1)
        #expect(cosine.factor(at: 0) == 0.1)
        #expect(cosine.factor(at: 10) == 1)
        #expect(abs(cosine.factor(at: 60) - 0.55) < 1e-9)
        #expect(abs(cosine.factor(at: 500) - 0.1) < 1e-9)
        #expect(Schedule.steps(warmup: 0, milestones: [3, 5], factor: 0.1).factor(at: 4) == 0.1)
    }

    @Test func freshModulesHaveNamesShapesAndPlausibleNumbers() throws {
        try Runtime.seed(1)
        let store = ParameterStore()
        let mlp = try MLP([8, 16, 4], store.weights / "head", lastInitializer: .zeros)
        let norm = try LayerNorm(8, store.weights / "norm")
        _ = try (store.weights / "extra").buffer("index", [3], dtype: .int64, .zeros)
        #expect(
            store.entries.map(\.name) == [
                "head.layers.0.weight", "head.layers.0.bias", "head.layers.1.weight", "head.layers.1.bias",
                "norm.weight",
                "norm.bias", "extra.index",
            ])
        #expect(mlp.namedParameters.count == 4 && norm.namedParameters.count == 2 && store.parameters.count == 6)
        #expect(try mlp(Tensor.normal([2, 8])).array(of: Float.self).allSatisfy { $0 == 0 })
        let drawn = try store.weights.parameter("t", [20_000], .truncatedNormal(deviation: 0.02)).array(of: Float.self)
        #expect(drawn.allSatisfy { abs($0) <= 0.0401 })
        let variance = drawn.reduce(0) { $0 + $1 * $1 } / 20_000
        #expect(abs(variance.squareRoot() - 0.0176) < 0.0006)  // the deviation that is left after cutting at two
    }

    @Test func loadingNamesEveryDifferenceAtOnce() throws {
        struct Source: TensorSource {
            let shapes: [String: [Int]]
            var tensorNames: [String] { Array(shapes.keys) }
            func shape(of name: String) -> [Int]? { shapes[name] }
            func tensor(named name: String) throws -> Tensor { try Tensor.ones(shapes[name] ?? []) }
        }
        let store = ParameterStore(Source(shapes: ["a.weight": [4, 2], "b.weight": [2], "c": [1]]))
        _ = try Linear(2, 3, store.weights / "a")
        _ = try LayerNorm(2, store.weights / "b")
        let report = #expect(throws: LoadReport.self) { try store.checkComplete() }
        #expect(report?.missing == ["a.bias", "b.bias"])
        #expect(report?.unexpected == ["c"])
        #expect(report?.misshaped == [.init(name: "a.weight", expected: [3, 2], found: [4, 2])])
        #expect(report?.description.contains("a.weight: expected [3, 2], found [4, 2]") == true)
    }
}
