/// Greedy non-maximum suppression.
///
/// Boxes are visited by descending score, equal scores in their given order. A visited box is kept unless its IoU with
/// a box kept before is greater than `iouThreshold`. A box with a NaN score or a non-finite coordinate is never kept and
/// suppresses nothing.
///
/// - Parameters:
///   - boxes: candidates.
///   - scores: one score a box; higher is better.
///   - iouThreshold: IoU above which (strictly) the weaker of two boxes goes; 1 or more keeps all.
/// - Returns: indices of the kept boxes, by descending score.
/// - Throws: ``BoxesError/scoreCountMismatch(boxes:scores:)``.
public func nonMaximumSuppression(
    boxes: [Box], scores: [Double], iouThreshold: Double
) throws(BoxesError) -> [Int] {
    guard boxes.count == scores.count else {
        throw .scoreCountMismatch(boxes: boxes.count, scores: scores.count)
    }
    // The standard library's sort is stable, so equal scores keep their order.
    let order = boxes.indices
        .filter { !scores[$0].isNaN && boxes[$0].isFinite }
        .sorted { scores[$0] > scores[$1] }
    var kept: [Int] = []
    for candidate in order where !kept.contains(where: { boxes[$0].iou(with: boxes[candidate]) > iouThreshold }) {
        kept.append(candidate)
    }
    return kept
}
