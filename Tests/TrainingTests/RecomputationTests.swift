import Testing
import Torch
import TorchNN
import Training
import UPN
import VisionEncoders

/// Networks with and without recomputation in the backward pass.
extension SharedStateTests {
    @Suite struct RecomputationTests {
        private func expectSame(_ run: (_ recomputes: Bool) throws -> [(name: String, tensor: Tensor)]) throws {
            let (plain, recomputed) = (try run(false), try run(true))
            #expect(plain.count == recomputed.count && !plain.isEmpty)
            for (a, b) in zip(plain, recomputed) {
                let (first, second) = (a.tensor.gradient, b.tensor.gradient)
                #expect((first == nil) == (second == nil), "\(a.name)")
                guard let first, let second else { continue }
                // Without recording libtorch chooses other kernels in places, which round otherwise.
                let (x, y) = (try first.array(of: Float.self), try second.array(of: Float.self))
                let scale = x.map(abs).max() ?? 0, difference = zip(x, y).map { abs($0 - $1) }.max() ?? 0
                #expect(difference <= 1e-3 * scale + 1e-7, "\(a.name): \(difference) of \(scale)")
            }
            #expect(plain.contains { $0.tensor.gradient != nil })
        }

        @Test func dropoutAndTheRandomNumbersAfterIt() throws {
            func gradients(_ recomputes: Bool) throws -> [[Float]] {
                try Runtime.seed(7)
                let x = try Tensor.normal([4, 8]).requiringGradient()
                var y = x
                for _ in 0..<2 {
                    y = try recomputed([y], if: recomputes) { try $0[0].droppedOut(0.4, isTraining: true) * 2 }
                }
                try y.sum().backward()
                return [try #require(x.gradient).array(), try y.array(), try Tensor.uniform([4]).array()]
            }
            let plain = try gradients(false)
            #expect(try gradients(true) == plain)
            #expect(plain[0].contains(0) && plain[0].contains { $0 > 4 })
        }

        @Test func convNeXt() throws {
            try expectSame { recomputes in
                try Runtime.seed(3)
                let network = try ConvNeXt(
                    ConvNeXtConfiguration(widths: [8, 16], depths: [2, 1]), ParameterStore().weights)
                network.recomputesActivations = recomputes
                try network.setTrainable(true)
                try network(Tensor.normal([1, 3, 32, 32])).map { try $0.power(2).mean() }.reduce(
                    Tensor.zeros([])
                ) { try $0 + $1 }.backward()
                return network.namedParameters
            }
        }

        @Test func clip() throws {
            try expectSame { recomputes in
                try Runtime.seed(3)
                let network = try CLIPVisionTower(
                    CLIPConfiguration(
                        imageSize: 16, patchSize: 8, width: 16, layerCount: 3, headCount: 2, hiddenWidth: 32),
                    ParameterStore().weights)
                network.recomputesActivations = recomputes
                try network.setTrainable(true)
                try network.patchTokens(Tensor.normal([2, 3, 16, 16]), layer: -2).power(2).mean().backward()
                return network.namedParameters
            }
        }

        @Test func aProposalNetworkWithDroppedPaths() throws {
            try expectSame { recomputes in
                var recipe = TinyUPN.recipe
                recipe.network.backbone.dropPathRate = 0.5
                recipe.recomputesActivations = recomputes
                let task = try UPNTask(recipe, source: TinyUPN.picture, evaluationPictures: [])
                let parameters = task.parameterGroups.flatMap(\.parameters)
                for parameter in parameters { try parameter.tensor.requiringGradient() }
                try Runtime.seed(5)
                try task.losses(task.batch(0, progress: 0)).total.backward()
                return parameters
            }
        }

        @Test func pathsAreDroppedInTrainingAlone() throws {
            try Runtime.seed(2)
            let network = try Swin(
                SwinConfiguration(
                    width: 8, depths: [2, 2], headCounts: [1, 2], windowSize: 2, returnedStages: [1], dropPathRate: 0.9),
                ParameterStore().weights)
            let pixels = try Tensor.normal([8, 3, 16, 16])
            func map() throws -> [Float] { try network(pixels)[0].array(of: Float.self) }
            let plain = try map()
            #expect(try map() == plain)
            network.dropsPaths = true
            #expect(try map() != plain)
            // Some of eight pictures skip the last block's branches, some do not; what is left is scaled up.
            network.dropsPaths = false
            #expect(try map() == plain)
        }
    }
}
