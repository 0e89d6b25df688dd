/// What ``COCODataset/validate()`` found wrong, record by record.
public struct COCOValidationReport: Sendable, Hashable {
    /// A record that should not be used, and why.
    public struct Issue: Sendable, Hashable, CustomStringConvertible {
        public var record: Record
        public var problem: Problem

        public var description: String { "\(record): \(problem)" }
    }

    /// Which record: its kind, its place in the file's array, and its id.
    public enum Record: Sendable, Hashable, CustomStringConvertible {
        case image(index: Int, id: Int)
        case annotation(index: Int, id: Int)
        case category(index: Int, id: Int)

        public var description: String {
            switch self {
            case .image(let index, let id): "images[\(index)] (id \(id))"
            case .annotation(let index, let id): "annotations[\(index)] (id \(id))"
            case .category(let index, let id): "categories[\(index)] (id \(id))"
            }
        }
    }

    /// What is wrong with it.
    public enum Problem: Sendable, Hashable, CustomStringConvertible {
        /// An earlier record has the same id.
        case duplicateID
        /// Another category has the same name, so that a name does not tell which is meant.
        case duplicateName(String)
        /// An earlier annotation has the same image, category and box.
        case duplicateBox
        case unknownImage(Int)
        case unknownCategory(Int)
        /// `bbox` does not have four numbers.
        case wrongBoxLength(Int)
        /// A number of `bbox` or `area` is NaN or infinite.
        case notFinite
        /// A negative width or height: corners the wrong way round.
        case invertedBox(width: Double, height: Double)
        /// A box of zero width or height.
        case emptyBox
        /// The box shares no area with its image.
        case outsideImage
        case negativeArea(Double)
        /// An image whose width or height is not positive.
        case badImageSize(width: Int, height: Int)

        public var description: String {
            switch self {
            case .duplicateID: "an earlier record has the same id"
            case .duplicateName(let name): "an earlier category is also named \"\(name)\""
            case .duplicateBox: "an earlier annotation has the same image, category and box"
            case .unknownImage(let id): "there is no image with id \(id)"
            case .unknownCategory(let id): "there is no category with id \(id)"
            case .wrongBoxLength(let count): "the box has \(count) numbers instead of 4"
            case .notFinite: "the box or the area is not finite"
            case .invertedBox(let width, let height): "the box is inverted: \(width) wide, \(height) high"
            case .emptyBox: "the box is empty"
            case .outsideImage: "the box lies outside of the image"
            case .negativeArea(let area): "the area is negative: \(area)"
            case .badImageSize(let width, let height): "the image is \(width) wide and \(height) high"
            }
        }
    }

    public var issues: [Issue] = []

    public var isEmpty: Bool { issues.isEmpty }
}

extension COCOValidationReport: CustomStringConvertible {
    /// One issue a line.
    public var description: String {
        issues.isEmpty ? "no issues" : issues.map(\.description).joined(separator: "\n")
    }
}

extension COCODataset {
    /// Names every record that should not be used.
    public func validate() -> COCOValidationReport {
        var report = COCOValidationReport()
        let imageOfID = validateImages(&report)
        let categoryIDs = validateCategories(&report)
        validateAnnotations(imageOfID, categoryIDs, &report)
        return report
    }

    /// The dataset without the records that `report`, from ``validate()``, names.
    public func removingRecords(namedIn report: COCOValidationReport) -> COCODataset {
        var (badImages, badAnnotations, badCategories) = (Set<Int>(), Set<Int>(), Set<Int>())
        for issue in report.issues {
            switch issue.record {
            case .image(let index, _): badImages.insert(index)
            case .annotation(let index, _): badAnnotations.insert(index)
            case .category(let index, _): badCategories.insert(index)
            }
        }
        func keep<Record>(_ records: [Record], _ bad: Set<Int>) -> [Record] {
            records.enumerated().lazy.filter { !bad.contains($0.offset) }.map(\.element)
        }
        return COCODataset(
            images: keep(images, badImages), annotations: keep(annotations, badAnnotations),
            categories: keep(categories, badCategories))
    }

    /// - Returns: usable images by id.
    private func validateImages(_ report: inout COCOValidationReport) -> [Int: COCOImage] {
        var imageOfID: [Int: COCOImage] = [:]
        for (index, image) in images.enumerated() {
            let record = COCOValidationReport.Record.image(index: index, id: image.id)
            if imageOfID[image.id] != nil {
                report.issues.append(.init(record: record, problem: .duplicateID))
            } else if image.width <= 0 || image.height <= 0 {
                let problem = COCOValidationReport.Problem.badImageSize(width: image.width, height: image.height)
                report.issues.append(.init(record: record, problem: problem))
            } else {
                imageOfID[image.id] = image
            }
        }
        return imageOfID
    }

    /// - Returns: ids of usable categories.
    private func validateCategories(_ report: inout COCOValidationReport) -> Set<Int> {
        var (ids, names) = (Set<Int>(), Set<String>())
        for (index, category) in categories.enumerated() {
            let record = COCOValidationReport.Record.category(index: index, id: category.id)
            if ids.contains(category.id) {
                report.issues.append(.init(record: record, problem: .duplicateID))
            } else if !names.insert(category.name).inserted {
                report.issues.append(.init(record: record, problem: .duplicateName(category.name)))
            } else {
                ids.insert(category.id)
            }
        }
        return ids
    }

    private func validateAnnotations(
        _ imageOfID: [Int: COCOImage], _ categoryIDs: Set<Int>, _ report: inout COCOValidationReport
    ) {
        struct Place: Hashable {
            var image: Int, category: Int, bbox: [Double]
        }
        var (ids, places) = (Set<Int>(), Set<Place>())
        for (index, annotation) in annotations.enumerated() {
            var problems = boxProblems(annotation, in: imageOfID[annotation.imageID])
            if !ids.insert(annotation.id).inserted { problems.append(.duplicateID) }
            if imageOfID[annotation.imageID] == nil { problems.append(.unknownImage(annotation.imageID)) }
            if !categoryIDs.contains(annotation.categoryID) {
                problems.append(.unknownCategory(annotation.categoryID))
            }
            let place = Place(image: annotation.imageID, category: annotation.categoryID, bbox: annotation.bbox)
            if !places.insert(place).inserted { problems.append(.duplicateBox) }
            let record = COCOValidationReport.Record.annotation(index: index, id: annotation.id)
            report.issues += problems.map { .init(record: record, problem: $0) }
        }
    }

    private func boxProblems(
        _ annotation: COCOAnnotation, in image: COCOImage?
    ) -> [COCOValidationReport.Problem] {
        if let area = annotation.area {
            if !area.isFinite { return [.notFinite] }
            if area < 0 { return [.negativeArea(area)] }
        }
        guard let box = try? Box(annotation.bbox, format: .xywh) else {
            return [.wrongBoxLength(annotation.bbox.count)]
        }
        let (width, height) = (annotation.bbox[2], annotation.bbox[3])
        if !box.isFinite { return [.notFinite] }
        if width < 0 || height < 0 { return [.invertedBox(width: width, height: height)] }
        if width == 0 || height == 0 { return [.emptyBox] }
        guard let image else { return [] }
        let frame = Box(x1: 0, y1: 0, x2: Double(image.width), y2: Double(image.height))
        return box.intersection(with: frame) == nil ? [.outsideImage] : []
    }
}
