import Foundation

/// What is wrong with a checkpoint, in which file, and what to do about it.
public struct CheckpointError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The sort of failure, for code that reacts to it.
    public enum Kind: Sendable, Equatable {
        /// The file or folder does not exist.
        case missingFile
        /// The file exists but the system refuses to open or map it.
        case unreadable
        /// A folder, device or pipe stands where a regular file is needed.
        case notAFile
        /// The file has no bytes.
        case emptyFile
        /// The bytes break the rules of the format.
        case malformed
        /// The file is well formed but uses something this package does not read.
        case unsupported
        /// A size in the file passes a limit that protects memory.
        case limitExceeded
        /// A pickle makes a value on the path to the tensors with this global, which is not one of those known to be
        /// harmless.
        case unknownGlobal(String)
        /// These shards, named by an index, are not in the folder.
        case missingShards([String])
        /// These tensors are not where the index says they are.
        case indexMismatch([String])
        /// The archive has no tensor of the name that was asked for.
        case missingTensor
        /// The tensors handed to a writer cannot be stored.
        case invalidTensor
        /// The system refused to write.
        case writeFailed
    }

    /// The sort of failure.
    public let kind: Kind
    /// Path of the file or folder.
    public let path: String
    /// What was found and what to do.
    public let message: String

    /// Makes an error about `path`.
    public init(_ kind: Kind, path: String, _ message: String) {
        self.kind = kind
        self.path = path
        self.message = message
    }

    /// The path and the message in one line.
    public var description: String { "\(path): \(message)" }
}

extension CheckpointError {
    /// An error whose message ends in the text of the system's `errno` value.
    static func system(_ kind: Kind, path: String, _ action: String, errno code: Int32) -> CheckpointError {
        CheckpointError(kind, path: path, "\(action): \(String(cString: strerror(code))).")
    }
}

extension Sequence<String> {
    /// The first few elements, quoted, and how many more there are.
    func abbreviated(limit: Int = 8) -> String {
        let all = Array(self)
        let shown = all.prefix(limit).map { "'\($0)'" }.joined(separator: ", ")
        return all.count > limit ? "\(shown) and \(all.count - limit) more" : shown
    }
}
