import Checkpoints
import Foundation
import Testing
import Torch
import TorchNN
import UPN
import VisionEncoders

@Suite struct CheckpointTests {
    /// Names and shapes of the released model: each is either one of ours or known to be superfluous.
    @Test func theReleasedNamesAndShapesAreOurs() throws {
        let table = try String(contentsOf: goldenFolder.appending(path: "upn_large_tensors.tsv"), encoding: .utf8)
        let released = table.split(separator: "\n").map { line -> (name: String, shape: [Int]) in
            let fields = line.split(separator: "\t")
            return (String(fields[0]), fields[1].split { !$0.isNumber }.compactMap { Int($0) })
        }
        #expect(released.count == 701)
        let store = ParameterStore(device: .meta)
        _ = try UniversalProposalNetwork(.large, store.weights)
        let shapes = Dictionary(uniqueKeysWithValues: released.map { ($0.name, $0.shape) })
        let rename = UPNCheckpointKeys.rename(released.map(\.name))
        #expect(rename("bbox_embed.0.layers.1.bias") == "bbox_embed.5.layers.1.bias")
        for entry in store.entries { #expect(shapes[rename(entry.name)] == entry.tensor.shape, "\(entry.name)") }
        let used = Set(store.entries.map { rename($0.name) })
        let unused = released.map(\.name).filter { !used.contains($0) }
        #expect(unused.allSatisfy(UPNCheckpointKeys.isRedundant))
        #expect(unused.count == 66 + 24 + 4)  // copies of the box head, index tables, the head without effect
        #expect(store.parameterCount == 217_638_460 - 256 * 256 * 2 - 256 * 2)  // all but the head without effect
    }

    /// In the fixture, as `torch.save` wrote it, every tensor is filled with the position of its name.
    @Test func aPyTorchFileLoadsAsItIs() throws {
        let url = fixtures.appending(path: "tiny.pth")
        let names = try TensorArchives.open(at: url).names
        let network = try UniversalProposalNetwork.load(url)
        #expect(network.configuration.width == 8 && network.configuration.backbone.windowSize == 4)
        #expect(network.namedParameters.count == names.count - 2 - 4 - 1 - 3 * 6)
        for (name, tensor) in network.namedParameters {
            // The copies of the box head disagree: the last one counts.
            let source = name.hasPrefix("bbox_embed.0.") ? "bbox_embed.1." + name.dropFirst(13) : name
            let position = try #require(names.firstIndex(of: source))
            #expect(tensor.dtype == .float32)
            #expect(try tensor.array(of: Float.self).allSatisfy { $0 == Float(position) }, "\(name)")
        }
    }

    @Test func savedNetworksComeBackAsTheyWere() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (network, _) = try tinyNetwork()
        try network.save(to: folder)
        let copy = try UniversalProposalNetwork.load(folder)
        #expect(copy.configuration == network.configuration)
        let filter = ProposalFilter(minimumScore: 0)
        let image = try testImage(width: 80, height: 60)
        #expect(try copy.propose([image], filter: filter) == network.propose([image], filter: filter))
    }

    @Test func aCheckpointOfOtherSizesIsRefusedByName() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let text = try String(contentsOf: fixtures.appending(path: "config.json"), encoding: .utf8)
        let changed = text.replacingOccurrences(of: "\"num_queries\": 4", with: "\"num_queries\": 5")
            .replacingOccurrences(of: "\"enc_layers\": 1", with: "\"enc_layers\": 2")
        try changed.write(to: folder.appending(path: "config.json"), atomically: true, encoding: .utf8)
        try FileManager.default.copyItem(
            at: fixtures.appending(path: "tiny.pth"), to: folder.appending(path: "tiny.pth"))
        let report = try #require(throws: LoadReport.self) {
            try UniversalProposalNetwork.load(folder.appending(path: "tiny.pth"))
        }
        #expect(report.misshaped == [.init(name: "transformer.tgt_embed.weight", expected: [5, 8], found: [4, 8])])
        #expect(
            report.missing.count == 16 && report.missing.allSatisfy { $0.hasPrefix("transformer.encoder.layers.1.") })
        #expect(report.unexpected.isEmpty)
    }
}
