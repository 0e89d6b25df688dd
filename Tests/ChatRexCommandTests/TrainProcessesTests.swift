import Foundation
import Scenes
import Testing
import Torch
import TorchNN
import UPN

private let hasAssets =
    FileManager.default.fileExists(atPath: AssetLocations.debian.stamps)
    && FileManager.default.fileExists(atPath: AssetLocations.debian.emojiFont)

extension ProcessTests {
    /// Training on several processes, as a launcher starts them.
    @Suite(.enabled(if: hasAssets)) struct TrainProcessesTests {
        private static let recipe = """
            batchSize: 3
            evaluationScenes: 1
            sceneSide: 96
            denoising: {count: 6}
            phases: [{end: 1, sides: [64]}]
            network:
              backbone: {embed_dim: 16, depths: [1, 1, 1], num_heads: [1, 2, 4], window_size: 4, return_interm_indices: [1, 2]}
              d_model: 32
              n_heads: 4
              n_points: 2
              d_ffn: 64
              num_feature_levels: 3
              enc_layers: 1
              dec_layers: 2
              num_queries: 20
              group_norm_groups: 8
              size: 64
              max_size: 64
            options: {steps: STEPS, learningRate: 1.0e-3, warmupSteps: 2, clipNorm: 1, averageDecay: 0, logSteps: 1}

            """

        private func write(steps: Int, to folder: URL) throws -> String {
            let url = folder.appendingPathComponent("\(steps).yaml")
            try Self.recipe.replacingOccurrences(of: "STEPS", with: "\(steps)").write(
                to: url, atomically: true, encoding: .utf8)
            return url.path
        }

        private func start(_ count: Int, _ recipe: String, _ out: URL) throws -> [Tool.Run] {
            // Of the ports that nothing is registered for.
            let port = Int.random(in: 49152...65000)
            return try (0..<count).map { rank in
                try Tool.Run(
                    ["train", "upn", recipe, "--threads", "1", "--out", out.path], in: out.deletingLastPathComponent(),
                    environment: count == 1
                        ? [:]
                        : [
                            "RANK": "\(rank)", "WORLD_SIZE": "\(count)", "MASTER_ADDR": "127.0.0.1",
                            "MASTER_PORT": "\(port)", "CHATREX_GROUP_TIMEOUT": "60",
                        ])
            }
        }

        private func weights(_ folder: URL, step: Int) throws -> [Float] {
            try UniversalProposalNetwork.load(folder.appendingPathComponent("step-\(step)/export")).namedParameters
                .flatMap { try $0.tensor.array(of: Float.self) }
        }

        @Test func `two processes train what one would`() throws {
            try withTemporaryFolder { folder in
                let recipe = try write(steps: 3, to: folder)
                let (one, two) = (folder.appendingPathComponent("one"), folder.appendingPathComponent("two"))
                for (count, out) in [(1, one), (2, two)] {
                    let outcomes = try start(count, recipe, out).map { try $0.wait() }
                    #expect(outcomes.map(\.status) == Array(repeating: 0, count: count), "\(outcomes)")
                    // Only the first process speaks.
                    #expect(outcomes.dropFirst().allSatisfy { $0.output.isEmpty && $0.errors.isEmpty }, "\(outcomes)")
                }
                let apart = try zip(weights(one, step: 3), weights(two, step: 3)).map { ($0 - $1).magnitude }.max()
                #expect(try #require(apart) < 1e-4)
            }
        }

        @Test func `when a process is killed the other ends and the run goes on`() throws {
            try withTemporaryFolder { folder in
                let recipe = try write(steps: 100_000, to: folder), out = folder.appendingPathComponent("run")
                let log = out.appendingPathComponent("log.jsonl")
                let runs = try start(2, recipe, out)
                let start = ContinuousClock.now
                while !((try? String(contentsOf: log, encoding: .utf8)) ?? "").contains("\"event\":\"step\""),
                    runs[0].process.isRunning, ContinuousClock.now - start < .seconds(60)
                {
                    Thread.sleep(forTimeInterval: 0.05)
                }
                kill(runs[1].process.processIdentifier, SIGKILL)
                let outcome = try runs[0].wait()
                _ = try runs[1].wait()
                #expect(outcome.status == 1 && outcome.errors.contains("lost each other"), "\(outcome)")
                // There is no checkpoint yet: one process begins anew, in the same folder.
                let again = try self.start(1, try write(steps: 1, to: folder), out)[0].wait()
                #expect(again.status == 0, "\(again)")
            }
        }
    }
}
