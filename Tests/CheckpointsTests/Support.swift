import Checkpoints
import Foundation
import Testing

/// Files of `Tests/Golden`.
func golden(_ path: String) -> URL {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Golden").appendingPathComponent(path)
}

/// A folder that disappears with this object.
final class TemporaryFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("checkpoints-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func callAsFunction(_ name: String) -> URL { url.appendingPathComponent(name) }

    /// Writes a file and gives its place.
    func file(_ name: String, _ bytes: [UInt8]) throws -> URL {
        // Not `Data.write`, which waits for the disk.
        let handle = fopen(self(name).path, "w")
        #expect(fwrite(bytes, 1, bytes.count, handle) == bytes.count)
        fclose(handle)
        return self(name)
    }

    var fileNames: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: url.path).sorted() }
    }
}

/// The bytes of an integer, lowest first.
func littleEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    withUnsafeBytes(of: number.littleEndian) { Array($0) }
}

/// The bytes of floats.
func bytes(_ floats: [Float]) -> [UInt8] { floats.flatMap { littleEndian($0.bitPattern) } }

/// Runs `body` and gives the checkpoint error it throws; any other outcome is recorded as a failure.
func checkpointError(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) -> CheckpointError? {
    do {
        try body()
        Issue.record("no error was thrown", sourceLocation: sourceLocation)
    } catch let error as CheckpointError {
        return error
    } catch {
        Issue.record("an error of another type: \(error)", sourceLocation: sourceLocation)
    }
    return nil
}

/// A generator whose numbers are the same in every run.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
