import Foundation

/// The pictures that the page offers to try.
enum ExampleImages {
    /// JPEG files by name, read once. Looked for in `share/chatrex/examples` beside the program's folder and in the package.
    static let found: [String: [UInt8]] = {
        for folder in places {
            let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).filter {
                $0.hasSuffix(".jpg")
            }
            if names.isEmpty { continue }
            var pictures: [String: [UInt8]] = [:]
            for name in names {
                if let data = try? Data(contentsOf: folder.appendingPathComponent(name)) {
                    pictures[name] = Array(data)
                }
            }
            return pictures
        }
        return [:]
    }()

    private static var places: [URL] {
        var package = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { package.deleteLastPathComponent() }
        let prefix = Bundle.main.executableURL?.resolvingSymlinksInPath().deletingLastPathComponent()
            .deletingLastPathComponent()
        return [
            prefix?.appendingPathComponent("share/chatrex/examples"), package.appendingPathComponent("Examples/images"),
        ]
        .compactMap { $0 }
    }
}
