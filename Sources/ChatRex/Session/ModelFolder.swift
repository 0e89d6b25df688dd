import Foundation

/// Where a model's files lie: `config.json`, weights and `tokenizer.json`, and below `upn/` the proposal network.
public struct ModelFolder: Sendable, Equatable {
    public let url: URL

    public init(_ url: URL) {
        self.url = url
    }

    /// The proposal network that belongs to the model.
    public var proposalNetwork: URL { url.appendingPathComponent("upn") }
    public var tokenizer: URL { url.appendingPathComponent("tokenizer.json") }

    /// The name of the model that comes with the package.
    public static let builtInName = "nano"

    /// Finds a model by path, or a built-in one by name.
    ///
    /// Built-in models are looked for in the folder that `CHATREX_MODELS` names, in `share/chatrex` beside the program's folder and in
    /// the package's own `Models/`.
    /// - Throws: `ChatRexError.model` naming where it was looked for.
    public static func find(_ name: String = builtInName) throws -> ModelFolder {
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: name, isDirectory: &isFolder)
        if exists {
            guard isFolder.boolValue else {
                throw ChatRexError.model("\(name) is a file; give the folder that holds config.json")
            }
            return ModelFolder(URL(fileURLWithPath: name, isDirectory: true))
        }
        if name.contains("/") || name == "." || name == ".." { throw ChatRexError.model("there is no folder \(name)") }
        let places = builtInPlaces
        for place in places {
            let folder = place.appendingPathComponent(name, isDirectory: true)
            if FileManager.default.fileExists(atPath: folder.appendingPathComponent("config.json").path) {
                return ModelFolder(folder)
            }
        }
        let searched = places.map(\.path).joined(separator: ", ")
        throw ChatRexError.model("there is no folder and no built-in model '\(name)' (looked in \(searched))")
    }

    /// The built-in models that this machine has, by name; where two places have the same name, the first counts. Networks that
    /// answer no questions, such as the classifier of pages, lie beside them but have no tokenizer.
    public static var builtIn: [(name: String, folder: ModelFolder)] {
        var found: [String: ModelFolder] = [:]
        for place in builtInPlaces {
            for name in (try? FileManager.default.contentsOfDirectory(atPath: place.path)) ?? []
            where found[name] == nil {
                let folder = place.appendingPathComponent(name, isDirectory: true)
                if FileManager.default.fileExists(atPath: ModelFolder(folder).tokenizer.path) {
                    found[name] = ModelFolder(folder)
                }
            }
        }
        return found.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    private static var builtInPlaces: [URL] {
        var places: [URL] = []
        if let path = ProcessInfo.processInfo.environment["CHATREX_MODELS"], !path.isEmpty {
            places.append(URL(fileURLWithPath: path, isDirectory: true))
        }
        if let program = Bundle.main.executableURL?.resolvingSymlinksInPath() {
            let prefix = program.deletingLastPathComponent().deletingLastPathComponent()
            places.append(prefix.appendingPathComponent("share/chatrex", isDirectory: true))
        }
        var package = URL(fileURLWithPath: #filePath)
        for _ in 0..<4 { package.deleteLastPathComponent() }
        places.append(package.appendingPathComponent("Models", isDirectory: true))
        return places
    }
}
