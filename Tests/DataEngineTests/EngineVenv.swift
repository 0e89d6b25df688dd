import Foundation
import Testing

/// The Python packages that `Scripts/engine/install.sh` installs.
enum EngineVenv {
    static let python = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../.deps/engine-venv/bin/python").standardizedFileURL.path(percentEncoded: false)

    static let hint: Comment = "Scripts/engine/install.sh has not installed it"

    static func has(_ package: String) -> Bool {
        let libraries = URL(filePath: python).deletingLastPathComponent().appending(path: "../lib").standardizedFileURL
            .path(percentEncoded: false)
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: libraries)) ?? []
        return versions.contains {
            FileManager.default.fileExists(atPath: "\(libraries)/\($0)/site-packages/\(package)")
        }
    }
}
