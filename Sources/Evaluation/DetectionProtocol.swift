import Boxes

/// The rules by which detections are scored. They are part of the figure: print ``description`` beside it.
public enum DetectionProtocol: Sendable, Hashable {
    /// COCO: at most `maxDetections` boxes an image and category; recall is reported for each of these numbers, AP for
    /// the largest.
    case coco(maxDetections: [Int])
    /// LVIS: at most 300 boxes an image, federated annotation, AP also by how frequent a category is.
    case lvis(frequencies: [Int: CategoryFrequency])

    /// COCO with 1, 10 and 100 boxes.
    public static let coco = DetectionProtocol.coco(maxDetections: [1, 10, 100])

    /// LVIS with the frequencies that a dataset states.
    public static func lvis(_ categories: [COCOCategory]) -> DetectionProtocol {
        let known = categories.compactMap { category in
            category.frequency.flatMap(CategoryFrequency.init).map { (category.id, $0) }
        }
        return .lvis(frequencies: Dictionary(known, uniquingKeysWith: { first, _ in first }))
    }

    /// The numbers of boxes at which recall is reported, ascending; at least one, and positive.
    var recallLimits: [Int] {
        switch self {
        case .coco(let limits):
            let usable = Set(limits.filter { $0 > 0 }).sorted()
            return usable.isEmpty ? [100] : usable
        case .lvis: return [300]
        }
    }

    var frequencies: [Int: CategoryFrequency] {
        if case .lvis(let frequencies) = self { frequencies } else { [:] }
    }
}

extension DetectionProtocol: CustomStringConvertible {
    public var description: String {
        switch self {
        case .coco:
            "COCO boxes, IoU 0.50:0.95, at most \(recallLimits.last ?? 100) detections per image and category"
        case .lvis: "LVIS boxes, IoU 0.50:0.95, federated, at most 300 detections per image"
        }
    }
}

/// How many training images show a category of LVIS.
public enum CategoryFrequency: String, Sendable, Hashable, Codable, CaseIterable {
    /// Under 10.
    case rare = "r"
    /// 10 to 99.
    case common = "c"
    /// 100 or more.
    case frequent = "f"
}

/// Ranges of object area, in square pixels, by which figures are split.
enum AreaRange: Int, CaseIterable {
    case all, small, medium, large

    /// Both ends count as inside, so an object of exactly 32² is small and medium.
    func contains(_ area: Double) -> Bool {
        switch self {
        case .all: area >= 0 && area <= 1e10
        case .small: area >= 0 && area <= 1024
        case .medium: area >= 1024 && area <= 9216
        case .large: area >= 9216 && area <= 1e10
        }
    }
}

/// IoU thresholds and recall levels, to the last bit as NumPy's `linspace` makes them: some IoUs meet them exactly.
enum Levels {
    static let iou: [Double] = (0..<9).map { 0.5 + Double($0) * iouStep } + [0.95]
    static let recall: [Double] = (0..<100).map { Double($0) * 0.01 } + [1]

    private static let iouStep: Double = (0.95 - 0.5) / 9
}
