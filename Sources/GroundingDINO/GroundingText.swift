import Torch

/// Texts as the network reads them. A text is phrases that end with a full stop or a question mark, between `[CLS]` and `[SEP]`; words
/// see those of their own phrase only, and count their places within it.
public struct GroundingText {
    /// int64 [B, T]
    public let ids: Tensor
    /// False = padding, [B, T]
    public let isToken: Tensor
    /// Which token (row) sees which (column), [B, T, T]
    public let visible: Tensor
    /// Place of each token within its phrase, int64 [B, T]
    public let positions: Tensor

    /// - Parameters:
    ///   - rows: ids of each text, `[CLS]` first and `[SEP]` last
    ///   - padding: the id that fills shorter texts up
    ///   - separators: the ids of `[CLS]`, `[SEP]`, `.` and `?`
    public init(_ rows: [[Int]], padding: Int, separators: Set<Int>, device: Device = .cpu) throws {
        let length = rows.map(\.count).max() ?? 0
        let padded = rows.map { $0 + [Int](repeating: padding, count: length - $0.count) }
        let blocks = padded.map { Self.blocks($0, separators) }
        func tensor<Element: TensorElement>(_ values: [Element], _ shape: [Int]) throws -> Tensor {
            try Tensor(values, shape: [rows.count] + shape).to(device: device)
        }
        ids = try tensor(padded.flatMap { $0 }, [length])
        isToken = try tensor(rows.flatMap { row in (0..<length).map { $0 < row.count } }, [length])
        visible = try tensor(blocks.flatMap(\.visible), [length, length])
        positions = try tensor(blocks.flatMap(\.positions), [length])
    }

    /// A phrase reaches from behind a separator to the next one, which belongs to it. Tokens outside of phrases see themselves only, and
    /// so do the first and the last column, as in transformers.
    private static func blocks(_ ids: [Int], _ separators: Set<Int>) -> (visible: [Bool], positions: [Int]) {
        let count = ids.count
        var visible = [Bool](repeating: false, count: count * count), positions = [Int](repeating: 0, count: count)
        for column in 0..<count { visible[column * count + column] = true }
        var former = 0
        for (column, id) in ids.enumerated() where separators.contains(id) {
            if column > 0 && column < count - 1 {
                let phrase = (former + 1)..<(column + 1)
                for row in phrase {
                    positions[row] = row - phrase.lowerBound
                    for other in phrase { visible[row * count + other] = true }
                }
            }
            former = column
        }
        return (visible, positions)
    }
}
