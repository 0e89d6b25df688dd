import Foundation

/// A file that appears under its name all at once.
///
/// Bytes go to a temporary file in the same folder; `commit()` makes them durable and renames the file into place. A
/// reader sees the old content or the new one, never a part. Without `commit()` nothing remains.
public final class AtomicFile {
    /// Where the file will appear.
    public let url: URL
    /// Bytes written so far.
    public private(set) var count = 0

    private let temporaryPath: String
    private var descriptor: Int32
    private var buffer: [UInt8] = []
    private static let bufferSize = 1 << 20

    /// Starts a file that is to replace `url`. The folder must exist.
    ///
    /// - Throws: `CheckpointError` with kind `writeFailed`.
    public init(replacing url: URL) throws {
        self.url = url
        let tag = String(UInt64.random(in: .min ... .max), radix: 36)
        temporaryPath =
            url.deletingLastPathComponent().appendingPathComponent(".\(url.lastPathComponent).\(tag).tmp").path
        descriptor = open(temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            throw CheckpointError.system(.writeFailed, path: url.path, "cannot create the file", errno: errno)
        }
    }

    deinit { discard() }

    /// Appends bytes.
    ///
    /// - Throws: `CheckpointError` with kind `writeFailed`, such as when the disk is full.
    public func write(_ bytes: UnsafeRawBufferPointer) throws {
        if buffer.count + bytes.count > Self.bufferSize { try flush() }
        if bytes.count >= Self.bufferSize {
            try writeThrough(bytes)
        } else {
            buffer.append(contentsOf: bytes)
        }
        count += bytes.count
    }

    /// Appends bytes.
    public func write(_ data: some ContiguousBytes) throws {
        try data.withUnsafeBytes { try write($0) }
    }

    /// Appends text as UTF-8.
    public func write(_ text: String) throws {
        try write(Array(text.utf8))
    }

    /// Makes the bytes durable and the file visible. Call it once, after the last `write`.
    ///
    /// - Throws: `CheckpointError` with kind `writeFailed`; the old file is then untouched.
    public func commit() throws {
        try flush()
        guard fsync(descriptor) == 0, rename(temporaryPath, url.path) == 0 else {
            let code = errno
            discard()
            throw CheckpointError.system(.writeFailed, path: url.path, "cannot put the file in place", errno: code)
        }
        close(descriptor)
        descriptor = -1
        syncFolder()
    }

    /// Writes a whole file: `body` appends to it, and it is put in place when `body` returns without an error.
    public static func write<Result>(to url: URL, _ body: (AtomicFile) throws -> Result) throws -> Result {
        let file = try AtomicFile(replacing: url)
        let result = try body(file)
        try file.commit()
        return result
    }

    /// Writes a whole file from memory.
    public static func write(_ data: some ContiguousBytes, to url: URL) throws {
        try write(to: url) { try $0.write(data) }
    }

    /// Drops the temporary file. Does nothing after `commit()`.
    private func discard() {
        guard descriptor >= 0 else { return }
        close(descriptor)
        unlink(temporaryPath)
        descriptor = -1
    }

    private func flush() throws {
        guard !buffer.isEmpty else { return }
        try buffer.withUnsafeBytes { try writeThrough($0) }
        buffer.removeAll(keepingCapacity: true)
    }

    private func writeThrough(_ bytes: UnsafeRawBufferPointer) throws {
        guard descriptor >= 0 else {
            throw CheckpointError(.writeFailed, path: url.path, "the file was already put in place or given up.")
        }
        var rest = bytes[...]
        while !rest.isEmpty {
            #if canImport(Darwin)
                let written = Darwin.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            #else
                let written = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            #endif
            if written < 0, errno == EINTR { continue }
            guard written > 0 else {
                throw CheckpointError.system(.writeFailed, path: url.path, "cannot write", errno: errno)
            }
            rest = rest.dropFirst(written)
        }
    }

    /// The new name itself survives a power cut only when the folder is synchronised. Some file systems refuse this,
    /// and the file is whole either way, so a failure is no error.
    private func syncFolder() {
        let folder = open(url.deletingLastPathComponent().path, O_RDONLY | O_CLOEXEC)
        guard folder >= 0 else { return }
        _ = fsync(folder)
        close(folder)
    }
}
