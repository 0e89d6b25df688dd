import Annotations
import Boxes
import Checkpoints
import Foundation

extension COCODataset {
    /// Reads a file element by element and leaves masks out: those of large sets have gigabytes, and nothing is measured by them.
    ///
    /// - Throws: `BoxesError.unusableFile`, `BoxesError.malformedCOCO` naming the record.
    init(withoutMasks url: URL) throws(BoxesError) {
        self.init()
        do {
            let file = try RandomAccessFile(path: url.path)
            if file.count == 0 { throw BoxesError.unusableFile(path: url.path, reason: "is empty") }
            var elements = JSONElements(file, members: ["images", "annotations", "categories"])
            while let element = try elements.next() { try add(element) }
        } catch AnnotationsError.unusableFile(let path, let reason) {
            throw .unusableFile(path: path, reason: reason)
        } catch let error as JSONElements.Malformed {
            throw .malformedCOCO(path: url.path, reason: error.reason)
        } catch let error as BoxesError {
            throw error
        } catch {
            throw .malformedCOCO(path: url.path, reason: "\(error)")
        }
        // A list in place of the object has none of the three.
        if images.isEmpty && annotations.isEmpty && categories.isEmpty {
            throw .malformedCOCO(path: url.path, reason: "it has no images, annotations or categories")
        }
    }

    private mutating func add(_ element: JSONElements.Element) throws {
        do {
            switch element.list {
            case "images": images.append(try JSONDecoder.lenient(COCOImage.self, from: element.bytes))
            case "categories": categories.append(try JSONDecoder.lenient(COCOCategory.self, from: element.bytes))
            case "annotations":
                annotations.append(try JSONDecoder.lenient(Unmasked.self, from: element.bytes).annotation)
            default: throw JSONElements.Malformed(reason: "it is a list, not an object of lists")
            }
        } catch let error as DecodingError {
            throw JSONElements.Malformed(reason: "\(element.list ?? "")/\(element.number): \(error.readable)")
        }
    }
}

/// An annotation without its mask.
private struct Unmasked: Decodable {
    var annotation: COCOAnnotation

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: COCOAnnotation.CodingKeys.self)
        annotation = COCOAnnotation(
            id: try container.decode(Int.self, forKey: .id), imageID: try container.decode(Int.self, forKey: .imageID),
            categoryID: try container.decode(Int.self, forKey: .categoryID),
            bbox: try container.decode([Double].self, forKey: .bbox),
            area: try container.decodeIfPresent(Double.self, forKey: .area),
            iscrowd: try container.decodeIfPresent(Int.self, forKey: .iscrowd),
            score: try container.decodeIfPresent(Double.self, forKey: .score))
    }
}
