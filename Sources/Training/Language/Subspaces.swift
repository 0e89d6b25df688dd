// The parts of the residual stream that `RetrievalStart` gives a meaning: orthonormal directions as rows [N, D].

import Scenes
import Torch

package struct Subspaces {
    static let nameChannels = 44, indexChannels = 40

    /// What names vary in most, and how strongly each direction is to be weighed so that common ones do not drown the others.
    let names: Tensor, nameWeights: Tensor
    /// The phrase that is asked for; an index as a token; an index as a row has learned it; what an index has read.
    let phrase: Tensor, index: Tensor, rowIndex: Tensor, read: Tensor
    /// Where a row's box lies, as in `PlaceUnits`, and where a phrase wants it. Apart, or else the words that want a place would
    /// themselves be found in it.
    package let place: Tensor, wanted: Tensor
    /// Marks, [D]: an index token, an object's row, an index that has read its row, the start of a list, the first token, a word that
    /// wants a place.
    let isIndex: Tensor, isRow: Tensor, hasRead: Tensor, isList: Tensor, isNothing: Tensor, isSelector: Tensor
    /// Directions of tokens, [D].
    let listEnd: Tensor, lineBreak: Tensor

    /// - Parameters:
    ///   - names: embeddings of names, [names, D]
    ///   - tags: embeddings of tokens that stand around phrases, of which the third closes a list and the last breaks a line, [T, D]
    init(names table: Tensor, tags: Tensor) throws {
        let width = table.shape[1]
        // Names are compared without what they share and without what tags put beside them.
        let mean = try table.mean(0, keepingDimensions: true)
        let constant = try Tensor.concatenated([mean, tags]).orthonormalRows()
        let centred = try Self.without(constant, table - mean)
        let (values, rows) = try centred.singularVectors()
        let count = Self.nameChannels
        names = try rows[.range(0..<count)]
        let spread = try values[.range(0..<count)]
        nameWeights = try (spread / spread.mean()).power(-0.5).clamped(nil, 4)

        let taken = try Tensor.concatenated([constant, names])
        let free = try Self.without(taken, Self.scattered(width - taken.shape[0], width, "free")).orthonormalRows()
        var next = 0
        func take(_ count: Int) throws -> Tensor {
            defer { next += count }
            return try free[.range(next..<next + count)]
        }
        (phrase, index, rowIndex) = (try take(count), try take(Self.indexChannels), try take(Self.indexChannels))
        (place, wanted) = (try take(PlaceUnits.count), try take(PlaceUnits.count))
        let marks = try take(6).unbound()
        (isIndex, isRow, hasRead, isList) = (marks[0], marks[1], marks[2], marks[3])
        (isNothing, isSelector) = (marks[4], marks[5])
        read = try take(min(count, free.shape[0] - next))
        func direction(_ tag: Int) throws -> Tensor { try tags[.at(tag)] / tags[.at(tag)].norm() }
        (listEnd, lineBreak) = (try direction(2), try direction(tags.shape[0] - 1))
    }

    /// Every second direction: what two heads share evenly.
    func half(_ space: Tensor, _ part: Int) throws -> Tensor { try space[.every(2, from: part)] }

    /// Rows that point anywhere, about normally distributed, the same ones whatever else draws random numbers: [count, width].
    package static func scattered(_ count: Int, _ width: Int, _ purpose: String) throws -> Tensor {
        var random = SceneRandom(seed: 0, stream: "subspaces/\(purpose)")
        let values = (0..<count * width).map { _ in Float((0..<12).reduce(-6.0) { sum, _ in sum + random.unit() }) }
        return try Tensor(values, shape: [count, width])
    }

    private static func without(_ basis: Tensor, _ rows: Tensor) throws -> Tensor {
        try rows - rows.matmul(basis.transposed(0, 1)).matmul(basis)
    }
}
