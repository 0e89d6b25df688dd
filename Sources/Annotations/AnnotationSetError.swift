/// Why annotated pictures could not be read or written.
public enum AnnotationSetError: Error, Sendable, Hashable {
    /// A file or folder could not be opened, read or made.
    case unusableFile(path: String, reason: String)
    /// A shard is no archive of samples.
    case damagedShard(path: String, reason: String)
    /// One record of a set is unusable.
    case badRecord(place: String, reason: String)
}

extension AnnotationSetError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unusableFile(let path, let reason): "\(path): \(reason)"
        case .damagedShard(let path, let reason):
            "\(path) is not a whole shard of samples: \(reason). Make it again, or take it out of the folder."
        case .badRecord(let place, let reason): "\(place): \(reason)"
        }
    }
}
