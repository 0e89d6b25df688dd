// One attention head whose weights are written down instead of learned. A head reads three ways: queries and keys meet either at
// a distance (by the fast rotary channels, which tell neighbours apart) or in content (by the slow ones, which hardly turn over a
// whole sequence), and what is attended to is copied from one subspace into another.

import Foundation
import LanguageModels
import Torch

/// The weights of one head of a Qwen2 layer, as views.
struct AttentionHead {
    /// Weights [W, D], biases [W]; output [D, W].
    private let query: Tensor, key: Tensor, value: Tensor, output: Tensor, queryBias: Tensor, keyBias: Tensor
    private let width: Int
    private let frequencies: [Double]
    private let slowChannels: [Int]

    /// A head without any weights yet: it attends to everything alike and copies nothing.
    init(_ tensor: (String) throws -> Tensor, _ number: Int, _ configuration: Qwen2Configuration) throws {
        let width = configuration.headWidth, range = number * width..<(number + 1) * width
        func rows(_ name: String) throws -> Tensor { try tensor(name)[.range(range)] }
        (query, key, value) = (try rows("q_proj.weight"), try rows("k_proj.weight"), try rows("v_proj.weight"))
        (queryBias, keyBias) = (try rows("q_proj.bias"), try rows("k_proj.bias"))
        output = try tensor("o_proj.weight")[.all, .range(range)]
        for tensor in [query, key, value, queryBias, keyBias, output, try rows("v_proj.bias")] { try tensor.fill(0) }
        self.width = width
        frequencies = Self.frequencies(configuration)
        slowChannels = Self.slowChannels(configuration)
    }

    /// By how much each pair of channels turns from one position to the next, radians.
    private static func frequencies(_ configuration: Qwen2Configuration) -> [Double] {
        let half = configuration.headWidth / 2
        return (0..<half).map { pow(configuration.ropeTheta, -Double($0) / Double(half)) }
    }

    /// Channels whose angle stays small over a sequence, slowest first.
    static func slowChannels(_ configuration: Qwen2Configuration) -> [Int] {
        let frequencies = frequencies(configuration)
        let slow = frequencies.indices.filter { frequencies[$0] < 0.0011 }
        return slow.reversed().flatMap { [$0, $0 + frequencies.count] }
    }

    /// Attends `distance` positions back. A query bias that is turned back by that many positions meets equal keys there.
    ///
    /// - Parameters:
    ///   - gate: positions that look, as a direction; nil for all
    ///   - target: positions that are looked for; nil for all, and otherwise the nearest of them
    func look(back distance: Double, strength: Double, gate: Tensor? = nil, target: Tensor? = nil) throws {
        // Looking for the nearest of several takes a kernel that falls slowly; counting positions one that falls fast.
        let band = target == nil ? 0.05...1 : 0.02...0.2
        for (pair, frequency) in frequencies.enumerated() where band.contains(frequency) {
            let angle = distance * frequency
            for (channel, part) in [(pair, cos(angle)), (pair + width / 2, -sin(angle))] {
                if let gate {
                    try query[.at(channel)].copy(from: gate * (strength * part / Self.rowLength))
                } else {
                    try queryBias[.at(channel)].fill(strength * part)
                }
            }
            if let target {
                try key[.at(pair)].copy(from: target * (strength / Self.rowLength))
            } else {
                try keyBias[.at(pair)].fill(strength)
            }
        }
    }

    /// Adds query · key over pairs of directions to the attention score; a missing query is a constant 1.
    func match(_ pairs: [(query: Tensor?, key: Tensor)]) throws {
        for (channel, pair) in zip(slowChannels, pairs) {
            if let direction = pair.query {
                try query[.at(channel)].copy(from: direction)
            } else {
                try queryBias[.at(channel)].fill(1)
            }
            try key[.at(channel)].copy(from: pair.key)
        }
    }

    /// Copies what stands in some directions [N, D] into others [N, D].
    func copy(_ source: Tensor, to target: Tensor, gain: Double, from channel: Int = 0) throws {
        let range = channel..<channel + source.shape[0]
        try value[.range(range)].copy(from: source)
        try output[.all, .range(range)].copy(from: target.transposed(0, 1) * gain)
    }

    /// Length of a normalised row of 256 channels, by which directions are scaled to answer 1.
    static let rowLength = 16.0
}
