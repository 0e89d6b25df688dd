import Checkpoints
import Foundation

/// A run's record: one JSON object a line, appended as things happen; beside it the same figures for TensorBoard, and as curves.
final class RunLog {
    private let folder: RunFolder
    private let file: FileHandle
    private var events: EventFile?

    init(_ folder: RunFolder) throws {
        self.folder = folder
        let url = folder.url.appendingPathComponent("log.jsonl")
        let descriptor = open(url.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw TrainingError.unwritable(path: url.path, reason: String(cString: strerror(errno)))
        }
        file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    /// - Parameter event: what the numbers are about: `step`, `evaluation`, `checkpoint`, `start`, `stop`.
    func write(_ event: String, step: Int, _ values: [String: Double] = [:]) throws {
        struct Line: Encodable {
            let event: String, step: Int, values: [String: Double]
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        let line = try encoder.encode(Line(event: event, step: step, values: values)) + Data("\n".utf8)
        try folder.write(line, to: file, "log.jsonl")
        switch event {
        case "start": events = try EventFile(folder, step: step)
        case "step": try events?.write(values, group: "train", step: step)
        case "evaluation": try events?.write(values, group: "validation", step: step)
        default: break
        }
        if event != "step" && event != "start" { drawCurves() }
    }

    /// Draws `curves.svg` anew. A picture that cannot be written is no reason to stop training.
    private func drawCurves() {
        do {
            let picture = try RunCurves.svg([RunHistory(folder.url)])
            try AtomicFile.write(Data(picture.utf8), to: folder.url.appendingPathComponent("curves.svg"))
        } catch {
            ProgressReporter.print("curves.svg was not drawn: \(error)")
        }
    }
}

extension RunFolder {
    /// Appends to a file of the folder.
    /// - Throws: `TrainingError.unwritable`, such as when the disk is full.
    func write(_ data: Data, to file: FileHandle, _ name: String) throws {
        do {
            try file.write(contentsOf: data)
        } catch {
            throw TrainingError.unwritable(
                path: url.appendingPathComponent(name).path,
                reason: "\(error.localizedDescription) The checkpoints are untouched: repeat the command to go on.")
        }
    }
}
