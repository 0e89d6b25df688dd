import Testing
import Torch
import TorchNN
import UPN

/// What a trainer relies on.
@Suite struct TrainingSurfaceTests {
    static func pixels(_ seed: Int = 5) throws -> Tensor {
        try Runtime.seed(UInt64(seed))
        return try Tensor.normal([2, 3, 40, 56])
    }

    static func mask() throws -> Tensor {
        let valid = try Tensor.zeros([1, 40, 56], dtype: .bool)
        return try Tensor.concatenated([valid, valid[.all, .upTo(32), .upTo(48)].padded([0, 8, 0, 8], with: 1)])
    }

    @Test func gradientsReachEveryParameterButTheOtherPrompt() throws {
        let (network, store) = try tinyNetwork()
        try network.setTrainable(true)
        let memory = try network.encode(Self.pixels(), mask: Self.mask())
        let selection = try network.select(memory, .fine)
        let output = try network.decode(memory, selection, .fine)
        let terms = try (output.boxes + output.logits + [selection.logits, selection.coordinates.sigmoid()]).map {
            try ($0 * Tensor.normal($0.shape)).sum()
        }
        let found = try gradients(of: Tensor.stacked(terms).sum(), withRespectTo: store.parameters.map(\.tensor))
        for (parameter, gradient) in zip(store.parameters, found) {
            if parameter.name == "transformer.coarse_grained_prompt.weight" {
                #expect(gradient == nil)
            } else {
                let values = try gradient?.array(of: Float.self) ?? []
                #expect(values.contains { $0 != 0 } && values.allSatisfy(\.isFinite), "\(parameter.name)")
            }
        }
    }

    /// Decoding starts from detached boxes, but a layer's boxes pass gradients on to the box before it.
    @Test func referencesAreDetachedWhereTheyShouldBe() throws {
        let (network, _) = try tinyNetwork()
        try network.setTrainable(true)
        let memory = try network.encode(Self.pixels(), mask: nil)
        let selection = try network.select(memory, .coarse)
        #expect(selection.coordinates.requiresGradient && selection.logits.requiresGradient)
        let output = try network.decode(memory, selection, .coarse)
        #expect(!output.references[0].requiresGradient)
        #expect(output.references[1].requiresGradient)
        let through = try gradients(of: output.boxes[1].sum(), withRespectTo: [output.references[1]])
        #expect(through[0] != nil)
        let atFirst = try gradients(of: output.boxes[0].sum(), withRespectTo: [selection.coordinates])
        #expect(atFirst[0] == nil)
    }

    @Test func hiddenExtraQueriesDoNotChangeTheOthers() throws {
        let (network, _) = try tinyNetwork()
        let memory = try network.encode(Self.pixels(), mask: Self.mask())
        let selection = try network.select(memory, .fine)
        let plain = try network.decode(memory, selection, .fine)
        let (extra, selected) = (3, 12)
        var sees = [Bool](repeating: true, count: (extra + selected) * (extra + selected))
        for row in extra..<(extra + selected) {
            for column in 0..<extra { sees[row * (extra + selected) + column] = false }
        }
        let queries = try ExtraQueries(
            content: Tensor.normal([2, extra, 16]), references: Tensor.normal([2, extra, 4]),
            attentionMask: Tensor(sees, shape: [extra + selected, extra + selected]))
        let joined = try network.decode(memory, selection, .fine, extra: queries)
        for (a, b) in zip(joined.boxes + joined.logits, plain.boxes + plain.logits) {
            #expect(a.size(1) == extra + selected)
            #expect(try (a[.all, .from(extra)] - b).absolute().max().item(Float.self) < 1e-5)
        }
    }

    @Test func freshNetworksStartAsTheReferenceDoes() throws {
        let (network, store) = try tinyNetwork(drawingHeads: false)
        func tensor(_ name: String) throws -> Tensor { try #require(store[name]) }
        let ring = try tensor("transformer.encoder.layers.0.self_attn.sampling_offsets.bias").array(of: Float.self)
        // Two heads look right and left, one cell a point, alike on three levels.
        let expected: [Float] = [1, 0, 2, 0, 1, 0, 2, 0, 1, 0, 2, 0, -1, 0, -2, 0, -1, 0, -2, 0, -1, 0, -2, 0]
        #expect(zip(ring, expected).allSatisfy { abs($0 - $1) < 1e-6 } && ring.count == expected.count)
        #expect(
            try tensor("transformer.encoder.layers.0.self_attn.sampling_offsets.weight").absolute().max().item(
                Float.self) == 0)
        let content = try tensor("transformer.tgt_embed.weight").array(of: Float.self).map(abs)
        let bound = Float((6.0 / (12 + 16)).squareRoot())
        #expect(content.allSatisfy { $0 <= bound } && content.contains { $0 > bound * 0.8 })
        // Box heads that end in zeros leave references where they are.
        let memory = try network.encode(Self.pixels(), mask: nil)
        let output = try network.decode(memory, network.select(memory, .fine), .fine)
        #expect(try (output.references[0] - output.references[2]).absolute().max().item(Float.self) < 1e-5)
        #expect(try (memory.coordinates.equal(to: memory.anchors)).all().item(Bool.self))
    }
}
