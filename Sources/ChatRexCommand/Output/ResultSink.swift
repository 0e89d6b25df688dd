import Checkpoints
import Foundation

/// Where results go: standard output as they come, or one file when all are there.
final class ResultSink {
    private let file: String?
    private var kept = ""

    /// - Parameter file: nil for standard output.
    init(file: String?) throws {
        self.file = file
        // Better to know now than after an hour of work.
        if let file { try Folders.makeParent(of: file) }
    }

    /// Adds lines.
    func write(_ text: String) throws {
        if text.isEmpty { return }
        if file == nil { try Terminal.write(text) } else { kept += text + "\n" }
    }

    func finish() throws {
        if let file { try OutputFile.write(kept, to: file) }
    }
}

/// Files that results are written to, each whole or not at all.
enum OutputFile {
    static func write(_ text: String, to path: String) throws {
        try Interrupt.uninterrupted { try AtomicFile.write(Data(text.utf8), to: URL(fileURLWithPath: path)) }
    }
}

/// Folders that results are written to.
enum Folders {
    /// Makes a folder where it is missing.
    /// - Throws: `CommandLineError.inaccessible` when it cannot be made or written to.
    static func make(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw CommandLineError.inaccessible(path: path, reason: "the folder cannot be made: \(reason(error))")
        }
        guard access(path, W_OK | X_OK) == 0 else {
            throw CommandLineError.inaccessible(
                path: path, reason: "cannot write there: \(String(cString: strerror(errno)))")
        }
    }

    static func makeParent(of path: String) throws {
        try make(URL(fileURLWithPath: path).deletingLastPathComponent().path)
    }

    static func reason(_ error: any Error) -> String { (error as? CocoaError)?.localizedDescription ?? "\(error)" }
}
