import Boxes

/// The check of an expression by grounding it again: it is kept only if it leads back to its own region.
public enum GroundingConsistency {
    /// - Parameters:
    ///   - found: the boxes of the expression, best first
    ///   - own: the region's box
    ///   - others: the boxes of the picture's other regions
    /// - Returns: whether the best box overlaps the region's own by enough, and no other region's by more
    public static func keeps(
        found: [ScoredBox], own: Box, others: [Box], minimumIoU: Double = 0.5
    ) -> Bool {
        guard let best = found.first?.box else { return false }
        let overlap = best.iou(with: own)
        return overlap >= minimumIoU && !others.contains { best.iou(with: $0) > overlap }
    }
}
