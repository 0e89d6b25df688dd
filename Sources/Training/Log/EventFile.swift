import Foundation

/// A run's figures for TensorBoard: `events.out.tfevents.…` in the run's folder, one file a session.
final class EventFile {
    private let folder: RunFolder, name: String
    private let file: FileHandle

    /// - Parameter step: where the session begins.
    init(_ folder: RunFolder, step: Int) throws {
        let host = ProcessInfo.processInfo.hostName.filter { $0.isLetter || $0.isNumber || $0 == "-" }
        self.folder = folder
        name = "events.out.tfevents.\(Int(Date().timeIntervalSince1970)).\(host).\(getpid())"
        let url = folder.url.appendingPathComponent(name)
        let descriptor = open(url.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw TrainingError.unwritable(path: url.path, reason: String(cString: strerror(errno)))
        }
        file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        // A start drops what former sessions told of its step and of later ones.
        try append([.version, .sessionStart], step: step + 1)
    }

    /// - Parameter group: what tags begin with: `train` or `validation`.
    func write(_ values: [String: Double], group: String, step: Int) throws {
        let scalars = values.sorted { $0.key < $1.key }.map {
            EventRecord.Scalar(tag: "\(group)/\($0.key)", value: Float($0.value))
        }
        try append([.scalars(scalars)], step: step)
    }

    private func append(_ contents: [EventRecord.Content], step: Int) throws {
        let time = Date().timeIntervalSince1970
        let records = contents.reduce(into: Data()) { $0 += EventRecord(time: time, step: step, $1).framed }
        try folder.write(records, to: file, name)
    }
}
