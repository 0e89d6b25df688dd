/// Precision and recall of one category, by IoU threshold.
struct PrecisionRecallCurve {
    let truthCount: Int
    /// By IoU threshold, then by recall level: the best precision at that recall or more, 0 where it is not reached.
    private(set) var levels: [[Double]] = []
    /// Mean over the recall levels, by IoU threshold.
    private(set) var precision: [Double] = []
    /// Share of truths that were found, by IoU threshold.
    private(set) var recall: [Double] = []

    var ap: Double { precision.reduce(0, +) / Double(precision.count) }
    var ar: Double { recall.reduce(0, +) / Double(recall.count) }

    init(_ tally: DetectionEvaluator.Tally, limit: Int) {
        truthCount = tally.truthCount
        let ranked = tally.detections.filter { $0.outcome.rank < limit }.sorted {
            if $0.outcome.score != $1.outcome.score { return $0.outcome.score > $1.outcome.score }
            return ($0.image, $0.outcome.rank) < ($1.image, $1.outcome.rank)
        }
        for level in Levels.iou.indices {
            let bit = UInt16(1) << UInt16(level)
            // Precision only falls from one hit to the next, so its values at the hits say everything.
            var precisionAtHit: [Double] = []
            var misses = 0.0
            for (_, outcome) in ranked {
                if outcome.hits & bit != 0 {
                    let hits = Double(precisionAtHit.count + 1)
                    precisionAtHit.append(hits / (misses + hits + Double.ulpOfOne))
                } else if outcome.misses & bit != 0 {
                    misses += 1
                }
            }
            recall.append(Double(precisionAtHit.count) / Double(truthCount))
            levels.append(interpolated(precisionAtHit))
            precision.append(levels[level].reduce(0, +) / Double(Levels.recall.count))
        }
    }

    private func interpolated(_ precisionAtHit: [Double]) -> [Double] {
        var envelope = precisionAtHit
        for hit in envelope.indices.dropLast().reversed() { envelope[hit] = max(envelope[hit], envelope[hit + 1]) }
        var hit = 0
        return Levels.recall.map { level in
            while hit < envelope.count && Double(hit + 1) / Double(truthCount) < level { hit += 1 }
            return hit < envelope.count ? envelope[hit] : 0
        }
    }
}

extension DetectionEvaluator {
    /// Curves of all categories that have objects, by id, with the largest number of detections.
    var curves: [(category: Int, curve: PrecisionRecallCurve)] { curves(.all, rules.recallLimits.last ?? 0) }

    /// Whether each detection that counts is a hit at IoU 0.5, with its score; of categories that have objects.
    var judged: [JudgedScore] {
        var judged: [JudgedScore] = []
        for tally in tallies.sorted(by: { $0.key < $1.key }).map({ $0.value[AreaRange.all.rawValue] })
        where tally.truthCount > 0 {
            for (_, outcome) in tally.detections where (outcome.hits | outcome.misses) & 1 != 0 {
                judged.append(JudgedScore(score: outcome.score, isRight: outcome.hits & 1 != 0))
            }
        }
        return judged
    }

    /// Objects that count, of all categories.
    var truthCount: Int { tallies.values.reduce(0) { $0 + $1[AreaRange.all.rawValue].truthCount } }
}
