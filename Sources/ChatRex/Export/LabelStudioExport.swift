import Boxes

/// A task for Label Studio with predictions to correct, as its import takes it (an array of these in a JSON file).
///
/// The labelling configuration needs `<Image name="image" value="$image"/>` and `<RectangleLabels name="label"
/// toName="image">` with the phrases as labels. Format: Label Studio's "Import pre-annotated data".
public struct LabelStudioTask: Sendable, Hashable, Codable {
    /// What the task shows.
    public struct Content: Sendable, Hashable, Codable {
        /// Address of the image, as the Label Studio server reaches it.
        public var image: String
    }

    /// The boxes of one model.
    public struct Prediction: Sendable, Hashable, Codable {
        public var modelVersion: String
        /// Mean of the boxes' scores, 0 without boxes.
        public var score: Double
        public var result: [Region]

        enum CodingKeys: String, CodingKey {
            case modelVersion = "model_version"
            case score, result
        }
    }

    /// A labelled box.
    public struct Region: Sendable, Hashable, Codable {
        public var id: String
        public var type = "rectanglelabels"
        public var fromName = "label"
        public var toName = "image"
        public var originalWidth: Int
        public var originalHeight: Int
        public var imageRotation = 0
        public var score: Double
        public var value: Value

        enum CodingKeys: String, CodingKey {
            case id, type, score, value
            case fromName = "from_name"
            case toName = "to_name"
            case originalWidth = "original_width"
            case originalHeight = "original_height"
            case imageRotation = "image_rotation"
        }
    }

    /// A box in per cent of the image's sides, clipped to the image.
    public struct Value: Sendable, Hashable, Codable {
        public var x: Double
        public var y: Double
        public var width: Double
        public var height: Double
        public var rotation = 0.0
        public var rectanglelabels: [String]
    }

    public var data: Content
    public var predictions: [Prediction]
}

extension LabelStudioTask.Value {
    /// A box in pixels of a picture of this size; nil where it shows nothing of the picture.
    public init?(_ box: Box, labels: [String], width: Int, height: Int) {
        guard width > 0, height > 0, box.isValid else { return nil }
        let (xScale, yScale) = (100 / Double(width), 100 / Double(height))
        let box = box.clipped(toWidth: Double(width), height: Double(height))
        guard box.area > 0 else { return nil }
        self.init(
            x: box.x1 * xScale, y: box.y1 * yScale, width: box.width * xScale, height: box.height * yScale,
            rectanglelabels: labels)
    }
}

extension GroundedAnswer {
    /// The detections as a Label Studio task; boxes outside the image are left out, so are all for an image without
    /// size.
    ///
    /// - Parameters:
    ///   - image: the address of the image, as the Label Studio server reaches it.
    ///   - width: width of the image in pixels.
    ///   - height: height of the image in pixels.
    ///   - modelVersion: names the model in Label Studio.
    public func labelStudioTask(image: String, width: Int, height: Int, modelVersion: String) -> LabelStudioTask {
        var regions: [LabelStudioTask.Region] = []
        for (phrase, object) in detections {
            guard let value = LabelStudioTask.Value(object.box, labels: [phrase], width: width, height: height) else {
                continue
            }
            regions.append(
                LabelStudioTask.Region(
                    id: "region-\(regions.count)", originalWidth: width, originalHeight: height, score: object.score,
                    value: value))
        }
        let mean = regions.isEmpty ? 0 : regions.map(\.score).reduce(0, +) / Double(regions.count)
        let prediction = LabelStudioTask.Prediction(modelVersion: modelVersion, score: mean, result: regions)
        return LabelStudioTask(data: .init(image: image), predictions: [prediction])
    }
}
