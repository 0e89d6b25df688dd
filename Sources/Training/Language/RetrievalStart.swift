// Initial weights with which a fresh language model can point. To answer with an index it has to find the object's row that is like
// the phrase, and to say the index that stands before that row. A pretrained language model brings the heads for such a
// look-up; plain random weights did not come upon them in any run that we could afford. So a fresh model gets them written down:
//
//   layer 0   an object's row learns the index before it; `<objects>` learns the phrase before it and, from words such as
//             "leftmost", which place is wanted
//   layer 1   an index within a list learns the phrase of its list; an index anywhere reads its object's row
//   layer 2   pointing: the rows like the phrase, in the wanted place or away from what was just said, whose index comes next in
//             order are attended to, their index is said; where there is none, attention falls on the first token, which says
//             `</objects>`
//             naming: the end of a prompt reads what its index has read
//
// Everything has its own subspace of the residual stream, so that the parts do not disturb each other. All other heads and all
// later layers start random, and training goes on from there with every weight.

import ChatRex
import Foundation
import LanguageModels
import Torch
import TorchNN

package struct RetrievalStart {
    private let language: [String: Tensor]
    private let configuration: Qwen2Configuration
    private let vocabulary: ChatRexVocabulary
    package let spaces: Subspaces
    /// Mean length of a name's row, which objects' rows have as well.
    package let nameLength: Double
    private let indexOrder: IndexOrder
    /// Length of a row in a direction of its place.
    package var placeLength: Double { nameLength * 0.25 }

    /// - Parameters:
    ///   - names: embeddings of the categories' names, [names, D]
    ///   - regions: some boxes, to learn how features tell their places
    /// - Throws: `TrainingError.invalidSetting` where the model is too small to hold the heads.
    @discardableResult package static func prepare(
        _ model: ChatRexModel, vocabulary: ChatRexVocabulary, names: Tensor, regions: RegionSample
    ) throws -> RetrievalStart {
        let configuration = model.configuration.language
        func require(_ condition: Bool, _ reason: String) throws {
            try TrainingError.check(condition, "startsLanguageModel", reason)
        }
        let slow = AttentionHead.slowChannels(configuration).count
        try require(configuration.tiesEmbeddings, "the model's output weights are not its embeddings")
        try require(configuration.width == 256, "the model is not 256 channels wide")
        try require(
            configuration.headCount == configuration.keyValueHeadCount && configuration.headCount >= 4
                && configuration.layerCount >= 3, "it needs three layers of four heads, each with its own keys")
        try require(
            slow >= 1 + IndexOrder.channels + Subspaces.nameChannels / 2 + PlaceUnits.count,
            "only \(slow) rotary channels are slow enough to match content; a larger rope_theta gives more")
        return try withoutGradients {
            let start = try RetrievalStart(model, vocabulary, names)
            try start.write()
            try PlaceUnits.write(
                model.objectProjector.namedParameters, directions: start.spaces.place, length: start.placeLength,
                regions)
            return start
        }
    }

    private init(_ model: ChatRexModel, _ vocabulary: ChatRexVocabulary, _ names: Tensor) throws {
        language = Dictionary(uniqueKeysWithValues: model.languageTensors)
        (configuration, self.vocabulary) = (model.configuration.language, vocabulary)
        indexOrder = try IndexOrder()
        nameLength = try names.norm(over: 1).mean().item(Double.self)
        let table = try Self.tensor("model.embed_tokens.weight", in: self.language)
        let tags =
            [vocabulary.ground, vocabulary.groundEnd, vocabulary.objectsEnd, vocabulary.end] + vocabulary.encode("\n")
        spaces = try Subspaces(names: names, tags: table.selected(0, Tensor(tags)))
    }

    private static func tensor(_ name: String, in language: [String: Tensor]) throws -> Tensor {
        guard let tensor = language[name] else {
            throw TrainingError.invalidSetting(name: "startsLanguageModel", reason: "the model has no \(name)")
        }
        return tensor
    }

    private func head(_ layer: Int, _ number: Int) throws -> AttentionHead {
        try AttentionHead(
            { try Self.tensor("model.layers.\(layer).self_attn.\($0)", in: language) }, number, configuration)
    }

    private func write() throws {
        for layer in 0..<configuration.layerCount {
            for name in ["self_attn.o_proj.weight", "mlp.down_proj.weight"] {
                try Self.tensor("model.layers.\(layer).\(name)", in: language).scale(by: 0.5)
            }
        }
        try Self.tensor("model.norm.weight", in: language).fill(2)
        try writeEmbeddings()
        try writeFirstLayer()
        try writeSecondLayer()
        try writeThirdLayer()
    }

    /// The tokens that pointing hangs on; names and words stay as the encoders' warm-up left them.
    private func writeEmbeddings() throws {
        let table = try Self.tensor("model.embed_tokens.weight", in: language)
        func set(_ token: Int, _ row: Tensor) throws { try table[.at(token)].copy(from: row * nameLength) }
        let order = try spaces.index[.range(0..<IndexOrder.channels)]
        let own = try spaces.index[.from(IndexOrder.channels)]
        let identities = try Subspaces.scattered(vocabulary.objects.count, own.shape[0], "indices")
        for (index, token) in vocabulary.objects.enumerated() {
            let place = try Tensor(indexOrder.features(index)).matmul(order)
            let identity = try identities[.at(index)] / identities[.at(index)].norm()
            try set(token, spaces.isIndex * 0.6 + (place * 0.75 + identity.matmul(own) * 0.66) * 0.8)
        }
        // A list begins as if the index before the first had just been said.
        let start = try Tensor(indexOrder.features(-1)).matmul(order)
        try set(vocabulary.objectsStart, spaces.isList * 0.8 + start * 0.6)
        if let first = vocabulary.encode("<|im_start|>").first { try set(first, spaces.isNothing) }
        for (word, value, sign) in Self.selectors {
            guard let token = vocabulary.encode(" " + word).last else { continue }
            let wanted = try spaces.wanted[.at(value)] * (0.6 * sign) + spaces.isSelector * 0.5
            try table[.at(token)].add(wanted, scaledBy: nameLength)
        }
    }

    /// Words that want a place: which of its values, and whether they want much or little of it.
    package static let selectors: [(word: String, value: Int, sign: Double)] = [
        ("leftmost", 0, 1), ("rightmost", 0, -1), ("topmost", 2, 1), ("bottommost", 2, -1), ("largest", 4, 1),
        ("smallest", 4, -1), ("left", 0, 1), ("right", 0, -1), ("above", 2, 1), ("below", 2, -1),
    ]

    // The gains undo the normalisation before a layer, so that what is copied is as long as a name.

    private func writeFirstLayer() throws {
        let index = try head(0, 0)
        try index.look(back: 1, strength: 9)
        try index.copy(spaces.index, to: spaces.rowIndex, gain: nameLength / 12.8)
        try index.copy(
            spaces.isIndex.unsqueezed(0), to: spaces.isRow.unsqueezed(0), gain: nameLength / 12.8,
            from: Subspaces.indexChannels)
        for part in 0..<2 {
            let phrase = try head(0, 1 + part)
            // Past `</ground>` lie the last words of the phrase.
            try phrase.look(back: 2.5, strength: 5, gate: spaces.isList * 1.25)
            try phrase.copy(
                spaces.half(spaces.names, part), to: spaces.half(spaces.phrase, part), gain: nameLength / 7.4)
        }
        try writeSelection()
    }

    private func writeSelection() throws {
        let selection = try head(0, 3)
        let toward: [(Tensor, Double)] = [(spaces.isSelector, 5), (spaces.isNothing, 1.2)]
        try selection.match(toward.map { (spaces.isList, try $0.0 * $0.1) })
        try selection.copy(spaces.wanted, to: spaces.wanted, gain: nameLength / 7.6)
    }

    private func writeSecondLayer() throws {
        let phrase = try head(1, 0)
        try phrase.look(
            back: 0, strength: 12, gate: spaces.isList * 1.75 + spaces.isIndex * 1.67, target: spaces.isList * 1.75)
        try phrase.copy(spaces.phrase, to: spaces.phrase, gain: nameLength / 11)

        let reader = try head(1, 1)
        let identity = try (0..<Subspaces.indexChannels).map { channel in
            // Neighbours are alike in their place, so mostly the rest decides.
            let weight = channel < IndexOrder.channels ? 0.54 : 1.8
            return (
                query: Optional(try spaces.index[.at(channel)] * weight),
                key: try spaces.rowIndex[.at(channel)] * weight
            )
        }
        try reader.match([(nil, (spaces.isRow + spaces.isNothing * 1.8) * 4)] + identity)
        let count = spaces.read.shape[0]
        try reader.copy(spaces.names[.range(0..<count)], to: spaces.read, gain: nameLength / 10)
        try reader.copy(
            spaces.isRow.unsqueezed(0), to: spaces.hasRead.unsqueezed(0), gain: nameLength / 10, from: count)
        // An index wants to be far from its own place: the next thing of a list is another one.
        let waves = 0..<PlaceUnits.count - 1
        try reader.copy(
            spaces.place[.range(waves)], to: -spaces.wanted[.range(waves)], gain: nameLength / 20, from: count + 1)
    }

    private func writeThirdLayer() throws {
        let order = try indexOrder.pairs(said: spaces.index, candidate: spaces.rowIndex)
        for part in 0..<2 {
            let pointer = try head(2, part)
            let (phrase, names) = (try spaces.half(spaces.phrase, part), try spaces.half(spaces.names, part))
            let weights = try spaces.half(spaces.nameWeights.unsqueezed(1), part)
            let content = try (0..<names.shape[0]).map { channel in
                let weight = try weights[.at(channel)] * 1.6
                return (query: Optional(try phrase[.at(channel)] * weight), key: try names[.at(channel)] * weight)
            }
            let place = try zip(spaces.wanted.unbound(), spaces.place.unbound()).map {
                (query: Optional(try $0 * 1.2), key: try $1 * 1.2)
            }
            try pointer.match([(nil, (spaces.isRow + spaces.isNothing * 0.6) * 15)] + order + content + place)
            try pointer.copy(spaces.rowIndex, to: spaces.index, gain: nameLength * 0.1)
            try pointer.copy(
                spaces.isNothing.unsqueezed(0), to: spaces.listEnd.unsqueezed(0), gain: nameLength * 0.2,
                from: Subspaces.indexChannels)
        }
        // What has just been said is not said again.
        let silence = try head(2, 2)
        try silence.look(back: 0, strength: 9)
        try silence.copy(spaces.index, to: -spaces.index, gain: nameLength / 12.8)

        let naming = try head(2, 3)
        try naming.match([(spaces.lineBreak * 0.6, spaces.hasRead * 3)])
        try naming.copy(spaces.read, to: spaces.names[.range(0..<spaces.read.shape[0])], gain: nameLength * 0.3)
    }
}
