import Foundation
import Testing

/// The built `chatrex`, run as a process.
enum Tool {
    /// How a run ended and what it printed.
    struct Outcome: CustomStringConvertible {
        let status: Int32
        let output: String, errors: String

        var description: String { "exit \(status)\n--- output\n\(output)\n--- errors\n\(errors)" }

        /// The lines of standard output as JSON objects.
        func records() throws -> [[String: Any]] {
            try output.split(separator: "\n").map {
                try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
            }
        }
    }

    /// Beside the test bundle.
    static let url: URL = {
        #if os(macOS)
            let folder = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundleURL
                .deletingLastPathComponent()
        #else
            let folder: URL? = Bundle.main.bundleURL
        #endif
        return (folder ?? URL(fileURLWithPath: ".")).appendingPathComponent("chatrex")
    }()

    /// Runs a command to its end.
    ///
    /// - Parameters:
    ///   - folder: where it runs.
    ///   - environment: beside what is needed to start at all.
    @discardableResult
    static func run(
        _ arguments: [String], in folder: URL = FileManager.default.temporaryDirectory,
        environment: [String: String] = [:]
    ) throws -> Outcome {
        try Run(arguments, in: folder, environment: environment).wait()
    }

    /// A process that is under way.
    final class Run {
        let process = Process()
        private let output: URL, errors: URL

        init(_ arguments: [String], in folder: URL, environment: [String: String] = [:]) throws {
            let name = UUID().uuidString
            output = FileManager.default.temporaryDirectory.appendingPathComponent(name + ".out")
            errors = FileManager.default.temporaryDirectory.appendingPathComponent(name + ".err")
            for file in [output, errors] { try Data().write(to: file) }
            process.executableURL = Tool.url
            process.arguments = arguments
            process.currentDirectoryURL = folder
            let inherited = ProcessInfo.processInfo.environment.filter {
                ["PATH", "HOME", "LD_LIBRARY_PATH"].contains($0.key)
            }
            process.environment = inherited.merging(environment) { $1 }
            // Files, since a full pipe would stop the process.
            process.standardOutput = try FileHandle(forWritingTo: output)
            process.standardError = try FileHandle(forWritingTo: errors)
            process.standardInput = FileHandle.nullDevice
            try process.run()
        }

        var errorText: String { (try? String(contentsOf: errors, encoding: .utf8)) ?? "" }

        func wait() throws -> Outcome {
            process.waitUntilExit()
            defer { for file in [output, errors] { try? FileManager.default.removeItem(at: file) } }
            let status = process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
            return Outcome(
                status: status, output: String(decoding: try Data(contentsOf: output), as: UTF8.self),
                errors: String(decoding: try Data(contentsOf: errors), as: UTF8.self))
        }
    }
}

/// Tests that run the built program. One after the other: on Linux a process that is started while another runs keeps open
/// what tells Foundation that the other has ended.
@Suite(.serialized) struct ProcessTests {}

/// Runs `body` with a new empty folder, removed afterwards.
func withTemporaryFolder(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("chatrex-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder)
}

/// The names in a folder, sorted.
func names(in folder: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
}
