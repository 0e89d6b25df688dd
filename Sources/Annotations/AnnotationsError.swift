/// What can be wrong with files of annotated pictures.
public enum AnnotationsError: Error, Sendable, Hashable {
    /// Missing, a folder, not permitted, or not an ordinary file.
    case unreadable(path: String, reason: String)
    /// A range of bytes that the file does not have, or more of them than wanted.
    case invalidRange(path: String, offset: Int, count: Int, reason: String)
    /// A tar archive that is damaged, cut off, or none; `offset` is where the trouble begins.
    case damagedArchive(path: String, offset: Int, reason: String)
}

extension AnnotationsError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unreadable(let path, let reason):
            "Cannot read \(path): \(reason)."
        case .invalidRange(let path, let offset, let count, let reason):
            "Cannot read \(count) bytes at byte \(offset) of \(path): \(reason)."
        case .damagedArchive(let path, let offset, let reason):
            "\(path) is no sound tar archive: at byte \(offset), \(reason). Fetch or write it anew."
        }
    }
}
