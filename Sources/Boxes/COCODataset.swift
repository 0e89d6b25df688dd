import Foundation

/// A COCO "instances" file: images, their annotated boxes, and the categories.
///
/// The records mirror the file, so that reading and writing keeps what is there; LVIS adds a few optional members.
/// Reading accepts records that make no sense (a box of three numbers, an unknown image): ``validate()`` names them.
public struct COCODataset: Sendable, Hashable, Codable {
    public var images: [COCOImage]
    public var annotations: [COCOAnnotation]
    public var categories: [COCOCategory]

    public init(
        images: [COCOImage] = [], annotations: [COCOAnnotation] = [], categories: [COCOCategory] = []
    ) {
        self.images = images
        self.annotations = annotations
        self.categories = categories
    }

    /// Reads a file, also with the bare `NaN` and `Infinity` that Python's `json` writes.
    ///
    /// - Throws: ``BoxesError/unusableFile(path:reason:)``, ``BoxesError/malformedCOCO(path:reason:)``.
    public init(contentsOf url: URL) throws(BoxesError) {
        self = try COCOFile.read(COCODataset.self, from: url)
    }

    /// Writes the file in one step: whoever reads it finds the old or the new contents, never half of them.
    ///
    /// - Throws: ``BoxesError/unusableFile(path:reason:)``; also for a number that JSON cannot hold.
    public func write(to url: URL) throws(BoxesError) {
        try COCOFile.write(self, to: url)
    }
}

/// One image of a COCO or LVIS file.
public struct COCOImage: Sendable, Hashable, Codable, Identifiable {
    public var id: Int
    /// Path relative to the image folder. LVIS files leave it out and give ``cocoURL``.
    public var fileName: String?
    /// Size in pixels.
    public var width: Int, height: Int
    /// LVIS: where the image came from; its last path component is the file name.
    public var cocoURL: String?
    /// RefCOCO in COCO's form (one entry an expression): what the entry's annotation is called.
    public var caption: String?
    /// LVIS: categories verified to be absent from this image.
    public var negativeCategoryIDs: [Int]?
    /// LVIS: categories of which not every instance is annotated here.
    public var notExhaustiveCategoryIDs: [Int]?

    public init(
        id: Int, fileName: String?, width: Int, height: Int, cocoURL: String? = nil, caption: String? = nil,
        negativeCategoryIDs: [Int]? = nil, notExhaustiveCategoryIDs: [Int]? = nil
    ) {
        self.id = id
        self.fileName = fileName
        self.width = width
        self.height = height
        self.cocoURL = cocoURL
        self.caption = caption
        self.negativeCategoryIDs = negativeCategoryIDs
        self.notExhaustiveCategoryIDs = notExhaustiveCategoryIDs
    }

    enum CodingKeys: String, CodingKey {
        case id, width, height, caption
        case fileName = "file_name"
        case cocoURL = "coco_url"
        case negativeCategoryIDs = "neg_category_ids"
        case notExhaustiveCategoryIDs = "not_exhaustive_category_ids"
    }
}

/// One annotated object.
public struct COCOAnnotation: Sendable, Hashable, Codable, Identifiable {
    public var id: Int
    public var imageID: Int
    public var categoryID: Int
    /// Left, top, width, height in pixels as the file has it; ``box`` is the checked form.
    public var bbox: [Double]
    /// Area of the object's mask (not of its box) in square pixels.
    public var area: Double?
    /// 1 for a region that holds many objects, which is neither a hit nor a miss for a detector.
    public var iscrowd: Int?
    /// The object's mask; kept, not interpreted.
    public var segmentation: COCOSegmentation?
    /// How sure the model is, 0…1, where a model and not a person drew the box.
    public var score: Double?

    public init(
        id: Int, imageID: Int, categoryID: Int, bbox: [Double], area: Double? = nil, iscrowd: Int? = nil,
        segmentation: COCOSegmentation? = nil, score: Double? = nil
    ) {
        self.id = id
        self.imageID = imageID
        self.categoryID = categoryID
        self.bbox = bbox
        self.area = area
        self.iscrowd = iscrowd
        self.segmentation = segmentation
        self.score = score
    }

    /// An annotation of a box, with the box's area.
    public init(id: Int, imageID: Int, categoryID: Int, box: Box, isCrowd: Bool = false, score: Double? = nil) {
        self.init(
            id: id, imageID: imageID, categoryID: categoryID, bbox: box.values(.xywh), area: box.area,
            iscrowd: isCrowd ? 1 : 0, score: score)
    }

    /// The box, or nil where `bbox` is not four finite numbers with a size of at least 0.
    public var box: Box? {
        guard let box = try? Box(bbox, format: .xywh), box.isValid else { return nil }
        return box
    }

    /// Whether ``iscrowd`` is set.
    public var isCrowd: Bool { (iscrowd ?? 0) != 0 }

    package enum CodingKeys: String, CodingKey {
        case id, bbox, area, iscrowd, segmentation, score
        case imageID = "image_id"
        case categoryID = "category_id"
    }
}

/// A mask as COCO files store it.
public enum COCOSegmentation: Sendable, Hashable, Codable {
    /// Outlines, each `x, y, x, y, …`.
    case polygons([[Double]])
    /// Lengths of alternating runs of 0 and 1, column by column.
    case runs(counts: [Int], size: [Int])
    /// The same, packed into text.
    case packedRuns(counts: String, size: [Int])

    private enum CodingKeys: CodingKey { case counts, size }

    public init(from decoder: any Decoder) throws {
        guard let runs = try? decoder.container(keyedBy: CodingKeys.self) else {
            self = .polygons(try decoder.singleValueContainer().decode([[Double]].self))
            return
        }
        let size = try runs.decode([Int].self, forKey: .size)
        if let text = try? runs.decode(String.self, forKey: .counts) {
            self = .packedRuns(counts: text, size: size)
        } else {
            self = .runs(counts: try runs.decode([Int].self, forKey: .counts), size: size)
        }
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .polygons(let polygons):
            var container = encoder.singleValueContainer()
            try container.encode(polygons)
        case .runs(let counts, let size):
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(counts, forKey: .counts)
            try container.encode(size, forKey: .size)
        case .packedRuns(let counts, let size):
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(counts, forKey: .counts)
            try container.encode(size, forKey: .size)
        }
    }
}

/// One category.
public struct COCOCategory: Sendable, Hashable, Codable, Identifiable {
    public var id: Int
    public var name: String
    public var supercategory: String?
    /// LVIS: `r`, `c` or `f` for rare, common and frequent.
    public var frequency: String?

    public init(id: Int, name: String, supercategory: String? = nil, frequency: String? = nil) {
        self.id = id
        self.name = name
        self.supercategory = supercategory
        self.frequency = frequency
    }
}

/// One detection, as COCO and LVIS "results" files list them.
public struct COCOResult: Sendable, Hashable, Codable {
    public var imageID: Int
    public var categoryID: Int
    /// Left, top, width, height in pixels.
    public var bbox: [Double]
    public var score: Double

    public init(imageID: Int, categoryID: Int, box: Box, score: Double) {
        self.imageID = imageID
        self.categoryID = categoryID
        self.bbox = box.values(.xywh)
        self.score = score
    }

    /// The box, or nil where `bbox` is not four finite numbers with a size of at least 0.
    public var box: Box? {
        guard let box = try? Box(bbox, format: .xywh), box.isValid else { return nil }
        return box
    }

    /// Reads a results file, a JSON array.
    ///
    /// - Throws: ``BoxesError/unusableFile(path:reason:)``, ``BoxesError/malformedCOCO(path:reason:)``.
    public static func read(from url: URL) throws(BoxesError) -> [COCOResult] {
        try COCOFile.read([COCOResult].self, from: url)
    }

    /// Writes a results file in one step.
    ///
    /// - Throws: ``BoxesError/unusableFile(path:reason:)``; also for a number that JSON cannot hold.
    public static func write(_ results: [COCOResult], to url: URL) throws(BoxesError) {
        try COCOFile.write(results, to: url)
    }

    enum CodingKeys: String, CodingKey {
        case bbox, score
        case imageID = "image_id"
        case categoryID = "category_id"
    }
}

/// JSON in and out, with errors that name the file and the place in it.
private enum COCOFile {
    static func read<Contents: Decodable>(_ type: Contents.Type, from url: URL) throws(BoxesError) -> Contents {
        let data: Data
        do {
            data = try Data(contentsOf: url, options: .mappedIfSafe)
        } catch {
            throw .unusableFile(path: url.path, reason: "cannot be read: \(error.localizedDescription)")
        }
        if data.isEmpty { throw .unusableFile(path: url.path, reason: "is empty") }
        // JSON5 knows NaN and Infinity, but is the slower parser: it is asked only where plain JSON gave up.
        if let contents = try? JSONDecoder().decode(type, from: data) { return contents }
        let lenient = JSONDecoder()
        lenient.allowsJSON5 = true
        do {
            return try lenient.decode(type, from: data)
        } catch {
            throw .malformedCOCO(path: url.path, reason: explain(error))
        }
    }

    static func write(_ contents: some Encodable, to url: URL) throws(BoxesError) {
        do {
            try JSONEncoder.lines.encode(contents).write(to: url, options: .atomic)
        } catch EncodingError.invalidValue(let value, let context) {
            throw .unusableFile(path: url.path, reason: "\(value) at \(place(context.codingPath)) does not fit in JSON")
        } catch {
            throw .unusableFile(path: url.path, reason: "cannot be written: \(error.localizedDescription)")
        }
    }

    private static func explain(_ error: any Error) -> String {
        switch error {
        case DecodingError.keyNotFound(let key, let context):
            "\(place(context.codingPath)) has no \"\(key.stringValue)\""
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            "\(place(context.codingPath)): \(context.debugDescription)"
        case DecodingError.dataCorrupted(let context):
            "\(place(context.codingPath)): \(context.debugDescription)"
        default: error.localizedDescription
        }
    }

    private static func place(_ path: [any CodingKey]) -> String {
        path.isEmpty ? "the file" : path.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: "/")
    }
}
