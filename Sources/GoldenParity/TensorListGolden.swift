// Lists of tensor names and shapes of full-size models, compared with models built without memory.

import ChatRex
import Foundation
import LanguageModels
import Torch
import TorchNN

struct TensorListGolden {
    private let files: [URL]

    init(_ folder: URL, _ files: [URL]) {
        self.files = files.filter { $0.lastPathComponent.hasPrefix("tensors-") && $0.pathExtension == "json" }
    }

    func climb(_ ladder: inout GoldenLadder) throws {
        for file in files {
            let name = file.deletingPathExtension().lastPathComponent
            let expected = try JSONDecoder().decode([String: [Int]].self, from: Data(contentsOf: file))
            guard let configuration = Self.configuration(expected) else {
                ladder.add(name, isExact: false)
                continue
            }
            let store = ParameterStore(device: .meta)
            _ = try ChatRexModel(configuration, store.weights)
            let found = Dictionary(uniqueKeysWithValues: store.entries.map { ($0.name, $0.tensor.shape) })
            let names = Set(expected.keys).symmetricDifference(found.keys)
            ladder.add("\(name): differing names", error: Double(names.count), tolerance: 0)
            ladder.add(
                "\(name): differing shapes",
                error: Double(expected.count { found[$0.key] != nil && found[$0.key] != $0.value }),
                tolerance: 0)
        }
    }

    /// The published size whose language model is as wide.
    private static func configuration(_ shapes: [String: [Int]]) -> ChatRexConfiguration? {
        guard let table = shapes["model.embed_tokens.weight"], table.count == 2 else { return nil }
        let sizes: [ChatRexConfiguration] = [.qwen25_3B, .qwen25_7B]
        guard var size = sizes.first(where: { $0.language.width == table[1] }) else { return nil }
        size.language.vocabularySize = table[0]
        return size
    }
}
