// Initial weights by which a fresh language model can point. To answer with an index it has to find the object's row that is like the
// phrase, and to say the index that stands before that row. Plain random weights need very long to come upon this chain of
// heads; a model with pretrained weights has it. So a fresh one starts near it:
//
// - keys equal queries: a position attends to what is like it, and after the warm-up an object's row is like its name;
// - a head's output is the transpose of its values: what it reads it adds in the space that it was read from;
// - heads of the first layer look one, two and three positions back: a row learns its index, a tag the words before it.

import Foundation
import LanguageModels
import Torch
import TorchNN

enum RetrievalStart {
    /// - Parameter tensors: of the language model, by name
    static func prepare(_ tensors: [(name: String, tensor: Tensor)], _ configuration: Qwen2Configuration) throws {
        // With grouped heads keys and values have other shapes than queries; only models with pretrained weights are like that.
        guard configuration.headCount == configuration.keyValueHeadCount else { return }
        let tensors = Dictionary(uniqueKeysWithValues: tensors)
        let width = configuration.width
        try withoutGradients {
            // Short embeddings give flat logits where they are the output's weights too; a longer last row evens that out.
            if configuration.tiesEmbeddings { try tensors["model.norm.weight"]?.fill(6) }
            for layer in 0..<configuration.layerCount {
                func tensor(_ name: String) -> Tensor? { tensors["model.layers.\(layer).self_attn.\(name)"] }
                guard let query = tensor("q_proj.weight"), let key = tensor("k_proj.weight"),
                    let value = tensor("v_proj.weight"), let output = tensor("o_proj.weight")
                else { continue }
                try query.copy(from: Tensor.normal([width, width]) * 0.05)
                try key.copy(from: query)
                try value.copy(from: Tensor.normal([width, width]) * (1 / Double(width).squareRoot()))
                try output.copy(from: value.transposed(0, 1) * 0.1)
                if layer == 0, let queryBias = tensor("q_proj.bias"), let keyBias = tensor("k_proj.bias") {
                    try lookBack(query, key, queryBias, keyBias, configuration)
                }
            }
        }
    }

    /// Makes the first heads attend to the positions before, whatever stands there, and leaves at least one as it is.
    ///
    /// Rotary positions turn a pair of channels by position x frequency. A query bias turned back by d positions meets equal key
    /// biases d positions earlier, and misses all others; the fast frequencies tell neighbours apart.
    private static func lookBack(
        _ query: Tensor, _ key: Tensor, _ queryBias: Tensor, _ keyBias: Tensor, _ configuration: Qwen2Configuration
    ) throws {
        let half = configuration.headWidth / 2, strength = 5.5
        let frequencies = (0..<half).map { pow(configuration.ropeTheta, -Double($0) / Double(half)) }
        for distance in 1...3 where distance < configuration.headCount {
            let start = (distance - 1) * configuration.headWidth
            var queries = [Float](repeating: 0, count: 2 * half), keys = queries
            for pair in 0..<half where frequencies[pair] > 0.1 {
                let angle = Double(distance) * frequencies[pair]
                keys[pair] = Float(strength)
                queries[pair] = Float(strength * cos(angle))
                queries[pair + half] = Float(-strength * sin(angle))
            }
            let range = start..<start + 2 * half
            try query[.range(range)].fill(0)
            try key[.range(range)].fill(0)
            try queryBias[.range(range)].copy(from: Tensor(queries))
            try keyBias[.range(range)].copy(from: Tensor(keys))
        }
    }
}
