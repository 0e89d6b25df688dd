import Testing
import Torch

@Suite struct AutogradTests {
    @Test func backwardAccumulatesIntoLeaves() throws {
        let x = try Tensor([1, 2, 3] as [Float]).requiringGradient()
        try (x * x).sum().backward()
        try (x * 3).sum().backward()
        #expect(try x.gradient?.array(of: Float.self) == [5, 7, 9])
        try x.setGradient(nil)
        #expect(x.gradient == nil)
    }

    @Test func gradientsLeaveLeavesAlone() throws {
        let x = try Tensor([2] as [Float]).requiringGradient(), y = try Tensor([1] as [Float]).requiringGradient()
        let results = try gradients(of: (x * x).sum(), withRespectTo: [x, y])
        #expect(try results[0]?.item(Float.self) == 4)
        #expect(results[1] == nil)
        #expect(x.gradient == nil)
    }

    @Test func scopesSwitchRecordingAndRestoreItAfterAnError() throws {
        struct Stop: Error {}
        let x = try Tensor([1] as [Float]).requiringGradient()
        #expect(try withoutGradients { () throws in try (x * 2).requiresGradient } == false)
        #expect(throws: Stop.self) { try withoutGradients { throw Stop() } }
        #expect(try (x * 2).requiresGradient)
        #expect(try inference { () throws in try (x * 2).requiresGradient } == false)
    }

    @Test func autocastRunsProductsInBFloat16() throws {
        let x = try Tensor.normal([4, 4])
        #expect(try autocast(to: .bfloat16) { try x.matmul(x).dtype } == .bfloat16)
        #expect(try x.matmul(x).dtype == .float32)
    }

    @Test func scaledDotProductAttentionIsCausal() throws {
        let q = try Tensor.normal([1, 2, 5, 8]), k = try Tensor.normal([1, 2, 5, 8]),
            v = try Tensor.normal([1, 2, 5, 8])
        let whole = try scaledDotProductAttention(q, k, v, isCausal: true)
        let part = try scaledDotProductAttention(
            q[.all, .all, .upTo(3)], k[.all, .all, .upTo(3)], v[.all, .all, .upTo(3)], isCausal: true)
        let difference = try (whole[.all, .all, .upTo(3)] - part).absolute().max().item(Float.self)
        #expect(difference < 1e-5)
    }
}
