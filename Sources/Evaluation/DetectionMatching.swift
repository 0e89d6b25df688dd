import Boxes

/// Truths and detections of one category in one image, matched at every IoU threshold.
///
/// Detections choose by descending score. Each takes the free truth that it overlaps most, if by the threshold or more;
/// truths that do not count (crowds, other sizes) are taken only where no counting one is left. A crowd can be taken
/// any number of times, and overlap with it is measured against the detection alone.
struct DetectionMatching {
    /// What became of one detection. Thresholds at which it is neither a hit nor a miss have neither bit set.
    struct Outcome {
        var score: Double
        /// Place among the category's detections of the image, from 0.
        var rank: Int
        /// Bit `t`: matched a truth that counts, at threshold `t`.
        var hits: UInt16 = 0
        /// Bit `t`: matched nothing at threshold `t`.
        var misses: UInt16 = 0
    }

    private let truths: [GroundTruthBox]
    private let detections: [DetectedBox]
    private let iou: [Double]  // [detections, truths]

    /// - Parameters:
    ///   - detections: in any order; equal scores keep theirs.
    ///   - limit: how many of the best detections take part.
    init(truths: [GroundTruthBox], detections: [DetectedBox], limit: Int) {
        self.truths = truths
        self.detections = Array(detections.sorted { $0.score > $1.score }.prefix(limit))
        iou = self.detections.flatMap { found in
            truths.map { truth in
                let overlap = found.box.overlapArea(with: truth.box)
                guard overlap > 0 else { return 0 }
                return overlap / (truth.isCrowd ? found.boxArea : found.boxArea + truth.boxArea - overlap)
            }
        }
    }

    /// - Parameter ignoresMisses: whether unmatched detections count as nothing.
    /// - Returns: the number of truths that count, and the detections that count at any threshold.
    func outcomes(_ area: AreaRange, ignoresMisses: Bool) -> (truthCount: Int, detections: [Outcome]) {
        let counts = truths.map { !$0.isCrowd && area.contains($0.area) }
        let order = truths.indices.filter { counts[$0] } + truths.indices.filter { !counts[$0] }
        var outcomes = detections.enumerated().map { Outcome(score: $0.element.score, rank: $0.offset) }
        var taken = [Bool](repeating: false, count: truths.count)
        for (level, threshold) in Levels.iou.enumerated() {
            for index in taken.indices { taken[index] = false }
            for rank in detections.indices {
                let bit = UInt16(1) << UInt16(level)
                if let match = bestTruth(for: rank, threshold, order, counts, taken) {
                    taken[match] = true
                    if counts[match] { outcomes[rank].hits |= bit }
                } else if !ignoresMisses && area.contains(detections[rank].boxArea) {
                    outcomes[rank].misses |= bit
                }
            }
        }
        return (counts.count { $0 }, outcomes.filter { $0.hits | $0.misses != 0 })
    }

    private func bestTruth(
        for rank: Int, _ threshold: Double, _ order: [Int], _ counts: [Bool], _ taken: [Bool]
    ) -> Int? {
        // Two equal boxes have an IoU that may round to just under 1.
        var best = min(threshold, 1 - 1e-10)
        var match: Int?
        for truth in order where !taken[truth] || truths[truth].isCrowd {
            if let match, counts[match] && !counts[truth] { break }
            // Of equally good truths the last one is taken.
            if iou[rank * truths.count + truth] >= best {
                best = iou[rank * truths.count + truth]
                match = truth
            }
        }
        return match
    }
}
