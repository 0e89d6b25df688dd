/// What can go wrong when scenes are made or written.
public enum ScenesError: Error, Equatable, CustomStringConvertible {
    /// Sprites, glyphs or backgrounds are not where they should be; `packages` are the Debian packages that hold them.
    case missingAssets(what: String, path: String, packages: [String])
    /// A file is there but cannot be used.
    case unusableAsset(path: String, reason: String)
    /// A setting has a value that no scene can be made with.
    case invalidConfiguration(setting: String, reason: String)
    /// A scene data set could not be written.
    case unwritable(path: String, reason: String)

    public var description: String {
        switch self {
        case .missingAssets(let what, let path, let packages):
            """
            \(what) missing at \(path). On Debian or Ubuntu install: apt-get install \(packages.joined(separator: " "))
            """
        case .unusableAsset(let path, let reason):
            "\(path) cannot be used: \(reason)"
        case .invalidConfiguration(let setting, let reason):
            "The scene setting '\(setting)' is unusable: \(reason)"
        case .unwritable(let path, let reason):
            "\(path) cannot be written: \(reason)"
        }
    }
}
