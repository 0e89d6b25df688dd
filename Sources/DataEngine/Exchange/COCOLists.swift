import Annotations
import Boxes
import Foundation

/// A file in COCO's form whose lists stay in the file: in memory are 16 bytes an annotation, some more an image, and the categories.
struct COCOLists {
    let path: String
    private(set) var categories: [Int: COCOCategory] = [:]
    private let file: RandomAccessFile
    private let images: [FileExtent]
    private let annotations: RecordIndex

    private struct Identified: Decodable {
        let id: Int
    }

    /// What an annotation belongs to.
    struct Owned: Decodable {
        let image_id: Int

        var owner: UInt64 { UInt64(bitPattern: Int64(image_id)) }
    }

    /// An annotation without its mask.
    private struct Object: Decodable {
        let id: Int, image_id: Int, category_id: Int
        let bbox: [Double]
        let area: Double?, score: Double?
        let iscrowd: Int?
    }

    /// Goes through the file once. Bad records are left to the importer.
    /// - Throws: `ExchangeError`.
    init(_ url: URL, _ importer: RecordImporter) throws {
        let file = try ExchangeError.reading { try RandomAccessFile(path: url.path) }
        let path = url.path
        var categories: [Int: COCOCategory] = [:], names: Set<String> = []
        var images: [FileExtent] = [], ids: Set<UInt64> = [], annotations = RecordIndex(file)
        try JSONElements.forEach(in: url, members: ["images", "annotations", "categories"]) { element in
            guard let list = element.list else {
                throw ExchangeError.unusableFile(
                    path: path, reason: "is a list, not an object with 'images', 'annotations' and 'categories'")
            }
            try importer.part("\(path), \(list)[\(element.number)]") {
                switch list {
                case "images":
                    let id = try JSONDecoder.lenient(Identified.self, from: element.bytes).id
                    guard ids.insert(UInt64(bitPattern: Int64(id))).inserted else {
                        throw RecordProblem(.repetition, "an earlier image has the same id \(id)")
                    }
                    images.append(element.extent)
                case "annotations":
                    let owner = try JSONDecoder.lenient(Owned.self, from: element.bytes).owner
                    try annotations.add(element.extent, of: owner)
                default:
                    let category = try JSONDecoder.lenient(COCOCategory.self, from: element.bytes)
                    guard categories[category.id] == nil, names.insert(category.name).inserted else {
                        throw RecordProblem(
                            .repetition, "an earlier category has the id \(category.id) or the name '\(category.name)'")
                    }
                    categories[category.id] = category
                }
            }
        }
        annotations.sort()
        try annotations.forEachOwner { owner, count in
            if ids.contains(owner) { return }
            try importer.note(
                path,
                RecordProblem(
                    .reference, "\(count) annotations name image \(Int64(bitPattern: owner)), which does not exist"))
        }
        (self.path, self.file, self.categories, self.images) = (path, file, categories, images)
        self.annotations = annotations
    }

    var imageCount: Int { images.count }

    /// - Throws: `DecodingError`, `AnnotationsError`.
    func image(at index: Int) throws -> COCOImage {
        let extent = images[index]
        return try JSONDecoder.lenient(
            COCOImage.self, from: try file.bytes(at: extent.offset, count: extent.count))
    }

    /// The sound annotations of an image; bad ones are left to the importer.
    /// - Throws: `RecordProblem` for an image that can have none.
    func objects(of image: COCOImage, _ importer: RecordImporter) throws -> [COCOAnnotation] {
        var found: [COCOAnnotation] = []
        for (extent, bytes) in try annotations.records(of: UInt64(bitPattern: Int64(image.id))) {
            try importer.part("\(path), annotation at byte \(extent.offset)") {
                let object = try JSONDecoder.lenient(Object.self, from: bytes)
                found.append(
                    COCOAnnotation(
                        id: object.id, imageID: object.image_id, categoryID: object.category_id, bbox: object.bbox,
                        area: object.area, iscrowd: object.iscrowd, score: object.score))
            }
        }
        let used = Set(found.map(\.categoryID)).compactMap { categories[$0] }
        let dataset = COCODataset(images: [image], annotations: found, categories: used)
        let judgement = dataset.validate()
        for issue in judgement.issues {
            let problem = RecordProblem(issue.problem.kind, "\(issue.problem)")
            guard case .annotation(_, let id) = issue.record else { throw problem }
            try importer.note("\(path), annotation \(id)", problem)
        }
        return dataset.removingRecords(namedIn: judgement).annotations
    }
}

extension COCOValidationReport.Problem {
    fileprivate var kind: RecordProblem.Kind {
        switch self {
        case .duplicateID, .duplicateName, .duplicateBox: .repetition
        case .unknownImage, .unknownCategory: .reference
        case .wrongBoxLength, .notFinite, .invertedBox: .boxForm
        case .emptyBox, .negativeArea: .boxArea
        case .outsideImage: .boxRange
        case .badImageSize: .pictureSize
        }
    }
}
