import Recipes

/// Why pictures could not be offered or fetched.
public enum CollectionError: Error, Sendable, Hashable {
    /// A source that names nothing that is read.
    case unknownSource(place: String, reason: String)
    /// A source that is there but cannot be read.
    case unreadableSource(place: String, reason: String)
    /// A setting that nothing can be collected with.
    case invalidSetting(name: String, reason: String)
    /// A picture whose bytes could not be had, though it may be there.
    case fetchFailed(place: String, reason: String)
    /// A picture that could not be encoded anew.
    case encodingFailed(key: String, reason: String)
}

extension CollectionError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unknownSource(let place, let reason), .unreadableSource(let place, let reason): "\(place): \(reason)."
        case .invalidSetting(let name, let reason): "The setting '\(name)': \(reason)."
        case .fetchFailed(let place, let reason): "\(place.prefix(300)) could not be fetched: \(reason)."
        case .encodingFailed(let key, let reason): "\(key) could not be encoded anew: \(reason)"
        }
    }
}

extension CollectionError: InvalidSetting {
    public var setting: (name: String, reason: String)? {
        if case .invalidSetting(let name, let reason) = self { (name, reason) } else { nil }
    }
}
