import Foundation
import Scenes
import Testing

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

        /// Losses of the steps that a run has logged, by step.
        private func losses(_ folder: URL) -> [Int: Double] {
            struct Line: Decodable {
                let event: String, step: Int, values: [String: Double]
            }
            let text = (try? String(contentsOf: folder.appendingPathComponent("log.jsonl"), encoding: .utf8)) ?? ""
            let lines = text.split(separator: "\n").compactMap {
                try? JSONDecoder().decode(Line.self, from: Data($0.utf8))
            }
            return Dictionary(
                lines.filter { $0.event == "step" }.map { ($0.step, $0.values["loss"] ?? .nan) },
                uniquingKeysWith: { $1 })
        }

        // One test, since a process takes seconds to load what scenes are made of.
        @Test func `two processes train what one would, and when one is killed the other ends`() throws {
            try withTemporaryFolder { folder in
                let (one, two) = (folder.appendingPathComponent("one"), folder.appendingPathComponent("two"))
                let runs = try start(2, write(steps: 100_000, to: folder), two)
                let begun = ContinuousClock.now
                while losses(two)[3] == nil, runs[0].process.isRunning, ContinuousClock.now - begun < .seconds(120) {
                    Thread.sleep(forTimeInterval: 0.05)
                }
                kill(runs[1].process.processIdentifier, SIGKILL)
                let (first, second) = (try runs[0].wait(), try runs[1].wait())
                #expect(first.status == 1 && first.errors.contains("lost each other"), "\(first)")
                // Only the first process speaks.
                #expect(second.output.isEmpty && second.errors.isEmpty, "\(second)")

                let alone = try start(1, write(steps: 100_000, to: folder), one)[0]
                while losses(one)[3] == nil, alone.process.isRunning { Thread.sleep(forTimeInterval: 0.05) }
                kill(alone.process.processIdentifier, SIGKILL)
                _ = try alone.wait()
                let (mine, yours) = (losses(one), losses(two))
                for step in 1...3 {
                    let (a, b) = (try #require(mine[step]), try #require(yours[step]))
                    #expect((a - b).magnitude < 1e-5 * a, "step \(step): \(a) and \(b)")
                }
            }
        }
    }
}
