import Foundation
import Testing

/// The Python packages that `Scripts/engine/install.sh` installs.
enum EngineVenv {
    // Paths stay as they are written: the environment's `python` is a link that leads out of it.
    private static let folder =
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: ".deps/engine-venv").path(percentEncoded: false)

    static let python = folder + "/bin/python"

    static let hint: Comment = "Scripts/engine/install.sh has not installed it"

    static func has(_ package: String) -> Bool {
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/lib")) ?? []
        return versions.contains {
            FileManager.default.fileExists(atPath: "\(folder)/lib/\($0)/site-packages/\(package)")
        }
    }
}
