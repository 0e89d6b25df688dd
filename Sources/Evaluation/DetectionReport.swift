import Foundation

/// Figures of a ``DetectionEvaluator``, 0…1. A figure is nil where no object counts for it.
public struct DetectionReport: Sendable, Hashable, Codable {
    /// The rules, in words.
    public var rules: String
    public var imageCount: Int
    /// Mean over categories, IoU thresholds 0.50 to 0.95 and recall levels.
    public var ap: Double?
    /// At IoU 0.5 and 0.75.
    public var ap50: Double?, ap75: Double?
    /// Of objects up to 32², up to 96² and above, in square pixels.
    public var apSmall: Double?, apMedium: Double?, apLarge: Double?
    /// LVIS: of rare, common and frequent categories.
    public var apRare: Double?, apCommon: Double?, apFrequent: Double?
    /// Mean recall over categories and IoU thresholds 0.50 to 0.95, by the number of detections allowed.
    public var recalls: [Recall]
    /// Recall by object size, with the largest number of detections.
    public var arSmall: Double?, arMedium: Double?, arLarge: Double?
    /// Recall at IoU 0.5, with the largest number of detections.
    public var recall50: Double?
    /// Every category that has objects, by id.
    public var categories: [Category]

    /// Average recall with a number of detections.
    public struct Recall: Sendable, Hashable, Codable {
        public var maxDetections: Int
        public var value: Double?
    }

    /// Figures of one category.
    public struct Category: Sendable, Hashable, Codable {
        public var id: Int
        public var truthCount: Int
        public var ap: Double
        public var ap50: Double
        /// Recall over IoU 0.50 to 0.95 with the largest number of detections.
        public var ar: Double
    }

    /// Average recall with the largest number of detections.
    public var ar: Double? { recalls.last?.value }
}

extension DetectionEvaluator {
    /// The figures of the images added so far.
    public func report() -> DetectionReport {
        let limits = rules.recallLimits
        let most = limits.last ?? 0
        let curves = Dictionary(uniqueKeysWithValues: AreaRange.allCases.map { ($0, self.curves($0, most)) })
        let all = curves[.all] ?? []
        func ap(_ area: AreaRange) -> Double? { mean((curves[area] ?? []).map(\.curve.ap)) }
        func ar(_ area: AreaRange) -> Double? { mean((curves[area] ?? []).map(\.curve.ar)) }
        func ap(_ frequency: CategoryFrequency) -> Double? {
            mean(all.filter { rules.frequencies[$0.category] == frequency }.map(\.curve.ap))
        }
        return DetectionReport(
            rules: rules.description, imageCount: imageCount,
            ap: ap(.all), ap50: mean(all.map { $0.curve.precision[0] }),
            ap75: mean(all.map { $0.curve.precision[5] }),
            apSmall: ap(.small), apMedium: ap(.medium), apLarge: ap(.large),
            apRare: ap(.rare), apCommon: ap(.common), apFrequent: ap(.frequent),
            recalls: limits.map { .init(maxDetections: $0, value: mean(self.curves(.all, $0).map(\.curve.ar))) },
            arSmall: ar(.small), arMedium: ar(.medium), arLarge: ar(.large),
            recall50: mean(all.map { $0.curve.recall[0] }),
            categories: all.map { id, curve in
                .init(
                    id: id, truthCount: curve.truthCount, ap: curve.ap, ap50: curve.precision[0], ar: curve.ar)
            })
    }

    /// Curves of the categories that have objects of a size, by id: sums in one order are the same in every process.
    func curves(_ area: AreaRange, _ limit: Int) -> [(category: Int, curve: PrecisionRecallCurve)] {
        tallies.sorted { $0.key < $1.key }.compactMap { category, tally in
            tally[area.rawValue].truthCount > 0
                ? (category, PrecisionRecallCurve(tally[area.rawValue], limit: limit)) : nil
        }
    }
}

extension DetectionReport: CustomStringConvertible {
    /// The rules and the figures in percent, one a line.
    public var description: String {
        var rows: [(String, Double?)] = [
            ("AP", ap), ("AP50", ap50), ("AP75", ap75), ("APs", apSmall), ("APm", apMedium), ("APl", apLarge),
        ]
        if apRare != nil || apCommon != nil || apFrequent != nil {
            rows += [("APr", apRare), ("APc", apCommon), ("APf", apFrequent)]
        }
        rows += recalls.map { ("AR@\($0.maxDetections)", $0.value) }
        rows += [("ARs", arSmall), ("ARm", arMedium), ("ARl", arLarge)]
        let lines = rows.map { name, value in
            name.padding(toLength: 8, withPad: " ", startingAt: 0)
                + (value.map { String(format: "%5.1f", $0 * 100) } ?? "    -")
        }
        return (["\(rules); \(imageCount) images, \(categories.count) categories"] + lines).joined(separator: "\n")
    }
}
