import Boxes

extension GroundedAnswer {
    /// The detections as lines of a YOLO label file: `class x-centre y-centre width height`, each 0…1 of the image's
    /// sides.
    ///
    /// Boxes are clipped to the image; what lies outside it entirely, and phrases that match no name, are left out.
    ///
    /// - Parameters:
    ///   - names: the class names; a class is its position. Case and white space do not count.
    ///   - width: width of the image in pixels.
    ///   - height: height of the image in pixels.
    ///   - includesScores: adds the score as a sixth number, as prediction files have it.
    /// - Returns: one line a detection, each ended by a line feed; empty for an image without size.
    public func yoloLabels(names: [String], width: Int, height: Int, includesScores: Bool = false) -> String {
        guard width > 0, height > 0 else { return "" }
        let (width, height) = (Double(width), Double(height))
        let classes = Dictionary(
            names.enumerated().map { (PhraseKey($1), $0) }, uniquingKeysWith: { first, _ in first })
        var lines = ""
        for (phrase, object) in detections {
            guard let classID = classes[PhraseKey(phrase)], object.box.isValid else { continue }
            let box = object.box.clipped(toWidth: width, height: height)
            guard box.area > 0 else { continue }
            var numbers = [box.center.x / width, box.center.y / height, box.width / width, box.height / height]
            if includesScores { numbers.append(object.score) }
            lines += "\(classID) " + numbers.map(Self.sixDigits).joined(separator: " ") + "\n"
        }
        return lines
    }

    /// A number of 0…1 with six digits after the point.
    private static func sixDigits(_ value: Double) -> String {
        let millionths = Int((min(max(value, 0), 1) * 1e6).rounded())
        let digits = String(millionths % 1_000_000)
        return "\(millionths / 1_000_000)." + String(repeating: "0", count: 6 - digits.count) + digits
    }
}
