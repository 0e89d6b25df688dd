import Boxes
import ChatRex
import Foundation
import Imaging

/// Turns detections into the format that was asked for: text for each picture, or a document at the end.
final class DetectionExport {
    private let format: DetectCommand.Format
    private let phrases: [String]
    private let imageRoot: String, model: String
    private let plan: PicturePlan?
    private var dataset: COCODataset
    private var tasks: [LabelStudioTask] = []

    init(format: DetectCommand.Format, phrases: [String], imageRoot: String, model: String, plan: PicturePlan?) {
        (self.format, self.phrases, self.imageRoot, self.model, self.plan) = (format, phrases, imageRoot, model, plan)
        dataset = COCODataset(categories: phrases.enumerated().map { COCOCategory(id: $0 + 1, name: $1) })
    }

    /// The text for a picture; empty where its detections go to files or to the document.
    func add(_ answer: GroundedAnswer, _ picture: Picture, drawn: String?) throws -> String {
        switch format {
        case .text:
            return AnswerText.block(picture, AnswerText.detections(answer), drawnTo: drawn)
        case .json:
            var record = PictureRecord(picture, drawn: drawn)
            record.answer = answer
            return try JSONText.line(record)
        case .coco:
            addToDataset(answer, picture)
        case .labelStudio:
            let (width, height) = (picture.image.width, picture.image.height)
            tasks.append(
                answer.labelStudioTask(
                    image: imageRoot + picture.path, width: width, height: height, modelVersion: model))
        case .yolo:
            return try writeLabels(answer, picture)
        }
        return ""
    }

    /// The document, or the last file.
    func finish() throws -> String {
        switch format {
        case .text, .json: return ""
        case .coco: return try JSONText.line(dataset)
        case .labelStudio: return try JSONText.line(tasks)
        case .yolo:
            guard let plan else { return "" }
            let file = (plan.folder as NSString).appendingPathComponent("classes.txt")
            try OutputFile.write(phrases.map { $0 + "\n" }.joined(), to: file)
            return "classes: \(Terminal.printable(file))"
        }
    }

    private func addToDataset(_ answer: GroundedAnswer, _ picture: Picture) {
        let id = picture.index + 1
        dataset.images.append(
            COCOImage(id: id, fileName: picture.path, width: picture.image.width, height: picture.image.height))
        for result in answer.cocoResults(imageID: id, categories: dataset.categories) {
            guard let box = result.box else { continue }
            dataset.annotations.append(
                COCOAnnotation(
                    id: dataset.annotations.count + 1, imageID: id, categoryID: result.categoryID, box: box,
                    score: result.score))
        }
    }

    private func writeLabels(_ answer: GroundedAnswer, _ picture: Picture) throws -> String {
        guard let plan else { return "" }
        let folder = (plan.folder as NSString).appendingPathComponent("labels")
        try Folders.make(folder)
        let file = (folder as NSString).appendingPathComponent(plan.stem(for: picture.path) + ".txt")
        let labels = answer.yoloLabels(names: phrases, width: picture.image.width, height: picture.image.height)
        try OutputFile.write(labels, to: file)
        return
            "\(Terminal.printable(picture.path))  \(answer.detections.count) objects  labels: \(Terminal.printable(file))"
    }
}
